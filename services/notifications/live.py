"""The stream that keeps open pages fresh: rows written with the change, readers woken after the commit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, event, func, insert, select
from sqlalchemy.orm import Session

from engine import clock, db
from services.notifications.models import LiveEvent

Notifier = Callable[[Collection[str]], None]
KEPT = timedelta(hours=1)
_ORDER = 7263515
"""The key of the advisory lock, next to that of the migrations."""

_notifier: Notifier | None = None
_unheard: ContextVar[bool] = ContextVar("unheard", default=False)


def set_notifier(notifier: Notifier | None) -> None:
    """Who is told the topics after a commit (Redis pub/sub); without one, readers find the rows by asking."""
    global _notifier
    _notifier = notifier


@contextmanager
def unheard() -> Iterator[None]:
    """Nobody listens inside the block, in this thread only: nothing is written and nobody woken (a throw-away desk)."""
    token = _unheard.set(True)
    try:
        yield
    finally:
        _unheard.reset(token)


def publish(session: Session, topic: str, part: str = "") -> None:
    """Say that `part` of `topic` changed: "ticket:42", "tickets", "agent:7", "session:5", "processes"."""
    if _unheard.get():
        return
    published: dict[tuple[str, str], None] | None = session.info.get("live")
    if published is None:
        published = session.info["live"] = {}
        db.after_commit(session, lambda: _wake({topic for topic, _ in published}))
        event.listen(session, "before_commit", _write)
    published[topic, part] = None


def _write(session: Session) -> None:
    """One statement at the end of the transaction; a savepoint within it is no end."""
    if session.in_nested_transaction():
        return
    session.flush()
    _queue_up(session)
    at = clock.now()
    rows = [{"topic": topic, "part": part, "at": at} for topic, part in session.info["live"]]
    session.execute(insert(LiveEvent), rows)


def _queue_up(session: Session) -> None:
    """Take ids in the order of the commits: a reader that has seen an id never looks for a smaller one again.

    SQLite has one writer at a time anyway; PostgreSQL is held to one from here to the end of the commit.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_ORDER)))


def _wake(topics: Collection[str]) -> None:
    if _notifier is not None:
        _notifier(topics)


def since(session: Session, last_id: int, topics: Collection[str], limit: int = 200) -> Sequence[LiveEvent]:
    """Events of the topics after the one the reader saw last, oldest first."""
    wanted = select(LiveEvent).where(LiveEvent.id > last_id, LiveEvent.topic.in_(topics))
    return session.scalars(wanted.order_by(LiveEvent.id).limit(limit)).all()


def latest_id(session: Session) -> int:
    """Where a page that is just being rendered starts to listen."""
    return session.scalar(select(func.max(LiveEvent.id))) or 0


def oldest_at(session: Session) -> datetime | None:
    """When the oldest event that may be deleted was written; None when there is none."""
    newest = select(func.max(LiveEvent.id)).scalar_subquery()
    return session.scalar(select(LiveEvent.at).where(LiveEvent.id < newest).order_by(LiveEvent.id).limit(1))


def prune(session: Session) -> int:
    """Delete what is older than an hour; the newest row stays, so that ids never start again."""
    newest = select(func.max(LiveEvent.id)).scalar_subquery()
    old = delete(LiveEvent).where(LiveEvent.at < clock.now() - KEPT, LiveEvent.id < newest)
    result = session.execute(old)
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type for the row count
    return result.rowcount
