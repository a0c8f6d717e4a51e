"""A small desk with its staff, its line and its processes, and browsers that visit it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine import clock as engine_clock
from engine import listeners
from engine.clock import FixedClock
from engine.config import Settings
from engine.db import Base
from services.bootstrap import Desk, open_desk
from services.demo.catalogs import add_catalogs
from services.demo.people import add_staff
from services.lines.models import Channel
from services.lines.operations import receive_chat
from services.people.models import Agent
from services.reference import ensure_reference
from services.tickets.models import Ticket
from tests.conftest import MONDAY_NINE, ON_POSTGRESQL
from webui import builtin
from webui.app import create_app

ROLES = ("operator", "supervisor", "analyst", "admin")


class Browser:
    """One person's browser; fetches, posts, and knows what the page says."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, address: str, **arguments: Any) -> TestResponse:
        return self.client.get(address, **arguments)

    def post(self, address: str, data: dict[str, Any] | None = None, **arguments: Any) -> TestResponse:
        return self.client.post(address, data=data or {}, **arguments)

    def press(self, number: int, label: str, **values: str) -> TestResponse:
        """Press a button of the card as it is shown now."""
        page = self.get(f"/tickets/{number}").text
        found = re.search(
            rf'(?:href|action)="(/tickets/{number}/actions/[^"]+?:[a-z_]+)"[^>]*>(?:(?!</form|</a).)*{label}',
            page,
            re.S,
        )
        assert found is not None, f"Expected a button {label}"
        version = re.search(r'name="version" value="(\d+)"', page)
        return self.post(found[1], {**values, "label": label, **({"version": version[1]} if version else {})})


def _furnish(desk: Desk) -> None:
    with desk.database.transaction() as session:
        ensure_reference(session, desk.settings)
        builtin.propose(session)
        add_catalogs(session, add_staff(session, desk.settings))


@pytest.fixture(scope="session")
def _furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database file of such a desk, made once and copied for every test."""
    home = tmp_path_factory.mktemp("furnished")
    desk = open_desk(Settings(data_dir=home, secret_key="a-key-for-tests-only", demo=False))
    Base.metadata.create_all(desk.database.engine)
    with engine_clock.using(FixedClock(MONDAY_NINE)):
        _furnish(desk)
    with desk.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    desk.database.dispose()
    listeners.reset()
    return home / "bpmdesk.db"


@pytest.fixture
def desk(request: pytest.FixtureRequest, settings: Settings, clock: FixedClock) -> Iterator[Desk]:
    """A desk with the people, catalogs and processes of the demonstration and no ticket."""
    if not ON_POSTGRESQL:
        shutil.copyfile(request.getfixturevalue("_furnished"), settings.data_dir / "bpmdesk.db")
    opened = open_desk(settings)
    if ON_POSTGRESQL:
        _furnish(opened)
    yield opened
    opened.database.dispose()
    listeners.reset()


@pytest.fixture
def app(desk: Desk) -> Flask:
    """The application, with forgery tokens off: their own tests turn them on."""
    made = create_app(desk)
    made.config["WTF_CSRF_ENABLED"] = False
    return made


@pytest.fixture
def sign_in(app: Flask, desk: Desk) -> Callable[[str], Browser]:
    """A browser in which the person with this mailbox name at desk.localhost is signed in."""

    def signed_in(who: str) -> Browser:
        client = app.test_client()
        with desk.database.reading() as session:
            key = session.scalars(select(Agent.fs_uniquifier).where(Agent.email == f"{who}@desk.localhost")).one()
        with client.session_transaction() as cookie:
            cookie.update(agent=key, since=engine_clock.now().timestamp())
        return Browser(client)

    return signed_in


@pytest.fixture
def stranger(app: Flask) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(app.test_client())


@pytest.fixture
def client_writes(desk: Desk) -> Callable[..., int]:
    """A client writes in the chat of the line; returns the number of the new ticket."""

    def write(text: str = "Не печатает касса", *, name: str = "Пётр Ясенев", token: str = "t" * 43) -> int:
        with desk.database.transaction() as session:
            channel = session.scalars(select(Channel).where(Channel.kind == "chat")).one()
            message = receive_chat(session, channel, token, name=name, text=text)
            return session.get_one(Ticket, message.ticket_id).number

    return write
