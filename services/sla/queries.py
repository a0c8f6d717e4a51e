"""What screens show of the clocks: one cell per ticket, one reading per clock, and why a due date is what it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from services.sla.calendar import Calendar
from services.sla.clocks import Reading, counted, course, read
from services.sla.models import CalendarSnapshot, ClockEvent, ServiceClock
from services.sla.schedules import frozen_calendar, known_calendar, learn
from services.sla.zones import seconds
from services.tickets.models import Ticket

SOON_SHARE = 0.25
SOON_SEC = 30 * 60

CellState = Literal["left", "soon", "over", "pause", "sleep", "done", "late", "none", "idle"]


@dataclass(frozen=True, slots=True)
class SlaCell:
    """The one clock of a ticket that matters now."""

    state: CellState
    """none = no level fits; idle = no clock has started; done and late = all have stopped."""
    kind: str = ""
    """reaction | resolution"""
    due: datetime | None = None
    remaining_sec: int = 0
    """Working seconds; negative once exceeded."""
    target_sec: int = 0
    until: datetime | None = None
    """End of the pause, or the next opening while it sleeps; None when nobody knows."""

    @property
    def share_left(self) -> float:
        """From 1 (nothing used up) to 0."""
        return min(1.0, max(0.0, self.remaining_sec / self.target_sec)) if self.target_sec else 0.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """One piece of the answer to "why this due date"."""

    kind: Literal["counted", "pause", "holiday", "changed"]
    """holiday = a date off by exception or yearly; changed = a date whose hours differ from its weekday."""
    start: datetime
    end: datetime | None
    """None = a pause that has not ended."""
    working_sec: int
    """Counted: what it adds to the elapsed time. Pause: the working time it spared."""


def reading(clock: ServiceClock, now: datetime) -> Reading:
    """Due, elapsed, remaining and state of a clock; a stopped one shows what it was when it stopped."""
    return read(frozen_calendar(clock.calendar), course(clock.events), clock.target_sec, now)


def cells(session: Session, ticket_ids: Collection[int], now: datetime) -> dict[int, SlaCell]:
    """The cell of every ticket of a list; one query, and one more for schedules this process has not met yet."""
    found: dict[int, list[Row[tuple[object, ...]]]] = {ticket_id: [] for ticket_id in ticket_ids}
    for row in session.execute(_wanted(ticket_ids)):
        found[row.id].append(row)
    calendars = _calendars(session, {row.sha256 for rows in found.values() for row in rows if row.sha256})
    return {ticket_id: _cell(rows, calendars, now) for ticket_id, rows in found.items()}


def cell(session: Session, ticket: Ticket, now: datetime) -> SlaCell:
    """The cell of one ticket."""
    session.flush()
    return cells(session, [ticket.id], now)[ticket.id]


def provenance(clock: ServiceClock, now: datetime) -> list[Stretch]:
    """Why the due instant is what it is: counted intervals, pauses and special dates from start to due, in order."""
    calendar, life = frozen_calendar(clock.calendar), course(clock.events)
    due = read(calendar, life, clock.target_sec, now).due
    end = life.stop or max(now, due or now)
    stretches = [Stretch("counted", a, b, calendar.working_seconds(a, b)) for a, b in counted(calendar, life, end)]
    for begin, until in life.pauses:
        stretches.append(Stretch("pause", begin, until, calendar.working_seconds(begin, until or now)))
    return sorted([*stretches, *_special_dates(calendar, life.start, end)], key=lambda stretch: stretch.start)


def _wanted(ticket_ids: Collection[int]) -> object:
    return (
        select(
            Ticket.id,
            Ticket.sla_rule,
            Ticket.sla_terms.is_not(None).label("promised"),
            Ticket.wait_until,
            ServiceClock.id.label("clock_id"),
            ServiceClock.kind.label("clock"),
            ServiceClock.target_sec,
            CalendarSnapshot.sha256,
            ClockEvent.kind,
            ClockEvent.at,
        )
        .outerjoin(ServiceClock, ServiceClock.ticket_id == Ticket.id)
        .outerjoin(CalendarSnapshot, CalendarSnapshot.id == ServiceClock.calendar_id)
        .outerjoin(ClockEvent, ClockEvent.clock_id == ServiceClock.id)
        .where(Ticket.id.in_(ticket_ids))
        .order_by(Ticket.id, ServiceClock.id, ClockEvent.id)
    )
