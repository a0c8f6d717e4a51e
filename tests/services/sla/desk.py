"""A small desk for the tests of clocks and levels: everything defaulted, everything can be named."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from services.catalog.models import ClientCategory, ServiceOffering
from services.clients.models import Client, Company
from services.sla.models import Schedule, ScheduleException, ServiceLevel
from services.tickets.models import Ticket
from tests.services.sla.builders import OFFICE, WORKDAYS


def add_schedule(session: Session, name: str = "Пятидневка", *, zone: str = "UTC", **rest: Any) -> Schedule:
    """Nine to six from Monday to Friday in UTC."""
    schedule = Schedule(name=name, zone=zone, **{"week": {day: OFFICE for day in WORKDAYS}, "yearly": [], **rest})
    session.add(schedule)
    session.flush()
    return schedule


def add_holiday(session: Session, schedule: Schedule, day: date) -> None:
    schedule.exceptions.append(ScheduleException(day=day, intervals=[]))
    session.flush()


def add_level(
    session: Session, name: str = "Обычный", *, schedule: Schedule | None = None, **rest: Any
) -> ServiceLevel:
    """Half an hour to react, four hours to resolve, for anybody and any service."""
    norms = {"reaction_min": 30, "resolution_min": 240, "remind_percent": 80, **rest}
    level = ServiceLevel(name=name, schedule=schedule or add_schedule(session, f"График {name}"), **norms)
    session.add(level)
    session.flush()
    return level


def add_service(session: Session, name: str = "Почта", *, parent: ServiceOffering | None = None) -> ServiceOffering:
    service = ServiceOffering(name=name, parent=parent)
    session.add(service)
    session.flush()
    return service


def add_client(
    session: Session, name: str = "Мария", *, category: str | None = None, company: str | None = None
) -> Client:
    """A client of that category and company; both are made when they are new."""
    client = Client(
        name=name,
        category=named(session, ClientCategory, category),
        company=named(session, Company, company),
        created_at=clock.now(),
    )
    session.add(client)
    session.flush()
    return client


def add_ticket(
    session: Session, number: int = 1, *, client: Client | None = None, service: ServiceOffering | None = None
) -> Ticket:
    ticket = Ticket(
        number=number,
        topic="Не приходят письма",
        source="manual",
        client_id=client.id if client else None,
        company_id=client.company_id if client else None,
        service_id=service.id if service else None,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    session.add(ticket)
    session.flush()
    return ticket


def named(session: Session, table: type[Any], name: str | None) -> Any:
    """The row of that name, made when it is new; None without a name."""
    if name is None:
        return None
    found = session.query(table).filter_by(name=name).one_or_none()
    if found is None:
        found = table(name=name)
        session.add(found)
        session.flush()
    return found
