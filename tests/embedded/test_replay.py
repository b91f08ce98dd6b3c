"""A restored server replays its archive first; making roles then would end the replay half-way."""

import pytest

from oversight.embedded import provision
from oversight.embedded.addresses import EmbeddedPostgresError


class Recovering:
    """Answers as a server in recovery does, so many times."""

    def __init__(self, times):
        self.left = times

    def execute(self, query):
        assert query == "SELECT pg_is_in_recovery()"
        self.left -= 1
        return self

    def fetchone(self):
        return (self.left >= 0,)


def test_nothing_is_made_before_the_archive_is_replayed(monkeypatch):
    waits = []
    monkeypatch.setattr(provision.time, "sleep", waits.append)
    provision._await_replay(Recovering(3))
    assert len(waits) == 3


def test_a_replay_without_end_is_said_so(monkeypatch):
    monkeypatch.setattr(provision.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(provision, "REPLAY_SECONDS", -1.0)
    with pytest.raises(EmbeddedPostgresError, match="still replays"):
        provision._await_replay(Recovering(9))
