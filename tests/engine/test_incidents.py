"""An incident tells what was computed, with which values and where; a retry policy says how often before it opens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import retries
from engine.errors import BpmnError, ExpressionError
from engine.listeners import listeners
from engine.models import Incident, Job
from engine.values import Namespace
from tests.engine.conftest import Driver
from tests.engine.drawings import chain, drawing, end, script, service, start, user

BACKGROUND = '<desk:job async="true" {}/>'


def asked(parameter: str = "1", job: str = "", **more: Any) -> bytes:
    return drawing(
        start(),
        service("ask", "test.answer", "found", extension=BACKGROUND.format(job), value=parameter, **more),
        user("work", "done"),
        end(),
        chain("start", "ask", "work", "end"),
    )


def failed(driver: Driver, drawn: bytes, **variables: Any) -> Incident:
    driver.run(drawn, **variables)
    driver.advance("P1D")
    [incident] = driver.incidents()
    return incident


def test_incident_tells_the_formula_and_the_values_it_saw_without_personal_data(driver: Driver) -> None:
    listeners().context.append(
        lambda _s, _i: {"ticket": Namespace("ticket", {"priority": lambda: 3, "client_phone": lambda: "12"})}
    )

    incident = failed(
        driver, asked("=limit + ticket.priority + email + ticket.client_phone"), limit="lots", email="anna@example.org"
    )

    assert incident.details["expression"] == "limit + ticket.priority + email + ticket.client_phone"
    assert incident.details["values"] == {
        "limit": "lots",
        "email": "•••",
        "ticket.priority": 3,
        "ticket.client_phone": "•••",
    }
    assert (incident.element_id, incident.details["connector"]) == ("ask", "test.answer")


def test_incident_tells_the_script_that_failed(driver: Driver) -> None:
    first = failed(
        driver,
        drawing(
            start(),
            service("ask", "test.answer", extension=BACKGROUND.format("")),
            script("sum", "n = n + 'x'"),
            end(),
            chain("start", "ask", "sum", "end"),
        ),
        n=1,
    )

    assert (first.element_id, first.details["expression"], first.details["values"]) == ("sum", "n = n + 'x'", {"n": 1})


def test_incident_tells_the_connector_and_its_arguments_redacted(driver: Driver) -> None:
    driver.calls.failures["test.answer"] = [RuntimeError("no route to anna@example.org")] * 3

    incident = failed(driver, asked("={'phone': '+7 916 123-45-67', 'room': 5}"))

    assert incident.details["arguments"] == {"value": {"phone": "•••", "room": 5}}


def test_stack_names_the_own_code_only_without_paths_and_values(driver: Driver) -> None:
    driver.calls.failures["test.answer"] = [RuntimeError("no route to anna@example.org")] * 3

    stack = failed(driver, asked()).details["stack"]

    assert stack[0] == "RuntimeError: no route to •••"
    assert any("engine.connectors:" in line for line in stack)
    assert not any("/" in line or "SpiffWorkflow" in line or "sqlalchemy" in line for line in stack)


@pytest.mark.parametrize(
    ("error", "attempts"),
    [(BpmnError("unknown-code"), 1), (ExpressionError("no such field"), 1), (RuntimeError("no route"), 3)],
)
def test_what_cannot_get_better_by_itself_is_an_incident_at_once(
    driver: Driver, error: Exception, attempts: int
) -> None:
    driver.calls.failures["test.answer"] = [error] * 3

    failed(driver, asked())

    assert len(driver.calls.made) == attempts


def test_pauses_follow_the_list_and_the_last_one_repeats(driver: Driver) -> None:
    driver.calls.failures["test.answer"] = [RuntimeError("no")] * 5
    instance = driver.run(asked(job='retries="5" backoff="PT10S PT1M PT10M"'))
    rests = []

    for _ in range(4):
        driver.work()
        [job] = driver.all(Job, instance)
        rests.append(job.due_at - driver.clock.at)
        driver.clock.set(job.due_at)
    driver.work()

    assert rests == [timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=10)]
    assert len(driver.incidents()) == 1


@pytest.mark.parametrize("text", ["", "PT0S", "P8D", "soon", "PT1M " * 11, "PT1M,PT2M"])
def test_pauses_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        retries.checked(text)


def test_a_pause_that_an_older_release_took_is_brought_within_the_limits() -> None:
    assert retries.policy({"retries": 2, "backoff": "P30D"}) == retries.Policy(2, (retries.LONGEST,))
    assert retries.policy({"backoff": ""}).pause(1) == timedelta(minutes=1)
