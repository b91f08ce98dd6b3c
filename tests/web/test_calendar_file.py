"""Calendar files: what another program reads is what was written, however hostile the words."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.web.calendar_file import LINE_OCTETS, Event, calendar, escaped, folded

UID = UUID("00000000-0000-4000-8000-000000000001")
AT = datetime(2026, 7, 1, 16, 30, tzinfo=UTC)


def event(**fields):
    words = {
        "uid": UID,
        "at": AT,
        "title": "Vote closes",
        "text": "A text.",
        "url": "https://example.org/proposals/2026-001/",
        "changed_at": AT - timedelta(days=3),
    }
    return Event(**words | fields)


def written(*events, title="Votes", zone="Europe/Zurich"):
    return calendar(title, zone, events, url="https://example.org/votes.ics")


def read(data):
    return icalendar.Calendar.from_ical(data)


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_words_come_back_as_they_were_written_but_for_breaks(title, text):
    found = read(written(event(title=title, text=text), title=title)).walk("VEVENT")[0]

    def plain(words):
        from oversight.web.plain_text import one_line

        return one_line(words)

    assert str(found["SUMMARY"]) == plain(title)
    assert str(found["DESCRIPTION"]) == plain(text)


@given(st.text(max_size=300))
def test_no_line_is_longer_than_75_octets_and_none_splits_a_character(text):
    data = folded(f"SUMMARY:{escaped(text)}")
    assert data.endswith(b"\r\n")
    lines = data[:-2].split(b"\r\n")
    assert all(len(line) <= LINE_OCTETS for line in lines)
    assert all(line.startswith(b" ") for line in lines[1:])
    for line in lines:
        line.decode()
    assert data[:-2].replace(b"\r\n ", b"").decode() == f"SUMMARY:{escaped(text)}"


def test_words_cannot_add_a_line_or_an_event():
    hostile = "A\r\nEND:VEVENT\r\nBEGIN:VEVENT\nATTACH:https://evil.example/\\n,;x"
    data = written(event(title=hostile, text=hostile), title=hostile)
    assert len(read(data).walk("VEVENT")) == 1
    assert not any(line.startswith(b"ATTACH") for line in data.split(b"\r\n"))


@pytest.mark.parametrize(
    "zone",
    ["Europe/Zurich", "America/New_York", "UTC", "Asia/Kathmandu", "Australia/Lord_Howe"],
)
@pytest.mark.parametrize("month", range(1, 13))
def test_the_described_zone_gives_the_same_moment_as_the_named_one(zone, month):
    moment = datetime(2026, month, 15, 16, 30, tzinfo=UTC)
    found = read(written(event(at=moment), zone=zone))
    assert found.walk("VEVENT")[0].decoded("DTSTART").astimezone(UTC) == moment
    # A reader that does not know the name has to come to the same by the description alone.
    described = found.walk("VTIMEZONE")[0].to_tz(lookup_tzid=False)
    there = moment.astimezone(ZoneInfo(zone))
    assert there.replace(tzinfo=None).replace(tzinfo=described).utcoffset() == there.utcoffset()


def test_a_calendar_without_events_is_a_calendar():
    assert read(written()).walk("VEVENT") == []


def test_the_state_of_an_event_is_said():
    plain, gone = read(written(event(reminds=True), event(is_cancelled=True, sequence=1))).walk(
        "VEVENT"
    )
    assert (plain["STATUS"], plain["SEQUENCE"], plain["UID"]) == ("CONFIRMED", 0, str(UID))
    assert (gone["STATUS"], gone["SEQUENCE"]) == ("CANCELLED", 1)
    assert plain.walk("VALARM")[0]["TRIGGER"].dt == timedelta(days=-1)
    assert gone.walk("VALARM") == []
