"""What the desk does when the engine tells that something happened: status, pages, conversations, admins."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.listeners import Listeners
from engine.models import Incident, ProcessInstance
from services.catalog.operations import introduce_statuses
from services.catalog.queries import status_codes
from services.lines.operations import close_sessions
from services.notifications import live
from services.notifications.operations import notify_admins
from services.sla import context as sla_context
from services.tickets import context, projection
from services.tickets.keys import ticket_of


def tell(heard: Listeners) -> None:
    """Add everything of the desk that listens to the engine."""
    heard.status_entered.append(projection.project)
    heard.stepped.append(_publish_step)
    heard.ended.append(_end_of_life)
    heard.incident_opened.append(_tell_admins)
    heard.context.append(context.provide)
    heard.start_context = sla_context.start_names
    heard.activated.append(introduce_statuses)
    heard.statuses = status_codes


def _publish_step(session: Session, instance: ProcessInstance) -> None:
    ticket = ticket_of(session, instance)
    if ticket is not None:
        live.publish(session, f"ticket:{ticket.id}", "card")
        live.publish(session, "tickets", "row")
    live.publish(session, "processes", "instances")


def _end_of_life(session: Session, instance: ProcessInstance) -> None:
    ticket = ticket_of(session, instance)
    if ticket is not None:
        close_sessions(session, ticket)


def _tell_admins(session: Session, instance: ProcessInstance | None, incident: Incident) -> None:
    step = incident.element_name or incident.element_id or ""
    notify_admins(
        session,
        ticket_of(session, instance) if instance is not None else None,
        "incident",
        actor=None,
        element=step,
        error=incident.message[:300],
        incident=incident.id,
    )
    live.publish(session, "processes", "incidents")
