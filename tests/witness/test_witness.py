"""The witness's answers, its memory, and what it keeps as evidence."""

import json
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oversight.ledger import cosignature, note
from oversight_witness import monitor, notes, tree
from oversight_witness.__main__ import main
from oversight_witness.store import Store
from oversight_witness.witness import Witness
from tests.witness.conftest import Log

ROOT = Path(__file__).resolve().parents[2]


def other_history(log, at):
    return [*log.entries[:at], b"forged", *log.entries[at + 1 :]]


def test_a_growing_log_is_cosigned_and_our_own_code_verifies_it(log, make_witness):
    witness = make_witness(log.key)
    key = cosignature.CosignerKey.parse(witness.key.vkey())
    size = 0
    for new in (0, 1, 2, 7, 8, 8, 20, 40):
        answer = witness.add_checkpoint(log.request(size, new))
        assert answer.status == 200, answer
        signature = note.parse_signature(answer.body.removesuffix("\n"))
        signed = note.parse(log.signed(new).encode())
        assert abs(key.time_of(signed.text, signature) - time.time()) < 5
        assert key.time_of(signed.text.replace("\n", "\nx", 1), signature) is None
        size = new


def test_each_refusal_has_its_status(log, make_witness):
    witness = make_witness(log.key)
    stranger = Log("other.example/log")
    impostor = Log()
    assert witness.add_checkpoint(log.request(0, 9)).status == 200
    refusals = [
        (stranger.request(0, 3), 404),
        (impostor.request(9, 12), 403),
        (log.request(9, 12).replace(b"old 9", b"old 13"), 400),
        (log.request(3, 12), 409),
        (log.request(0, 4), 409),
        (log.request(9, 12, proof=[]), 422),
        (log.request(9, 12, proof=[b"x" * 32]), 422),
        (log.request(9, 9, proof=[b"x" * 32]), 422),
        (log.request(9, 9, entries=other_history(log, 2)), 422),
        (log.request(9, 12, entries=other_history(log, 2)), 422),
    ]
    for body, status in refusals:
        answer = witness.add_checkpoint(body)
        assert (answer.status, "\u2014" in answer.body) == (status, False), body
    conflict = witness.add_checkpoint(log.request(3, 12))
    assert (conflict.body, conflict.content_type) == ("9\n", "text/x.tlog.size")
    assert witness.store.seen(log.origin).size == 9
    assert witness.add_checkpoint(log.request(9, 12)).status == 200


MALFORMED = [
    b"",
    b"old 0\n",
    b"\n\n",
    b"old 01\n\n@",
    b"old -1\n\n@",
    b"old 99999999999999999999\n\n@",
    b"size 0\n\n@",
    b"old 0\nnot base64\n\n@",
    b"old 0\nAAAA\n\n@",
    b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\n@",
    b"old 0\n\nno checkpoint",
    b"old 0\n\n\xff\xfe\n\n",
]


@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_requests_are_400_and_change_nothing(body, log, make_witness):
    witness = make_witness(log.key)
    request = body.replace(b"@", log.signed(0).encode())
    assert witness.add_checkpoint(request).status == 400
    assert witness.store.seen(log.origin) is None


def test_random_bytes_never_break_it(log, make_witness):
    witness = make_witness(log.key)
    drawn = random.Random(11)
    good = log.request(0, 9)
    for _ in range(300):
        body = bytearray(good)
        for _ in range(drawn.randint(1, 4)):
            body[drawn.randrange(len(body))] = drawn.randrange(256)
        answer = witness.add_checkpoint(bytes(body))
        if bytes(body) != good:
            assert answer.status in (400, 403, 404, 409, 422), bytes(body)


def test_a_fork_of_one_size_is_kept_as_evidence_that_stands_alone(log, make_witness):
    witness = make_witness(log.key)
    witness.add_checkpoint(log.request(0, 9))
    assert witness.add_checkpoint(log.request(9, 9, other_history(log, 4))).status == 422
    assert witness.add_checkpoint(log.request(0, 9, other_history(log, 5))).status == 409
    assert witness.add_checkpoint(log.request(0, 9, other_history(log, 5))).status == 409
    forks = witness.store.forks()
    assert len(forks) == 2
    for fork in forks:
        # Only the log's public key is needed to see that the log signed both.
        one, other = (notes.parse_checkpoint(fork[side].encode()) for side in ("seen", "other"))
        assert monitor.is_fork(log.key, one, other)
    assert not monitor.is_fork(log.key, one, one)
    assert not monitor.is_fork(Log().key, one, other)


