"""Reading running and finished instances: the list with its filters, and all that one instance waits for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select
from sqlalchemy.orm import Session, defer, joinedload

from engine.errors import NotFound
from engine.models import Incident, Job, ProcessDefinition, ProcessInstance, Subscription, UserTask
from services.tickets.models import Ticket

PAGE = 50
STATES = ("active", "suspended", "completed", "cancelled")
_PREFIX = "ticket:"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty = everything."""

    process: str = ""
    state: str = ""
    incident: bool = False
    text: str = ""
    """Number of an instance or of a ticket."""
    before: int = 0
    """Only instances older than this id (the next page)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One row of the list."""

    instance: ProcessInstance
    ticket: Ticket | None
    places: tuple[str, ...]
    """Names of the open tasks."""
    incidents: int


@dataclass(frozen=True, slots=True)
class Waits:
    """Everything one instance waits for, and its latest timers."""

    tasks: Sequence[UserTask]
    subscriptions: Sequence[Subscription]
    jobs: Sequence[Job]
    """Waiting, suspended and failed ones by due time."""
    fired: Sequence[Job]
    """The last timers that fired, newest first."""
    incidents: Sequence[Incident]


def found(session: Session, filters: Filters) -> list[Run]:
    """At most PAGE + 1 rows, newest first: one more than a page says that there is a next one."""
    wanted = _narrowed(filters).options(defer(ProcessInstance.data), joinedload(ProcessInstance.definition))
    instances = session.scalars(wanted.order_by(ProcessInstance.id.desc()).limit(PAGE + 1)).all()
    ids = [instance.id for instance in instances]
    linked, incidents, places = tickets(session, instances), _incident_counts(session, ids), _places(session, ids)
    return [Run(i, linked.get(i.business_key or ""), places.get(i.id, ()), incidents.get(i.id, 0)) for i in instances]


def one(session: Session, instance_id: int) -> ProcessInstance:
    """Raises NotFound."""
    instance = session.get(ProcessInstance, instance_id, options=[joinedload(ProcessInstance.definition)])
    if instance is None:
        raise NotFound
    return instance


def waits(session: Session, instance: ProcessInstance) -> Waits:
    """What the instance waits for now."""
    jobs = select(Job).where(Job.instance_id == instance.id)
    failures = select(Incident).where(Incident.instance_id == instance.id, Incident.state == "open")
    tasks = select(UserTask).where(UserTask.instance_id == instance.id, UserTask.state == "open")
    return Waits(
        tasks=session.scalars(tasks.order_by(UserTask.id)).all(),
        subscriptions=session.scalars(
            select(Subscription).where(Subscription.instance_id == instance.id).order_by(Subscription.id)
        ).all(),
        jobs=session.scalars(jobs.where(Job.state.in_(["waiting", "failed", "suspended"])).order_by(Job.due_at)).all(),
        fired=session.scalars(
            jobs.where(Job.state == "done", Job.kind == "timer").order_by(Job.ended_at.desc()).limit(5)
        ).all(),
        incidents=session.scalars(failures.order_by(Incident.id)).all(),
    )


def tickets(session: Session, instances: Iterable[ProcessInstance]) -> dict[str, Ticket]:
    """The tickets of instances by business key."""
    return tickets_of(session, [instance.business_key or "" for instance in instances])


def tickets_of(session: Session, keys: Iterable[str]) -> dict[str, Ticket]:
    """The tickets of these business keys by key."""
    numbers = [
        int(key.removeprefix(_PREFIX))
        for key in keys
        if key.startswith(_PREFIX) and key.removeprefix(_PREFIX).isdigit()
    ]
    rows = session.scalars(select(Ticket).where(Ticket.id.in_(numbers))).all() if numbers else []
    return {ticket.business_key: ticket for ticket in rows}


def _narrowed(filters: Filters) -> Select[ProcessInstance]:
    wanted = select(ProcessInstance).join(ProcessInstance.definition)
    if filters.process:
        bound = cast(ProcessInstance.bindings, Text).contains(f'"{filters.process}"', autoescape=True)
        wanted = wanted.where(or_(ProcessDefinition.key == filters.process, bound))
    if filters.state in STATES:
        wanted = wanted.where(ProcessInstance.state == filters.state)
    if filters.incident:
        failed = select(Incident.instance_id).where(Incident.state == "open")
        wanted = wanted.where(ProcessInstance.id.in_(failed))
    if filters.text:
        wanted = wanted.where(_named(filters.text))
    if filters.before:
        wanted = wanted.where(ProcessInstance.id < filters.before)
    return wanted


def _named(text: str) -> ColumnElement[bool]:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1
    keys = select(_PREFIX + cast(Ticket.id, Text)).where(Ticket.number == number)
    return or_(ProcessInstance.id == number, ProcessInstance.business_key.in_(keys))


def _incident_counts(session: Session, ids: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        select(Incident.instance_id, func.count())
        .where(Incident.state == "open", Incident.instance_id.in_(ids))
        .group_by(Incident.instance_id)
    )
    return {instance_id: count for instance_id, count in rows if instance_id is not None}


def _places(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    rows = session.execute(
        select(UserTask.instance_id, UserTask.name, UserTask.element_id)
        .where(UserTask.state == "open", UserTask.instance_id.in_(ids))
        .order_by(UserTask.id)
    )
    places: dict[int, tuple[str, ...]] = {}
    for instance_id, name, element_id in rows:
        places[instance_id] = (*places.get(instance_id, ()), name or element_id)
    return places
