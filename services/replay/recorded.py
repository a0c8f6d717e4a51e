"""A ticket's life as it was recorded: what people, clients and the clock did to it, in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import EngineError
from engine.models import History, ProcessDefinition, ProcessInstance
from services.catalog.models import PRIORITIES, Product, ServiceOffering, TicketType
from services.catalog.queries import priority_name
from services.clients.models import Client, Company
from services.lines.models import LineSession, Message
from services.lines.thanks import is_thanks
from services.people.models import Agent
from services.tickets.models import Ticket, TicketEvent

BY_PEOPLE = ("complete", "trigger")
OF_MACHINES = ("timer", "system")
REPLIED = "client_replied"
"""The message that every word of a client is to his ticket, whether its process waits for it or not."""
_TABLES: Mapping[str, type[Any]] = {
    "type_id": TicketType,
    "service_id": ServiceOffering,
    "product_id": Product,
    "client_id": Client,
    "company_id": Company,
    "responsible_id": Agent,
}


class NotRecorded(EngineError):
    """Expected a ticket whose beginning was recorded, but this one has no process or no first message."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field that a person changed."""

    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that came from outside of the process."""

    at: datetime
    kind: str
    """press | message | signal | change | said | heard"""
    actor: str
    name: str = ""
    """Of the action, message or signal."""
    element: str = ""
    """Where the button was."""
    label: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """What is needed to live a ticket's life again."""

    ticket_id: int
    number: int
    begun_at: datetime
    ended_at: datetime
    process: str
    """Key of the process that began it."""
    actor: str | None
    variables: Mapping[str, Any]
    rows: Mapping[str, tuple[Mapping[str, Any], ...]]
    """Table → rows of the client that the life needs."""
    channel_id: int | None
    """None for a ticket that was made by hand."""
    subject: str
    text: str
    topic: str
    at_birth: tuple[Change, ...]
    """Fields that were filled in before the process began."""
    assigned: tuple[int, ...]
    """Whom the process itself chose, in order."""
    happenings: tuple[Happening, ...]


def life(session: Session, ticket: Ticket) -> Life:
    """The recorded life of a ticket; raises NotRecorded."""
    begun = _beginning(session, ticket)
    start = session.scalars(select(History).where(History.instance_id == begun.id, History.n == 1)).one_or_none()
    if start is None:
        raise NotRecorded
    events = _events(session, ticket)
    talk = _first_message(session, ticket)
    if talk is None and ticket.source == "line":
        raise NotRecorded
    return Life(
        ticket_id=ticket.id,
        number=ticket.number,
        begun_at=start.at,
        ended_at=max([begun.ended_at or start.at, *(event.at for event in events)]),
        process=session.get_one(ProcessDefinition, begun.definition_id).key,
        actor=start.actor,
        variables=start.data.get("variables", {}),
        rows=dict(_client_rows(session, ticket)),
        channel_id=talk[0].channel_id if talk else None,
        subject=talk[0].subject if talk else "",
        text=talk[1].text if talk else "",
        topic=ticket.topic,
        at_birth=tuple(_change(session, each) for each in _filled_at_birth(events)) if talk is None else (),
        assigned=tuple(_chosen(session, events)),
        happenings=tuple(_happenings(session, ticket, events)),
    )


def _beginning(session: Session, ticket: Ticket) -> ProcessInstance:
    query = select(ProcessInstance).where(ProcessInstance.business_key == ticket.business_key)
    found = session.scalars(query.order_by(ProcessInstance.id).limit(1)).one_or_none()
    if found is None:
        raise NotRecorded
    return found


def _events(session: Session, ticket: Ticket) -> Sequence[TicketEvent]:
    return session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)).all()


def _first_message(session: Session, ticket: Ticket) -> tuple[LineSession, Message] | None:
    query = select(LineSession, Message).join(Message, Message.session_id == LineSession.id)
    found = session.execute(query.where(Message.ticket_id == ticket.id, Message.kind == "in").order_by(Message.id))
    row = found.first() if ticket.source == "line" else None
    return (row[0], row[1]) if row else None


def _client_rows(session: Session, ticket: Ticket) -> Iterator[tuple[str, tuple[Mapping[str, Any], ...]]]:
    client = session.get(Client, ticket.client_id) if ticket.client_id is not None else None
    if client is None:
        return
    for name, rows in (("client", [client]), ("client_contact", client.contacts)):
        columns = [column.key for column in rows[0].__table__.columns] if rows else []
        yield name, tuple({column: getattr(row, column) for column in columns} for row in rows)


