"""The composition root: what the engine is told about the desk, once a process of the desk starts."""

from __future__ import annotations

from dataclasses import dataclass

from engine import clock, due, history, listeners, migrations
from engine.clock import OffsetFileClock
from engine.config import Settings
from engine.db import Database
from services import connectors as connectors
from services import housekeeping, listening
from services import models as models
from services.lines import beginnings
from services.mail import identity, inbound
from services.notifications import outbox
from services.reference import ensure_reference
from services.replay import operations as replays
from services.scenarios import due as scenarios_due
from services.scenarios import operations as scenarios


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
    heard = listeners.listeners()
    listening.tell(heard)
    heard.deployed.append(scenarios.queue)
    heard.examine.append(scenarios.examine)


def register_sources(settings: Settings) -> None:
    """Name the rows that fall due; the engine's own jobs name themselves."""
    due.register(outbox.source(settings))
    due.register(inbound.source(settings))
    due.register(beginnings.due_source())
    due.register(housekeeping.source(settings))
    due.register(scenarios_due.source())
    due.register(replays.source())
