"""The subset of ISO 8601 that timers understand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from engine import iso8601
from engine.errors import ExpressionError


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT1S", timedelta(seconds=1)),
        ("PT4H", timedelta(hours=4)),
        ("P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        ("P2W", timedelta(weeks=2)),
        ("P1Y", timedelta(days=365)),
        ("P1M", timedelta(days=30)),
        ("PT0.5S", timedelta(milliseconds=500)),
        ("PT0S", timedelta()),
        (" PT1M\n", timedelta(minutes=1)),
        ("P10Y", timedelta(days=3650)),
    ],
)
def test_duration_is_read_to_its_length(text: str, length: timedelta) -> None:
    assert iso8601.parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1",
        "1H",
        "PT1",
        "-PT1H",
        "PT-1H",
        "P1DT",
        "pt1h",
        "PT1H1",
        "P11Y",
        "P99999999Y",
        "PT999999999H",
        "P9999999999Y",
        "P0.5Y",
        "PT1.5H",
        "PT٣H",
        "soon",
        "R3/PT10M",
        "2026-05-01",
    ],
)
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        iso8601.parse_duration(text)

    assert "длительность" in refusal.value.ru


def test_formatted_duration_is_read_back() -> None:
    for length in (timedelta(hours=4), timedelta(seconds=1, microseconds=250_000), timedelta(days=40)):
        assert iso8601.parse_duration(iso8601.format_duration(length)) == length


def test_cycle_is_read_to_repeats_and_period() -> None:
    assert iso8601.parse_cycle("R3/PT10M") == iso8601.Cycle(3, timedelta(minutes=10))
    assert iso8601.parse_cycle("R/PT1H") == iso8601.Cycle(None, timedelta(hours=1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "R3",
        "R3/",
        "PT10M",
        "R0/PT10M",
        "R-1/PT10M",
        "R3/PT0S",
        "R3/PT59S",
        "R/PT1S",
        "R99999/PT1M",
        "R3/P11Y",
        "R3/2026-01-01T00:00:00Z/PT10M",
        "R3/PT10M/2026-01-01T00:00:00Z",
        "R3/-PT10M",
    ],
)
def test_what_is_not_a_moderate_cycle_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        iso8601.parse_cycle(text)


def test_instant_is_aware_and_in_utc() -> None:
    instant = iso8601.parse_instant("2026-05-01T13:30:00.5+03:00")

    assert instant == datetime(2026, 5, 1, 10, 30, 0, 500_000, tzinfo=UTC)
    assert instant.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-05-01",
        "2026-05-01T10:00:00",
        "2026-13-01T10:00:00Z",
        "2026-05-01 10:00:00Z",
        "20260501T100000Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "tomorrow",
        "2026-05-01T25:00:00Z",
    ],
)
def test_what_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        iso8601.parse_instant(text)


def test_date_is_read() -> None:
    assert iso8601.parse_date("2026-05-01") == date(2026, 5, 1)


@pytest.mark.parametrize("text", ["", "01.05.2026", "2026-02-30", "2026-5-1", "2026-W18"])
def test_what_is_not_a_date_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        iso8601.parse_date(text)


def test_calendar_units_are_noticed() -> None:
    assert iso8601.has_calendar_units("P1M")
    assert not iso8601.has_calendar_units("P30D")
