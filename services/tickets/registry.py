"""The registry: a page of tickets by folder, filters, search line and sort, continued by a keyset cursor."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from engine import clock
from engine.db import UtcDateTime
from engine.errors import NotFound
from services import search
from services.catalog.models import ServiceOffering
from services.clients.models import Client
from services.people.models import Agent
from services.tickets.folders import FOLDERS, folder, overdue
from services.tickets.models import Ticket
from services.tickets.visibility import visible_to

LARGEST_PAGE = 100
_LARGEST = 2**31 - 1
SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "due": Ticket.due_at,
    "created": Ticket.created_at,
    "updated": Ticket.updated_at,
    "number": Ticket.number,
    "priority": Ticket.priority_rank,
}
"""Name of a sort → its column; a leading "-" means descending. Equal keys keep the order of their ids."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a folder; empty = everything."""

    status: Sequence[str] = ()
    type: Sequence[int] = ()
    service: Sequence[int] = ()
    """A service includes the services below it."""
    responsible: Sequence[int] = ()
    """0 = nobody."""
    priority: Sequence[str] = ()
    overdue: bool = False
    query: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of the registry."""

    rows: Sequence[Ticket]
    next_cursor: str | None
    total: int
    searched: str = ""
    """What was really looked for: the query, or the same keys on the other keyboard layout."""
    filters: Filters = field(default_factory=Filters)


def registry(
    session: Session,
    agent: Agent,
    folder_key: str = "all",
    filters: Filters | None = None,
    sort: str = "due",
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """One page; raises NotFound for an unknown folder, sort or cursor.

    A query that finds nothing is tried once more as if typed on the other keyboard layout.
    """
    filters = filters or Filters()
    chosen = visible_to(agent).where(folder(folder_key).condition(agent), *_conditions(session, filters))
    limit = max(1, min(limit, LARGEST_PAGE))
    for query in _spellings(filters.query.strip()):
        matching = chosen.where(*_matches(query))
        # the ids come from an index alone; only what is shown is read from the table
        ids = session.scalars(_ordered(matching, sort, cursor).with_only_columns(Ticket.id).limit(limit + 1)).all()
        if ids:
            break
    rows = _rows(session, ids[:limit])
    following = _cursor(rows[-1], sort) if rows and len(ids) > limit else None
    total = len(ids) if cursor is None and following is None else _count(session, matching)
    return Page(rows, following, total, query if ids else filters.query.strip(), filters)


def _spellings(query: str) -> tuple[str, ...]:
    return (query, search.other_layout(query)) if query else (query,)


def _rows(session: Session, ids: Sequence[int]) -> list[Ticket]:
    found = session.scalars(select(Ticket).where(Ticket.id.in_(ids)).options(*_SHOWN))
    by_id = {ticket.id: ticket for ticket in found}
    return [by_id[ticket_id] for ticket_id in ids if ticket_id in by_id]


_SHOWN = (
    joinedload(Ticket.type),
    joinedload(Ticket.service),
    joinedload(Ticket.client).joinedload(Client.company),
    joinedload(Ticket.responsible),
    joinedload(Ticket.line),
)


def _conditions(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.status:
        conditions.append(Ticket.status.in_(filters.status))
    if filters.type:
        conditions.append(Ticket.type_id.in_(filters.type))
    if filters.service:
        conditions.append(Ticket.service_id.in_(_with_children(session, filters.service)))
    if filters.priority:
        conditions.append(Ticket.priority.in_(filters.priority))
    if filters.responsible:
        nobody = Ticket.responsible_id.is_(None) if 0 in filters.responsible else false()
        conditions.append(or_(Ticket.responsible_id.in_(filters.responsible), nobody))
    if filters.overdue:
        conditions.append(overdue())
    return conditions


def _with_children(session: Session, services: Sequence[int]) -> set[int]:
    parents = session.execute(select(ServiceOffering.id, ServiceOffering.parent_id)).all()
    wanted = set(services)
    while below := {child for child, parent in parents if parent in wanted} - wanted:
        wanted |= below
    return wanted


def _matches(query: str) -> list[ColumnElement[bool]]:
    return [_has(word) for word in search.words(query)]


def _has(word: str) -> ColumnElement[bool]:
    inside = Ticket.search.contains(word, autoescape=True)
    return or_(Ticket.number == int(word), inside) if word.isdecimal() and len(word) <= 9 else inside


def _count(session: Session, chosen: Select[Ticket]) -> int:
    return session.scalar(chosen.with_only_columns(func.count(Ticket.id))) or 0


def _ordered(chosen: Select[Ticket], sort: str, cursor: str | None) -> Select[Ticket]:
    column, descending = _sorting(sort)
    if cursor is not None:
        chosen = chosen.where(_after(column, descending, *_position(cursor, column)))
    order = column.desc() if descending else column.asc()
    if column.nullable:
        order = order.nulls_last()
    return chosen.order_by(order, Ticket.id.desc() if descending else Ticket.id.asc())


def _sorting(sort: str) -> tuple[InstrumentedAttribute[Any], bool]:
    try:
        return SORTS[sort.removeprefix("-")], sort.startswith("-")
    except KeyError:
        raise NotFound(f"Expected a sort, there is none of the name {sort}") from None


def _after(
    column: InstrumentedAttribute[Any], descending: bool, value: datetime | int | None, ticket_id: int
) -> ColumnElement[bool]:
    later = Ticket.id < ticket_id if descending else Ticket.id > ticket_id
    if value is None:
        return and_(column.is_(None), later)
    beyond = column < value if descending else column > value
    following = or_(beyond, and_(column == value, later))
    return or_(following, column.is_(None)) if column.nullable else following


def _cursor(ticket: Ticket, sort: str) -> str:
    value = getattr(ticket, _sorting(sort)[0].key)
    shown = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([shown, ticket.id]).encode()).decode().rstrip("=")


def _position(cursor: str, column: InstrumentedAttribute[Any]) -> tuple[datetime | int | None, int]:
    try:
        value, ticket_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(column.type, UtcDateTime) and value is not None:
            return clock.aware(datetime.fromisoformat(value)), _plain_number(ticket_id)
        return None if value is None and column.nullable else _plain_number(value), _plain_number(ticket_id)
    except (ValueError, TypeError):
        raise NotFound("Expected a cursor of the registry, but it cannot be read") from None


def _plain_number(value: Any) -> int:
    if type(value) is not int or abs(value) > _LARGEST:
        raise ValueError("Expected a number as the registry writes it")
    return value


def folder_counts(session: Session, agent: Agent) -> dict[str, int]:
    """How many tickets the person sees in each folder, by one query."""
    counted = [func.count(Ticket.id).filter(f.condition(agent)).label(f.key) for f in FOLDERS.values()]
    row = session.execute(visible_to(agent).with_only_columns(*counted)).one()
    return dict(row._mapping)
