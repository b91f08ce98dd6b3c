"""All public lists in one file: the same bytes for the same record, checked by common tools."""

import csv
import hashlib
import io
import json
import subprocess
import zipfile
from datetime import timedelta
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.utils import timezone

from evals.artefacts import path_of
from oversight.dashboards.tables.dictionary import FORMS, LISTS
from oversight.ledger.queries import newest_checkpoint, published_size
from oversight.snapshots import packing, services
from oversight.snapshots.models import Snapshot
from oversight.snapshots.tasks import take_snapshot
from tests.dashboards.conftest import no_nudges, world  # noqa: F401 - fixtures by their names
from tests.webhooks.conftest import put_on_record

pytestmark = pytest.mark.django_db


def opened(snapshot: Snapshot) -> zipfile.ZipFile:
    return zipfile.ZipFile(path_of(snapshot.file_id))


def test_a_snapshot_holds_every_list_in_every_form(world):  # noqa: F811
    with opened(services.take()) as archive:
        for table in LISTS:
            rows = json.loads(archive.read(f"json/{table.name}.json"))
            assert rows["complete"] is True
            assert rows["tree_size"] == published_size()
            text = archive.read(f"csv/{table.name}.csv").decode()
            lines = list(csv.DictReader(io.StringIO(text)))
            as_parquet = pq.read_table(io.BytesIO(archive.read(f"parquet/{table.name}.parquet")))
            assert len(rows["rows"]) == len(lines) == as_parquet.num_rows, table.name
            assert as_parquet.schema.names == list(table.names)
        assert archive.read("checkpoint").decode().startswith(newest_checkpoint().note)
        names = {f"{form}/{table.name}.{form}" for form in FORMS for table in LISTS}
        assert names < set(archive.namelist())


def test_its_sums_hold_by_the_common_tool(world, tmp_path):  # noqa: F811
    with opened(services.take()) as archive:
        archive.extractall(tmp_path / "out")
    command = ["sha256sum", "-c", "--strict", "SHA256SUMS"]
    subprocess.run(command, cwd=tmp_path / "out", capture_output=True, check=True)
    summed = (tmp_path / "out" / "SHA256SUMS").read_text()
    files = [
        path
        for path in (tmp_path / "out").rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    ]
    assert summed.count("\n") == len(files)


def test_its_package_describes_the_files_beside_it(world, tmp_path):  # noqa: F811
    with opened(services.take()) as archive:
        package = json.loads(archive.read("datapackage.json"))
        assert [each["name"] for each in package["resources"]] == [table.name for table in LISTS]
        for each in package["resources"]:
            content = archive.read(each["path"])
            assert each["bytes"] == len(content)
            assert each["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
            head = next(csv.reader(io.StringIO(content.decode())))
            assert head == [field["name"] for field in each["schema"]["fields"]]


def test_the_same_record_gives_the_same_bytes(world, tmp_path):  # noqa: F811
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        packing.pack(tmp_path / f"{name}.zip", folder, site="A", address="https://a.example")
        made.append((tmp_path / f"{name}.zip").read_bytes())
        assert list(folder.iterdir()) == [], "nothing is left behind"
    assert made[0] == made[1]


def test_the_clock_takes_one_a_month_and_more_while_the_record_is_young():
    take_snapshot()
    assert not Snapshot.objects.exists(), "an empty record has none"
    put_on_record("body:a", "body:b", type_="accounts.body.founded")
    take_snapshot()
    take_snapshot()
    assert [each.tree_size for each in Snapshot.objects.all()] == [2]
    put_on_record("body:c", type_="accounts.body.founded")
    assert not services.is_due()
    Snapshot.objects.update(made_at=timezone.now() - timedelta(days=32))
    take_snapshot()
    assert [each.tree_size for each in Snapshot.objects.all()] == [3, 2]
    put_on_record(*(f"body:d{n}" for n in range(9)), type_="accounts.body.founded")
    assert services.is_due(), "it has grown four times as large"


def test_a_month_in_which_nothing_happened_has_none():
    put_on_record("body:a", type_="accounts.body.founded")
    take_snapshot()
    Snapshot.objects.update(made_at=timezone.now() - timedelta(days=40))
    assert not services.is_due()


@pytest.mark.django_db(transaction=True)
def test_while_one_is_taken_no_other_is():
    put_on_record("body:a", type_="accounts.body.founded")
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        dbname=settings["NAME"],
        user=settings["USER"],
        password=settings["PASSWORD"],
    ) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [services._LOCK])
        assert services.take_if_due() is None
        # By hand: the server lets go of a closed connection's locks when it notices.
        other.execute("SELECT pg_advisory_unlock(%s)", [services._LOCK])
    assert services.take_if_due() is not None


def test_a_snapshot_is_downloaded_under_its_digest_and_never_sent_twice(client):
    assert client.get("/data/everything.zip").status_code == 404
    assert client.get(f"/data/snapshots/{'0' * 64}.zip").status_code == 404
    assert b"No such file was made yet." in client.get("/data/").content
    put_on_record("body:a", type_="accounts.body.founded")
    made = services.take()
    address = f"/data/snapshots/{made.file_id}.zip"
    assert client.get("/data/everything.zip")["Location"] == address
    answer = client.get(address)
    content = b"".join(answer.streaming_content)
    assert hashlib.sha256(content).hexdigest() == made.file_id
    assert answer["Cache-Control"] == "public, max-age=86400"
    again = client.get(address, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, b"".join(again)) == (304, b"")
    assert made.file_id.encode()[:12] in client.get("/data/").content


def test_the_catalogue_names_every_list_and_snapshot_in_the_words_of_dcat(client, settings):
    put_on_record("body:a", type_="accounts.body.founded")
    made = services.take()
    answer = client.get("/data/catalogue.jsonld")
    assert answer["Content-Type"] == "application/ld+json"
    found = json.loads(answer.content)
    assert found["@type"] == "dcat:Catalog"
    datasets = {each["dct:identifier"]: each for each in found["dcat:dataset"]}
    assert set(datasets) == {table.name for table in LISTS} | {"everything"}
    for each in datasets.values():
        for distribution in each["dcat:distribution"]:
            place = distribution["dcat:downloadURL"]["@id"].removeprefix(settings.PUBLIC_URL)
            assert client.get(place).status_code == 200, place
    (whole,) = datasets["everything"]["dcat:distribution"]
    assert whole["spdx:checksum"]["spdx:checksumValue"] == made.file_id
    assert whole["dcat:byteSize"] == path_of(made.file_id).stat().st_size
    assert Path(path_of(made.file_id)).is_file()
