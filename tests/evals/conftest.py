"""What the tests of the evaluation floor share."""

import pytest


@pytest.fixture(autouse=True)
def no_nudges(monkeypatch):
    """Record nudges instead of sending them; the broker has tests of its own."""
    sent: list[str] = []
    monkeypatch.setattr("evals.services.runs.nudge_workers", sent.append)
    return sent
