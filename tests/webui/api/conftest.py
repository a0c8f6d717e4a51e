"""A machine that calls the API with a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.access import tokens
from services.bootstrap import Desk
from services.people.queries import by_email


@dataclass
class Machine:
    """Calls the API as somebody's machine."""

    client: FlaskClient
    secret: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.call("GET", path, query_string=query)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> TestResponse:
        return self.call("POST", path, json=body or {}, headers={"Idempotency-Key": key} if key else {})

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.secret}", **self.headers, **(headers or {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=sent, **more)


@pytest.fixture
def machine(app: Flask, desk: Desk) -> Callable[..., Machine]:
    """A machine of this person with these scopes (all that the person may have, when none is named)."""

    def made(who: str = "admin", *scopes: str) -> Machine:
        with desk.database.transaction() as session:
            agent = by_email(session, f"{who}@desk.localhost")
            assert agent is not None
            wanted = scopes or [name for name, scope in tokens.SCOPES.items() if tokens.may(agent, scope.right)]
            _, secret = tokens.create(session, agent, name="test", scopes=wanted, by="agent:1")
        return Machine(app.test_client(), secret)

    return made
