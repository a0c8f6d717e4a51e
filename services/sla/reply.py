"""By when a client's message must be answered: so many days after the oldest one that no person has answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.sla.calendar import HORIZON, Calendar
from services.sla.week import DAY


def deadline(calendar: Calendar, asked_at: datetime, days: int, *, working_days: bool = False) -> datetime | None:
    """The same local time `days` dates later; with `working_days` only dates with working hours count.

    The answer is late from the next second on. None when so many working days do not come within about three years.
    """
    local = asked_at.astimezone(calendar.zone)
    left, day, last = days, local.date(), local.date() + timedelta(days=days + HORIZON // DAY)
    while left > 0:
        day += timedelta(days=1)
        if day > last:
            return None
        left -= 1 if not working_days or calendar.hours(day) else 0
    return datetime.combine(day, local.time(), calendar.zone).astimezone(UTC)


def is_overdue(due: datetime | None, now: datetime) -> bool:
    """Whether the deadline has passed: one second after it, not at it."""
    return due is not None and now >= due + timedelta(seconds=1)
