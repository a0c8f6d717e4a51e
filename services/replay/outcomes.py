"""What became of a ticket: its path, statuses, responsibles, terms and notices – read the same way from any desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.models import ElementLog, ProcessInstance, UserTask
from services.notifications.models import Notification
from services.sla.models import ServiceClock
from services.tickets.models import Ticket, TicketEvent

BY_PROCESS = ("classification_needed", "unassigned", "reminder", "breach", "pause_ended")
"""Notices that a process sends; others come of what people do and are the same in any version."""
TOLERANCE = 60
"""Seconds by which a time may differ and still count as the same."""


@dataclass(frozen=True, slots=True)
class Term:
    """What became of one clock."""

    kind: str
    met: bool | None
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one ticket."""

    path: tuple[tuple[str, str, str], ...]
    """Process key, element id and name of every node that was entered or fired, in order."""
    statuses: tuple[tuple[str, datetime], ...]
    responsibles: tuple[str, ...]
    terms: tuple[Term, ...]
    notices: Mapping[str, int]
    """Kind → on how many occasions."""
    ended_at: datetime | None
    waiting: tuple[str, ...]
    """Where it stands if it has not ended."""


def outcome(session: Session, ticket: Ticket) -> Outcome:
    """What became of the ticket on the desk of this session."""
    instances = session.scalars(
        select(ProcessInstance).where(ProcessInstance.business_key == ticket.business_key).order_by(ProcessInstance.id)
    ).all()
    ids = [instance.id for instance in instances]
    events = session.scalars(
        select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
    ).all()
    over = all(instance.ended_at is not None for instance in instances)
    ends = [instance.ended_at for instance in instances if instance.ended_at is not None]
    return Outcome(
        path=_path(session, ids),
        statuses=tuple((event.data["new"], event.at) for event in events if event.kind == "status"),
        responsibles=tuple(event.new for event in events if event.kind == "assigned"),
        terms=_terms(session, ticket),
        notices=_notices(session, ticket),
        ended_at=max(ends, default=None) if over else None,
        waiting=() if over else _waiting(session, ids),
    )


def differences(before: Outcome, after: Outcome) -> dict[str, Any]:
    """What differs, by kind, as plain data; empty when nothing does."""
    found = {
        "path": _path_difference(before.path, after.path),
        "statuses": _sequences([code for code, _ in before.statuses], [code for code, _ in after.statuses]),
        "assignments": _sequences(before.responsibles, after.responsibles),
        "sla": _term_difference(before.terms, after.terms),
        "notifications": _notice_difference(before.notices, after.notices),
        "ended": _end_difference(before.ended_at, after.ended_at),
    }
    return {kind: difference for kind, difference in found.items() if difference}


def _path(session: Session, ids: Sequence[int]) -> tuple[tuple[str, str, str], ...]:
    log = select(ElementLog.process_key, ElementLog.element_id, ElementLog.name)
    entered = log.where(ElementLog.instance_id.in_(ids), ElementLog.event.in_(("entered", "fired")))
    return tuple((key, element, name) for key, element, name in session.execute(entered.order_by(ElementLog.id)))


def _terms(session: Session, ticket: Ticket) -> tuple[Term, ...]:
    clocks = select(ServiceClock.kind, ServiceClock.met, ServiceClock.elapsed_sec)
    rows = session.execute(clocks.where(ServiceClock.ticket_id == ticket.id).order_by(ServiceClock.kind))
    return tuple(Term(kind, met, seconds) for kind, met, seconds in rows)


def _notices(session: Session, ticket: Ticket) -> dict[str, int]:
    """Occasions, not copies: how many people a line has is not the version's doing."""
    sent = select(Notification.kind, Notification.created_at).distinct()
    rows = session.execute(sent.where(Notification.ticket_id == ticket.id, Notification.kind.in_(BY_PROCESS)))
    return dict(Counter(kind for kind, _ in rows))


def _waiting(session: Session, ids: Sequence[int]) -> tuple[str, ...]:
    tasks = select(UserTask).where(UserTask.instance_id.in_(ids), UserTask.state == "open").order_by(UserTask.id)
    return tuple(task.name or task.element_id for task in session.scalars(tasks))


def _path_difference(before: Sequence[Any], after: Sequence[Any]) -> dict[str, Any]:
    gone: list[Any] = []
    new: list[Any] = []
    matcher = SequenceMatcher(None, [each[:2] for each in before], [each[:2] for each in after], autojunk=False)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind != "equal":
            gone += before[old_from:old_to]
            new += after[new_from:new_to]
    return {"gone": [list(each) for each in gone], "new": [list(each) for each in new]} if gone or new else {}


def _sequences(before: Sequence[str], after: Sequence[str]) -> dict[str, Any]:
    return {"before": list(before), "after": list(after)} if list(before) != list(after) else {}


def _term_difference(before: Sequence[Term], after: Sequence[Term]) -> dict[str, Any]:
    old, new = ({term.kind: term for term in terms} for terms in (before, after))
    found: dict[str, Any] = {}
    for kind in sorted(old.keys() | new.keys()):
        was, now = old.get(kind), new.get(kind)
        if was is None or now is None or was.met != now.met or _apart(was.seconds, now.seconds):
            found[kind] = {"before": _told(was), "after": _told(now)}
    return found


def _told(term: Term | None) -> dict[str, Any] | None:
    return None if term is None else {"met": term.met, "seconds": term.seconds}


def _apart(before: int | None, after: int | None) -> bool:
    return before != after if before is None or after is None else abs(before - after) > TOLERANCE


def _notice_difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Any]:
    return {
        kind: {"before": before.get(kind, 0), "after": after.get(kind, 0)}
        for kind in sorted(before.keys() | after.keys())
        if before.get(kind, 0) != after.get(kind, 0)
    }


def _end_difference(before: datetime | None, after: datetime | None) -> dict[str, Any]:
    if before is not None and after is not None and abs((before - after).total_seconds()) <= TOLERANCE:
        return {}
    if before == after:
        return {}
    return {"before": before.isoformat() if before else None, "after": after.isoformat() if after else None}
