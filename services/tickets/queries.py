"""Reading tickets: one by its number, what its process offers, what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from engine import actions, repository, runtime
from engine.actions import Action
from engine.errors import NotFound
from engine.models import ProcessInstance
from services import forms
from services.access.rights import may_press
from services.catalog.models import ServiceOffering
from services.people.models import Agent
from services.tickets.folders import FOLDERS, Folder
from services.tickets.models import Draft, Ticket, TicketEvent
from services.tickets.registry import Filters, Page, folder_counts, registry
from services.tickets.visibility import visible_to

__all__ = [
    "FOLDERS",
    "Filters",
    "Folder",
    "Page",
    "by_number",
    "draft",
    "earlier_of_client",
    "folder_counts",
    "form_of",
    "history",
    "instance_of",
    "offered_action",
    "offered_actions",
    "registry",
    "visible_to",
]


def by_number(session: Session, agent: Agent, number: int) -> Ticket:
    """The ticket of that number with what it points to; raises NotFound, also for what is not visible."""
    wanted = visible_to(agent).where(Ticket.number == number).options(*_CARD)
    ticket = session.scalars(wanted).one_or_none()
    if ticket is None:
        raise NotFound
    return ticket


_CARD = (
    joinedload(Ticket.type),
    joinedload(Ticket.service).joinedload(ServiceOffering.parent),
    joinedload(Ticket.product),
    joinedload(Ticket.client),
    joinedload(Ticket.company),
    joinedload(Ticket.responsible),
    joinedload(Ticket.line),
)


def instance_of(session: Session, ticket: Ticket) -> ProcessInstance | None:
    """The running process of the ticket, else the one that ended last."""
    return present(runtime.instances(session, ticket.business_key))


def present(instances: Sequence[ProcessInstance]) -> ProcessInstance | None:
    """Of the instances of one ticket the one that runs, else the one that ended last."""
    running = [instance for instance in instances if instance.ended_at is None]
    return max(running or instances, key=lambda instance: instance.id, default=None)


def offered_actions(session: Session, ticket: Ticket, agent: Agent) -> list[Action]:
    """The buttons the process offers this person now, in the order of the diagram."""
    return offered_by(session, instance_of(session, ticket), ticket, agent)


def offered_by(session: Session, instance: ProcessInstance | None, ticket: Ticket, agent: Agent) -> list[Action]:
    """The same for an instance at hand; none when there is none or it has ended."""
    if instance is None:
        return []
    return [
        action
        for action in actions.available(session, instance)
        if may_press(agent, action.roles, responsible_id=ticket.responsible_id)
    ]


def offered_action(session: Session, ticket: Ticket, agent: Agent, ref: str) -> Action | None:
    """One of them by its reference; None when it is not offered (any more)."""
    return next((action for action in offered_actions(session, ticket, agent) if action.ref == ref), None)


def form_of(session: Session, ticket: Ticket, action: Action) -> forms.Form | None:
    """The form to be filled in before the button is pressed, as it was deployed with the ticket's own process."""
    instance = instance_of(session, ticket) if action.form else None
    if instance is None or action.form is None:
        return None
    return forms.load(repository.form(session, instance.definition, action.form))


def creation_form(session: Session, process_key: str = "create_request_manually") -> forms.Form:
    """The form behind "+ Обращение"."""
    return forms.load(repository.form(session, repository.latest(session, process_key), "create_ticket"))


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """What narrows a history; empty = everything."""

    field: str = ""
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None


def history(session: Session, ticket: Ticket, filters: HistoryFilter | None = None) -> Sequence[TicketEvent]:
    """What happened to the ticket, newest first."""
    wanted = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id)
    if filters and filters.field:
        wanted = wanted.where(TicketEvent.field == filters.field)
    if filters and filters.actor:
        wanted = wanted.where(TicketEvent.actor == filters.actor)
    if filters and filters.since:
        wanted = wanted.where(TicketEvent.at >= filters.since)
    if filters and filters.until:
        wanted = wanted.where(TicketEvent.at <= filters.until)
    return session.scalars(wanted.order_by(TicketEvent.id.desc())).all()


def earlier_of_client(session: Session, ticket: Ticket, agent: Agent, limit: int = 20) -> Sequence[Ticket]:
    """Other tickets of the same client that the person may see, newest first."""
    if ticket.client_id is None:
        return []
    others = visible_to(agent).where(Ticket.client_id == ticket.client_id, Ticket.id != ticket.id)
    shown = others.options(selectinload(Ticket.service)).order_by(Ticket.id.desc()).limit(limit)
    return session.scalars(shown).all()


def draft(session: Session, ticket: Ticket, agent: Agent) -> Draft | None:
    """What the person has written here and not sent."""
    return session.get(Draft, (agent.id, ticket.id))
