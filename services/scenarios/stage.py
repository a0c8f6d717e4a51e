"""The stage of a scenario: people present, the client with a chat, the ticket as it is given, the process begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import NotFound
from services.access.rights import ADMIN, ANALYST, OPERATOR, SUPERVISOR
from services.catalog.models import ClientCategory
from services.catalog.queries import choices
from services.clients.models import Client, Company
from services.clients.operations import add_contact, create_client
from services.lines.models import Channel, Line, LineSession, Message
from services.lines.queries import token_hash
from services.people.models import Agent
from services.people.queries import with_role
from services.rehearsal import Desk, chat_secret
from services.scenarios.language import ClientGiven, Given
from services.tickets import creation, fields
from services.tickets.models import Ticket

ROLES = (OPERATOR, SUPERVISOR, ANALYST, ADMIN)
RESPONSIBLE = "responsible"
_CATALOGS = {"type": "types", "service": "services", "product": "products", "client": "clients"}
_Named = TypeVar("_Named", Company, ClientCategory)
_Found = TypeVar("_Found")


def prepare(desk: Desk, given: Given, process: str) -> None:
    """Everybody is present as given, the client has a card, the line begins with the process. Raises NotFound."""
    with desk.session() as session:
        session.execute(update(Agent).values(presence="free", last_assigned_at=None))
        for name, presence in given.presence.items():
            person(session, name, None).presence = presence
        _client(session, given.client)
        if given.begins == "line":
            line_of(session, given.line).process_key = process


def open_ticket(desk: Desk, given: Given) -> int:
    """A ticket as given, of a client who wrote in the chat; its process has not begun. Raises NotFound, FormInvalid."""
    with desk.session() as session:
        conversation = _conversation(session, given)
        ticket = creation.create_from_session(session, conversation, actor=None)
        creation.link_session(session, ticket, conversation)
        for name, value in _entered(session, given).items():
            fields.write(session, ticket, name, value, actor=None)
        ticket.priority_manual = bool(given.ticket.priority)
        session.flush()
        return ticket.id


def line_of(session: Session, name: str) -> Line:
    """The line of that name, or the first one; raises NotFound."""
    found = select(Line).where(Line.active).order_by(Line.id).limit(1)
    line = session.scalar(found.where(Line.name == name) if name else found)
    return _known(line, "линия", "line", name)


def person(session: Session, who: str, ticket: Ticket | None) -> Agent:
    """Whoever is called so: a role, the responsible, a full or first name; raises NotFound."""
    if who == RESPONSIBLE and ticket is not None and ticket.responsible_id is not None:
        return session.get_one(Agent, ticket.responsible_id)
    found: Sequence[Agent] = with_role(session, who) if who in ROLES else []
    if not found and who != RESPONSIBLE:
        called = select(Agent).where((Agent.name == who) | Agent.name.startswith(who + " ", autoescape=True))
        found = session.scalars(called.order_by(Agent.id)).all()
    return _known(next(iter(found), None), "сотрудник", "person", who)


def catalog_value(session: Session, field: str, value: str) -> str | int | None:
    """The value of a card's field, catalog entries by name; raises NotFound."""
    if field not in _CATALOGS:
        return value
    if not value:
        return None
    named = {choice.label: choice.value for choice in choices(session, _CATALOGS[field], value)}
    return int(_known(named.get(value), "запись справочника", "catalog entry", value))


class Missing(NotFound):
    """Expected this to be on the desk, but it is not."""

    def __init__(self, what_ru: str, what_en: str, name: str) -> None:
        super().__init__(f"Expected the {what_en} {name}, but the desk has none of this name")
        self.ru = f"на столе нет: {what_ru} «{name}»"


def _known(found: _Found | None, what_ru: str, what_en: str, name: str) -> _Found:
    if found is None:
        raise Missing(what_ru, what_en, name)
    return found


def _client(session: Session, given: ClientGiven) -> Client:
    company = _by_name(session, Company, given.company, "компания", "company") if given.company else None
    client = create_client(session, given.name, company=company)
    if given.category:
        client.category = _by_name(session, ClientCategory, given.category, "категория", "category")
    add_contact(session, client, "chat", token_hash(chat_secret(given.name)))
    return client


def _by_name(session: Session, table: type[_Named], name: str, ru: str, en: str) -> _Named:
    return _known(session.scalar(select(table).where(table.name == name)), ru, en, name)


def _conversation(session: Session, given: Given) -> LineSession:
    line = line_of(session, given.line)
    client = session.scalars(select(Client).where(Client.name == given.client.name).order_by(Client.id.desc())).first()
    channel = session.scalars(select(Channel).where(Channel.line_id == line.id, Channel.kind == "chat")).first()
    now = clock.now()
    conversation = LineSession(
        line=line,
        channel=_known(channel, "чат линии", "chat of the line", line.name),
        client=_known(client, "клиент", "client", given.client.name),
        token_hash=token_hash(chat_secret(given.client.name)),
        subject=given.ticket.topic,
        started_at=now,
        last_message_at=now,
    )
    session.add(conversation)
    session.flush()
    text = given.ticket.text or given.ticket.topic or "…"
    session.add(Message(session_id=conversation.id, kind="in", channel="chat", text=text, created_at=now))
    session.flush()
    return conversation


def _entered(session: Session, given: Given) -> dict[str, Any]:
    named = {
        f"{name}_id": catalog_value(session, name, getattr(given.ticket, name))
        for name in ("type", "service", "product")
    }
    plain = {"priority": given.ticket.priority, "text": given.ticket.text}
    if given.ticket.responsible:
        named["responsible_id"] = person(session, given.ticket.responsible, None).id
    return {name: value for name, value in {**named, **plain}.items() if value}
