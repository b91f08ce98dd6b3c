"""Many threads wait for receipts, one looks; none waits for ever, none is told another's."""

import threading
import time
from uuid import uuid4

import pytest

from oversight.ledger.arrivals import Arrivals

LONG = 30.0
"""Seconds; no wait of these tests comes near it unless something is wrong."""


class Log:
    """What is there, as tests put it there, and who asked for what."""

    def __init__(self):
        self.there = {}
        self.looks = []
        self.lookers = set()
        self.may_look = threading.Semaphore(0)

    def look(self, wanted):
        self.looks.append(set(wanted))
        self.lookers.add(threading.get_ident())
        return {each: self.there[each] for each in wanted if each in self.there}

    def pause(self, _seconds):
        assert self.may_look.acquire(timeout=LONG)


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def arrivals(log):
    return Arrivals(log.look, log.pause)


def waiting(arrivals, leaves):
    """Start a thread per leaf that waits for it; return them and what they get."""
    got = {}

    def wait(leaf):
        got[leaf] = arrivals.wait_for(leaf, time.monotonic() + LONG)

    threads = [threading.Thread(target=wait, args=(leaf,)) for leaf in leaves]
    for thread in threads:
        thread.start()
    return threads, got


def until(condition):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def joined(threads):
    for thread in threads:
        thread.join(LONG)
    return not any(thread.is_alive() for thread in threads)


def test_one_looks_for_all_and_each_is_told_what_it_waits_for(log, arrivals):
    leaves = [uuid4() for _ in range(8)]
    threads, got = waiting(arrivals, leaves)
    until(lambda: len(arrivals._wanted) == 8)
    log.may_look.release()
    until(lambda: set(leaves) in log.looks)
    log.there = {leaf: f"receipt {leaf}" for leaf in leaves}
    log.may_look.release()
    assert joined(threads)
    assert got == log.there
    assert len(log.lookers) == 1


def test_who_looks_goes_on_for_itself_and_does_not_ask_again_for_what_is_handed_out(log, arrivals):
    early, late = uuid4(), uuid4()
    first, got_late = waiting(arrivals, [late])
    until(lambda: log.looks)
    second, got_early = waiting(arrivals, [early])
    until(lambda: len(arrivals._wanted) == 2)
    log.there[early] = "early"
    log.may_look.release()
    assert joined(second)
    assert (got_early, got_late) == ({early: "early"}, {})
    log.there[late] = "late"
    log.may_look.release()
    assert joined(first)
    assert got_late == {late: "late"}
    assert log.looks[-1] == {late}


def test_when_the_one_who_looks_is_served_another_looks_on(log, arrivals):
    mine, others = uuid4(), [uuid4() for _ in range(3)]
    first, _ = waiting(arrivals, [mine])
    until(lambda: log.looks)
    rest, got = waiting(arrivals, others)
    until(lambda: len(arrivals._wanted) == 4)
    log.there[mine] = "mine"
    log.may_look.release()
    assert joined(first)
    log.there |= dict.fromkeys(others, "theirs")
    log.may_look.release()
    assert joined(rest)
    assert got == dict.fromkeys(others, "theirs")
    assert len(log.lookers) == 2


def test_two_who_wait_for_one_leaf_are_both_told(log, arrivals):
    leaf = uuid4()
    threads = [waiting(arrivals, [leaf])[0][0] for _ in range(2)]
    until(lambda: arrivals._wanted[leaf] == 2)
    log.there[leaf] = "receipt"
    log.may_look.release()
    log.may_look.release()
    assert joined(threads)
    assert not arrivals._wanted
    assert not arrivals._found


def test_what_is_there_already_is_told_without_a_pause(log, arrivals):
    leaf = uuid4()
    log.there[leaf] = "receipt"
    assert arrivals.wait_for(leaf, time.monotonic() + LONG) == "receipt"
    assert len(log.looks) == 1


def test_a_look_that_fails_leaves_the_others_one_of_whom_looks_on(log):
    fails = [True]

    def look(wanted):
        if fails.pop() if fails else False:
            raise ConnectionError
        return log.look(wanted)

    arrivals = Arrivals(look, log.pause)
    with pytest.raises(ConnectionError):
        arrivals.wait_for(uuid4(), time.monotonic() + LONG)
    leaves = [uuid4() for _ in range(3)]
    log.there = dict.fromkeys(leaves, "receipt")
    threads, got = waiting(arrivals, leaves)
    assert joined(threads)
    assert got == log.there


def test_the_deadline_ends_the_wait_and_leaves_nothing_behind(log):
    arrivals = Arrivals(log.look, lambda _seconds: None)
    leaf = uuid4()
    assert arrivals.wait_for(leaf, time.monotonic()) is None
    assert arrivals.wait_for(leaf, time.monotonic() + 0.01) is None
    log.there[leaf] = "receipt"
    assert not arrivals._wanted
    assert not arrivals._found
    assert arrivals.wait_for(leaf, time.monotonic() + LONG) == "receipt"
