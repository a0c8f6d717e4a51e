"""The fields of a ticket that forms and people may change: one whitelist, one writer, one history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.values import stored
from services.catalog.models import PRIORITIES, Product, ServiceOffering, TicketType
from services.catalog.queries import priority_name
from services.clients.models import Client, Company
from services.people.models import Agent
from services.search import document
from services.texts import message_text, one_line
from services.tickets import history
from services.tickets.models import Ticket

TOPIC_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One changeable field: what it is called and how its value is shown."""

    label_ru: str
    label_en: str
    shown: Callable[[Session, Any], str]


def _named(table: type[Any]) -> Callable[[Session, Any], str]:
    def shown(session: Session, value: Any) -> str:
        found = session.get(table, value) if value is not None else None
        return str(found.name) if found else ""

    return shown


def _text(_session: Session, value: Any) -> str:
    return str(value or "")


def _moment(_session: Session, value: datetime | None) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds") if value else ""


def _priority(_session: Session, value: str) -> str:
    return priority_name(value)


FIELDS: Mapping[str, Field] = {
    "topic": Field("Тема", "Topic", _text),
    "text": Field("Текст", "Text", _text),
    "type_id": Field("Тип", "Type", _named(TicketType)),
    "priority": Field("Приоритет", "Priority", _priority),
    "service_id": Field("Сервис", "Service", _named(ServiceOffering)),
    "product_id": Field("Продукт", "Product", _named(Product)),
    "client_id": Field("Клиент", "Client", _named(Client)),
    "company_id": Field("Компания", "Company", _named(Company)),
    "responsible_id": Field("Ответственный", "Responsible", _named(Agent)),
    "wait_reason": Field("Причина паузы", "Reason of the pause", _text),
    "wait_until": Field("Пауза до", "Paused until", _moment),
    "resolution_note": Field("Что сделано", "What was done", _text),
}
DECIDE_LEVEL = ("service_id", "type_id", "client_id", "company_id")
"""Fields by which the service level is picked."""
SEARCHED = ("topic", "text", "client_id", "company_id")


def label(name: str, language: str = "ru") -> str:
    """What a field of the history is called; unknown names as they are."""
    field = FIELDS.get(name)
    if field is None:
        return name
    return field.label_ru if language == "ru" else field.label_en


def write(
    session: Session, ticket: Ticket, name: str, value: Any, *, actor: str | None, reason: str = "", step: str = ""
) -> bool:
    """Set one field of the whitelist and record old → new; False when nothing changes.

    The priority follows the type unless a person set it; the company follows the client.
    """
    value = _stored(name, value)
    old = getattr(ticket, name)
    if old == value:
        return False
    field = FIELDS[name]
    setattr(ticket, name, value)
    if name.endswith("_id"):
        session.expire(ticket, [name.removesuffix("_id")])
    shown = field.shown(session, old), field.shown(session, value)
    _record(session, ticket, name, *shown, actor, reason, step, {"value": stored(value)} if _is_coded(name) else {})
    if name == "type_id":
        _follow_type(session, ticket, actor, step)
    if name == "client_id":
        client = session.get(Client, value) if value is not None else None
        write(session, ticket, "company_id", client.company_id if client else None, actor=actor, step=step)
    if name == "priority":
        ticket.priority_rank = PRIORITIES.index(value)
    if name in SEARCHED:
        refresh_search(session, ticket)
    return True


def _stored(name: str, value: Any) -> Any:
    if name not in FIELDS:
        raise ValueError(f"Expected a field of the whitelist, got {name}")
    if name == "priority" and value not in PRIORITIES:
        raise ValueError(f"Expected a priority, got {value}")
    if name == "topic":
        return one_line(value or "", TOPIC_LENGTH)
    if name in ("text", "resolution_note"):
        return message_text(value or "")
    if name == "wait_reason":
        return one_line(value or "", 300)
    return value


def _is_coded(name: str) -> bool:
    """Whether the value is something else than what is shown: then the history keeps both."""
    return name.endswith("_id") or name in ("priority", "wait_until")


def _record(
    session: Session,
    ticket: Ticket,
    name: str,
    old: str,
    new: str,
    actor: str | None,
    reason: str,
    step: str,
    data: dict[str, Any],
) -> None:
    kind = "assigned" if name == "responsible_id" else "field"
    told = {"old": old, "new": new, "reason": reason, "step": step}
    history.record(session, ticket, kind, actor=actor, field=name, data=data, **told)


def _follow_type(session: Session, ticket: Ticket, actor: str | None, step: str) -> None:
    chosen = session.get(TicketType, ticket.type_id) if ticket.type_id is not None else None
    if chosen is None or ticket.priority_manual:
        return
    write(session, ticket, "priority", chosen.priority, actor=actor, reason=f"по типу «{chosen.name}»", step=step)


def refresh_search(session: Session, ticket: Ticket) -> None:
    """Rebuild what the search line looks in."""
    client = session.get(Client, ticket.client_id) if ticket.client_id is not None else None
    company = session.get(Company, ticket.company_id) if ticket.company_id is not None else None
    contacts = [contact.value for contact in client.contacts] if client else []
    ticket.search = document(
        ticket.topic, ticket.text, client.name if client else None, company.name if company else None, *contacts
    )


def bound_values(ticket: Ticket) -> dict[str, Any]:
    """Present values by form binding, to fill a form before it is shown: "ticket.type_id" → 3."""
    return {f"ticket.{name}": getattr(ticket, name) for name in FIELDS}