def _filled_at_birth(events: Sequence[TicketEvent]) -> Iterator[TicketEvent]:
    for event in events:
        if event.kind == "status":
            return
        if event.kind == "field" and event.actor.startswith("agent:") and not event.reason:
            yield event


def _chosen(session: Session, events: Sequence[TicketEvent]) -> Iterator[int]:
    for event in events:
        if event.kind == "assigned" and not event.actor.startswith("agent:"):
            value = _change(session, event).value
            if isinstance(value, int):
                yield value


def _happenings(session: Session, ticket: Ticket, events: Sequence[TicketEvent]) -> Iterator[Happening]:
    """The moves of the process that came from outside, and what people did beside it, in the order of the history."""
    found = [*_moves(session, ticket, events), *_beside(session, events)]
    yield from (happening for _, happening in sorted(found, key=lambda each: (each[1].at, each[0])))


_Placed = tuple[float, Happening]
"""The id of the entry of the ticket's history that tells of it; several may share one instant."""


def _moves(session: Session, ticket: Ticket, events: Sequence[TicketEvent]) -> Iterator[_Placed]:
    pressed = [event for event in events if event.kind == "action"]
    instances = select(ProcessInstance.id).where(ProcessInstance.business_key == ticket.business_key)
    for row in session.scalars(select(History).where(History.instance_id.in_(instances)).order_by(History.id)):
        data, actor = row.data, row.actor or "system"
        if row.move in BY_PEOPLE:
            changes = tuple(_change(session, event) for event in _written_with(row, events))
            yield (
                _told_by(row, pressed),
                Happening(
                    at=row.at,
                    kind="press",
                    actor=actor,
                    name=data["action"],
                    element=row.element_id or "",
                    label=data.get("label") or data["action"],
                    variables=data.get("variables", {}),
                    changes=changes,
                ),
            )
        elif row.move in ("message", "signal") and not actor.startswith(OF_MACHINES) and data.get("message") != REPLIED:
            yield inf, Happening(row.at, row.move, actor, data[row.move], variables=data.get("variables", {}))


def _told_by(row: History, pressed: list[TicketEvent]) -> float:
    """The entry that tells of this press; each tells of one."""
    for place, event in enumerate(pressed):
        if (event.at, event.actor, event.data.get("id")) == (row.at, row.actor, row.data["action"]):
            return pressed.pop(place).id
    return inf


def _written_with(row: History, events: Sequence[TicketEvent]) -> Iterator[TicketEvent]:
    """The fields of the form behind a button; the priority follows the type by itself and is no field of a form."""
    for event in events:
        by_hand = event.kind in ("field", "assigned") and event.actor == row.actor and event.step
        if event.at == row.at and by_hand and not event.reason.startswith("по типу"):
            yield event


def _beside(session: Session, events: Sequence[TicketEvent]) -> Iterator[_Placed]:
    """Fields changed on the card, people chosen by hand, words exchanged."""
    born = True
    for event in events:
        born = born and event.kind != "status"
        by_hand = event.actor.startswith("agent:") and not event.step and not event.reason.startswith("по типу")
        if event.kind in ("field", "assigned") and by_hand and not born:
            yield event.id, Happening(event.at, "change", event.actor, changes=(_change(session, event),))
        elif event.kind == "message" and event.data.get("kind") == "out":
            yield event.id, Happening(event.at, "said", event.actor)
        elif event.kind == "message" and event.data.get("kind") == "in":
            text = session.scalar(select(Message.text).where(Message.id == event.data["message_id"])) or ""
            heard = {"is_thanks": is_thanks(text)}
            yield event.id, Happening(event.at, "heard", event.actor, REPLIED, variables=heard)


def _change(session: Session, event: TicketEvent) -> Change:
    """What was written: the kept value, in older rows worked out from what was shown."""
    if "value" in event.data:
        return Change(event.field, _plain(event.field, event.data["value"]))
    table = _TABLES.get(event.field)
    if table is not None and event.new:
        return Change(event.field, session.scalar(select(table.id).where(table.name == event.new).limit(1)))
    if event.field == "priority":
        return Change(
            event.field, next((code for code in PRIORITIES if priority_name(code) == event.new), PRIORITIES[0])
        )
    return Change(event.field, _plain(event.field, event.new or None))


_AS_STORED: Mapping[str, Callable[[Any], Any]] = {"wait_until": datetime.fromisoformat}


def _plain(name: str, value: Any) -> Any:
    return _AS_STORED[name](value) if name in _AS_STORED and value is not None else value
