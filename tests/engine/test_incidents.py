"""An incident tells what was computed, with which values and where; a retry policy says how often before it opens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import incidents, retries
from engine.errors import BpmnError, Busy, ExpressionError, NotFound, Stale
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


@pytest.mark.parametrize("text", ["PT1S", "P7D", "PT1S P7D", " ".join(["PT1M"] * 10)])
def test_pauses_may_be_one_to_ten_of_a_second_to_a_week(text: str) -> None:
    assert retries.checked(text) == retries.policy({"backoff": text}).pauses
    assert len(retries.checked(text)) == len(text.split())


@pytest.mark.parametrize("text", [pytest.param("", id="nothing"), "PT0S", "P8D", "soon", "PT1M " * 11, "PT1M,PT2M"])
def test_pauses_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        retries.checked(text)


def test_a_pause_that_an_older_release_took_is_brought_within_the_limits() -> None:
    assert retries.policy({"retries": 2, "backoff": "P30D"}) == retries.Policy(2, (retries.LONGEST,))
    assert retries.policy({"backoff": ""}).pause(1) == timedelta(minutes=1)
    assert retries.policy({"backoff": "PT0S"}).pauses == (retries.SHORTEST,)
    assert len(retries.policy({"backoff": "PT1M " * 11}).pauses) == 10
    assert retries.policy({}) == retries.Policy(3, (timedelta(minutes=1),))
    assert retries.policy({"backoff": "PT1M PT2M"}).pause(0) == timedelta(minutes=1)


def in_the_click(driver: Driver, error: Exception, times: int = 1) -> int:
    """A person presses a button behind which a connector fails, and the host reports it."""
    driver.calls.failures["test.note"] = [error] * times
    instance = driver.run(
        drawing(
            start(),
            user("work", "done", "other"),
            service("tell", "test.note", text="=who"),
            user("after", "done"),
            end(),
            chain("start", "work", "tell", "after", "end"),
        ),
        who="anna@example.org",
    )
    for _ in range(times):
        press_in_vain(driver, instance, "done")
    return instance


def press_in_vain(driver: Driver, instance: int, action: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the connector raises
        driver.press(instance, action)
    incidents.report(driver.database, caught.value)  # type: ignore[arg-type]


def test_failure_in_a_persons_hands_is_noted_once_and_nothing_is_saved(driver: Driver) -> None:
    told: list[str] = []
    listeners().incident_opened.append(lambda _s, _i, incident: told.append(incident.message))

    instance = in_the_click(driver, RuntimeError("printer on fire"), times=3)

    [incident] = driver.incidents()
    assert (incident.element_id, incident.job_id, incident.details["kind"]) == ("tell", None, "move")
    assert incident.details["arguments"] == {"text": "•••"}
    assert (driver.open_tasks(instance), driver.moves(instance)) == (["work"], ["start"])
    assert told == ["RuntimeError: printer on fire"]


def test_note_is_resolved_when_the_task_is_done_after_all(driver: Driver) -> None:
    instance = in_the_click(driver, RuntimeError("printer on fire"))

    driver.press(instance, "done")

    assert driver.incidents() == []
    assert [row.resolved_by for row in driver.all(Incident, instance)] == ["agent:1"]
    assert driver.open_tasks(instance) == ["after"]


@pytest.mark.parametrize("refusal", [Stale(), Busy()])
def test_refusal_is_no_incident(driver: Driver, refusal: Exception) -> None:
    in_the_click(driver, refusal)

    assert driver.incidents() == []


def test_error_that_no_step_raised_is_no_incident(driver: Driver) -> None:
    assert incidents.report(driver.database, RuntimeError("elsewhere")) is None


def test_note_can_be_put_away_but_an_incident_of_a_job_cannot(driver: Driver) -> None:
    in_the_click(driver, RuntimeError("printer on fire"))
    [note] = driver.incidents()
    with driver.database.transaction() as session:
        incidents.close(session, note.id, "agent:9")
    assert driver.incidents() == []

    driver.calls.failures["test.answer"] = [RuntimeError("no")] * 3
    of_job = failed(driver, asked())
    with driver.database.transaction() as session, pytest.raises(NotFound):
        incidents.close(session, of_job.id, "agent:9")
