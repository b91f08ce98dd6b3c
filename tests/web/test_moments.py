"""How times are written on pages."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import override_settings
from django.utils import timezone
from django.utils.translation import override

from oversight.web import moments


@override_settings(TIME_ZONE="Europe/Zurich")
@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("", "26 Nov 2026, 18:00\N{NO-BREAK SPACE}CET"),
        ("long", "Thursday 26 November 2026, 18:00\N{NO-BREAK SPACE}CET"),
        ("short", "26 Nov, 18:00\N{NO-BREAK SPACE}CET"),
        ("date", "26 Nov 2026"),
        ("time", "18:00\N{NO-BREAK SPACE}CET"),
    ],
)
def test_a_time_names_its_zone(style: str, text: str) -> None:
    moment = datetime(2026, 11, 26, 17, 0, tzinfo=UTC)
    expected = f'<time datetime="2026-11-26T17:00:00Z">{text}</time>'
    assert moments.when(moment, style) == expected
    assert moments.when("2026-11-26T17:00:00Z", style) == expected


@override_settings(TIME_ZONE="America/Sao_Paulo")
def test_a_zone_without_a_name_is_given_by_its_distance() -> None:
    assert "14:00\N{NO-BREAK SPACE}UTC-03" in moments.when(
        datetime(2026, 11, 26, 17, 0, tzinfo=UTC)
    )


def test_a_day_has_no_time_and_no_time_is_a_dash() -> None:
    assert moments.when(date(2027, 3, 31)) == '<time datetime="2027-03-31">31 Mar 2027</time>'
    assert moments.when(None) == moments.when("soon") == moments.ago(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s ago"),
        (40.9, "40 s ago"),
        (60, "1 min ago"),
        (7199, "1 h ago"),
        (86400, "1 day ago"),
        (3 * 86400, "3 days ago"),
        (-2 * 86400 - 5, "in 2 days"),
        (-89, "in 1 min"),
        (-90, "in 2 min"),
        (-3 * 86400 + 5, "in 3 days"),
    ],
)
def test_a_distance_in_time_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert moments.distance(seconds) == text


def test_how_long_ago_is_kept_by_the_script() -> None:
    assert "data-ago>5 min ago</time>" in moments.ago(timezone.now() - timedelta(minutes=5))


def test_february_is_abbreviated_as_french_does_it() -> None:
    with override("fr"):
        assert "25 févr. 2027" in moments.when(date(2027, 2, 25))
