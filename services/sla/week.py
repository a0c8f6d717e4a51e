"""Reading the working hours of a calendar: the week, dated exceptions and yearly holidays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from services.sla.errors import CalendarError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 86_400
MAX_INTERVALS = 48
MAX_EXCEPTIONS = 5_000

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEARLY = re.compile(r"(\d{2})-(\d{2})", re.ASCII)
_LEAP_YEAR = 2000

Hours = tuple[tuple[int, int], ...]
"""Disjoint intervals in seconds from local midnight, ascending; an end beyond DAY lies in the next date."""


def read_zone(name: Any) -> ZoneInfo:
    """The zone of that IANA name; raises CalendarError."""
    if not isinstance(name, str) or not name:
        raise CalendarError("Укажите часовой пояс «tz», например Europe/Moscow", "Give the time zone 'tz'")
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise CalendarError(f"Часовой пояс «{name[:80]}» неизвестен", f"Unknown time zone '{name[:80]}'") from None


def read_week(data: Any) -> tuple[Hours, ...]:
    """Seven days of hours, Monday first; an absent day is a day off."""
    days = _mapping(data, "week")
    for name in days:
        if name not in WEEKDAYS:
            raise CalendarError(f"День недели «{name}» неизвестен", f"Unknown weekday '{name}'")
    return tuple(read_hours(days.get(name, ()), name) for name in WEEKDAYS)


def read_exceptions(data: Any) -> dict[date, Hours]:
    """Hours of the dates that differ from their weekday."""
    days = _mapping(data, "exceptions")
    if len(days) > MAX_EXCEPTIONS:
        raise CalendarError(f"Исключений больше {MAX_EXCEPTIONS}", f"More than {MAX_EXCEPTIONS} exceptions")
    return {_date(name): read_hours(hours, name) for name, hours in days.items()}


def read_yearly(data: Any) -> frozenset[tuple[int, int]]:
    """(month, day) of the holidays of every year."""
    return frozenset(_yearly(item) for item in _items(data, "yearly"))


def read_hours(data: Any, where: str) -> Hours:
    """One day's intervals, ascending, touching and overlapping ones joined."""
    intervals = list(_items(data, where))
    if len(intervals) > MAX_INTERVALS:
        raise CalendarError(f"«{where}»: больше {MAX_INTERVALS} интервалов", f"'{where}': too many intervals")
    return merged(_interval(item, where) for item in intervals)


def merged(intervals: Iterable[tuple[int, int]]) -> Hours:
    """The same points of time as ascending intervals that neither touch nor overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return tuple(joined)


def _interval(item: Any, where: str) -> tuple[int, int]:
    if not isinstance(item, (list, tuple)) or len(item) != 2:
        raise CalendarError(f"«{where}»: интервал – это пара времён", f"'{where}': an interval is a pair of times")
    start, end = _seconds(item[0], where, DAY - 1), _seconds(item[1], where, DAY)
    return (start, end) if end > start else (start, end + DAY)


def _seconds(text: Any, where: str, latest: int) -> int:
    if text == "24:00" and latest == DAY:
        return DAY
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        shown = str(text)[:20]
        raise CalendarError(f"«{where}»: ожидалось время ЧЧ:ММ, а не «{shown}»", f"'{where}': no time HH:MM: '{shown}'")
    return int(found[1]) * 3600 + int(found[2]) * 60


def _date(text: Any) -> date:
    try:
        if isinstance(text, str) and _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    shown = str(text)[:20]
    raise CalendarError(f"Ожидалась дата ГГГГ-ММ-ДД, а не «{shown}»", f"No date YYYY-MM-DD: '{shown}'")


def _yearly(text: Any) -> tuple[int, int]:
    found = _YEARLY.fullmatch(text) if isinstance(text, str) else None
    try:
        if found:
            day = date(_LEAP_YEAR, int(found[1]), int(found[2]))
            return day.month, day.day
    except ValueError:
        pass
    shown = str(text)[:20]
    raise CalendarError(f"Ожидалась дата ММ-ДД, а не «{shown}»", f"No date MM-DD: '{shown}'")


def _mapping(data: Any, where: str) -> Mapping[str, Any]:
    if isinstance(data, Mapping):
        return data
    raise CalendarError(f"«{where}» должно быть объектом", f"'{where}' must be an object")


def _items(data: Any, where: str) -> Iterable[Any]:
    if isinstance(data, (list, tuple)):
        return data
    raise CalendarError(f"«{where}» должно быть списком", f"'{where}' must be a list")
