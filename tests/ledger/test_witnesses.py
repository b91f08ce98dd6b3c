"""The log and its witnesses: cosignatures in receipts, quorum, refusals, and no waiting."""

import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from oversight.ledger import (
    fsck,
    proof,
    queries,
    sequencer_process,
    services,
    tlog_policy,
    witnesses,
)
from oversight.ledger.models import Checkpoint, Cosignature, LedgerEntry, Quorum, WitnessReport
from oversight.ledger.sequencer import make_signer, sequence_once
from oversight.ledger.witnesses import Answer, Submission, WitnessUnreachable
from oversight_witness import notes
from oversight_witness.server import make_server
from oversight_witness.store import Store
from oversight_witness.witness import Witness
from tests.ledger.tampering import set_back_to


@pytest.fixture
def make_witness(tmp_path):
    def make(name):
        key = notes.parse_vkey(make_signer().vkey, notes.LOG)
        return Witness(name, Ed25519PrivateKey.generate(), [key], Store(tmp_path / name))

    return make


@pytest.fixture
def use_policy(settings, tmp_path):
    def use(quorum, *made, url="http://127.0.0.1:1"):
        lines = [f"witness {each.key.name} {each.key.vkey()} {url}" for each in made]
        names = " ".join(each.key.name for each in made)
        path = tmp_path / f"policy-{quorum}-{len(made)}"
        path.write_text(
            "\n".join([*lines, f"group both all {names}", f"group one any {names}"])
            + f"\nquorum {quorum}\n"
        )
        settings.LEDGER_POLICY_PATH = path
        return queries.witness_policy()

    return use


def submission(found, witness, answer=None):
    """Return a submission that reaches the witness without a network."""

    def post(url, body):
        assert url.endswith("/add-checkpoint")
        given = witness.add_checkpoint(body)
        return Answer(given.status, given.body)

    wanted = next(each for each in found.witnesses if each.name == witness.key.name)
    return Submission(found, wanted, answer or post)


@pytest.mark.django_db
def test_cosignatures_stand_in_receipts_and_under_the_checkpoint(
    make_witness, use_policy, make_record, client
):
    made = [make_witness(f"w{n}.example") for n in (1, 2)]
    found = use_policy("none", *made)
    make_record(3, 9)
    for witness in made:
        assert submission(found, witness).submit_newest()
    text = queries.receipt_at(4).text
    signed = client.get("/log/checkpoint").content.decode()
    assert text.endswith(signed)
    for witness in made:
        assert f"\u2014 {witness.key.name} " in signed
    check = services.check_receipt(text)
    assert check.ok
    assert "so did w1.example and w2.example" in check.steps[1].explanation
    body = bytes(LedgerEntry.objects.get(index=4).body)
    assert proof.parse(text).verify(body, queries.keys_of_log()).size == 9


@pytest.mark.django_db
def test_a_witness_that_was_away_is_brought_up_to_date(make_witness, use_policy, make_record):
    witness = make_witness("w.example")
    found = use_policy("none", witness)
    make_record(3)
    assert submission(found, witness).submit_newest()
    make_more(7)
    # A new process does not know what the witness has seen; the witness says so (409).
    assert submission(found, witness).submit_newest()
    assert list(Cosignature.objects.values_list("size", flat=True)) == [3, 7]
    assert submission(found, witness).submit_newest()
    assert Cosignature.objects.count() == 2


def make_more(size):
    from tests.ledger.test_startup import make_record_further

    make_record_further(size)


@pytest.mark.django_db
def test_with_a_quorum_only_a_cosigned_checkpoint_counts(
    make_witness, use_policy, make_record, client
):
    made = [make_witness(f"w{n}.example") for n in (1, 2)]
    found = use_policy("both", *made)
    make_record(3)
    assert client.get("/log/checkpoint").status_code == 404
    assert queries.receipt_at(0) is None
    assert submission(found, made[0]).submit_newest()
    assert queries.newest_checkpoint() is None
    assert submission(found, made[1]).submit_newest()
    assert queries.receipt_at(0).tree_size == 3
    make_more(5)
    assert queries.newest_signed_checkpoint().size == 5
    assert queries.newest_checkpoint().size == 3
    assert queries.receipt_at(4) is None
    assert fsck.check_record().entries == 5
    assert list(Quorum.objects.values_list("size", flat=True)) == [3]


