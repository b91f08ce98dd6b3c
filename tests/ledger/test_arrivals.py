"""Many threads wait for the log to grow, one looks; none waits for ever, none looks in vain."""

import threading
import time

import pytest

from oversight.ledger.arrivals import Arrivals

LONG = 30.0
"""Seconds; no wait of these tests comes near it unless something is wrong."""


class Log:
    """A size that tests move, and how often it was asked for."""

    def __init__(self):
        self.size = 0
        self.looks = 0
        self.lookers = set()
        self.may_look = threading.Semaphore(0)

    def look(self):
        self.looks += 1
        self.lookers.add(threading.get_ident())
        return self.size

    def pause(self, _seconds):
        assert self.may_look.acquire(timeout=LONG)


def waiting(arrivals, size, number):
    """Start threads that wait; return them and what they get."""
    got = []

    def wait():
        got.append(arrivals.wait_for_another(size, time.monotonic() + LONG))

    threads = [threading.Thread(target=wait) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads, got


def joined(threads):
    for thread in threads:
        thread.join(LONG)
    return not any(thread.is_alive() for thread in threads)


def test_one_looks_for_all_and_all_are_told():
    log = Log()
    arrivals = Arrivals(log.look, log.pause)
    threads, got = waiting(arrivals, 0, 8)
    log.may_look.release()
    log.may_look.release()
    log.size = 5
    log.may_look.release()
    assert joined(threads)
    assert got == [5] * 8
    assert log.looks <= 3
    assert len(log.lookers) == 1
    assert arrivals.size == 5


def test_who_knows_the_newest_looks_on_when_the_others_are_gone():
    log = Log()
    arrivals = Arrivals(log.look, log.pause)
    log.size = 5
    early, got_early = waiting(arrivals, 0, 2)
    log.may_look.release()
    assert joined(early)
    late, got_late = waiting(arrivals, 5, 2)
    log.size = 9
    log.may_look.release()
    assert joined(late)
    assert (got_early, got_late) == ([5, 5], [9, 9])


def test_what_is_there_already_is_told_without_a_look():
    log = Log()
    log.size = 7
    arrivals = Arrivals(log.look, lambda _seconds: None)
    assert arrivals.wait_for_another(0, time.monotonic() + LONG) == 7
    assert arrivals.wait_for_another(0, time.monotonic() + LONG) == 7
    assert log.looks == 1


def test_a_look_that_fails_leaves_the_others_one_of_whom_looks_on():
    log = Log()
    fails = [True]

    def look():
        if fails.pop() if fails else False:
            raise ConnectionError
        return log.look()

    arrivals = Arrivals(look, log.pause)
    log.size = 4
    log.may_look.release()
    with pytest.raises(ConnectionError):
        arrivals.wait_for_another(0, time.monotonic() + LONG)
    threads, got = waiting(arrivals, 0, 3)
    log.may_look.release()
    assert joined(threads)
    assert got == [4] * 3


def test_the_deadline_ends_the_wait():
    log = Log()
    arrivals = Arrivals(log.look, lambda _seconds: None)
    assert arrivals.wait_for_another(0, time.monotonic()) == 0
    assert log.looks == 0
