"""A desk whose administration is visited by people of each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from engine import actions, connectors, jobs, listeners, repository, runtime
from engine.clock import FixedClock
from engine.config import Settings
from engine.connectors import Execution, connector
from engine.models import Incident, ProcessInstance
from services.bootstrap import Desk, open_desk
from services.people.models import Agent
from services.people.operations import create_agent
from services.reference import ensure_reference
from tests.webui.admin.drawings import errand
from webui.app import create_app

ROLES = ("operator", "supervisor", "analyst", "admin")


@dataclass
class Courier:
    """Stands behind the connector `test.deliver`; breaks when told to."""

    broken: str = ""
    delivered: list[int] = field(default_factory=list)

    def deliver(self, execution: Execution) -> None:
        if self.broken:
            raise RuntimeError(self.broken)
        self.delivered.append(execution.instance.id)


@dataclass
class Office:
    """What a test does to the desk behind the pages."""

    desk: Desk
    courier: Courier
    clock: FixedClock

    def deploy(self, *contents: bytes, activate: bool = True) -> None:
        files = {f"{number}.bpmn": content for number, content in enumerate(contents)}
        with self.desk.database.transaction() as session:
            repository.deploy(session, files, author="system", activate=activate)

    def start(self, key: str = "errand", *, business_key: str | None = None) -> int:
        with self.desk.database.transaction() as session:
            return runtime.start_process(session, key, business_key=business_key, actor="system").id

    def press(self, instance_id: int, action: str = "done", *, actor: str = "system") -> None:
        with self.desk.database.transaction() as session:
            offered = actions.available(session, session.get_one(ProcessInstance, instance_id))
            ref = next(each.ref for each in offered if each.id == action)
            actions.perform(session, instance_id, ref, variables={}, actor=actor, expected_version=None)

    def work(self) -> None:
        """Do all that is due now."""
        while ids := self._claimed():
            jobs.execute(self.desk.database, ids)

    def _claimed(self) -> list[int]:
        with self.desk.database.transaction() as session:
            return jobs.claim(session, owner="test", limit=50, now=self.clock.at)

    def failed_delivery(self, reason: str = "курьер заболел") -> tuple[int, int]:
        """An instance whose delivery has failed for good, and its incident."""
        self.courier.broken = reason
        instance_id = self.start()
        self.press(instance_id)
        self.work()
        with self.desk.database.reading() as session:
            incident_id = session.scalars(select(Incident.id).where(Incident.instance_id == instance_id)).one()
        return instance_id, incident_id

    def one(self, model: Any, key: int) -> Any:
        with self.desk.database.reading() as session:
            found = session.get_one(model, key)
            session.expunge_all()
            return found

    def all(self, model: Any) -> list[Any]:
        with self.desk.database.reading() as session:
            found = list(session.scalars(select(model)))
            session.expunge_all()
            return found


class Visitor:
    """One person's browser."""

    def __init__(self, client: FlaskClient, agent: Agent | None) -> None:
        self._client = client
        self.agent = agent

    def session(self) -> dict[str, Any]:
        """What the browser's cookie says."""
        with self._client.session_transaction() as cookie:
            return dict(cookie)

    def get(self, address: str) -> TestResponse:
        return self._client.get(address)

    def post(self, address: str, **fields: Any) -> TestResponse:
        return self._client.post(address, data=fields)

    def send(self, address: str, body: bytes, content_type: str) -> TestResponse:
        return self._client.post(address, data=body, content_type=content_type)

    def upload(self, files: dict[str, bytes], **fields: str) -> TestResponse:
        chosen = [FileStorage(BytesIO(content), name) for name, content in files.items()]
        boundary, body = encode_multipart(MultiDict([*fields.items(), *(("files", file) for file in chosen)]))
        return self.send("/admin/processes", body, f"multipart/form-data; boundary={boundary}")


@pytest.fixture
def courier() -> Iterator[Courier]:
    """The courier, registered while the test runs."""
    hired = Courier()

    @connector("test.deliver")
    def deliver(execution: Execution) -> None:
        hired.deliver(execution)

    yield hired
    del connectors._registry["test.deliver"]


@pytest.fixture
def desk(settings: Settings, clock: FixedClock) -> Iterator[Desk]:
    """A desk with roles and statuses, and nothing else."""
    opened = open_desk(settings)
    with opened.database.transaction() as session:
        ensure_reference(session, settings)
    yield opened
    opened.database.dispose()
    listeners.reset()


@pytest.fixture
def office(desk: Desk, courier: Courier, clock: FixedClock) -> Office:
    """The desk with its courier; the process `errand` is not deployed yet."""
    return Office(desk, courier, clock)


@pytest.fixture
def running_errand(office: Office) -> int:
    """An errand under way that waits for a person."""
    office.deploy(errand())
    return office.start()


@pytest.fixture
def app(desk: Desk) -> Flask:
    application = create_app(desk)
    application.config["WTF_CSRF_ENABLED"] = False
    return application


@pytest.fixture
def visitor(app: Flask, desk: Desk, clock: FixedClock) -> Callable[[str], Visitor]:
    """The browser of a person of that role; "" is nobody."""

    def enter(role: str) -> Visitor:
        client = app.test_client()
        if not role:
            return Visitor(client, None)
        with desk.database.transaction() as session:
            agent = create_agent(session, email=f"{role}@desk.test", name=f"Кто-то {role}", roles=[role])
        with client.session_transaction() as cookie:
            cookie.update(agent=agent.fs_uniquifier, since=clock.at.timestamp())
        return Visitor(client, agent)

    return enter


@pytest.fixture
def analyst(visitor: Callable[[str], Visitor]) -> Visitor:
    """Somebody who keeps the processes."""
    return visitor("analyst")


@pytest.fixture
def admin(visitor: Callable[[str], Visitor]) -> Visitor:
    """Somebody who keeps everything."""
    return visitor("admin")
