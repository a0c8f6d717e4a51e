"""What happens to the clocks of a ticket: picking norms, starting, pausing, stopping, reminding, breaching."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine import runtime
from services.sla import levels
from services.sla.clocks import course, exceeded, read
from services.sla.levels import Choice
from services.sla.models import CalendarSnapshot, ClockEvent, ServiceClock
from services.sla.schedules import freeze, frozen_calendar
from services.sla.terms import KINDS, Kind, Terms, frozen, terms_of
from services.tickets import history
from services.tickets.models import Ticket

_RULE_LENGTH = 300
_STARTED, _PAUSED, _RESUMED, _REOPENED = "запущены", "на паузе", "идут снова", "запущены снова"
_STOPPED = {True: "остановлены: в срок", False: "остановлены: позже срока", None: "остановлены"}


def pick_level(session: Session, ticket: Ticket, *, actor: str | None, reason: str = "", step: str = "") -> Choice:
    """Promise the norms of the level that fits now; clocks that already run are aimed at them."""
    choice = levels.pick(session, ticket)
    old, new = terms_of(ticket), _frozen(session, choice)
    ticket.sla_rule = choice.rule_ru[:_RULE_LENGTH]
    ticket.sla_terms = new.as_data() if new else None
    if old != new:
        why = "; ".join(part for part in (choice.rule_ru, reason) if part)
        names = [terms.level if terms else "" for terms in (old, new)]
        history.record(
            session, ticket, "clock", actor=actor, field="sla_level", old=names[0], new=names[1], reason=why, step=step
        )
        for found in list(ticket.clocks):
            _retarget(session, ticket, found, new, actor, reason)
    return choice


def reselect(session: Session, ticket: Ticket, *, actor: str | None, reason: str = "") -> None:
    """Company, client or service may have changed: if the level was picked for others, promise anew.

    A level or schedule edited meanwhile does not reach the ticket this way; see `recalculate`.
    """
    promised = terms_of(ticket)
    if promised is None or promised.asked != levels.asked(session, ticket):
        recalculate(session, ticket, actor=actor, reason=reason)


def recalculate(session: Session, ticket: Ticket, *, actor: str | None, reason: str = "") -> Choice:
    """Promise what the levels say now, start what was missed, set the armed timers anew."""
    before = terms_of(ticket)
    choice = pick_level(session, ticket, actor=actor, reason=reason)
    _start_missed(session, ticket, actor, reason)
    session.flush()
    if terms_of(ticket) != before:
        for instance in runtime.instances(session, ticket.business_key):
            if instance.state == "active":
                runtime.rearm(session, instance.id, actor=actor)
    return choice


def start(
    session: Session, ticket: Ticket, kind: Kind, *, actor: str | None, at: str | None = None, step: str = ""
) -> ServiceClock | None:
    """Start the clock, or start it again once it has stopped: the time between counts as a pause.

    A resolution clock with `at` ("accepted" or "taken") starts only when the level counts from there.
    None when there is no level, or when the level does not measure this.
    """
    if not ticket.sla_rule:
        pick_level(session, ticket, actor=actor, step=step)
    found, terms = clock_of(ticket, kind), terms_of(ticket)
    if found is None:
        counts = kind == "reaction" or at is None or (terms is not None and at == terms.resolution_starts)
        if terms is None or not terms.target_sec(kind) or not counts:
            return None
        found = _create(session, ticket, kind, terms, engine_clock.now())
        _happened(session, ticket, found, "start", _STARTED, actor, "", step, at=found.started_at)
    elif found.state == "stopped":
        found.state, found.stopped_at, found.elapsed_sec, found.met = "running", None, None, None
        _happened(session, ticket, found, "start", _REOPENED, actor, "", step)
    return found


def stop(session: Session, ticket: Ticket, kind: Kind, *, actor: str | None, step: str = "") -> ServiceClock | None:
    """Stop the clock and fix its figure; a clock that has stopped or never started stays as it is."""
    found = clock_of(ticket, kind)
    if found is None or found.state == "stopped":
        return found
    now = engine_clock.now()
    _append(found, "stop", now, actor, "")
    elapsed = read(frozen_calendar(found.calendar), course(found.events), found.target_sec, now).elapsed_sec
    found.state, found.stopped_at, found.elapsed_sec = "stopped", now, elapsed
    found.met = elapsed <= found.target_sec if found.target_sec else None
    _settle(ticket, found)
    said, data = _STOPPED[found.met], {"elapsed_sec": elapsed, "target_sec": found.target_sec, "met": found.met}
    history.record(session, ticket, "clock", actor=actor, field=kind, new=said, step=step, data=data)
    if found.met is False:
        _note_breach(session, ticket, found, now, actor, step)
    return found


def pause(session: Session, ticket: Ticket, *, actor: str | None, reason: str = "", step: str = "") -> None:
    """Let every running clock stand still; the reaction clock only if the level says so."""
    terms = terms_of(ticket)
    for found in ticket.clocks:
        kept = found.kind == "reaction" and terms is not None and not terms.pause_stops_reaction
        if found.state == "running" and not kept:
            found.state = "paused"
            _happened(session, ticket, found, "pause", _PAUSED, actor, reason, step)


def resume(session: Session, ticket: Ticket, *, actor: str | None, reason: str = "", step: str = "") -> None:
    """Let every paused clock go on with what is left."""
    for found in ticket.clocks:
        if found.state == "paused":
            found.state = "running"
            _happened(session, ticket, found, "resume", _RESUMED, actor, reason, step)


def record_reminder(session: Session, ticket: Ticket, kind: Kind, *, actor: str | None, step: str = "") -> bool:
    """Note that the reminder went out; False when it had before, or when the clock does not run."""
    found = clock_of(ticket, kind)
    if found is None or found.state != "running" or found.reminded_at or found.breached_at:
        return False
    found.reminded_at = now = engine_clock.now()
    reading = read(frozen_calendar(found.calendar), course(found.events), found.target_sec, now)
    data = {"due": _iso(reading.due), "remaining_sec": reading.remaining_sec}
    history.record(session, ticket, "reminder", actor=actor, field=kind, step=step, data=data)
    return True


def record_breach(session: Session, ticket: Ticket, kind: Kind, *, actor: str | None, step: str = "") -> bool:
    """Note that the norm is exceeded; False when it was noted before, or when the norm still holds."""
    found, now = clock_of(ticket, kind), engine_clock.now()
    if found is None or found.breached_at or not found.target_sec:
        return False
    reading = read(frozen_calendar(found.calendar), course(found.events), found.target_sec, now)
    return reading.remaining_sec < 0 and _note_breach(session, ticket, found, now, actor, step)


def clock_of(ticket: Ticket, kind: Kind) -> ServiceClock | None:
    """The ticket's clock of that kind, if it ever started."""
    return next((found for found in ticket.clocks if found.kind == kind), None)


