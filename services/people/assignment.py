"""Who gets a request: the least loaded of the people responsible for its service, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import BpmnError
from services.catalog.lineage import lineage
from services.catalog.models import ServiceOffering, ServiceResponsible, TicketStatus
from services.people.models import Agent, agent_group
from services.tickets.models import Ticket

STRATEGIES = ("least_loaded",)
_ASSIGNING = 4_201_977
"""The advisory lock of PostgreSQL under which one transaction after another assigns."""
_ABSENT = {"away": "не на месте", "busy": "занят для новых", "dnd": "не беспокоить", "offline": "не в сети"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The person, or None, and why."""

    agent: Agent | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody responsible as the database knows him now."""

    id: int
    name: str
    active: bool
    presence: str
    last_assigned_at: datetime | None
    load: int = 0

    @property
    def rank(self) -> tuple[int, float, int]:
        """Least loaded first; among equals who was assigned longest ago, or never."""
        return self.load, self.last_assigned_at.timestamp() if self.last_assigned_at else 0.0, self.id


def choose(session: Session, ticket: Ticket, *, strategy: str = "service") -> Choice:
    """The free person responsible for the ticket's service with the fewest open requests, paused ones not counted.

    Requests of all lines count. A service without responsibles takes over those of its nearest parent. The strategy
    "service" is the one set for the service. Until the transaction ends no other one chooses, so that many at once
    spread evenly once the caller has written the person and the moment of his last assignment.
    Raises BpmnError("no_strategy").
    """
    service = session.get(ServiceOffering, ticket.service_id) if ticket.service_id is not None else None
    chosen = (service.strategy if service else STRATEGIES[0]) if strategy == "service" else strategy
    if chosen not in STRATEGIES:
        raise BpmnError("no_strategy", f"Expected the strategy {' or '.join(STRATEGIES)}, got {chosen[:40]}")
    _wait_for_others(session)
    people = _responsibles(session, service)
    if not people:
        return Choice(None, _nobody_responsible(service))
    free = [person for person in people if person.active and person.presence == "free"]
    if not free:
        return Choice(None, _nobody_free(people))
    ranked = sorted(_with_load(session, free, ticket), key=lambda person: person.rank)
    return Choice(session.get_one(Agent, ranked[0].id), _reason(ranked, clock.now()))


def _wait_for_others(session: Session) -> None:
    """SQLite lets one transaction write at a time; PostgreSQL is told to, and then reads the loads of all others."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ASSIGNING})


def _responsibles(session: Session, service: ServiceOffering | None) -> Sequence[_Person]:
    """The people of the service or of its nearest parent that has any; groups are the people in them now."""
    steps = lineage(session, service.id if service else None)
    named = select(ServiceResponsible).where(ServiceResponsible.service_id.in_([step.id for step in steps]))
    rows = session.scalars(named).all() if steps else []
    nearest = next((found for step in steps if (found := [r for r in rows if r.service_id == step.id])), [])
    if not nearest:
        return []
    groups = [row.group_id for row in nearest if row.group_id is not None]
    in_groups = select(agent_group.c.agent_id).where(agent_group.c.group_id.in_(groups))
    alone = [row.agent_id for row in nearest if row.agent_id is not None]
    columns = Agent.id, Agent.name, Agent.active, Agent.presence, Agent.last_assigned_at
    chosen = select(*columns).where(Agent.id.in_(alone) | Agent.id.in_(in_groups)).order_by(Agent.id)
    return [_Person(*row) for row in session.execute(chosen)]


def _with_load(session: Session, people: Sequence[_Person], ticket: Ticket) -> Iterable[_Person]:
    """The same people with their open requests; the ticket that is being assigned adds to nobody's load."""
    counted = (
        select(Ticket.responsible_id, func.count())
        .join(TicketStatus, TicketStatus.code == Ticket.status)
        .where(Ticket.responsible_id.in_([person.id for person in people]), TicketStatus.category == "open")
        .where(Ticket.id != ticket.id)
        .group_by(Ticket.responsible_id)
    )
    loads = {agent_id: load for agent_id, load in session.execute(counted)}
    return [replace(person, load=loads.get(person.id, 0)) for person in people]


def _reason(ranked: Sequence[_Person], now: datetime) -> str:
    first = ranked[0]
    following = f" (у следующего {ranked[1].load})" if len(ranked) > 1 else ""
    last = _ago(first.last_assigned_at, now)
    return f"{first.name}: на месте, {_requests(first.load)}{following}, {last}"


def _requests(number: int) -> str:
    singular = number % 10 == 1 and number % 100 != 11
    return f"{number} {'открытое' if singular else 'открытых'}"


def _ago(last: datetime | None, now: datetime) -> str:
    if last is None:
        return "назначений ещё не было"
    minutes = max(0, int((now - last).total_seconds())) // 60
    if minutes < 60:
        return f"последнее назначение {f'{minutes} мин назад' if minutes else 'только что'}"
    if minutes < 48 * 60:
        return f"последнее назначение {minutes // 60} ч назад"
    return f"последнее назначение {minutes // (24 * 60)} дн назад"


def _nobody_responsible(service: ServiceOffering | None) -> str:
    if service is None:
        return "никто не назначен: сервис не указан"
    return f"никто не назначен: у сервиса «{service.name}» и вышестоящих нет ответственных"


def _nobody_free(people: Sequence[_Person]) -> str:
    absent = "; ".join(
        f"{person.name} – {_ABSENT.get(person.presence, person.presence) if person.active else 'не работает'}"
        for person in people[:5]
    )
    more = f" и ещё {len(people) - 5}" if len(people) > 5 else ""
    return f"никто не назначен: ответственные отсутствуют ({absent}{more})"
