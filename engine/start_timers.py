"""Due work of start events: instances that begin at a time; claimed by lease, retried, never begun twice."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import due, incidents, runtime, starts
from engine.db import Database, is_lock
from engine.errors import Busy

log = structlog.get_logger(__name__)

BUSY_DELAY = timedelta(seconds=1)


def execute(database: Database, ids: list[int]) -> None:
    """Begin these, each in a transaction of its own: the instance and the time of the next one, or neither."""
    for start_id in ids:
        try:
            with database.transaction() as session:
                _begin(session, start_id)
        except Exception as error:
            with database.transaction() as session:
                _record_failure(session, start_id, error)


def _begin(session: Session, start_id: int) -> None:
    row = starts.take(session, start_id)
    if row is not None:
        runtime.begin_at(session, row, actor="timer")
        starts.pass_on(session, row)


def _record_failure(session: Session, start_id: int, error: Exception) -> None:
    if isinstance(error, Busy) or (isinstance(error, OperationalError) and is_lock(error)):
        starts.put_off(session, start_id, BUSY_DELAY)
        return
    log.warning("start failed", action="start", start_event=start_id, error=repr(error))
    failed = starts.fail(session, start_id, error)
    if failed is not None:
        incidents.open_for_start(session, failed, error)


due.register(due.DueSource("starts", starts.claim, execute, starts.next_due))