def _frozen(session: Session, choice: Choice) -> Terms | None:
    level = choice.level
    return frozen(level, freeze(session, level.schedule), choice.asked) if level else None


def _create(session: Session, ticket: Ticket, kind: Kind, terms: Terms, started_at: datetime) -> ServiceClock:
    created = ServiceClock(kind=kind, state="running", started_at=started_at, events=[])
    _aim(session, created, terms)
    ticket.clocks.append(created)
    return created


def _aim(session: Session, target: ServiceClock, terms: Terms) -> None:
    target.level_id, target.calendar = terms.level_id, session.get_one(CalendarSnapshot, terms.calendar_id)
    target.target_sec, target.remind_percent = terms.target_sec(_kind(target)), terms.remind_percent


def _retarget(
    session: Session, ticket: Ticket, found: ServiceClock, terms: Terms | None, actor: str | None, reason: str
) -> None:
    """Count a clock that has not stopped against new norms from its very start; without norms it is not measured."""
    if found.state == "stopped":
        return
    before = {"target_sec": found.target_sec, "calendar_id": found.calendar_id, "level_id": found.level_id}
    if terms is None:
        found.target_sec = found.remind_percent = 0
    else:
        _aim(session, found, terms)
    _forget_what_no_longer_holds(found)
    data = {"before": before, "target_sec": found.target_sec, "calendar_id": terms.calendar_id if terms else None}
    _append(found, "retarget", engine_clock.now(), actor, reason, data)
    _settle(ticket, found)


