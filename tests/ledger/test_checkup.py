"""The daily check: due once a day, kept, and seen when the record does not hold."""

import logging
from datetime import timedelta

import pytest
from django.conf import settings

from oversight.ledger import checkup
from oversight.ledger.models import RecordCheck
from oversight.ledger.sequencer import sequence_once
from oversight.ledger.tasks import check_record
from tests import factories
from tests.ledger.tampering import triggers_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def record():
    """Put one leaf on the record."""
    factories.make_organisation()
    sequence_once()


def flip_a_byte():
    with triggers_off() as cursor:
        cursor.execute("UPDATE ledger_ledgerentry SET body = set_byte(body, 10, 0)")


def health(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    return answer.json()["ledger"]["last_check"]


def test_a_sound_record_is_noted_once_a_day(record, client):
    assert health(client) is None
    for _ in range(3):
        check_record()
    found = RecordCheck.objects.get()
    assert (found.is_sound, found.entries) == (True, 1)
    assert health(client)["sound"] is True
    RecordCheck.objects.update(checked_at=found.checked_at - timedelta(hours=24, seconds=1))
    check_record()
    assert RecordCheck.objects.count() == 2


def test_a_flipped_byte_is_logged_as_an_error_and_shown(record, client, caplog):
    flip_a_byte()
    with caplog.at_level(logging.ERROR):
        check_record()
    assert [each.levelname for each in caplog.records] == ["ERROR"]
    assert "The record does not hold" in caplog.text
    assert health(client)["sound"] is False
    assert health(client)["finding"]


def test_a_signer_that_knows_more_than_the_record_is_a_finding(record):
    path = settings.LEDGER_SIGNER_STATE_PATH
    path.write_text(
        path.read_text().replace('"size": 1', '"size": 2').replace('"size":1', '"size":2')
    )
    assert checkup.check_if_due().is_sound is False


def test_the_clock_asks_for_it():
    asked = {each["task"]: each["schedule"] for each in settings.CELERY_BEAT_SCHEDULE.values()}
    assert asked[check_record.name] <= checkup.CHECK_EVERY.total_seconds() / 24
