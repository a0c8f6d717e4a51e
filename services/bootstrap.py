"""The composition root: what the engine is told about the desk, once a process of the desk starts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine import clock, due, history, listeners, migrations
from engine.clock import OffsetFileClock
from engine.config import Settings
from engine.db import Database
from engine.listeners import Listeners
from engine.models import Incident, ProcessInstance
from services import connectors as connectors
from services import housekeeping
from services import models as models
from services.catalog.operations import introduce_statuses
from services.catalog.queries import status_codes
from services.lines import beginnings
from services.lines.operations import close_sessions
from services.mail import identity, inbound
from services.notifications import live, outbox
from services.notifications.operations import notify_admins
from services.reference import ensure_reference
from services.sla import context as sla_context
from services.tickets import context, projection
from services.tickets.keys import ticket_of


@dataclass(frozen=True, slots=True)
class Desk:
    """One installation as one process of it sees it."""

    settings: Settings
    database: Database


def open_desk(settings: Settings | None = None, *, migrate: bool = False) -> Desk:
    """Connect settings, database, clock, listeners, connectors and due sources.

    With `migrate` the tables are brought up to date and filled with what any installation needs.
    """
    settings = settings or Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if settings.clock_file is not None:
        clock.install(OffsetFileClock(settings.clock_file))
    history.install_key(settings.secret.encode())
    identity.install(settings)
    register_listeners()
    register_sources(settings)
    database = Database(settings.database)
    if migrate:
        migrations.upgrade(database)
        with database.transaction() as session:
            ensure_reference(session, settings)
    return Desk(settings, database)


def register_listeners() -> None:
    """Tell the engine who listens; a second call replaces the first."""
    listeners.reset()
    tell(listeners.listeners())


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


def register_sources(settings: Settings) -> None:
    """Name the rows that fall due; the engine's own jobs name themselves."""
    due.register(outbox.source(settings))
    due.register(inbound.source(settings))
    due.register(beginnings.due_source())
    due.register(housekeeping.source(settings))


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
