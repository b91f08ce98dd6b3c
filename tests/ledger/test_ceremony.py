"""Key ceremonies: rotate by a leaf, retire with a statement, keys from elsewhere than a file."""

import os
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import connection

from oversight.ledger import ceremony, checkpoint, fsck, keys, note, queries, services
from oversight.ledger.models import Checkpoint, LedgerEntry
from oversight.ledger.sequencer import make_signer, sequence_once
from oversight.ledger.sequencer_process import LOCK
from oversight.ledger.signer import Signer, SignerRefusal

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process is gone."""


def verifier(vkey):
    return note.VerifierKey.parse(vkey)


def rotate(capsys):
    call_command("log_key", "--rotate")
    return capsys.readouterr().out.strip()


def test_a_rotation_is_a_leaf_signed_by_the_old_key_and_the_new(
    make_record, make_leaves, capsys, client
):
    make_record(3)
    old = make_signer().vkey
    receipt = queries.receipt_at(1).text
    new = rotate(capsys)
    assert make_signer().vkey == new != old
    leaf = LedgerEntry.objects.get(index=3)
    assert leaf.content["facts"] == {"from": old, "to": new}
    # Whoever knows only the old key learns of the new one under a signature they trust.
    both = Checkpoint.objects.get(size=4).note.encode()
    for vkey in (old, new):
        assert checkpoint.open_signed(both, [verifier(vkey)]).size == 4
    make_leaves(2)
    sequence_once()
    later = Checkpoint.objects.get(size=6).note.encode()
    assert checkpoint.open_signed(later, [verifier(new)]).size == 6
    with pytest.raises(checkpoint.CheckpointError, match="not signed by a known key"):
        checkpoint.open_signed(later, [verifier(old)])
    assert fsck.check_record().entries == 6
    assert services.check_receipt(receipt).ok
    assert client.get("/log/vkeys").content.decode().split() == [new, old]
    assert client.get("/log/vkey").content.decode().strip() == new
    assert len({new, old, rotate(capsys)}) == 3
    assert fsck.check_record().entries == 7


def test_the_old_key_signs_nothing_after_a_rotation(make_record, capsys, settings):
    make_record(3)
    kept = settings.LEDGER_KEY_PATH.read_bytes()
    rotate(capsys)
    settings.LEDGER_KEY_PATH.write_bytes(kept)
    with pytest.raises(SignerRefusal, match="Restore the key"):
        sequence_once()


STEPS = [
    (ceremony, "store_batch"),
    (Signer, "rotate"),
    (Signer, "_keep"),
    (Signer, "_store"),
    (ceremony, "keep_checkpoint"),
    (ceremony, "_hand_over"),
    (ceremony, "_move_key_files"),
]


@pytest.mark.parametrize(("where", "step"), STEPS)
def test_a_rotation_that_was_killed_is_finished_by_the_next(
    where, step, make_record, make_leaves, capsys, monkeypatch
):
    make_record(3)
    original = getattr(where, step)

    def crash(*args, **kwargs):
        original(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(where, step, crash)
    with pytest.raises(Killed):
        ceremony.rotate_key()
    monkeypatch.undo()
    new = rotate(capsys)
    assert make_signer().vkey == new
    make_leaves(1)
    assert sequence_once() == 1
    assert fsck.check_record().entries == LedgerEntry.objects.count()


def test_a_retired_log_says_so_and_signs_nothing_more(make_record, make_leaves, capsys):
    make_record(3)
    call_command("log_key", "--retire", "moved", "--successor", "new.example/log")
    statement = capsys.readouterr().out.rstrip("\n") + "\n"
    signed = note.parse(statement.encode())
    assert note.verify(signed, queries.keys_of_log())
    lines = signed.text.split("\n")
    assert (lines[0], lines[1], lines[3], lines[4]) == (
        "closed localhost:8000/log",
        "4",
        "moved",
        "new.example/log",
    )
    leaf = LedgerEntry.objects.get(index=3)
    assert leaf.content["facts"] == {"reason": "moved", "successor": "new.example/log"}
    assert queries.receipt_at(3).tree_size == 4
    make_leaves(1)
    with pytest.raises(SignerRefusal, match="was closed at 4 entries"):
        sequence_once()
    assert queries.newest_checkpoint().size == 4


def test_a_statement_cannot_pass_for_a_checkpoint(make_record):
    make_record(1)
    with pytest.raises(SignerRefusal, match="never as a statement"):
        make_signer().state_a_fact("localhost:8000/log\n99\nAAAA\n")


@pytest.mark.django_db(transaction=True)
def test_no_ceremony_while_a_sequencer_runs(make_record):
    make_record(1)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", LOCK)
        for act in (["--rotate"], ["--retire", "x"]):
            with pytest.raises(CommandError, match="Stop it first"):
                call_command("log_key", *act)
    finally:
        other.close()


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def test_a_key_from_the_environment_signs_and_no_file_is_made(settings, make_record):
    key = Ed25519PrivateKey.generate()
    settings.LEDGER_KEY = pem_of(key).replace("\n", "\\n")
    make_record(2)
    expected = note.SigningKey(settings.LEDGER_ORIGIN, key).verifier
    assert make_signer().vkey == expected.format()
    assert not settings.LEDGER_KEY_PATH.exists()
    with pytest.raises(CommandError, match="Only a key in LEDGER_KEY_PATH"):
        call_command("log_key", "--rotate")
    settings.LEDGER_KEY = "nonsense"
    with pytest.raises(SignerRefusal, match="LEDGER_KEY is not an unencrypted private key"):
        make_signer()


@pytest.fixture
def token(tmp_path, monkeypatch):
    """Make a software token with an Ed25519 key, where SoftHSM and python-pkcs11 are installed."""
    pkcs11 = pytest.importorskip("pkcs11", reason="the optional package python-pkcs11 is not here")
    module = "/usr/lib/softhsm/libsofthsm2.so"
    if not shutil.which("softhsm2-util") or not os.path.exists(module):  # noqa: PTH110
        pytest.skip("SoftHSM is not installed: apt-get install softhsm2")
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    command = ["softhsm2-util", "--init-token", "--free", "--label", "log", "--pin", "1234"]
    subprocess.run([*command, "--so-pin", "4321"], check=True, capture_output=True)

    session = pkcs11.lib(module).get_token(token_label="log").open(rw=True, user_pin="1234")
    parameters = session.create_domain_parameters(
        pkcs11.KeyType.EC_EDWARDS,
        {pkcs11.Attribute.EC_PARAMS: bytes.fromhex("130c656477617264733235353139")},
        local=True,
    )
    parameters.generate_keypair(
        mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label="log-key"
    )
    session.close()
    return f"pkcs11:token=log;object=log-key?module-path={module}"


def test_a_key_in_a_device_signs_what_others_verify(token, settings, make_record):
    settings.LEDGER_KEY_PKCS11, settings.LEDGER_KEY_PIN = token, "1234"
    make_record(3)
    assert not settings.LEDGER_KEY_PATH.exists()
    assert services.check_receipt(queries.receipt_at(1).text).ok
    with pytest.raises(SignerRefusal, match="holds no Ed25519 key pair"):
        keys.load_pkcs11(token.replace("log-key", "other"), "1234")


def test_a_device_that_is_badly_named_or_lacks_its_library_is_refused(monkeypatch):
    pytest.importorskip("pkcs11", reason="the optional package python-pkcs11 is not here")
    for uri in ("nonsense", "pkcs11:token=a", "pkcs11:token=a;object=b?module-path=/none.so"):
        with pytest.raises(SignerRefusal):
            keys.load_pkcs11(uri, "")


def test_without_the_optional_package_the_message_says_how_to_get_it(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(SignerRefusal, match="pip install python-pkcs11"):
        keys.load_pkcs11("pkcs11:token=a;object=b?module-path=c", "")
