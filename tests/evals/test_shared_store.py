"""Several web hosts, one bucket: what one stores the others read, checked by its digest."""

import hashlib

import pytest

from evals import artefacts, shared_store
from evals.models import Artefact
from oversight.env import ConfigurationError, bucket
from oversight.web.refusals import Invalid
from tests.evals.bucket import running_bucket

pytest.importorskip("storages", reason="pip install -r requirements-s3.txt")
pytestmark = pytest.mark.django_db

DATA = b'{"question": "Is 2 even?"}\n'
SHA256 = hashlib.sha256(DATA).hexdigest()
PLACE = f"/files/records/sha256/{SHA256[:2]}/{SHA256}"


@pytest.fixture
def server(monkeypatch, settings):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with running_bucket() as server:
        address = f"s3://files/records?endpoint={server.url}&region=eu"
        monkeypatch.setenv("ARTEFACTS_URL", address)
        settings.ARTEFACTS_BUCKET = bucket("ARTEFACTS_URL")
        yield server
    shared_store._storage.cache_clear()


def test_what_one_host_stores_another_reads(server, settings, tmp_path):
    artefacts.store_bytes(DATA, media_type="application/jsonl")
    assert server.objects == {PLACE: DATA}
    settings.ARTEFACTS_DIR = tmp_path / "another-host"
    assert artefacts.path_of(SHA256).read_bytes() == DATA
    server.objects.clear()
    assert artefacts.path_of(SHA256).read_bytes() == DATA, "fetched once, it stays"


def test_what_was_altered_in_the_bucket_is_refused(server, settings, tmp_path):
    artefacts.store_bytes(DATA, media_type="application/jsonl")
    server.objects[PLACE] = DATA.replace(b"2", b"3")
    settings.ARTEFACTS_DIR = tmp_path / "another-host"
    with pytest.raises(Invalid, match="cut short or altered"):
        artefacts.path_of(SHA256)
    assert not list((tmp_path / "another-host").rglob(SHA256))


def test_a_bucket_that_does_not_answer_leaves_nothing_behind_that_names_the_file(server):
    server.is_broken = True
    with pytest.raises(shared_store.StoreAway, match="does not answer"):
        artefacts.store_bytes(DATA, media_type="application/jsonl")
    assert not Artefact.objects.exists()
    server.is_broken = False
    artefacts.store_bytes(DATA, media_type="application/jsonl")
    assert server.objects == {PLACE: DATA}


def test_what_nobody_stored_is_not_there(server):
    assert not artefacts.path_of(SHA256).exists()


@pytest.mark.parametrize(
    "address",
    ["https://host/bucket", "s3:///prefix", "s3://files?key=x", "s3://key:secret@files/records"],
)
def test_an_address_that_is_no_bucket_is_refused(address, monkeypatch):
    monkeypatch.setenv("ARTEFACTS_URL", address)
    with pytest.raises(ConfigurationError, match="ARTEFACTS_URL"):
        bucket("ARTEFACTS_URL")
