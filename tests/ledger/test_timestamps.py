"""Checkpoints stamped by an authority (RFC 3161): asked, checked, kept, shown, in the bundle."""

import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from django.core.management import CommandError, call_command
from django.db import connection

from oversight.ledger import bundle, timestamps
from oversight.ledger.models import Checkpoint, Timestamp
from oversight.ledger.sequencer import sequence_once
from oversight.ledger.timestamps import TimestampError, TimestampThread
from tests.audit.conftest import program
from tests.ledger.tsa import TimestampAuthority

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is the authority here"),
]


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    return TimestampAuthority(tmp_path_factory.mktemp("authority") / "tsa")


@pytest.fixture
def source(tsa, settings):
    settings.LEDGER_TSA_URL, settings.LEDGER_TSA_ROOTS = "http://tsa.example/", tsa.roots
    return timestamps.authority()


def test_a_checkpoint_is_stamped_once_and_the_stamp_is_checked_again(source, tsa, make_record):
    make_record(3)
    made = timestamps.stamp_newest(source, tsa.post)
    assert (made.size, made.authority) == (3, "tsa.example")
    assert abs((made.stamped_at - made.created_at).total_seconds()) < 60
    assert timestamps.stamp_newest(source, tsa.post) is None
    assert timestamps.check_all(source.roots) == 1


def test_openssl_verifies_what_is_kept_against_the_checkpoints_text(
    source, tsa, make_record, tmp_path
):
    make_record(3)
    made = timestamps.stamp_newest(source, tsa.post)
    (tmp_path / "3.tsr").write_bytes(made.answer)
    (tmp_path / "text").write_bytes(timestamps.signed_text(Checkpoint.objects.get(size=3)))
    command = ["openssl", "ts", "-verify", "-data", "text", "-in", "3.tsr", "-CAfile", tsa.roots]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout + done.stderr


def test_what_is_no_stamp_of_this_checkpoint_by_this_authority_is_not_kept(
    source, tsa, make_record, tmp_path
):
    make_record(3)
    other = TimestampAuthority(tmp_path / "other")
    web = TimestampAuthority(tmp_path / "web", usage=x509.ExtendedKeyUsageOID.SERVER_AUTH)
    asked = []

    def remember(url, body):
        asked.append(tsa.post(url, body))
        return asked[-1]

    timestamps.stamp_newest(source, remember)
    Timestamp.objects.all().delete()
    with pytest.raises(subprocess.CalledProcessError):
        web.post("", b"")
    for post in (
        other.post,  # of another root
        lambda url, body: asked[0],  # an older answer: another nonce
        lambda url, body: b"<html>Sorry</html>",
        lambda url, body: b"",
    ):
        with pytest.raises(TimestampError, match="no timestamp of the checkpoint"):
            timestamps.stamp_newest(source, post)
    assert not Timestamp.objects.exists()


def test_a_stamp_that_was_exchanged_or_whose_time_was_changed_is_found(source, tsa, make_record):
    make_record(3, 5)
    timestamps.stamp_newest(source, tsa.post)
    stamp = Timestamp.objects.get()
    Timestamp.objects.update(stamped_at=stamp.stamped_at.replace(year=2020))
    with pytest.raises(TimestampError, match="5 entries states another time"):
        timestamps.check_all(source.roots)
    Timestamp.objects.update(size=3)
    with pytest.raises(TimestampError, match="The timestamp of 3 entries"):
        timestamps.check_all(source.roots)


