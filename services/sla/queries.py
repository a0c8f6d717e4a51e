"""What screens show of the clocks: one cell per ticket, one reading per clock, and why a due date is what it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from services.sla.calendar import Calendar
from services.sla.clocks import Reading, counted, course, read
from services.sla.models import CalendarSnapshot, ClockEvent, ServiceClock
from services.sla.schedules import frozen_calendar, known_calendar, learn
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
    found: dict[int, list[_Row]] = {ticket_id: [] for ticket_id in ticket_ids}
    for values in session.execute(_wanted(ticket_ids)):
        row = _Row(*values)
        found[row.ticket_id].append(row)
    calendars = _calendars(session, {row.sha256 for rows in found.values() for row in rows if row.sha256})
    return {ticket_id: _cell(rows, calendars, now) for ticket_id, rows in found.items() if rows}


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


class _Row(NamedTuple):
    """One event of one clock of one ticket; without clocks a ticket has one row with empty fields."""

    ticket_id: int
    rule: str
    promised: bool
    wait_until: datetime | None
    clock: str | None
    target_sec: int | None
    stopped: bool | None
    sha256: str | None
    kind: str
    at: datetime


class _Shown(NamedTuple):
    """One measured clock and what it reads now."""

    kind: str
    target_sec: int
    stopped: bool
    reading: Reading


def _wanted(ticket_ids: Collection[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Ticket.id,
            Ticket.sla_rule,
            Ticket.sla_terms.is_not(None),
            Ticket.wait_until,
            ServiceClock.kind,
            ServiceClock.target_sec,
            ServiceClock.state == "stopped",
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


def _calendars(session: Session, wanted: Collection[str]) -> dict[str, Calendar]:
    known = {sha256: calendar for sha256 in wanted if (calendar := known_calendar(sha256))}
    missing = [sha256 for sha256 in wanted if sha256 not in known]
    if missing:
        snapshots = session.scalars(select(CalendarSnapshot).where(CalendarSnapshot.sha256.in_(missing)))
        known |= {snapshot.sha256: learn(snapshot) for snapshot in snapshots}
    return known


def _cell(rows: list[_Row], calendars: dict[str, Calendar], now: datetime) -> SlaCell:
    shown = [
        _shown(list(events), calendars, now)
        for kind, events in groupby(rows, key=lambda row: row.clock)
        if kind is not None
    ]
    measured = [clock for clock in shown if clock.target_sec]
    if not measured:
        return SlaCell("none" if rows[0].rule and not rows[0].promised else "idle")
    clock = min(measured, key=_urgency)
    reading, until = clock.reading, None
    state = _cell_state(clock)
    if state == "pause":
        until = rows[0].wait_until
    elif state == "sleep":
        until = reading.next_change
    return SlaCell(state, clock.kind, reading.due, reading.remaining_sec, clock.target_sec, until)


def _shown(events: list[_Row], calendars: dict[str, Calendar], now: datetime) -> _Shown:
    clock = events[0]
    target = clock.target_sec or 0
    calendar = calendars[clock.sha256 or ""]
    return _Shown(clock.clock or "", target, bool(clock.stopped), read(calendar, course(events), target, now))


def _urgency(clock: _Shown) -> tuple[int, float]:
    """Running before paused before stopped; then the nearest due; of stopped clocks the resolution."""
    if clock.stopped:
        return 2, 0 if clock.kind == "resolution" else 1
    if clock.reading.due is None:
        return 1, 0
    return 0, clock.reading.due.timestamp()


def _cell_state(clock: _Shown) -> CellState:
    reading = clock.reading
    if clock.stopped:
        return "done" if reading.state == "met" else "late"
    if reading.state == "breached":
        return "over"
    if reading.state == "paused":
        return "pause"
    if reading.state == "sleeping":
        return "sleep"
    soon = reading.remaining_sec < max(SOON_SEC, SOON_SHARE * clock.target_sec)
    return "soon" if soon else "left"


def _special_dates(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Stretch]:
    """Dates from start to end that an exception or a yearly holiday makes differ from their weekday."""
    day, last = start.astimezone(calendar.zone).date(), end.astimezone(calendar.zone).date()
    while day <= last:
        hours = calendar.hours(day)
        if hours != calendar.week[day.weekday()]:
            midnight = datetime.combine(day, time(), calendar.zone)
            following = datetime.combine(day + timedelta(days=1), time(), calendar.zone)
            begin, until = midnight.astimezone(UTC), following.astimezone(UTC)
            yield Stretch("changed" if hours else "holiday", begin, until, calendar.working_seconds(begin, until))
        day += timedelta(days=1)
