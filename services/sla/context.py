"""What expressions in diagrams may ask about the norms: sla.due, sla.remind, sla.state, sla.level."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine.expressions import Namespace
from services.sla.clocks import course, exceeded, read, used_up
from services.sla.models import ServiceClock
from services.sla.operations import clock_of, remind_after
from services.sla.schedules import frozen_calendar
from services.sla.terms import kind_of, terms_of
from services.tickets.models import Ticket

Load = Callable[[], Ticket | None]


def namespace(_session: Session, load: Load) -> Namespace:
    """The name `sla` for the ticket that `load` finds; before the ticket exists every answer is None."""

    def found(kind: str) -> ServiceClock | None:
        ticket = load()
        return clock_of(ticket, kind_of(kind)) if ticket else None

    return Namespace(
        "sla",
        fields={"level": lambda: _level(load())},
        functions={
            "due": lambda kind: due(found(kind)),
            "remind": lambda kind: remind(found(kind)),
            "state": lambda kind: state(found(kind)),
        },
    )


def due(clock: ServiceClock | None) -> datetime | None:
    """When the norm will be exceeded if nothing happens, for a timer.

    None when it is not measured, does not run, or has been recorded as breached.
    """
    if clock is None or clock.state != "running" or clock.breached_at or not clock.target_sec:
        return None
    return exceeded(frozen_calendar(clock.calendar), course(clock.events), clock.target_sec)


def remind(clock: ServiceClock | None) -> datetime | None:
    """When to remind, for a timer.

    None when nobody wants it, when it has been done, or when the clock does not run or is breached.
    """
    if clock is None or clock.state != "running" or clock.breached_at or clock.reminded_at:
        return None
    if not clock.target_sec or not clock.remind_percent:
        return None
    return used_up(frozen_calendar(clock.calendar), course(clock.events), remind_after(clock))


def state(clock: ServiceClock | None) -> str | None:
    """running, paused, sleeping, met or breached; None when it is not measured."""
    if clock is None or not clock.target_sec:
        return None
    now = engine_clock.now()
    return read(frozen_calendar(clock.calendar), course(clock.events), clock.target_sec, now).state


def _level(ticket: Ticket | None) -> str | None:
    terms = terms_of(ticket) if ticket else None
    return terms.level if terms else None
