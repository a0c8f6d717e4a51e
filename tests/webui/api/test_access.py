"""Who may call what: tokens, scopes, rights of the person, and the form in which it is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from engine.clock import FixedClock
from services.access import tokens
from services.access.models import ApiToken
from services.bootstrap import Desk
from services.people.models import Agent
from services.people.queries import by_email
from tests.webui.api.conftest import Machine
from tests.webui.conftest import Browser
from webui.api.operation import Operation, registry

Machines = Callable[..., Machine]


def address(operation: Operation) -> str:
    """A path of the operation with some value in every place."""
    return "/".join("1" if part.startswith("<") else part for part in operation.path.split("/"))


@pytest.mark.parametrize("operation", registry.operations, ids=lambda operation: operation.name)
def test_nothing_is_done_without_a_token(app: Flask, operation: Operation) -> None:
    path = address(operation)

    answer = app.test_client().open(f"/api/v1{path}", method=operation.method)

    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("operation", registry.operations, ids=lambda operation: operation.name)
def test_every_operation_asks_for_its_scope(machine: Machines, operation: Operation) -> None:
    others = [name for name in tokens.SCOPES if name != operation.scope]
    path = address(operation)

    answer = machine("admin", *others).call(operation.method, path)

    assert answer.status_code == 403
    assert operation.scope in answer.json["detail"]


def test_a_cookie_opens_nothing(sign_in: Callable[[str], Browser]) -> None:
    browser = sign_in("admin")

    assert browser.get("/api/v1/definitions").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/instances/1/suspend"),
        ("POST", "/migrations"),
        ("PUT", "/jobs/1/due"),
    ],
)
def test_what_admins_do_by_hand_no_token_of_an_analyst_does(machine: Machines, method: str, path: str) -> None:
    sent = {"due_at": "2026-04-01T10:00:00Z", "reason": "as an analyst"}

    assert machine("analyst").call(method, path, json=sent).status_code == 403


def test_a_number_beyond_all_measure_is_no_failure_of_the_desk(machine: Machines) -> None:
    caller, huge = machine("admin"), 10**20

    assert caller.get(f"/instances/{huge}").status_code in (404, 422)
    assert caller.get("/tasks", after=huge).status_code == 422


def test_a_token_never_does_more_than_its_person(machine: Machines, desk: Desk) -> None:
    caller = machine("analyst")
    assert caller.get("/definitions").status_code == 200

    with desk.database.transaction() as session:
        agent = by_email(session, "analyst@desk.localhost")
        assert agent is not None
        agent.roles = []

    assert caller.get("/definitions").status_code == 403


def test_a_person_gets_no_token_for_what_he_may_not_do(machine: Machines) -> None:
    with pytest.raises(tokens.Forbidden):
        machine("operator", "definitions:activate")


def test_a_revoked_a_late_and_a_leavers_token_are_refused(machine: Machines, desk: Desk, clock: FixedClock) -> None:
    revoked, late, left = machine("admin"), machine("admin"), machine("analyst")
    with desk.database.transaction() as session:
        rows = session.scalars(select(ApiToken).order_by(ApiToken.id)).all()
        tokens.revoke(session, rows[0].id)
        rows[1].expires_at = clock.at + timedelta(hours=1)
        session.get_one(Agent, rows[2].agent_id).active = False
    assert late.get("/definitions").status_code == 200

    clock.set(clock.at + timedelta(hours=2))

    assert [each.get("/definitions").status_code for each in (revoked, late, left)] == [401, 401, 401]


def test_the_secret_is_kept_as_a_hash_only(machine: Machines, desk: Desk) -> None:
    caller = machine("admin")

    with desk.database.reading() as session:
        token = session.scalars(select(ApiToken)).one()
        assert caller.secret not in {token.hash, token.name}
        assert len(token.hash) == 64


def test_a_problem_speaks_the_language_that_was_asked_for(machine: Machines) -> None:
    caller = machine("admin")

    english = caller.get("/definitions/999")
    caller.headers["Accept-Language"] = "ru"
    russian = caller.get("/definitions/999")

    assert english.json == {
        "type": "urn:bpmdesk:problem:not-found",
        "title": "There is no such thing",
        "status": 404,
        "detail": "Expected the definition 999 to exist, but it does not",
    }
    assert russian.json is not None
    assert russian.json["title"] == "Такого нет"


def test_unknown_addresses_and_methods_are_problems_too(machine: Machines) -> None:
    caller = machine("admin")

    assert caller.get("/nothing").mimetype == "application/problem+json"
    assert caller.call("PATCH", "/definitions").json["status"] == 405  # type: ignore[index]


def test_what_does_not_fit_is_named_by_field(machine: Machines) -> None:
    caller = machine("admin")

    unknown = caller.post("/instances", {"key": "ticket_lifecycle", "colour": "red"})
    broken = caller.call("POST", "/instances", data="{", content_type="application/json")
    query = caller.get("/instances", limit=9999)

    assert [each["field"] for each in unknown.json["errors"]] == ["colour"]  # type: ignore[index]
    assert (unknown.status_code, broken.status_code, query.status_code) == (422, 422, 422)