@pytest.fixture
def served(tsa):
    """Serve the authority over HTTP and return its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            assert self.headers["Content-Type"] == "application/timestamp-query"
            answer = tsa.post("", self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_the_command_asks_the_authority_and_checks_all(
    served, source, settings, make_record, capsys
):
    settings.LEDGER_TSA_URL = served
    make_record(3)
    call_command("log", "timestamp")
    assert "tsa.example: 3 entries were there on 2" in capsys.readouterr().out
    call_command("log", "timestamp")
    assert "its timestamp already" in capsys.readouterr().out
    call_command("log", "timestamp", "--check")
    assert "1 timestamp holds" in capsys.readouterr().out
    settings.LEDGER_TSA_URL = "http://127.0.0.1:9/"
    make_more()
    with pytest.raises(CommandError, match="gave no timestamp"):
        call_command("log", "timestamp")
    settings.LEDGER_TSA_URL = ""
    with pytest.raises(CommandError, match="LEDGER_TSA_URL"):
        call_command("log", "timestamp")


def make_more():
    from django.db import transaction

    from oversight.ledger import services

    with transaction.atomic():
        services.append(type="tests.thing.done", actor="system:tests", subject="thing:more")
    sequence_once()


def test_without_an_authority_nothing_is_asked():
    assert timestamps.authority() is None
    thread = TimestampThread(None, print)
    thread.start()
    thread.stop()


def test_root_certificates_that_are_none_are_named(settings, tmp_path):
    (tmp_path / "roots.pem").write_text("nothing")
    settings.LEDGER_TSA_URL, settings.LEDGER_TSA_ROOTS = "http://x/", tmp_path / "roots.pem"
    with pytest.raises(TimestampError, match=r"roots\.pem"):
        timestamps.authority()


@pytest.mark.django_db(transaction=True)
def test_the_thread_stamps_beside_the_sequencer_and_says_its_trouble_once(source, tsa, make_record):
    make_record(2)
    said, asked = [], threading.Event()

    def post(url, body):
        if not asked.is_set():
            asked.set()
            raise TimestampError("It sleeps.")
        return tsa.post(url, body)

    thread = TimestampThread(source, said.append, every_seconds=3600, post=post, retry_seconds=0.01)
    thread.start()
    try:
        wait_until(lambda: Timestamp.objects.filter(size=2).exists())
        assert said == ["timestamp: It sleeps."]
    finally:
        thread.stop()
    connection.close()


def wait_until(holds):
    import time

    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_log_answers_the_stamp_and_the_page_shows_it(source, tsa, make_record, client):
    assert "Timestamp" in client.get("/record/status/").content.decode()
    make_record(3)
    timestamps.stamp_newest(source, tsa.post)
    page = client.get("/record/status/").content.decode()
    assert "tsa.example" in page
    assert "/log/timestamp/3" in page
    answer = client.get("/log/timestamp/3")
    assert answer["Content-Type"] == "application/timestamp-reply"
    assert answer.content == bytes(Timestamp.objects.get().answer)
    for size in ("2", "4", "9" * 30):
        assert client.get(f"/log/timestamp/{size}").status_code == 404


def test_a_bundle_holds_the_last_stamp_of_a_day_and_the_verifier_ties_it_to_the_tree(
    source, tsa, make_record
):
    make_record(3, 5)
    Timestamp.objects.create(
        size=3, authority="x", stamped_at="2026-11-20T10:00:00Z", answer=b"earlier that day"
    )
    timestamps.stamp_newest(source, tsa.post)
    Timestamp.objects.filter(size=5).update(stamped_at="2026-11-20T11:00:00Z")
    files = dict(bundle.log_files(bundle.newest_head()))
    assert [name for name in files if name.startswith("timestamps/")] == ["timestamps/5.tsr"]
    entries = program.split_entries(files["log/tile/entries/000.p/5"], "entries", 5)
    tree = program.Tree(keep=[5])
    for entry in entries:
        tree.add(program.sha256(b"\x00" + entry))

    class Files(dict):
        raw = dict.__getitem__

    names, origin = {5: "timestamps/5.tsr"}, "localhost:8000/log"
    says = program.check_stamps(Files(files), origin, tree, names)
    assert "the tree of 5 entries" in says
    with pytest.raises(program.Contradiction, match="another tree"):
        program.check_stamps(Files(files), "example.org/log", tree, names)
    names = {9: "timestamps/5.tsr"}
    tree.roots[9] = None
    with pytest.raises(program.Contradiction, match="not here"):
        program.check_stamps(Files(files), origin, tree, names)
