"""SLA arithmetic: a due date over a year of exceptions, and all open clocks read anew after a calendar change."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from benchmarks.figures import Figure, cpu_seconds, table
from services.sla.calendar import Calendar
from services.sla.clocks import Course, read

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
START = datetime(2026, 1, 3, 10, tzinfo=UTC)
HOUR = 3600
HOURS: tuple[list[list[str]], ...] = (
    [],
    [["09:00", "17:00"]],
    [["08:00", "12:00"], ["13:00", "20:30"]],
    [["22:00", "06:00"]],
)
CALLS = 2_000
CLOCKS = 100_000


def figures() -> Iterator[Figure]:
    """The rows of this file."""
    calendar = Calendar.parse(_year_of_exceptions(seed=1))
    yield _due_dates(calendar)
    yield _first_due_date()
    yield _all_clocks()


def _due_dates(calendar: Calendar) -> Figure:
    due = calendar.add_working(START, 1500 * HOUR)
    samples = tuple(
        cpu_seconds(lambda: [calendar.add_working(START, 1500 * HOUR) for _ in range(CALLS)]) / CALLS * 1e6
        for _ in range(20)
    )
    return Figure("due date over a year of exceptions", "µs", 50, samples, f"{20 * CALLS} calls, each due {due}")


def _first_due_date() -> Figure:
    samples = tuple(cpu_seconds(partial(_parse_and_solve, seed)) * 1e6 for seed in range(2, 22))
    return Figure("the same for a calendar never seen before", "µs", 20_000, samples, "20 calendars parsed and solved")


def _parse_and_solve(seed: int) -> None:
    assert Calendar.parse(_year_of_exceptions(seed)).add_working(START, 1500 * HOUR)


def _all_clocks() -> Figure:
    dice = random.Random(5)  # noqa: S311 - repeatable, not secret
    lives = [_life(dice) for _ in range(CLOCKS)]
    changed, now = Calendar.parse(_year_of_exceptions(seed=99)), START + timedelta(days=120)
    seconds = cpu_seconds(lambda: [read(changed, life, 40 * HOUR, now) for life in lives])
    pauses = sum(len(life.pauses) for life in lives)
    return Figure("all open clocks after a calendar change", "s", 60, (seconds,), f"{CLOCKS} clocks, {pauses} pauses")


def _life(dice: random.Random) -> Course:
    start = START + timedelta(minutes=dice.randint(0, 170_000))
    pauses = sorted(start + timedelta(minutes=dice.randint(0, 20_000)) for _ in range(2 * dice.randint(0, 3)))
    return Course(start, tuple(zip(pauses[::2], pauses[1::2], strict=True)))


def _year_of_exceptions(seed: int) -> dict[str, Any]:
    """Every day of 2026 is an exception: off, short, in two parts, or a night shift."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    days = (date(2026, 1, 1) + timedelta(days=number) for number in range(365))
    return {
        "tz": "Europe/Berlin",
        "week": {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in WORKDAYS},
        "exceptions": {day.isoformat(): dice.choice(HOURS) for day in days},
        "yearly": ["01-01"],
    }


if __name__ == "__main__":
    print(table(figures()))
