"""Due work for tests: rows of a small table, claimed and done in the same way as timers are."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from engine import clock, due
from engine.db import Database, UtcDateTime

LEASE = timedelta(seconds=2)


class ChoreBase(DeclarativeBase):
    """Apart from the product's tables."""


class Chore(ChoreBase):
    __tablename__ = "chore"

    id: Mapped[int] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done: Mapped[bool] = mapped_column(default=False)
    effects: Mapped[int] = mapped_column(default=0)


def _open(now: datetime):  # type: ignore[no-untyped-def]
    return (Chore.done.is_(False), Chore.due_at <= now, or_(Chore.lease_until.is_(None), Chore.lease_until <= now))


def claim(session: Session, owner: str, limit: int) -> list[int]:
    now = clock.now()
    chosen = select(Chore.id).where(*_open(now)).order_by(Chore.due_at).limit(limit).with_for_update(skip_locked=True)
    ids = list(session.scalars(chosen))
    session.execute(update(Chore).where(Chore.id.in_(ids)).values(lease_until=now + LEASE))
    return ids


def execute(database: Database, ids: list[int]) -> None:
    with database.transaction() as session:
        open_ones = Chore.id.in_(ids), Chore.done.is_(False)
        session.execute(update(Chore).where(*open_ones).values(done=True, effects=Chore.effects + 1))


def next_due(session: Session) -> datetime | None:
    earliest = select(func.min(func.coalesce(Chore.lease_until, Chore.due_at))).where(Chore.done.is_(False))
    return session.scalar(earliest)


SOURCE = due.DueSource("chores", claim, execute, next_due)


def lay_out(database: Database, count: int, due_at: datetime) -> None:
    """Create the table and `count` chores."""
    ChoreBase.metadata.create_all(database.engine)
    with database.transaction() as session:
        session.add_all(Chore(due_at=due_at) for _ in range(count))


def effects(database: Database) -> list[int]:
    """How often each chore has been done."""
    with database.reading() as session:
        return list(session.scalars(select(Chore.effects).order_by(Chore.id)))
