"""Calendars and instants that the tests of the SLA area speak of."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.sla.calendar import Calendar

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
OFFICE = [["09:00", "18:00"]]
ALWAYS = [["00:00", "24:00"]]


def calendar_data(
    hours: list[list[str]] | None = None,
    *,
    tz: str = "Europe/Moscow",
    days: tuple[str, ...] = WORKDAYS,
    exceptions: dict[str, list[list[str]]] | None = None,
    yearly: list[str] | None = None,
) -> dict[str, Any]:
    """Nine to six from Monday to Friday in Moscow, unless told otherwise."""
    return {
        "tz": tz,
        "week": {day: OFFICE if hours is None else hours for day in days},
        "exceptions": exceptions or {},
        "yearly": yearly or [],
    }


def calendar(hours: list[list[str]] | None = None, **rest: Any) -> Calendar:
    return Calendar.parse(calendar_data(hours, **rest))


def local(text: str, tz: str = "Europe/Moscow", *, fold: int = 0) -> datetime:
    """The instant of a local time such as "2026-03-16 09:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz), fold=fold)
