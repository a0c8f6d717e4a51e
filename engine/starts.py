"""The start events that are watched: rows of the active versions, for messages, signals and times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn import start_events
from engine.bpmn.script_engine import Context
from engine.bpmn.start_events import Due, Trigger
from engine.errors import NotFound
from engine.listeners import listeners
from engine.models import Incident, ProcessDefinition, StartEvent

LEASE = timedelta(seconds=10)
RETRIES = 3
BACKOFF = timedelta(minutes=1)


def watch(session: Session, definition: ProcessDefinition, by: str) -> None:
    """Watch the start events of a version that became active, and no longer those of the one before it.

    A timer counts from now. Raises ExpressionError when the time of one cannot be computed.
    """
    _forget(session, definition.key, by)
    for trigger in start_events.triggers(definition.resource.content, definition.key):
        due = _first(session, definition, trigger)
        session.add(
            StartEvent(
                definition_id=definition.id,
                element_id=trigger.element_id,
                kind=trigger.kind,
                name=trigger.name,
                due_at=due.at,
                left=due.left,
                retries_left=RETRIES,
            )
        )
    session.flush()


def listening(session: Session, kind: str, name: str) -> Sequence[StartEvent]:
    """The watched start events that this message or signal begins, in the order of their processes' keys."""
    query = select(StartEvent).join(StartEvent.definition).where(StartEvent.kind == kind, StartEvent.name == name)
    return session.scalars(query.order_by(ProcessDefinition.key, StartEvent.id)).all()


def claim(session: Session, owner: str, limit: int) -> list[int]:
    """Lease the timers that are due to `owner`."""
    now = clock.now()
    query = select(StartEvent.id).where(*_is_due(now)).order_by(StartEvent.due_at, StartEvent.id).limit(limit)
    ids = list(session.scalars(query.with_for_update(skip_locked=True)))
    if ids:
        leased = update(StartEvent).where(StartEvent.id.in_(ids))
        session.execute(leased.values(lease_until=now + LEASE, lease_owner=owner))
    return ids


def take(session: Session, start_id: int) -> StartEvent | None:
    """The timer, locked, if it is still due; None when somebody else has seen to it."""
    row = session.get(StartEvent, start_id, with_for_update=True, populate_existing=True)
    due = row is not None and row.due_at is not None and row.due_at <= clock.now() and row.retries_left > 0
    return row if due else None


def pass_on(session: Session, row: StartEvent) -> None:
    """The timer has fired: note when it does so again. Raises ExpressionError."""
    definition, now = row.definition, clock.now()
    trigger = _trigger(definition, row.element_id)
    due = start_events.following(trigger, Due(row.due_at, row.left), now, _context(session, definition))
    row.due_at, row.left = due.at, due.left
    row.retries_left, row.error = RETRIES, None
    row.lease_until, row.lease_owner = None, None


def fail(session: Session, start_id: int, error: Exception) -> StartEvent | None:
    """Count a failed attempt; the row when it was the last one. The due time stays: the cycle counts from it."""
    row = take(session, start_id)
    if row is None:
        return None
    row.retries_left -= 1
    row.error = f"{type(error).__name__}: {error}"[:2000]
    row.lease_until, row.lease_owner = (clock.now() + BACKOFF, "retry") if row.retries_left else (None, None)
    session.flush()
    return None if row.retries_left else row


def put_off(session: Session, start_id: int, delay: timedelta) -> None:
    """Look at it again a little later: somebody else is writing."""
    session.execute(update(StartEvent).where(StartEvent.id == start_id).values(lease_until=clock.now() + delay))


def retry(session: Session, start_id: int) -> None:
    """Try a failed timer again now, with all its attempts. Raises NotFound."""
    row = session.get(StartEvent, start_id, with_for_update=True, populate_existing=True)
    if row is None or row.retries_left > 0:
        raise NotFound(f"Expected the start event {start_id} to have failed, but it has not")
    row.retries_left, row.lease_until = RETRIES, None
    session.flush()


def next_due(session: Session) -> datetime | None:
    """When the next timer is due, or, if that one is leased, when its lease ends."""
    alive = StartEvent.retries_left > 0, StartEvent.due_at.is_not(None)
    free = select(StartEvent.due_at).where(*alive, StartEvent.lease_until.is_(None)).order_by(StartEvent.due_at)
    leased = select(StartEvent.lease_until).where(*alive, StartEvent.lease_until.is_not(None))
    ends = [session.scalar(free.limit(1)), session.scalar(leased.order_by(StartEvent.lease_until).limit(1))]
    return min((at for at in ends if at), default=None)


def _forget(session: Session, key: str, by: str) -> None:
    of_process = select(ProcessDefinition.id).where(ProcessDefinition.key == key)
    watched = select(StartEvent).where(StartEvent.definition_id.in_(of_process)).order_by(StartEvent.id)
    rows = session.scalars(watched.with_for_update()).all()
    ids = [row.id for row in rows]
    gone = update(Incident).where(Incident.start_event_id.in_(ids))
    session.execute(
        gone.where(Incident.state == "open").values(state="resolved", resolved_at=clock.now(), resolved_by=by)
    )
    session.execute(gone.values(start_event_id=None))
    for row in rows:
        session.delete(row)
    session.flush()


def _first(session: Session, definition: ProcessDefinition, trigger: Trigger) -> Due:
    if trigger.kind != "timer":
        return Due(None)
    return start_events.first(trigger, clock.now(), _context(session, definition))


def _trigger(definition: ProcessDefinition, element_id: str) -> Trigger:
    found = start_events.triggers(definition.resource.content, definition.key)
    return next(trigger for trigger in found if trigger.element_id == element_id)


def _context(session: Session, definition: ProcessDefinition) -> Context:
    provide = listeners().start_context

    def context() -> Mapping[str, Any]:
        return provide(session, definition) if provide is not None else {}

    return context


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(StartEvent.lease_until.is_(None), StartEvent.lease_until <= now)
    return StartEvent.retries_left > 0, StartEvent.due_at <= now, free
