"""A schedule as the arithmetic reads it, and its frozen copy that running clocks keep."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from services.sla.calendar import Calendar
from services.sla.models import CalendarSnapshot, Schedule

_MOST_CALENDARS = 64
_MOST_DAYS = 367
_calendars: dict[str, Calendar] = {}


def calendar_of(schedule: Schedule) -> dict[str, Any]:
    """The schedule as {"tz", "week", "exceptions", "yearly"}."""
    return {
        "tz": schedule.zone,
        "week": schedule.week,
        "exceptions": {exception.day.isoformat(): exception.intervals for exception in schedule.exceptions},
        "yearly": sorted(schedule.yearly or ()),
    }


def named(session: Session, name: str | None = None) -> Schedule | None:
    """The schedule of that name; without one, that of everybody: of no category and no company, the oldest."""
    known = select(Schedule).where(Schedule.archived.is_(False)).order_by(Schedule.id).limit(1)
    if name is None:
        return session.scalar(known.where(Schedule.category_id.is_(None), Schedule.company_id.is_(None)))
    return session.scalar(known.where(Schedule.name == name))


def next_time(schedule: Schedule, at: time, now: datetime) -> datetime | None:
    """That time of the next day with working hours, by the schedule's clocks, after `now`; None within a year."""
    calendar = Calendar.parse(calendar_of(schedule))
    today = now.astimezone(calendar.zone).date()
    for ahead in range(_MOST_DAYS):
        day = today + timedelta(days=ahead)
        instant = datetime.combine(day, at, calendar.zone).astimezone(UTC)
        if calendar.hours(day) and instant > now:
            return instant
    return None


def freeze(session: Session, schedule: Schedule) -> CalendarSnapshot:
    """The stored copy of the schedule as it is now, one per content; raises CalendarError when it is unreadable."""
    calendar = calendar_of(schedule)
    Calendar.parse(calendar)
    sha256 = hashlib.sha256(json.dumps([schedule.name, calendar], sort_keys=True).encode()).hexdigest()
    known = select(CalendarSnapshot).where(CalendarSnapshot.sha256 == sha256)
    found = session.scalar(known)
    if found is None:
        _store(session, sha256=sha256, name=schedule.name, calendar=calendar)
        found = session.scalars(known).one()
    return found


def _store(session: Session, **values: Any) -> None:
    """Insert the row unless another transaction does so at the same moment."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(CalendarSnapshot).values(**values).on_conflict_do_nothing(index_elements=["sha256"]))


def frozen_calendar(snapshot: CalendarSnapshot) -> Calendar:
    """The working hours of the copy, worked out once per content."""
    return known_calendar(snapshot.sha256) or learn(snapshot)


def known_calendar(sha256: str) -> Calendar | None:
    """The working hours of the copy with that hash, if this process has met it."""
    return _calendars.get(sha256)


def learn(snapshot: CalendarSnapshot) -> Calendar:
    """Keep the working hours of the copy at hand."""
    if len(_calendars) >= _MOST_CALENDARS:
        _calendars.clear()
    calendar = _calendars[snapshot.sha256] = Calendar.parse(snapshot.calendar)
    return calendar
