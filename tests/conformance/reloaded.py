"""A run through the whole engine: tables, stepper, jobs – and after every step everything in memory is forgotten."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, connectors, due, listeners, repository, runtime
from engine.bpmn import parser
from engine.clock import FixedClock
from engine.connectors import Execution
from engine.db import Base, Database
from engine.listeners import Listeners
from engine.models import ElementLog, Incident, Job, ProcessInstance, Subscription, UserTask
from engine.stepper import load
from engine.verify import verify
from tests.conformance.host import Host
from tests.conformance.seen import Seen

KEY = "record:1"
MOST_ROUNDS = 500
_STUCK = select(Incident).where(Incident.state == "open", Incident.job_id.is_(None))
_SOURCES = [due.sources()[name] for name in ("jobs", "starts")]


@cache
def template() -> Path:
    """An empty database with all tables, made once."""
    path = Path(tempfile.mkdtemp(prefix="conformance-")) / "empty.db"
    database = Database(f"sqlite:///{path}")
    Base.metadata.create_all(database.engine)
    with database.engine.connect() as connection:
        connection.commit()
        connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[attr-defined]
    database.dispose()
    return path


@contextmanager
def empty_database() -> Iterator[Database]:
    """A database with all tables and no rows; one at a time, for its statements are compiled once in a process."""
    database, path = _database()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(template(), path)
    try:
        yield database
    finally:
        database.dispose()


@cache
def _database() -> tuple[Database, Path]:
    path = template().with_name("desk.db")
    return Database(f"sqlite:///{path}"), path


class Reloaded:
    """A database of its own with everything that the story starts in it."""

    def __init__(self, database: Database, time: FixedClock) -> None:
        self.database = database
        self.host = Host()
        self._clock = time
        self._read = 0

    def deploy(self, files: Mapping[str, bytes]) -> None:
        with self.database.transaction() as session:
            for definition in repository.store(session, files, author="agent:1").definitions:
                repository.activate(session, definition, by="agent:1")

    def start(self, values: Mapping[str, Any], key: str = "p") -> int:
        with self.database.transaction() as session:
            started = runtime.start_process(session, key, business_key=KEY, variables=values, actor="agent:1")
            return started.id

    def complete(self, element: str, action: str, values: Mapping[str, Any]) -> None:
        with self.database.transaction() as session:
            wanted = select(UserTask).where(UserTask.element_id == element, UserTask.state == "open")
            row = session.scalars(wanted.order_by(UserTask.id)).first()
            assert row is not None, f"there is no open task {element}"
            runtime.complete_task(
                session,
                row.instance_id,
                row.id,
                action=action,
                variables=values,
                actor="agent:1",
                expected_version=None,
            )

    def message(self, name: str, values: Mapping[str, Any]) -> None:
        with self.database.transaction() as session:
            runtime.publish_message(session, name, business_key=KEY, variables=values)

    def signal(self, name: str, values: Mapping[str, Any]) -> None:
        with self.database.transaction() as session:
            runtime.broadcast_signal(session, name, values)

    def press(self, element: str, values: Mapping[str, Any]) -> None:
        with self.database.transaction() as session:
            row = session.scalars(select(Subscription).where(Subscription.element_id == element)).first()
            assert row is not None, f"nobody waits for {element}"
            runtime.trigger(
                session,
                row.instance_id,
                row.id,
                action=element,
                variables=values,
                actor="agent:1",
                expected_version=None,
            )

    def advance(self, by: timedelta) -> None:
        until = self._clock.at + by
        for _ in range(MOST_ROUNDS):
            at = self._next_due()
            if at is None or at > until:
                break
            self._clock.set(max(at, self._clock.at))
            self._work_once()
        self._clock.set(until)

    def jump(self, by: timedelta) -> None:
        self._clock.advance(by)
        self.work()

    def work(self) -> None:
        for _ in range(MOST_ROUNDS):
            if not self._work_once():
                return

    def let(self, values: Mapping[str, Any]) -> None:
        self.host.facts.update(values)
        with self.database.transaction() as session:
            for instance in self._instances(session):
                runtime.rearm(session, instance.id)
                runtime.reconsider(session, instance.id)

    def cancel(self) -> None:
        with self.database.transaction() as session:
            for instance in self._instances(session):
                runtime.cancel(session, instance.id, reason="enough", actor="agent:1")

    def see(self) -> Seen:
        with self.database.reading() as session:
            rows = session.scalars(select(ElementLog).where(ElementLog.id > self._read).order_by(ElementLog.id)).all()
            self._read = rows[-1].id if rows else self._read
            active = self._instances(session)
            news = [(row.event, row.element_id) for row in rows]
            waits = [(row.element_id, row.due_at if row.kind == "timer" else None) for row in _jobs(session)]
            waits += [(row.element_id, None) for row in _tasks(session)]
            waits += [(row.element_id, None) for row in session.scalars(select(Subscription))]
            waits += [(f"stuck:{row.element_id}", None) for row in session.scalars(_STUCK)]
            return Seen.of(news, waits, self._clock.at, is_end=not active)

    def data(self, element: str) -> Mapping[str, Any]:
        with self.database.reading() as session:
            for instance in self._instances(session):
                machine = load(session, instance, None)
                for wait in machine.waits():
                    if not element or wait.element_id == element:
                        return machine.data_of(wait.key)
        raise AssertionError(f"nothing waits at {element}")

    def forget(self) -> None:
        """The next step finds nothing but the database, as after a restart."""
        repository.forget()
        parser.compiled.cache_clear()

    def findings(self) -> list[str]:
        with self.database.reading() as session:
            return [f"{finding.rule}: {finding.message}" for finding in verify(session)]

    def _instances(self, session: Session) -> list[ProcessInstance]:
        wanted = select(ProcessInstance).where(ProcessInstance.state == "active").order_by(ProcessInstance.id)
        return list(session.scalars(wanted))

    def _next_due(self) -> datetime | None:
        with self.database.reading() as session:
            found = [source.next_due(session) for source in _SOURCES]
        return min((at for at in found if at), default=None)

    def _work_once(self) -> bool:
        """One piece of due work, whichever kind; False when nothing is due."""
        for source in _SOURCES:
            with self.database.transaction() as session:
                ids = source.claim(session, "worker", 1)
            if ids:
                source.execute(self.database, ids)
                self.forget()
                return True
        return False


def _jobs(session: Session) -> list[Job]:
    return list(session.scalars(select(Job).where(Job.state.in_(("waiting", "failed")))))


def _tasks(session: Session) -> list[UserTask]:
    return list(session.scalars(select(UserTask).where(UserTask.state == "open")))


@contextmanager
def reloaded(files: Mapping[str, bytes], begin: datetime) -> Iterator[Reloaded]:
    """A run in an empty database of its own; the clock, the connectors and the listeners are the run's."""
    with ExitStack() as stack:
        database = stack.enter_context(empty_database())
        time = FixedClock(begin)
        stack.enter_context(clock.using(time))
        run = Reloaded(database, time)
        stack.enter_context(listeners.using(Listeners(context=[lambda session, instance: run.host.context()])))
        stack.enter_context(connectors.substituted(_host_of(run)))
        run.deploy(files)
        run.forget()
        yield run


def _host_of(run: Reloaded) -> connectors.Call:
    def call(name: str, execution: Execution, arguments: Mapping[str, Any]) -> Any:
        return run.host.call(name, arguments)

    return call
