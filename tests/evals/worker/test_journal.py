"""The journal: what it keeps survives a crash, is never another model's, and stays in bounds."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evals.worker.runner.answers import Asking, Questions
from evals.worker.runner.journal import Journal, JournalBusy, name_of, remove_oldest

KEY = {"weights": "sha256:1", "backend": "hf", "dtype": "float32", "devices": 1}
NAMES = [name_of("loglikelihood", [str(n), "x"]) for n in range(10)]
PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journals"


def filled(folder, key=KEY, count=5, **options):
    """Write a journal with so many answers and return its path."""
    journal = Journal(folder, key, **options)
    for number, name in enumerate(NAMES[:count]):
        journal.keep(name, [-0.1 * number, True])
    journal.close()
    return journal.path


def known(folder, key=KEY, **options):
    journal = Journal(folder, key, **options)
    found = journal.look_up(NAMES)
    journal.close()
    return [NAMES.index(name) for name in found]


def test_answers_come_back_to_the_last_digit(folder):
    journal = Journal(folder, KEY)
    answers = [[-1.2345678901234567e-05, False], "text with “quotes”\n and lines", -3.5]
    for name, answer in zip(NAMES, answers, strict=False):
        journal.keep(name, answer)
    # Also before it is closed.
    assert list(journal.look_up(NAMES).values()) == answers
    journal.close()
    again = Journal(folder, KEY)
    assert again.look_up(NAMES[:2]) == dict(zip(NAMES[:2], answers, strict=False))
    assert (again.path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("torn", range(1, 90, 11))
def test_a_torn_last_record_is_dropped_and_the_next_one_is_whole(folder, torn):
    path = filled(folder)
    os.truncate(path, path.stat().st_size - torn)
    assert known(folder) == [0, 1, 2, 3]
    journal = Journal(folder, KEY)
    journal.keep(NAMES[7], "after")
    journal.close()
    assert known(folder) == [0, 1, 2, 3, 7]


def test_a_record_that_rots_is_not_believed_and_the_others_are(folder):
    path = filled(folder)
    content = path.read_bytes().replace(b"[-0.2, true]", b"[-0.3, true]")
    path.write_bytes(content)
    assert known(folder) == [0, 1, 3, 4]


@pytest.mark.parametrize("field", sorted(KEY))
def test_another_models_answers_are_never_read(folder, field):
    path = filled(folder)
    other = KEY | {field: "other"}
    assert known(folder, other) == []
    # Also where its file has come under the other's name: the whole key is compared.
    theirs = Journal(folder, other)
    theirs.close()
    theirs.path.write_bytes(path.read_bytes())
    assert known(folder, other) == []
    assert known(folder) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("header", [b"", b"garbage\n", b"0" * 17 + b"{}\n"])
def test_a_journal_without_its_header_is_begun_anew(folder, header):
    path = filled(folder)
    path.write_bytes(header + path.read_bytes().partition(b"\n")[2])
    assert known(folder) == []


def test_only_one_process_writes_a_journal(folder):
    journal = Journal(folder, KEY)
    with pytest.raises(JournalBusy):
        Journal(folder, KEY)
    journal.close()
    assert known(folder) == []


def test_the_oldest_journals_make_room_and_one_in_use_stays(folder):
    paths = [filled(folder, KEY | {"weights": str(n)}) for n in range(4)]
    for age, path in enumerate(reversed(paths)):
        os.utime(path, (time.time() - 100 * age - 100,) * 2)
    size = paths[0].stat().st_size
    with paths[0].open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        remove_oldest(folder, 2 * size + 10)
    assert [path.exists() for path in paths] == [True, False, False, True]


def test_a_journal_stops_at_its_limit_and_a_full_one_is_begun_anew(folder):
    path = filled(folder, limit_bytes=400, count=9)
    assert path.stat().st_size <= 400
    assert known(folder, limit_bytes=400) == [0, 1]
    path.write_bytes(path.read_bytes() * 2)
    assert known(folder, limit_bytes=400) == []


def test_old_answers_of_an_endpoint_do_not_count(folder, monkeypatch):
    filled(folder)
    assert len(known(folder, max_age_seconds=60)) == 5
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert known(folder, max_age_seconds=60) == []


def test_a_full_disk_ends_the_keeping_and_nothing_else(folder):
    # A file that may not grow over 2,000 bytes stands for a disk that is full.
    code = f"""
import resource, signal
from pathlib import Path
from evals.worker.runner.journal import Journal, name_of
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(Path({str(folder)!r}), {KEY!r})
for number in range(200):
    journal.keep(name_of("x", number), "y")
    journal.flush()
journal.close()
print("went on")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "went on\n"
    journal = Journal(folder, KEY)
    found = journal.look_up([name_of("x", number) for number in range(200)])
    assert 5 < len(found) < 25


SAMPLED = ("Say a number: ", {"do_sample": True, "temperature": 0.7})
GREEDY = ("Say a number: ", {"do_sample": False})


def test_equal_requests_are_asked_once_and_sampled_ones_each_time():
    asking = Asking("task", (1, 1, 1, 1))
    questions = Questions("generate_until", [GREEDY, SAMPLED, GREEDY, SAMPLED], asking)
    assert questions.missing() == [0, 1, 3]
    assert questions.hear(GREEDY, "4")[1] == 2
    assert questions.hear(SAMPLED, "5")[1] == 1
    assert questions.missing() == [3]
    assert questions.hear(SAMPLED, "6")[1] == 1
    assert questions.hear(SAMPLED, "7") is None
    assert questions.answers == ["4", "5", "4", "6"]


def test_sampled_answers_are_named_by_seed_task_and_repeat():
    def names(*requests, **changes):
        asking = Asking(**({"task": "task", "seeds": (1, 1, 1, 1)} | changes))
        return Questions("generate_until", requests, asking).names

    first, second = names(SAMPLED, SAMPLED)
    assert first != second
    assert names(SAMPLED, SAMPLED) == [first, second]
    assert names(SAMPLED, seeds=(2, 1, 1, 1)) != [first]
    assert names(SAMPLED, task="other") != [first]
    assert names(GREEDY, seeds=(2, 1, 1, 1), task="other") == names(GREEDY)


def test_without_a_journal_every_request_is_asked():
    questions = Questions("loglikelihood", [("a", "b"), ("a", "b")], Asking(once=False))
    assert questions.missing() == [0, 1]


def test_what_is_known_is_filled_in_as_the_harness_has_it():
    questions = Questions("loglikelihood", [("a", "b"), ("c", "d")], Asking())
    known = json.loads(json.dumps({questions.names[1]: (-1.5, True)}))
    assert questions.fill(known) == 1
    assert questions.answers[1] == (-1.5, True)
    assert questions.missing() == [0]


def test_a_sample_is_finished_with_the_last_of_its_requests():
    requests = [("a", " x"), ("a", " y"), ("b", " x"), ("b", " y"), ("a", " x")]
    questions = Questions("loglikelihood", requests, Asking(), samples=[0, 0, 1, 1, 2])
    finished = []
    for request in (requests[0], requests[2], requests[1], requests[3]):
        questions.hear(request, (-1.0, False))
        finished.append(questions.finished)
    # The first answer is also that of sample 2, which asks nothing else.
    assert finished == [1, 1, 2, 3]
