"""Thousands of random clocks read by the product and by a walker that looks at every second or minute.

The walker shares nothing with the product: it reads the calendar's JSON itself and asks the zone for the local
time of each minute. SLA_CASES sets the number of cases, SLA_SEED their start.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.sla.solve import solve

CASES = int(os.environ.get("SLA_CASES", "2000"))
SEED = int(os.environ.get("SLA_SEED", "20260316"))
SHARES = 8
"""The cases are dealt to so many tests, which several processes can run."""
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLACES = (
    # zone, an instant near which something happens there
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("Europe/London", "2024-10-27T01:00"),
    ("America/New_York", "2026-03-08T07:00"),
    ("America/St_Johns", "2010-03-14T03:31"),
    ("America/Santiago", "2026-04-05T03:00"),
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("Asia/Beirut", "2026-03-28T22:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Asia/Kathmandu", "2026-12-31T18:15"),
    ("Asia/Kolkata", "2028-02-28T18:30"),
    ("Pacific/Chatham", "2026-09-26T14:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Europe/Moscow", "2014-10-25T22:00"),
    ("Europe/Moscow", "2026-12-31T21:00"),
    ("UTC", "2028-02-29T00:00"),
)


@dataclass(frozen=True)
class Scale:
    """How far a case reaches: the times of its calendar are multiples of `unit`, as is every change of the zone."""

    unit: int
    """Seconds the walker may take at one step."""
    spread: int
    """Seconds around which its instants lie."""
    reach: timedelta
    """How far the walker follows a norm."""
    places: tuple[tuple[str, str], ...]


DAYS = Scale(60, 200_000, timedelta(days=9), PLACES)
YEARS = Scale(3600, 20_000_000, timedelta(days=900), PLACES[:2] + PLACES[3:4] + PLACES[-3:])


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.timeout(1800)
def test_clocks_of_some_days_equal_the_walkers(share: int) -> None:
    for number in range(share, CASES, SHARES):
        _compare(DAYS, number)


@pytest.mark.timeout(1800)
def test_clocks_of_some_years_equal_the_walkers() -> None:
    for number in range(CASES // 40):
        _compare(YEARS, number)


def _compare(scale: Scale, number: int) -> None:
    item = _random_item(random.Random(SEED * 1_000_003 + number), scale)  # noqa: S311 - repeatable, not secret

    answer = solve(item)

    expected = _walked(item, scale)
    due, answer["due"] = answer["due"], None
    assert answer == {**expected, "due": None}, item
    _compare_due(due, expected["due"], item, scale)


def _compare_due(answer: str | None, expected: datetime | None, item: dict[str, Any], scale: Scale) -> None:
    due = None if answer is None else datetime.fromisoformat(answer)
    if expected or any(end is None for _, end in item["pauses"]):
        assert due == expected, item
    else:
        assert due is None or due > datetime.fromisoformat(item["start"]) + scale.reach, item


def _random_item(dice: random.Random, scale: Scale) -> dict[str, Any]:
    zone, near = dice.choice(scale.places)
    start = datetime.fromisoformat(near).replace(tzinfo=UTC) + timedelta(seconds=dice.randint(-100_000, 60_000))
    now = start + timedelta(seconds=dice.randint(-3_600, scale.spread))
    event = None
    if dice.random() < 0.4:
        event = start + timedelta(seconds=dice.randint(-600, scale.spread))
    return {
        "id": dice.randint(1, 9),
        "calendar": _random_calendar(dice, zone, start.astimezone(ZoneInfo(zone)).date(), scale),
        "start": _text(start, dice),
        "target_min": dice.choice([0, 1, 30, dice.randint(1, 300), scale.spread // 120, dice.randint(1, 90) / 2]),
        "pauses": _random_pauses(dice, start, scale),
        "now": _text(now, dice),
        "event": None if event is None else _text(event, dice),
    }


def _random_calendar(dice: random.Random, zone: str, around: date, scale: Scale) -> dict[str, Any]:
    unit = scale.unit // 60
    near = [around + timedelta(days=shift) for shift in range(-2, 8)]
    return {
        "tz": zone,
        "week": {name: _random_hours(dice, unit) for name in NAMES if dice.random() < 0.85},
        "exceptions": {day.isoformat(): _random_hours(dice, unit) for day in near if dice.random() < 0.2},
        "yearly": [day.strftime("%m-%d") for day in near if dice.random() < 0.1],
    }


def _random_hours(dice: random.Random, unit: int) -> list[list[str]]:
    hours = []
    for _ in range(dice.choice([0, 1, 1, 1, 2, 3])):
        start = dice.choice([0, 120, 150, 540, 840, 1320, dice.randint(0, 1439)])
        end = dice.choice([1440, 0, 150, 360, 780, 1080, dice.randint(0, 1440)])
        hours.append([_clock(start // unit * unit), _clock(end // unit * unit)])
    return hours


def _random_pauses(dice: random.Random, start: datetime, scale: Scale) -> list[list[str | None]]:
    pauses: list[list[str | None]] = []
    for _ in range(dice.choice([0, 0, 1, 2, 4])):
        begin = start + timedelta(seconds=dice.randint(-20_000, scale.spread))
        end = begin + timedelta(seconds=dice.choice([0, 60, dice.randint(0, scale.spread // 2)]))
        pauses.append([_text(begin, dice), None if dice.random() < 0.1 else _text(end, dice)])
    return pauses


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _text(at: datetime, dice: random.Random) -> str:
    return at.astimezone(ZoneInfo(dice.choice(["UTC", "Asia/Kolkata", "America/New_York"]))).isoformat()


def _walked(item: dict[str, Any], scale: Scale) -> dict[str, Any]:
    start, now = (datetime.fromisoformat(item[key]).astimezone(UTC) for key in ("start", "now"))
    event = datetime.fromisoformat(item["event"]).astimezone(UTC) if item["event"] else None
    if event and event > now:
        event = None
    stop, target = event or now, round(item["target_min"] * 60)
    pauses = [[datetime.fromisoformat(end).astimezone(UTC) if end else None for end in pair] for pair in item["pauses"]]

    hours = Hours(item["calendar"])
    elapsed, reached, due = 0, 0, start if target == 0 else None
    marks = [start, stop, *(end for pair in pauses for end in pair)]
    for at, length in _steps(start, max(stop, start + scale.reach), marks, scale.unit):
        if not hours.works(at) or _paused(pauses, at):
            continue
        elapsed += length if at < stop else 0
        reached += length
        if due is None and reached >= target:
            due = at + timedelta(seconds=length - (reached - target))
        if due and at >= stop:
            break
    return {
        "id": item["id"],
        "due": due,
        "elapsed_sec": elapsed,
        "remaining_sec": target - elapsed,
        "state": _state(hours, pauses, now, elapsed > target, stopped=event is not None),
    }


def _state(hours: Hours, pauses: list[Any], now: datetime, late: bool, *, stopped: bool) -> str:
    if late:
        return "breached"
    if stopped:
        return "met"
    if _paused(pauses, now):
        return "paused"
    return "running" if hours.works(now) else "sleeping"


def _paused(pauses: list[Any], at: datetime) -> bool:
    return any(begin <= at and (end is None or at < end) for begin, end in pauses)


def _steps(start: datetime, end: datetime, marks: list[datetime | None], unit: int) -> Iterator[tuple[datetime, int]]:
    """Whole units, but single seconds in the units that hold a mark."""
    split = {int(at.timestamp()) // unit for at in marks if at}
    at = start
    while at < end:
        length = 1 if int(at.timestamp()) // unit in split else unit
        yield at, length
        at += timedelta(seconds=length)


class Hours:
    """The calendar as the walker reads it: is this minute of the local day a working one?"""

    def __init__(self, calendar: dict[str, Any]) -> None:
        self._calendar = calendar
        self._zone = ZoneInfo(calendar["tz"])
        self._minutes: dict[date, set[int]] = {}

    def works(self, at: datetime) -> bool:
        here = at.astimezone(self._zone)
        today = here.date()
        if today not in self._minutes:
            self._minutes[today] = self._own(today) | self._from_yesterday(today)
        return here.hour * 60 + here.minute in self._minutes[today]

    def _own(self, today: date) -> set[int]:
        hours = self._of(today)
        return {minute for start, end in hours for minute in range(start, end if end > start else 1440)}

    def _from_yesterday(self, today: date) -> set[int]:
        hours = self._of(today - timedelta(days=1))
        return {minute for start, end in hours if end <= start for minute in range(end)}

    def _of(self, day: date) -> list[tuple[int, int]]:
        if day.isoformat() in self._calendar["exceptions"]:
            texts = self._calendar["exceptions"][day.isoformat()]
        elif day.strftime("%m-%d") in self._calendar["yearly"]:
            return []
        else:
            texts = self._calendar["week"].get(NAMES[day.weekday()], [])
        return [(_minutes(start), _minutes(end)) for start, end in texts]


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
