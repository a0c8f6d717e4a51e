"""The database: one declarative base, one way to open a transaction – the only place that commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import DateTime, Dialect, Engine, MetaData, Table, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import TypeDecorator

from engine.errors import Busy

log = structlog.get_logger(__name__)

AfterCommit = Callable[[], None]
IN_MEMORY = "sqlite://"
"""The URL of a database that lives in one connection and is gone with it; one thread at a time."""
LOCK_TIMEOUT_MS = 5_000
"""How long a person waits for a record that somebody else is writing."""


class Base(DeclarativeBase):
    """Base of every table of the desk."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(model: type[Base]) -> Table:
    """The table of a model, for statements that go past its objects."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - no model of ours is mapped to anything else
    return table


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant; stored as UTC on every database, naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("Expected an instant with a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One database and the two ways into it: `transaction()` to write, `reading()` to read."""

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.url = url
        self.engine = _create_engine(url, pool_size)
        # SQLite reads one snapshot anyway; elsewhere a page must not see one half of somebody's change.
        reading = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._readers = sessionmaker(reading, expire_on_commit=False)
        writing = self.engine.execution_options(bpmdesk_write=True)
        self._writers = sessionmaker(writing, expire_on_commit=False)
        for makers in (self._readers, self._writers):
            event.listen(makers, "loaded_as_persistent", _keep)
            event.listen(makers, "pending_to_persistent", _keep)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One writing transaction: commits at the end of the block, rolls everything back on an error.

        Functions registered with `after_commit` run once the commit has succeeded.
        Raises Busy when the database stays locked longer than its time limit.
        """
        session = self._writers()
        try:
            with _translated():
                yield session
                session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()
        for hook in session.info.get("after_commit", ()):
            _run_hook(hook)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads, and all of it as of one moment; whatever it changed is rolled back."""
        session = self._readers()
        try:
            with _translated():
                yield session
        finally:
            session.rollback()
            session.close()

    def dispose(self) -> None:
        self.engine.dispose()


def _keep(session: Session, record: object) -> None:
    """Hold a record as long as its session: a short transaction shall not read the same row twice."""
    session.info.setdefault("kept", {})[id(record)] = record


def after_commit(session: Session, hook: AfterCommit) -> None:
    """Run `hook` once the transaction of `session` is committed; its failure is logged, never raised."""
    session.info.setdefault("after_commit", []).append(hook)


def _run_hook(hook: AfterCommit) -> None:
    try:
        hook()
    except Exception:
        log.exception("after-commit hook failed", action="after_commit")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if is_lock(error):
            raise Busy from error
        raise


def is_lock(error: DBAPIError) -> bool:
    """Whether the database refused because somebody else was writing."""
    text = str(error.orig).lower()
    return any(word in text for word in ("database is locked", "lock timeout", "could not obtain lock", "deadlock"))


def _create_engine(url: str, pool_size: int) -> Engine:
    if not url.startswith("sqlite"):
        options = {"options": f"-c lock_timeout={LOCK_TIMEOUT_MS}"}
        return create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, connect_args=options)
    if url == IN_MEMORY:
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size, connect_args={"timeout": 10})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("bpmdesk_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")
