"""The engine with one driver: deploy a drawing, start it, press buttons, let time pass, look at what it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from engine import actions, connectors, incidents, iso8601, jobs, listeners, repository, runtime
from engine.clock import FixedClock
from engine.connectors import Execution, connector
from engine.db import Database
from engine.errors import BpmnError
from engine.listeners import StatusEntered
from engine.models import ElementLog, History, Incident, Job, ProcessInstance, Subscription, UserTask
from tests.engine.walk import Begin, Walk, program

KEY = "record:1"


@dataclass
class Calls:
    """What the test's connectors were asked, and how they shall answer."""

    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, list[Exception]] = field(default_factory=dict)

    def names(self) -> list[str]:
        return [name for name, _ in self.made]

    def take(self, name: str, arguments: dict[str, Any]) -> Any:
        self.made.append((name, arguments))
        if self.failures.get(name):
            raise self.failures[name].pop(0)
        return self.answers.get(name)


@dataclass
class Driver:
    """Everything a test does to the engine, each call in a transaction of its own."""

    database: Database
    clock: FixedClock
    calls: Calls
    statuses: list[str] = field(default_factory=list)

    def deploy(self, *files: bytes) -> None:
        """Store and activate; the drawings of these tests have no shapes and are not checked."""
        with self.database.transaction() as session:
            named = {f"{number}.bpmn": content for number, content in enumerate(files)}
            for definition in repository.store(session, named, author="agent:1").definitions:
                repository.activate(session, definition, by="agent:1")

    def start(self, key: str = "p", *, business_key: str | None = KEY, **variables: Any) -> int:
        with self.database.transaction() as session:
            instance = runtime.start_process(
                session, key, business_key=business_key, variables=variables, actor="agent:1"
            )
            return instance.id

    def run(self, *elements_of_files: bytes, **variables: Any) -> int:
        """Deploy and start the process `p`."""
        self.deploy(*elements_of_files)
        return self.start(**variables)

    def buttons(self, instance_id: int) -> list[str]:
        with self.database.reading() as session:
            return [a.id for a in actions.available(session, session.get_one(ProcessInstance, instance_id))]

    def ref(self, instance_id: int, action: str) -> str:
        with self.database.reading() as session:
            offered = actions.available(session, session.get_one(ProcessInstance, instance_id))
            return next(a.ref for a in offered if a.id == action)

    def press(self, instance_id: int, action: str, *, actor: str = "agent:1", **variables: Any) -> None:
        self.perform(instance_id, self.ref(instance_id, action), actor=actor, **variables)

    def perform(self, instance_id: int, ref: str, *, actor: str = "agent:1", **variables: Any) -> None:
        with self.database.transaction() as session:
            actions.perform(session, instance_id, ref, variables=variables, actor=actor, expected_version=None)

    def send(self, message: str, business_key: str = KEY, **variables: Any) -> int:
        with self.database.transaction() as session:
            return runtime.correlate_message(session, message, business_key=business_key, variables=variables)

    def advance(self, duration: str) -> None:
        """Move the clock and do what became due, in the order of its due time."""
        target = self.clock.at + iso8601.parse_duration(duration)
        while (at := self._next_due()) is not None and at <= target:
            self.clock.set(max(at, self.clock.at))
            self.work()
        self.clock.set(target)

    def jump(self, duration: str) -> None:
        """Move the clock while no worker runs, then let the workers catch up."""
        self.clock.advance(iso8601.parse_duration(duration))
        self.work()

    def work(self) -> None:
        while ids := self.claim():
            jobs.execute(self.database, ids)

    def claim(self, owner: str = "worker", limit: int = 100) -> list[int]:
        with self.database.transaction() as session:
            return jobs.claim(session, owner=owner, limit=limit, now=self.clock.at)

    def _next_due(self) -> Any:
        with self.database.reading() as session:
            return jobs.next_due(session)

    def retry(self, incident_id: int) -> None:
        with self.database.transaction() as session:
            incidents.retry(session, incident_id, "agent:9")

    def instance(self, instance_id: int) -> ProcessInstance:
        with self.database.reading() as session:
            found = session.get_one(ProcessInstance, instance_id)
            session.expunge(found)
            return found

    def state(self, instance_id: int) -> str:
        return self.instance(instance_id).state

    def open_tasks(self, instance_id: int) -> list[str]:
        return [row.element_id for row in self.all(UserTask, instance_id) if row.state == "open"]

    def open_jobs(self, instance_id: int) -> list[str]:
        return [row.element_id for row in self.all(Job, instance_id) if row.state in ("waiting", "failed")]

    def subscriptions(self, instance_id: int) -> list[str]:
        return [row.name for row in self.all(Subscription, instance_id)]

    def incidents(self) -> list[Incident]:
        with self.database.reading() as session:
            rows = list(incidents.open_ones(session))
            session.expunge_all()
            return rows

    def trace(self, instance_id: int) -> list[str]:
        return [f"{row.element_id} {row.event}" for row in self.all(ElementLog, instance_id)]

    def entered(self, instance_id: int) -> list[str]:
        return [row.element_id for row in self.all(ElementLog, instance_id) if row.event in ("entered", "fired")]

    def moves(self, instance_id: int) -> list[str]:
        return [row.move for row in self.all(History, instance_id)]

    def all(self, model: Any, instance_id: int) -> list[Any]:
        with self.database.reading() as session:
            rows = list(session.scalars(select(model).where(model.instance_id == instance_id).order_by(model.id)))
            session.expunge_all()
            return rows

    def data(self, instance_id: int) -> Mapping[str, Any]:
        """The variables where the instance waits (of its first wait)."""
        from engine import stepper

        with self.database.reading() as session:
            machine = stepper.load(session, session.get_one(ProcessInstance, instance_id), None)
            return machine.data_of(machine.waits()[0].key)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Connectors of tests: `test.note(text)` and `test.answer()`; everything they are asked is kept."""
    monkeypatch.setattr(connectors, "_registry", {})
    calls = Calls()

    @connector("test.note")
    def note(execution: Execution, text: str = "") -> Any:
        return calls.take("test.note", {"text": text, "element": execution.element_id, "actor": execution.actor})

    @connector("test.answer")
    def answer(execution: Execution, value: Any = None) -> Any:
        return calls.take("test.answer", {"value": value})

    @connector("test.refuse")
    def refuse(execution: Execution, code: str = "refused") -> None:
        raise BpmnError(code)

    return calls


@pytest.fixture
def driver(database: Database, clock: FixedClock, calls: Calls) -> Iterator[Driver]:
    listeners.reset()
    driver = Driver(database, clock, calls)

    def status(_session: Any, _instance: ProcessInstance, entered: StatusEntered) -> None:
        driver.statuses.append(entered.code)

    listeners.listeners().status_entered.append(status)
    yield driver
    listeners.reset()


@pytest.fixture(params=[False, True], ids=["in memory", "reloaded"])
def begin(request: pytest.FixtureRequest) -> Begin:
    """Begin an instance of the first drawing, without a database."""

    def walk(*files: bytes, **variables: Any) -> Walk:
        return Walk(program(*files), reloads=request.param, **variables)

    return walk
