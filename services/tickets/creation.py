"""How a ticket comes to be: from a form filled in by a person, or from the first message of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from engine import clock, runtime
from services.access.rights import Right, require
from services.catalog.queries import is_choice
from services.clients.contacts import normalised
from services.clients.models import Client
from services.clients.operations import add_contact, create_client
from services.clients.queries import by_contact, company_by_name
from services.forms import FormInvalid, validate
from services.lines.models import LineSession, Message
from services.lines.queries import first_message
from services.notifications import live
from services.people.models import Agent
from services.texts import one_line
from services.tickets import fields, history
from services.tickets.models import Ticket
from services.tickets.numbering import next_number
from services.tickets.queries import creation_form

PROCESS = "create_request_manually"
NO_TOPIC = "Без темы"


def create_manually(session: Session, values: Mapping[str, str], *, actor: Agent) -> Ticket:
    """A person fills in the card; its process starts at once. Raises FormInvalid, Forbidden."""
    require(actor, Right.WORK)
    cleaned = validate(
        creation_form(session, PROCESS),
        values,
        lambda catalog, value: is_choice(session, catalog, value),
        zone=actor.zone,
        language=actor.language,
    )
    client = _client(session, cleaned.bound)
    ticket = _open(session, source="manual", client=client, topic=cleaned.bound.get("ticket.topic"), actor=actor.ref)
    for bind, value in cleaned.bound.items():
        area, _, name = bind.partition(".")
        if area == "ticket" and name in fields.FIELDS and name not in ("client_id", "responsible_id"):
            fields.write(session, ticket, name, value, actor=actor.ref)
    session.flush()
    runtime.start_process(
        session, PROCESS, business_key=ticket.business_key, variables=cleaned.variables, actor=actor.ref
    )
    return ticket


def create_from_session(session: Session, line_session: LineSession, *, actor: str | None) -> Ticket:
    """The card of a conversation, filled with its first message; a conversation that has one keeps it."""
    if line_session.ticket_id is not None:
        return session.get_one(Ticket, line_session.ticket_id)
    first = first_message(session, line_session.id)
    text = first.text if first else ""
    return _open(
        session,
        source="line",
        client=line_session.client,
        topic=line_session.subject or text,
        actor=actor,
        text=text,
        line_id=line_session.line_id,
        unread=1,
    )


def link_session(session: Session, ticket: Ticket, line_session: LineSession) -> None:
    """The conversation and what was said in it belong to the ticket; a continued one names the ticket before."""
    conversation = update(LineSession).where(LineSession.id == line_session.id)
    session.execute(conversation.values(ticket_id=ticket.id))
    said = update(Message).where(Message.session_id == line_session.id, Message.ticket_id.is_(None))
    session.execute(said.values(ticket_id=ticket.id))
    before = session.get(LineSession, line_session.continues_id) if line_session.continues_id is not None else None
    if before is not None and before.ticket_id is not None:
        _continue(session, session.get_one(Ticket, before.ticket_id), ticket)
    live.publish(session, f"ticket:{ticket.id}", "messages")


def _continue(session: Session, before: Ticket, ticket: Ticket) -> None:
    linked = f"Продолжение обращения № {before.number}"
    history.record(session, ticket, "linked", actor=None, new=linked, data={"continues": before.number})
    forward = f"Продолжено в обращении № {ticket.number}"
    history.record(session, before, "linked", actor=None, new=forward, data={"continued_by": ticket.number})


def _open(
    session: Session,
    *,
    source: str,
    client: Client,
    topic: str | None,
    actor: str | None,
    text: str = "",
    line_id: int | None = None,
    unread: int = 0,
) -> Ticket:
    now = clock.now()
    ticket = Ticket(
        number=next_number(session),
        topic=one_line(topic or "", fields.TOPIC_LENGTH) or NO_TOPIC,
        text=text,
        source=source,
        client_id=client.id,
        company_id=client.company_id,
        line_id=line_id,
        unread=unread,
        created_at=now,
        updated_at=now,
    )
    fields.refresh_search(session, ticket)
    session.add(ticket)
    session.flush()
    history.record(session, ticket, "created", actor=actor, new=ticket.topic, data={"source": source})
    live.publish(session, "tickets", "row")
    return ticket


def _client(session: Session, bound: Mapping[str, Any]) -> Client:
    """The chosen client, else the one with the given address, else a new card."""
    if bound.get("ticket.client_id") is not None:
        return session.get_one(Client, bound["ticket.client_id"])
    given = {kind: str(bound.get(f"client.{kind}") or "") for kind in ("email", "phone")}
    addresses = {kind: value for kind, value in given.items() if normalised(kind, value)}
    for kind, value in addresses.items():
        known = by_contact(session, kind, value)
        if known is not None:
            return known
    name = str(bound.get("client.name") or "")
    if not name and not addresses:
        raise FormInvalid({"client": "Выберите клиента или укажите нового"})
    company = company_by_name(session, str(bound.get("client.company") or ""))
    client = create_client(session, name or next(iter(addresses.values())), company=company)
    for kind, value in addresses.items():
        add_contact(session, client, kind, value)
    return client
