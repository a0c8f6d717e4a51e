"""Living a recorded life again on a throw-away desk, under another version of its process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import process_time
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine import actions, clock, connectors, runtime
from engine.connectors import Execution
from engine.db import Base
from engine.errors import EngineError
from services import rehearsal
from services.clients.models import Client
from services.lines import operations as lines
from services.lines.models import Channel
from services.people.models import Agent
from services.replay.outcomes import Outcome, differences, outcome
from services.replay.recorded import Change, Happening, Life
from services.sla import operations as sla
from services.tickets import fields, queries
from services.tickets.keys import required_ticket
from services.tickets.models import Ticket
from services.tickets.numbering import next_number

PATIENCE = timedelta(days=45)
"""How long after its recorded end a life may still go on by itself before it counts as stuck."""
MOST_SECONDS = 5.0
"""Of computing time for one ticket."""
_ASSIGN = "ticket.assign"


class TooSlow(EngineError):
    """Expected to live this ticket's life within five seconds, but the version needs longer."""


@dataclass(frozen=True, slots=True)
class Relived:
    """What the version made of one ticket."""

    verdict: str
    """same | differs | stuck | failed"""
    differences: dict[str, Any]


@dataclass
class _Run:
    """One life on its way."""

    desk: rehearsal.Desk
    life: Life
    ticket_id: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    """Buttons that the version did not offer when they were pressed."""
    began: float = field(default_factory=process_time)

    def check_time(self) -> None:
        if process_time() - self.began > MOST_SECONDS:
            raise TooSlow


def relive(life: Life, recorded: Outcome, template: rehearsal.Template) -> Relived:
    """Live it again and compare; whatever goes wrong on the way is the verdict "failed" with the sentence."""
    try:
        with rehearsal.opened(begin=life.begun_at, reference=template) as desk, _as_chosen(life):
            run = _Run(desk, life)
            _begin(run)
            for happening in life.happenings:
                _reach(run, happening)
            _await_end(run)
            with desk.look() as session:
                found = outcome(session, session.get_one(Ticket, run.ticket_id))
    except EngineError as error:
        element = getattr(error, "element_name", None) or getattr(error, "element_id", None)
        return Relived("failed", {"failed": {"message": str(error)[:500], "element": element}})
    return _judged(recorded, found, run.refused)


def _judged(recorded: Outcome, found: Outcome, refused: list[dict[str, Any]]) -> Relived:
    differing = differences(recorded, found)
    if refused:
        differing["refused"] = refused
    if found.ended_at is None and recorded.ended_at is not None:
        return Relived("stuck", {**differing, "waiting": list(found.waiting)})
    return Relived("differs" if differing else "same", differing)


def _begin(run: _Run) -> None:
    life = run.life
    with run.desk.session() as session:
        for table, rows in life.rows.items():
            if rows:
                session.execute(insert(Base.metadata.tables[table]), [dict(row) for row in rows])
        run.ticket_id = _by_message(session, life) if life.channel_id is not None else _by_hand(session, life)


def _by_message(session: Session, life: Life) -> int:
    channel = session.get_one(Channel, life.channel_id)
    client = session.get_one(Client, life.rows["client"][0]["id"])
    message = lines.receive_message(session, channel, client=client, text=life.text, subject=life.subject)
    session.flush()
    if message.ticket_id is None:
        session.refresh(message)
    if message.ticket_id is None:
        raise EngineError("Expected the line's process to make a ticket, but it did not")
    return message.ticket_id


def _by_hand(session: Session, life: Life) -> int:
    now = clock.now()
    client = life.rows.get("client", ({},))[0]
    ticket = Ticket(
        number=next_number(session),
        topic=life.topic,
        source="manual",
        client_id=client.get("id"),
        company_id=client.get("company_id"),
        created_at=now,
        updated_at=now,
    )
    session.add(ticket)
    session.flush()
    for change in life.at_birth:
        _write(session, ticket, change, life.actor or "system", "")
    session.flush()
    key, given = ticket.business_key, dict(life.variables)
    runtime.start_process(session, life.process, business_key=key, variables=given, actor=life.actor)
    return ticket.id