@pytest.mark.django_db
def test_a_refused_fork_is_kept_with_the_checkpoint_and_shown(
    make_witness, use_policy, make_record, client, settings, own_log
):
    witness = make_witness("w.example")
    found = use_policy("none", witness)
    make_record(5, 9)
    assert submission(found, witness).submit_newest()
    # The database and the signer's state are both set back, and the files are lost.
    set_back_to(5, Checkpoint.objects.get(size=5).root)
    settings.LEDGER_SIGNER_STATE_PATH.unlink()
    from oversight.ledger.sequencer import adopt_head

    adopt_head(make_signer())
    make_more(9)
    Cosignature.objects.all().delete()
    assert not submission(found, witness).submit_newest()
    assert not submission(found, witness).submit_newest()
    report = WitnessReport.objects.get()
    assert (report.witness, report.size, report.status) == ("w.example", 9, 422)
    assert report.note == Checkpoint.objects.get(size=9).note
    # The witness holds both signed checkpoints: proof without trusting either side.
    fork = witness.store.forks()[0]
    assert fork["seen"] != fork["other"] == report.note
    page = client.get("/record/status/").content.decode()
    assert "w.example" in page
    assert "422" in page


@pytest.mark.django_db
def test_a_database_behind_what_a_witness_saw_is_reported(make_witness, use_policy, make_record):
    witness = make_witness("w.example")
    found = use_policy("none", witness)
    make_record(5, 9)
    assert submission(found, witness).submit_newest()
    set_back_to(5, Checkpoint.objects.get(size=5).root)
    assert not submission(found, witness).submit_newest()
    assert WitnessReport.objects.get().status == 409


@pytest.mark.django_db
@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, ""),
        Answer(200, "\u2014 w.example AAAA\n"),
        Answer(200, "nonsense " * 100),
        Answer(409, "x"),
    ],
)
def test_an_answer_that_means_nothing_is_tried_again_later(
    answer, make_witness, use_policy, make_record
):
    witness = make_witness("w.example")
    found = use_policy("none", witness)
    make_record(3)
    with pytest.raises(WitnessUnreachable):
        submission(found, witness, lambda url, body: answer).submit_newest()
    assert not Cosignature.objects.exists()


@pytest.mark.django_db
def test_another_key_under_the_witness_name_is_no_cosignature(
    make_witness, use_policy, make_record, tmp_path
):
    witness = make_witness("w.example")
    found = use_policy("none", witness)
    make_record(3)
    key = notes.parse_vkey(make_signer().vkey, notes.LOG)
    impostor = Witness("w.example", Ed25519PrivateKey.generate(), [key], Store(tmp_path / "other"))
    with pytest.raises(WitnessUnreachable, match="without a valid cosignature"):
        submission(found, impostor).submit_newest()


