"""Reading the catalogs: what a form offers, what a code or an id is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.catalog.models import PRIORITIES, Product, ServiceOffering, TicketStatus, TicketType
from services.clients.models import Client
from services.clients.queries import find_clients
from services.people import queries as people
from services.people.models import Agent

PRIORITY_NAMES = {
    "low": ("Низкий", "Low"),
    "medium": ("Средний", "Medium"),
    "high": ("Высокий", "High"),
    "critical": ("Критический", "Critical"),
}
PAUSE_REASONS = (
    "Ждём данные от клиента",
    "Ждём поставщика",
    "Ждём согласования",
    "Работы запланированы на другое время",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a field may take."""

    value: str
    label: str
    hint: str = ""
    depth: int = 0
    """Level in a tree, 0 = top."""


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A service with its place in the tree."""

    service: ServiceOffering
    depth: int


def choices(session: Session, catalog: str, query: str = "", language: str = "ru") -> list[Choice]:
    """What a field bound to `catalog` offers; unknown catalogs offer nothing. Clients: at most 50, by `query`."""
    offer = _OFFERS.get(catalog)
    return offer(session, query, language) if offer else []


def is_choice(session: Session, catalog: str, value: str) -> bool:
    """Whether the value may be chosen now; archived entries may not."""
    if catalog == "priorities":
        return value in PRIORITIES
    if catalog == "pause_reasons":
        return bool(value)
    table = _TABLES.get(catalog)
    if table is None or not value.isdigit() or len(value) > 15:
        return False
    found = session.get(table, int(value))
    return found is not None and not getattr(found, "archived", False) and getattr(found, "active", True)


def statuses(session: Session) -> dict[str, TicketStatus]:
    """All statuses by code, in their order; read once per session."""
    known: dict[str, TicketStatus] | None = session.info.get("statuses")
    if known is None:
        ordered = session.scalars(select(TicketStatus).order_by(TicketStatus.position, TicketStatus.code))
        known = session.info["statuses"] = {status.code: status for status in ordered}
    return known


def status_codes(session: Session) -> dict[str, str]:
    """The codes that a diagram may declare, with their categories."""
    return {code: category for code, category in session.execute(select(TicketStatus.code, TicketStatus.category))}


def status_name(status: TicketStatus | None, language: str = "ru") -> str:
    """The name of a status; empty while a ticket has none."""
    if status is None:
        return ""
    return status.name_ru if language == "ru" else status.name_en


def priority_name(priority: str, language: str = "ru") -> str:
    return PRIORITY_NAMES[priority][0 if language == "ru" else 1]


def service_tree(session: Session) -> list[TreeNode]:
    """Services that may be chosen, parents before their children, each level in its order."""
    children: dict[int | None, list[ServiceOffering]] = {}
    open_services = select(ServiceOffering).where(~ServiceOffering.archived)
    for service in session.scalars(open_services.order_by(ServiceOffering.position, ServiceOffering.name)):
        children.setdefault(service.parent_id, []).append(service)
    return list(_walk(children, None, 0))


def _walk(children: dict[int | None, list[ServiceOffering]], parent: int | None, depth: int) -> list[TreeNode]:
    nodes: list[TreeNode] = []
    for service in children.get(parent, ()):
        nodes += [TreeNode(service, depth), *_walk(children, service.id, depth + 1)]
    return nodes


def ticket_types(session: Session) -> Sequence[TicketType]:
    """Types that may be chosen."""
    return session.scalars(
        select(TicketType).where(~TicketType.archived).order_by(TicketType.position, TicketType.name)
    ).all()


def _types(session: Session, _query: str, language: str) -> list[Choice]:
    return [Choice(str(t.id), t.name, priority_name(t.priority, language)) for t in ticket_types(session)]


def _services(session: Session, _query: str, _language: str) -> list[Choice]:
    return [Choice(str(n.service.id), n.service.name, n.service.description, n.depth) for n in service_tree(session)]


def _products(session: Session, _query: str, _language: str) -> list[Choice]:
    products = session.scalars(select(Product).where(~Product.archived).order_by(Product.name))
    return [Choice(str(p.id), p.name) for p in products]


def _agents(session: Session, _query: str, _language: str) -> list[Choice]:
    return [Choice(str(a.id), a.name, a.position) for a in people.active(session)]


def _clients(session: Session, query: str, _language: str) -> list[Choice]:
    return [Choice(str(c.id), c.name, c.company.name if c.company else "") for c in find_clients(session, query)]


def _priorities(_session: Session, _query: str, language: str) -> list[Choice]:
    return [Choice(priority, priority_name(priority, language)) for priority in PRIORITIES]


def _pause_reasons(_session: Session, _query: str, _language: str) -> list[Choice]:
    return [Choice(reason, reason) for reason in PAUSE_REASONS]


_OFFERS: dict[str, Callable[[Session, str, str], list[Choice]]] = {
    "types": _types,
    "services": _services,
    "products": _products,
    "agents": _agents,
    "clients": _clients,
    "priorities": _priorities,
    "pause_reasons": _pause_reasons,
}
_TABLES: dict[str, type[Any]] = {
    "types": TicketType,
    "services": ServiceOffering,
    "products": Product,
    "agents": Agent,
    "clients": Client,
}
