"""A question to the SLA arithmetic as a person types it: times of the schedule's own zone, and the answer in bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.sla.calendar import Calendar
from services.sla.clocks import Course, counted
from services.sla.models import Schedule
from services.sla.schedules import calendar_of
from services.sla.solve import solve

PAUSES = 3
_MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One local day: the counted stretches and the pauses as minutes since midnight, and the sum."""

    day: date
    counted: tuple[tuple[float, float], ...]
    held: tuple[tuple[float, float], ...]
    seconds: int
    due: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the arithmetic says, or why it cannot say anything."""

    error: str = ""
    due: datetime | None = None
    elapsed_sec: int = 0
    remaining_sec: int = 0
    state: str = ""
    bars: tuple[Bar, ...] = ()
    cut: int = 0
    """Days that are not shown because there are too many."""


def ask(schedule: Schedule, typed: Mapping[str, str], language: str) -> Answer:
    """Solve what was typed with the code of `bpmdesk sla solve`."""
    item = _item(schedule, typed)
    found = solve(item, language=language)
    if "error" in found:
        return Answer(error=found["error"])
    due = datetime.fromisoformat(found["due"]) if found["due"] else None
    bars = _bars(item, due)
    return Answer(
        due=due,
        elapsed_sec=found["elapsed_sec"],
        remaining_sec=found["remaining_sec"],
        state=found["state"],
        bars=tuple(bars[:_MOST_DAYS]),
        cut=max(0, len(bars) - _MOST_DAYS),
    )


def _item(schedule: Schedule, typed: Mapping[str, str]) -> dict[str, Any]:
    zone = ZoneInfo(schedule.zone)
    pauses = [
        [_instant(typed.get(f"from{n}", ""), zone), _instant(typed.get(f"to{n}", ""), zone) or None]
        for n in range(1, PAUSES + 1)
        if typed.get(f"from{n}") or typed.get(f"to{n}")
    ]
    return {
        "id": schedule.name,
        "calendar": calendar_of(schedule),
        "start": _instant(typed.get("start", ""), zone),
        "target_min": _number(typed.get("target", "")),
        "pauses": pauses,
        "now": _instant(typed.get("now", ""), zone),
        "event": _instant(typed.get("event", ""), zone) or None,
    }


def _instant(typed: str, zone: ZoneInfo) -> str:
    """The typed local time with the zone's offset; what is no time stays as it is, for the solver to refuse."""
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=zone).isoformat()
    except (ValueError, OverflowError):
        return typed


def _number(typed: str) -> int | str:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else typed


def _bars(item: dict[str, Any], due: datetime | None) -> list[Bar]:
    calendar = Calendar.parse(item["calendar"])
    instants = {key: datetime.fromisoformat(item[key]) for key in ("start", "now", "event") if item[key]}
    end = min(instants["now"], instants.get("event", instants["now"]))
    pauses = tuple((datetime.fromisoformat(a), datetime.fromisoformat(b) if b else None) for a, b in item["pauses"])
    life = Course(instants["start"], pauses, instants.get("event"))
    running = _by_day(counted(calendar, life, end), calendar.zone)
    held = _by_day([(max(a, life.start), min(b or end, end)) for a, b in pauses], calendar.zone)
    due_day = due.astimezone(calendar.zone).date() if due else None
    days = sorted({*running, *held, *([due_day] if due_day else [])})
    return [
        Bar(
            day=day,
            counted=tuple(_minutes(stretch) for stretch in running.get(day, ())),
            held=tuple(_minutes(stretch) for stretch in held.get(day, ())),
            seconds=int(sum((b - a).total_seconds() for a, b in running.get(day, ()))),
            due=_minute(due.astimezone(calendar.zone)) if due and day == due_day else None,
        )
        for day in days
    ]


def _by_day(stretches: list[tuple[datetime, datetime]], zone: ZoneInfo) -> dict[date, list[tuple[datetime, datetime]]]:
    """The stretches cut at the local midnights."""
    days: dict[date, list[tuple[datetime, datetime]]] = {}
    for begin, until in stretches:
        cursor = begin
        while cursor < until and len(days) <= 4 * _MOST_DAYS:
            day = cursor.astimezone(zone).date()
            midnight = datetime.combine(day + timedelta(days=1), time(), zone)
            stop = min(until, midnight.astimezone(until.tzinfo))
            days.setdefault(day, []).append((cursor.astimezone(zone), stop.astimezone(zone)))
            cursor = stop
    return days


def _minutes(stretch: tuple[datetime, datetime]) -> tuple[float, float]:
    """Start and length in minutes of the local day."""
    begin, until = stretch
    end = _minute(until) if until.date() == begin.date() else 1440.0
    return _minute(begin), max(end - _minute(begin), 0)


def _minute(at: datetime) -> float:
    return at.hour * 60 + at.minute + at.second / 60
