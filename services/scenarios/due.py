"""Scenarios that wait to be run, as due work: no page and no upload waits for them."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.db import Database
from engine.due import DueSource
from engine.models import ProcessDefinition
from services.notifications import live
from services.scenarios import operations, queries

log = structlog.get_logger(__name__)


def source() -> DueSource:
    """The versions whose scenarios are queued."""
    return DueSource("scenarios", _claim, _run, _next_due)


def _claim(session: Session, _owner: str, limit: int) -> list[int]:
    """What two workers run at once is run twice, and the result is the same: no lease is needed."""
    return queries.queued(session)[:limit]


def _run(database: Database, ids: list[int]) -> None:
    with database.reading() as session:
        wanted = select(ProcessDefinition).where(ProcessDefinition.id.in_(ids), queries.is_queued())
        definitions = session.scalars(wanted.order_by(ProcessDefinition.id)).all()
        keys = [definition.id for definition in definitions]
        reports = operations.run_for(session, *definitions)
    for definition_id, report in zip(keys, reports, strict=True):
        with database.transaction() as session:
            definition = session.get(ProcessDefinition, definition_id, with_for_update=True)
            if definition is not None:
                definition.scenarios = report
                live.publish(session, "processes", "scenarios")
        failed = report["failed"] if report else 0
        log.info("scenarios run", action="scenarios", definition=definition_id, failed=failed)


def _next_due(session: Session) -> datetime | None:
    return clock.now() if queries.queued(session) else None