@pytest.mark.django_db(transaction=True)
def test_the_process_asks_a_real_witness_and_a_dead_one_slows_nothing(
    make_witness, use_policy, make_leaves, settings
):
    witness = make_witness("w.example")
    server = make_server(witness, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use_policy("none", witness, url=f"http://127.0.0.1:{server.server_port}")
    # The second one never answers: a port that accepts and says nothing.
    import socket

    silent = socket.create_server(("127.0.0.1", 0))
    dead = make_witness("dead.example")
    text = settings.LEDGER_POLICY_PATH.read_text()
    line = f"witness dead.example {dead.key.vkey()} http://127.0.0.1:{silent.getsockname()[1]}\n"
    settings.LEDGER_POLICY_PATH = settings.LEDGER_POLICY_PATH.with_name("with-dead")
    settings.LEDGER_POLICY_PATH.write_text(line + text)
    said = []
    process = sequencer_process.SequencerProcess(say=said.append)
    thread = threading.Thread(target=run_and_close, args=[process])
    thread.start()
    try:
        wait_until(Checkpoint.objects.exists)
        for _ in range(5):
            leaf = make_leaves(1)[0]
            began = time.monotonic()
            assert services.wait_for_receipt(leaf.id, timeout_seconds=4) is not None
            # Far less than the five seconds for which the silent one is waited for.
            assert time.monotonic() - began < 4
        wait_until(lambda: Cosignature.objects.filter(size=5, witness="w.example").exists())
        assert not Cosignature.objects.filter(witness="dead.example").exists()
        wait_until((settings.LEDGER_PUBLIC_DIR / "checkpoint").exists)
    finally:
        process.stop()
        thread.join(20)
        server.shutdown()
        server.server_close()
        silent.close()
    assert not thread.is_alive()


def run_and_close(process):
    try:
        process.run()
    finally:
        connection.close()


def wait_until(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestPolicy:
    """Policies are read strictly and counted as they say."""

    @pytest.fixture
    def vkeys(self, tmp_path):
        keys = [Ed25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(3)]
        return [notes.Key(f"w{n}", notes.COSIGNER, key).vkey() for n, key in enumerate(keys)]

    def test_groups_count_as_they_say(self, vkeys):
        lines = [f"witness w{n} {vkey}" for n, vkey in enumerate(vkeys)]
        text = [*lines, "group two 2 w0 w1 w2", "group all all w0 w1", "group deep any all w2"]
        for quorum, enough, few in [
            ("two", {"w0", "w2"}, {"w1"}),
            ("all", {"w0", "w1"}, {"w0", "w2"}),
            ("deep", {"w2"}, {"w0"}),
            ("w1", {"w1"}, {"w0", "w2"}),
        ]:
            found = tlog_policy.parse("\n".join([*text, f"quorum {quorum} # why"]))
            assert found.is_met(enough)
            assert not found.is_met(few)
        assert tlog_policy.parse("quorum none").is_met(set())

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "no line `quorum"),
            ("quorum w9", "no witness or group"),
            ("quorum none\nquorum none", "one line"),
            ("nonsense", "none of log"),
            ("witness a", "Write `witness"),
            ("witness none @0", "is taken"),
            ("witness a @0\nwitness a @1", "is taken"),
            ("witness a @0\nwitness b @0", "another witness's already"),
            ("witness a @0 ftp://x", "not a web address"),
            ("witness a @0\ngroup g 2 a\nquorum g", "not all, any"),
            ("witness a @0\ngroup g 0 a\nquorum g", "not all, any"),
            ("witness a @0\ngroup g any a a\nquorum g", "twice"),
            ("group g any a\nquorum g", "no witness or group"),
            ("log nonsense", "verifier key has the form"),
        ],
    )
    def test_a_policy_that_cannot_be_used_names_the_line(self, text, why, vkeys):
        for number, vkey in enumerate(vkeys):
            text = text.replace(f"@{number}", vkey)
        with pytest.raises(tlog_policy.PolicyError, match=why):
            tlog_policy.parse(text)


def test_the_address_that_does_not_answer_is_unreachable():
    with pytest.raises(WitnessUnreachable):
        witnesses.post("http://127.0.0.1:1/add-checkpoint", b"")


@pytest.mark.django_db
def test_without_a_policy_nothing_is_asked_of_anybody(make_record):
    make_record(2)
    threads = witnesses.WitnessThreads(queries.witness_policy(), print)
    threads.start()
    threads.wake()
    threads.stop()
    assert sequence_once() == 0
    assert not Cosignature.objects.exists()


@pytest.mark.django_db
def test_the_page_on_verifying_names_the_witnesses_or_says_that_there_are_none(
    make_witness, use_policy, make_record, client
):
    make_record(1)
    assert "No independent witness" in client.get("/how-to-verify/").content.decode()
    use_policy("none", make_witness("w.example"))
    page = client.get("/how-to-verify/").content.decode()
    assert "(w.example;" in page
    assert "No independent witness" not in page
