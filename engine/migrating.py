"""The work of migrations under way: claimed by lease, done batch by batch, resumed after a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine import due as due_sources
from engine.db import Database
from engine.errors import Busy
from engine.migration import UNDER_WAY
from engine.models import Migration, MigrationItem, ProcessInstance
from engine.route import Route, move, sentences, take_back
from engine.stepper import lock

log = structlog.get_logger(__name__)

BATCH = 25
"""Instances a transaction."""
ROUNDS = 10
"""Batches a worker does before it looks after other work."""
LEASE = timedelta(seconds=10)

Work = Callable[[MigrationItem, ProcessInstance], None]


def claim(session: Session, owner: str, limit: int) -> list[int]:
    """Lease migrations under way that nobody works at."""
    now = clock.now()
    query = select(Migration.id).where(*_is_due(now)).order_by(Migration.id).limit(limit)
    ids = list(session.scalars(query.with_for_update(skip_locked=True)))
    if ids:
        leased = {"lease_until": now + LEASE, "lease_owner": owner}
        session.execute(update(Migration).where(Migration.id.in_(ids)).values(leased))
    return ids


def execute(database: Database, ids: Sequence[int]) -> None:
    """Move each of these migrations on by some batches; what a kill interrupts is taken up by the next worker."""
    for migration_id in ids:
        rounds = 1
        while _round(database, migration_id, last=rounds == ROUNDS) and rounds < ROUNDS:
            rounds += 1


def finish(database: Database, migration_id: int) -> None:
    """Do a whole migration, or its undoing, here and now."""
    while _round(database, migration_id, last=False):
        pass


def next_due(session: Session) -> datetime | None:
    """When a migration wants work: at once, or when the lease of its worker ends."""
    open_ones = select(func.min(func.coalesce(Migration.lease_until, Migration.created_at)))
    found: datetime | None = session.scalar(open_ones.where(Migration.state.in_(UNDER_WAY)))
    return found


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(Migration.lease_until.is_(None), Migration.lease_until <= now)
    return Migration.state.in_(UNDER_WAY), free


def _round(database: Database, migration_id: int, *, last: bool) -> bool:
    """One batch in one transaction; False when nothing is left to do now."""
    with database.transaction() as session:
        migration = session.get(Migration, migration_id, with_for_update=True, populate_existing=True)
        if migration is None or migration.state not in UNDER_WAY:
            return False
        wanted = "waiting" if migration.state == "running" else "moved"
        query = select(MigrationItem).where(MigrationItem.migration_id == migration_id, MigrationItem.state == wanted)
        batch = session.scalars(query.order_by(MigrationItem.instance_id).limit(BATCH)).all()
        if not batch:
            _finish(migration)
            return False
        migration.lease_until = None if last else clock.now() + LEASE
        work = _forward(session, migration) if migration.state == "running" else _backward(session, migration)
        return all([_safely(session, item, work) for item in batch])


def _finish(migration: Migration) -> None:
    migration.state = "done" if migration.state == "running" else "undone"
    migration.ended_at, migration.lease_until, migration.lease_owner = clock.now(), None, None
    log.info("migration ended", action="migration", migration=migration.id, state=migration.state)


def _forward(session: Session, migration: Migration) -> Work:
    route = Route(session, migration.source, migration.target, migration.mapping, migration.rebind)
    return lambda item, instance: move(session, route, item, instance, migration.created_by, migration.id)


def _backward(session: Session, migration: Migration) -> Work:
    return lambda item, instance: take_back(session, migration, item, instance)


def _safely(session: Session, item: MigrationItem, work: Work) -> bool:
    """Do one item in a savepoint; one that fails stops no other. False when it must wait for somebody."""
    hooks = len(session.info.setdefault("after_commit", []))
    try:
        with session.begin_nested():
            work(item, lock(session, item.instance_id, skip_locked=True))
    except Busy:
        del session.info["after_commit"][hooks:]
        return False
    except Exception as error:
        del session.info["after_commit"][hooks:]
        log.warning("instance not migrated", action="migration", instance=item.instance_id, error=repr(error))
        ru, en = sentences(error)
        item.state, item.reason, item.before = "failed", {"ru": ru, "en": en}, None
    return True


due_sources.register(due_sources.DueSource("migrations", claim, execute, next_due))
