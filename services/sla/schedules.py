"""A schedule as the arithmetic reads it, and its frozen copy that running clocks keep."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from services.sla.calendar import Calendar
from services.sla.models import CalendarSnapshot, Schedule

_MOST_CALENDARS = 64
_calendars: dict[str, Calendar] = {}


def calendar_of(schedule: Schedule) -> dict[str, Any]:
    """The schedule as {"tz", "week", "exceptions", "yearly"}."""
    return {
        "tz": schedule.zone,
        "week": schedule.week,
        "exceptions": {exception.day.isoformat(): exception.intervals for exception in schedule.exceptions},
        "yearly": sorted(schedule.yearly or ()),
    }


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
