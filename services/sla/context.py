"""What expressions in diagrams may ask about the norms: sla.due, sla.remind, sla.state, sla.level; schedule.next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any

from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine.errors import ExpressionError
from engine.expressions import Namespace
from engine.models import ProcessDefinition
from services.sla.clocks import course, exceeded, read, used_up
from services.sla.models import ServiceClock
from services.sla.operations import clock_of, remind_after
from services.sla.schedules import frozen_calendar, named, next_time
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


def start_names(session: Session, _definition: ProcessDefinition) -> Mapping[str, Any]:
    """What timers of start events may ask: there is no ticket yet."""
    return {"schedule": schedules(session)}


def schedules(session: Session) -> Namespace:
    """The name `schedule`: `schedule.next("18:00")` and `schedule.next("18:00", "Круглосуточно")`."""

    def following(at: str, name: str | None = None) -> datetime | None:
        schedule = named(session, name)
        if schedule is None:
            wanted = name or "–"
            raise ExpressionError(f"Expected a schedule {wanted}, but there is none", f"Расписания {wanted} нет")
        return next_time(schedule, _time(at), engine_clock.now())

    return Namespace("schedule", fields={}, functions={"next": following})


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone
    except (TypeError, ValueError):
        raise ExpressionError(
            f'Expected a time of day such as "18:00", got {text!r:.40}',
            f"Нужно время вида «18:00», получено {text!r:.40}",
        ) from None


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
