"""The thread that does in the background what no reader should wait for."""

import os
import threading
from functools import partial
from queue import Queue

import pytest
from django.db import connection

from oversight.web import drawing
from oversight.web.drawing import MOST_WAITING, Background


@pytest.fixture
def background():
    yield (made := Background())
    made.stop()


def wait(background):
    done = threading.Event()
    assert background.do(done.set)
    assert done.wait(10)


def test_jobs_are_done_one_after_the_other_by_one_thread(background):
    done = []
    for number in range(20):
        background.do(lambda number=number: done.append((number, threading.get_ident())))
    wait(background)
    assert [number for number, _ in done] == list(range(20))
    assert {thread for _, thread in done} == {background._thread.ident}


def test_no_thread_is_started_before_there_is_a_job(background):
    assert background._thread is None


def test_a_job_that_fails_is_logged_and_the_next_is_done(background, caplog):
    background.do(lambda: 1 / 0)
    wait(background)
    assert "division by zero" in caplog.text


def test_beyond_its_room_a_job_is_refused(background):
    begun, may_end, ended, done = threading.Event(), threading.Event(), threading.Event(), []
    background.do(lambda: (begun.set(), may_end.wait(10)))
    assert begun.wait(10)
    count = partial(done.append, 1)
    jobs = [count] * (MOST_WAITING - 1) + [ended.set] + [count] * 5
    assert [background.do(job) for job in jobs] == [True] * MOST_WAITING + [False] * 5
    may_end.set()
    assert ended.wait(10)
    wait(background)
    assert len(done) == MOST_WAITING - 1


@pytest.mark.django_db(transaction=True)
def test_a_thread_without_work_ends_with_its_connections_and_another_follows(
    background, monkeypatch
):
    monkeypatch.setattr(drawing, "IDLE_SECONDS", 0.01)
    used = Queue()

    def ask():
        connection.ensure_connection()
        used.put((connection.connection, threading.current_thread()))

    for _ in range(2):
        background.do(ask)
        link, thread = used.get(timeout=10)
        thread.join(10)
        assert not thread.is_alive()
        assert link.closed


def test_a_process_that_was_forked_has_a_thread_of_its_own(background):
    os.register_at_fork(after_in_child=background.begin)
    wait(background)
    child = os.fork()
    if not child:
        done = threading.Event()
        background.do(done.set)
        os._exit(0 if done.wait(10) else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    wait(background)


def test_at_the_end_what_waits_is_dropped_and_what_is_being_done_is_finished(background):
    begun, may_end, done = threading.Event(), threading.Event(), []

    def first():
        begun.set()
        may_end.wait(10)
        done.append("first")

    background.do(first)
    assert begun.wait(10)
    background.do(lambda: done.append("second"))
    thread = background._thread
    threading.Timer(0.05, may_end.set).start()
    background.stop()
    assert done == ["first"]
    assert not thread.is_alive()
    assert not background.do(lambda: done.append("third"))