def _reach(run: _Run, happening: Happening) -> None:
    """Let time pass up to the happening, then let it happen."""
    run.desk.advance_to(max(happening.at, run.desk.clock.at), checkpoint=run.check_time)
    run.check_time()
    with run.desk.session() as session:
        ticket = session.get_one(Ticket, run.ticket_id)
        _HAPPEN[happening.kind](run, session, ticket, happening)


def _press(run: _Run, session: Session, ticket: Ticket, happening: Happening) -> None:
    instance = queries.instance_of(session, ticket)
    offered = actions.available(session, instance) if instance is not None else []
    same = [action for action in offered if action.id == happening.name]
    chosen = next((action for action in same if action.element_id == happening.element), next(iter(same), None))
    if chosen is None or instance is None:
        labels = list(dict.fromkeys(action.label for action in offered))
        refused = {"at": happening.at.isoformat(), "label": happening.label, "offered": labels}
        run.refused.append({**refused, "element": happening.element})
        return
    promised = bool(ticket.sla_rule)
    touched = [_write(session, ticket, change, happening.actor, chosen.element_name) for change in happening.changes]
    variables, actor = dict(happening.variables), happening.actor
    actions.perform(session, instance.id, chosen.ref, variables=variables, actor=actor, expected_version=None)
    if promised and any(touched):
        _reselect(session, ticket, actor)


def _message(run: _Run, session: Session, ticket: Ticket, happening: Happening) -> None:
    variables, actor = dict(happening.variables), happening.actor
    key = ticket.business_key
    runtime.correlate_message(session, happening.name, business_key=key, variables=variables, actor=actor)


def _signal(run: _Run, session: Session, ticket: Ticket, happening: Happening) -> None:
    runtime.broadcast_signal(session, happening.name, dict(happening.variables), happening.actor)


def _changed(run: _Run, session: Session, ticket: Ticket, happening: Happening) -> None:
    if any([_write(session, ticket, change, happening.actor, "") for change in happening.changes]):
        _reselect(session, ticket, happening.actor)


def _said(run: _Run, session: Session, ticket: Ticket, happening: Happening) -> None:
    ticket.unread, ticket.first_reply_at = 0, ticket.first_reply_at or happening.at


def _heard(run: _Run, session: Session, ticket: Ticket, happening: Happening) -> None:
    if not happening.variables["is_thanks"]:
        ticket.unread += 1
    _message(run, session, ticket, happening)


_HAPPEN: Mapping[str, Callable[[_Run, Session, Ticket, Happening], None]] = {
    "press": _press,
    "message": _message,
    "signal": _signal,
    "change": _changed,
    "said": _said,
    "heard": _heard,
}


def _write(session: Session, ticket: Ticket, change: Change, actor: str, step: str) -> bool:
    """Write the field; whether the service level has to be picked again."""
    if change.field == "priority":
        ticket.priority_manual = True
    changed = fields.write(session, ticket, change.field, change.value, actor=actor, step=step)
    return changed and change.field in fields.DECIDE_LEVEL


def _reselect(session: Session, ticket: Ticket, actor: str) -> None:
    session.flush()
    sla.reselect(session, ticket, actor=actor)


def _await_end(run: _Run) -> None:
    """Timers may end it later than it was recorded; nothing else will."""
    end = max(run.life.ended_at, run.desk.clock.at)
    run.desk.advance_to(end, checkpoint=run.check_time)
    until = end + PATIENCE
    while not _has_ended(run):
        at = run.desk.next_due()
        if at is None or at > until:
            return
        run.desk.advance_to(at, checkpoint=run.check_time)


def _has_ended(run: _Run) -> bool:
    with run.desk.look() as session:
        found = runtime.instances(session, session.get_one(Ticket, run.ticket_id).business_key)
        return all(instance.ended_at is not None for instance in found)


@contextmanager
def _as_chosen(life: Life) -> Iterator[None]:
    """The process assigns whom it assigned then, as long as it assigns; load and presence of that day are not known."""
    left: list[int] = list(life.assigned)

    def called(name: str, execution: Execution, arguments: Mapping[str, Any]) -> Any:
        if name != _ASSIGN or not left:
            return connectors.carry_out(name, execution, arguments)
        session, ticket = execution.session, required_ticket(execution)
        agent = session.get_one(Agent, left.pop(0))
        fields.write(session, ticket, "responsible_id", agent.id, actor=None, step=execution.element_name)
        return agent.id

    with connectors.substituted(called):
        yield