def _forget_what_no_longer_holds(found: ServiceClock) -> None:
    """A reminder or breach under the old norm may come again when the new one is not that far used up."""
    left = read(frozen_calendar(found.calendar), course(found.events), found.target_sec, engine_clock.now())
    if left.remaining_sec >= 0:
        found.breached_at = None
    if left.elapsed_sec < remind_after(found):
        found.reminded_at = None


def remind_after(found: ServiceClock) -> int:
    """Elapsed seconds at which to remind, rounded up."""
    return -(-found.target_sec * found.remind_percent // 100)


def _start_missed(session: Session, ticket: Ticket, actor: str | None, reason: str) -> None:
    """Clocks that no level asked for when their moment came start from that moment."""
    terms = terms_of(ticket)
    if terms is None or not ticket.is_open:
        return
    began = {
        "reaction": None if ticket.taken_at else ticket.accepted_at,
        "resolution": ticket.accepted_at if terms.resolution_starts == "accepted" else ticket.taken_at,
    }
    for kind in KINDS:
        moment = began[kind]
        if moment and clock_of(ticket, kind) is None and terms.target_sec(kind):
            found = _create(session, ticket, kind, terms, moment)
            _happened(session, ticket, found, "start", _STARTED, actor, reason, "", at=moment)
            if ticket.wait_since and (kind == "resolution" or terms.pause_stops_reaction):
                found.state = "paused"
                _happened(session, ticket, found, "pause", _PAUSED, actor, reason, "", at=ticket.wait_since)


def _happened(
    session: Session,
    ticket: Ticket,
    found: ServiceClock,
    event: str,
    said: str,
    actor: str | None,
    reason: str,
    step: str,
    *,
    at: datetime | None = None,
) -> None:
    """Append the event, keep the index columns true, tell the history."""
    _append(found, event, at or engine_clock.now(), actor, reason, {"target_sec": found.target_sec})
    _settle(ticket, found)
    data = {"event": event, "target_sec": found.target_sec, "due": _iso(found.due_at)}
    history.record(
        session, ticket, "clock", actor=actor, field=found.kind, new=said, reason=reason, step=step, data=data
    )


def _append(
    found: ServiceClock, kind: str, at: datetime, actor: str | None, reason: str, data: dict[str, Any] | None = None
) -> None:
    event = ClockEvent(kind=kind, at=at, actor=actor or "system", reason=reason[:300], data=data or {})
    found.events.append(event)


def _settle(ticket: Ticket, found: ServiceClock) -> None:
    """Write the index columns: the clock's due instant and the ticket's nearest one; none while paused."""
    if found.state == "running" and found.target_sec:
        found.due_at = read(
            frozen_calendar(found.calendar), course(found.events), found.target_sec, engine_clock.now()
        ).due
    elif found.state != "stopped":
        found.due_at = None
    running = (each.due_at for each in ticket.clocks if each.state == "running" and each.due_at)
    ticket.due_at = min(running, default=None)


def _note_breach(
    session: Session, ticket: Ticket, found: ServiceClock, now: datetime, actor: str | None, step: str
) -> bool:
    if found.breached_at:
        return False
    found.breached_at = now
    calendar, life = frozen_calendar(found.calendar), course(found.events)
    reading = read(calendar, life, found.target_sec, now)
    over = exceeded(calendar, life, found.target_sec)
    data = {"due": _iso(reading.due), "exceeded": _iso(over), "elapsed_sec": reading.elapsed_sec}
    history.record(session, ticket, "breach", actor=actor, field=found.kind, step=step, data=data)
    return True


def _kind(found: ServiceClock) -> Kind:
    return "reaction" if found.kind == "reaction" else "resolution"


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""
