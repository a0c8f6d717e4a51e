"""Which service level a ticket gets, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from services.catalog.lineage import Ancestor, lineage
from services.clients.models import Client, Company
from services.sla.models import ServiceLevel
from services.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Choice:
    """The level, or None, and the rule that led to it."""

    level: ServiceLevel | None
    rule_ru: str
    rule_en: str
    asked: str
    """As `asked`."""

    def rule(self, language: str = "ru") -> str:
        return self.rule_ru if language == "ru" else self.rule_en


@dataclass(frozen=True, slots=True)
class _Asker:
    """What of a ticket decides: company, category of the client (else of the company), service with its parents."""

    company: Company | None
    category_id: int | None
    category: str
    services: Sequence[Ancestor]

    @property
    def key(self) -> str:
        service = self.services[0].id if self.services else 0
        return f"{self.company.id if self.company else 0}/{self.category_id or 0}/{service}"


def asked(session: Session, ticket: Ticket) -> str:
    """What of the ticket decides its level: as long as this stays the same, nothing has to be picked again."""
    return _asker(session, ticket).key


def pick(session: Session, ticket: Ticket) -> Choice:
    """The closest level: company before category before any; then the service, its nearest parent, any service."""
    asker = _asker(session, ticket)
    levels = session.scalars(_fitting(asker)).all()
    if not levels:
        return Choice(None, _why_none(asker, "ru"), _why_none(asker, "en"), asker.key)
    depths = {service.id: service.depth for service in asker.services}
    level = min(levels, key=lambda level: (_distance(level), depths.get(level.service_id or 0, len(depths)), level.id))
    return Choice(level, _why(level, asker, "ru"), _why(level, asker, "en"), asker.key)


def _asker(session: Session, ticket: Ticket) -> _Asker:
    client = session.get(Client, ticket.client_id) if ticket.client_id is not None else None
    company_id = ticket.company_id or (client.company_id if client else None)
    company = session.get(Company, company_id) if company_id is not None else None
    category = (client.category if client else None) or (company.category if company else None)
    return _Asker(
        company=company,
        category_id=category.id if category else None,
        category=category.name if category else "",
        services=lineage(session, ticket.service_id),
    )


def _fitting(asker: _Asker) -> Any:
    return (
        select(ServiceLevel)
        .where(
            ~ServiceLevel.archived,
            _is_or_any(ServiceLevel.company_id, [asker.company.id] if asker.company else []),
            _is_or_any(ServiceLevel.category_id, [asker.category_id] if asker.category_id else []),
            _is_or_any(ServiceLevel.service_id, [service.id for service in asker.services]),
        )
        .options(joinedload(ServiceLevel.schedule))
    )


def _is_or_any(column: InstrumentedAttribute[int | None], values: list[int]) -> ColumnElement[bool]:
    return or_(column.is_(None), column.in_(values)) if values else column.is_(None)


def _distance(level: ServiceLevel) -> int:
    if level.company_id is not None:
        return 0
    return 1 if level.category_id is not None else 2


def _why(level: ServiceLevel, asker: _Asker, language: str) -> str:
    russian = language == "ru"
    if level.company_id is not None and asker.company:
        who = f"компания «{asker.company.name}»" if russian else f"company “{asker.company.name}”"
    elif level.category_id is not None:
        who = f"категория «{asker.category}»" if russian else f"category “{asker.category}”"
    else:
        who = "любой клиент" if russian else "any client"
    return f"{level.name}: {who}, {_what(level, asker, language)}"


def _what(level: ServiceLevel, asker: _Asker, language: str) -> str:
    service = next((service for service in asker.services if service.id == level.service_id), None)
    if service is None:
        return "любой сервис" if language == "ru" else "any service"
    if language == "ru":
        return f"{'сервис' if service.depth == 0 else 'вышестоящий сервис'} «{service.name}»"
    return f"{'service' if service.depth == 0 else 'parent service'} “{service.name}”"


def _why_none(asker: _Asker, language: str) -> str:
    service = asker.services[0].name if asker.services else ""
    if language == "ru":
        facts = [
            f"компания «{asker.company.name}»" if asker.company else "без компании",
            f"категория «{asker.category}»" if asker.category else "без категории",
            f"сервис «{service}»" if service else "сервис не указан",
        ]
        return f"SLA не задан: ни один уровень не подходит ({', '.join(facts)})"
    facts = [
        f"company “{asker.company.name}”" if asker.company else "no company",
        f"category “{asker.category}”" if asker.category else "no category",
        f"service “{service}”" if service else "no service",
    ]
    return f"No SLA: no level fits ({', '.join(facts)})"