def test_a_split_view_shown_to_two_witnesses_is_caught_when_they_compare(log, make_witness):
    first, second = (make_witness(log.key, name=f"w{n}.example", state=f"{n}") for n in (1, 2))
    assert first.add_checkpoint(log.request(0, 9)).status == 200
    assert second.add_checkpoint(log.request(0, 9, other_history(log, 4))).status == 200
    # Whoever holds what the first saw shows it to the second: nobody needs to trust anybody.
    seen = first.store.seen(log.origin).note
    assert second.add_checkpoint(f"old 9\n\n{seen}".encode()).status == 422
    fork = second.store.forks()[0]
    pair = [notes.parse_checkpoint(fork[side].encode()) for side in ("seen", "other")]
    assert monitor.is_fork(log.key, *pair)
    # Neither can ever be brought to cosign the other's continuation.
    assert first.add_checkpoint(log.request(9, 20, other_history(log, 4))).status == 422
    assert second.add_checkpoint(log.request(9, 20)).status == 422


def test_two_requests_at_once_are_one_after_the_other(log, make_witness):
    witness = make_witness(log.key)
    witness.add_checkpoint(log.request(0, 5))
    bodies = [log.request(5, 9), log.request(5, 9, other_history(log, 7))] * 4
    answers = []

    def ask(body):
        answers.append(witness.add_checkpoint(body).status)

    threads = [threading.Thread(target=ask, args=[body]) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(200) == 1
    assert set(answers) <= {200, 409}


def test_the_time_it_states_never_goes_back(log, make_witness, monkeypatch):
    witness = make_witness(log.key)
    witness.add_checkpoint(log.request(0, 5))
    first = witness.store.seen(log.origin).time
    monkeypatch.setattr("oversight_witness.witness.time.time", lambda: first - 3600)
    assert witness.add_checkpoint(log.request(5, 9)).status == 200
    assert witness.store.seen(log.origin).time == first


def test_nothing_is_answered_when_it_cannot_be_remembered(log, tmp_path, monkeypatch):
    witness = Witness(
        "w.example", Ed25519PrivateKey.generate(), [log.key], Store(tmp_path / "w.sqlite")
    )
    witness.add_checkpoint(log.request(0, 5))

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("oversight_witness.notes.cosign", fail)
    monkeypatch.setattr("oversight_witness.store.Turn.keep", fail)
    with pytest.raises(OSError, match="No space"):
        witness.add_checkpoint(log.request(5, 9))
    monkeypatch.undo()
    assert witness.store.seen(log.origin).size == 5
    assert witness.add_checkpoint(log.request(5, 9)).status == 200


def start_process(tmp_path, log):
    command = [sys.executable, "-m", "oversight_witness", "serve", "w.example"]
    key = ["--key", tmp_path / "key.pem", "--state", tmp_path / "w.sqlite", "--port", "0"]
    process = subprocess.Popen(
        [*command, *key, "--log", log.key.vkey()], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    return process, process.stdout.readline().split()[-1]


def ask(url, body):
    request = urllib.request.Request(f"{url}/add-checkpoint", data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def test_killed_at_any_moment_it_has_remembered_all_that_it_answered(log, tmp_path, capsys):
    assert main(["keygen", "w.example", "--key", str(tmp_path / "key.pem")]) == 0
    drawn = random.Random(3)
    answered = size = 0
    for _ in range(4):
        process, url = start_process(tmp_path, log)
        killer = threading.Timer(drawn.uniform(0.02, 0.15), process.kill)
        killer.start()
        try:
            while size < 39:
                status, body = ask(url, log.request(size, size + 1))
                if status == 200:
                    size = answered = size + 1
                elif status == 409:
                    size = int(body)
                    assert size >= answered
        except (OSError, HTTPException):  # killed before, or within, an answer
            pass
        finally:
            killer.cancel()
            process.kill()
            process.wait()
        seen = Store(tmp_path / "w.sqlite").seen(log.origin)
        assert (seen.size if seen else 0) in (answered, answered + 1)
        size = answered = seen.size if seen else 0
    assert answered > 0


def test_it_runs_without_django_and_without_the_site(log):
    code = (
        "import sys, oversight_witness.__main__;"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('django', 'oversight', 'rfc8785')];"
        "sys.exit(bool(bad))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_server_answers_over_http(log, make_witness, serve):
    url = serve(make_witness(log.key))
    assert ask(url, log.request(0, 5))[0] == 200
    assert ask(url, log.request(5, 9, other_history(log, 2)))[0] == 422
    assert ask(url, log.request(5, 5, other_history(log, 2)))[0] == 422
    assert ask(url, b"x" * 70_000)[0] == 400
    read = {
        p: urllib.request.urlopen(f"{url}{p}").read().decode() for p in ("/", "/vkey", "/forks")
    }
    assert f"{log.origin}: 5 entries" in read["/"]
    assert notes.parse_vkey(read["/vkey"], notes.COSIGNER)
    assert len(json.loads(read["/forks"])) == 1


class TestMonitor:
    """The monitor reads every entry and keeps evidence of what does not fit."""

    @pytest.fixture
    def shown(self, log):
        """Return what the log shows, which a test may change."""
        files = {"size": 5, "entries": log.entries}

        def fetch(path):
            entries = files["entries"][: files["size"]]
            if path == "checkpoint":
                return log.signed(files["size"], files["entries"]).encode()
            return b"".join(len(each).to_bytes(2, "big") + each for each in entries)

        return files, fetch

    def test_it_follows_a_log_that_grows(self, log, shown, tmp_path):
        files, fetch = shown
        following = monitor.Monitor(log.key, tmp_path / "state.json", fetch)
        assert following.follow().entries == 5
        files["size"] = 20
        found = following.follow()
        assert (found.size, found.entries) == (20, 15)
        assert monitor.Monitor(log.key, tmp_path / "state.json", fetch).follow().entries == 0

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"size": 4}, "had 5 entries and shows 4"),
            ({"entries": [b"forged"] * 40}, "do not give the signed root"),
            ({"entries": [b"forged"] * 40, "size": 9}, "do not give the signed root"),
        ],
    )
    def test_it_keeps_what_the_log_cannot_deny(self, change, why, log, shown, tmp_path):
        files, fetch = shown
        following = monitor.Monitor(log.key, tmp_path / "state.json", fetch)
        following.follow()
        files.update(change)
        with pytest.raises(monitor.Contradiction, match=why):
            following.follow()
        evidence = json.loads((tmp_path / "state.fork.json").read_text())
        for side in ("seen", "other"):
            assert notes.parse_checkpoint(evidence[side].encode()).is_signed_by(log.key)
        assert json.loads((tmp_path / "state.json").read_text())["size"] == 5

    def test_it_refuses_a_checkpoint_of_another_key(self, log, shown, tmp_path):
        with pytest.raises(monitor.Contradiction, match="not signed"):
            monitor.Monitor(Log().key, tmp_path / "s.json", shown[1]).follow()

    def test_the_command_says_what_it_could_not_reach(self, log, tmp_path, capsys):
        arguments = ["monitor", "http://127.0.0.1:9", log.key.vkey()]
        assert main([*arguments, "--state", str(tmp_path / "s.json")]) == 2
        assert "oversight-witness:" in capsys.readouterr().err


def test_its_tree_agrees_with_ours_and_refuses_what_was_changed(log):
    for old in range(41):
        for new in range(old, 41):
            roots = [notes.parse_checkpoint(log.signed(n).encode()).root for n in (old, new)]
            proof = log.proof(old, new)
            tree.verify_consistency(old, new, *roots, proof)
            if old and old != new:
                with pytest.raises(tree.Inconsistent):
                    tree.verify_consistency(old, new, roots[1], roots[0], proof)
                with pytest.raises(tree.Inconsistent):
                    tree.verify_consistency(old, new, *roots, proof[:-1])
                with pytest.raises(tree.Inconsistent):
                    tree.verify_consistency(old, new, *roots, [*proof, proof[-1]])
