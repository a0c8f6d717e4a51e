"""Scenarios of versions on a desk: run with a bundle, kept with the version, asked before it becomes active."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import due, repository, versions
from engine.errors import NotReady
from engine.models import Deployment, ProcessDefinition
from services.scenarios import operations
from services.scenarios.operations import run_all
from services.tickets.models import Ticket
from tests.desk import Desk
from tests.engine import drawings as draw
from tests.services.scenarios.told import as_file, scenario, shipped
from webui import builtin

ERRAND = draw.drawing(
    draw.start(),
    draw.user("ask", "yes", "no"),
    draw.gateway("which", default="which_end"),
    draw.user("agree", "ok"),
    draw.end(),
    draw.chain("start", "ask", "which", "end"),
    draw.flows('which>agree: action == "yes"', "agree>end"),
    key="errand",
    name="Errand",
)
CHANGED = ERRAND.replace(b'name="Errand"', b'name="Changed errand"')


def errand(*steps: dict[str, Any], **more: Any) -> bytes:
    return as_file(scenario(*steps, process="errand", given={"begins": "alone"}, **more))


PASSING = errand({"press": "no"}, expect={"ended": True})
FAILING = errand({"press": "no"}, expect={"ended": False})


def version(desk: Desk, number: int, key: str = "errand") -> ProcessDefinition:
    with desk.look() as session:
        wanted = select(ProcessDefinition).where(ProcessDefinition.key == key, ProcessDefinition.version == number)
        return session.scalars(wanted).one()


def deploy(desk: Desk, *, activate: bool = False, reason: str | None = None, **files: bytes) -> None:
    named = {name.replace("__", "."): content for name, content in files.items()}
    with desk.change() as session:
        repository.deploy(session, named, author="tests", activate=activate, override_reason=reason)


def run_queued(desk: Desk) -> None:
    source = due.sources()["scenarios"]
    with desk.change() as session:
        ids = source.claim(session, "tests", 100)
    source.execute(desk.database, ids)


def test_scenarios_of_a_bundle_are_queued_and_run_in_the_background(desk: Desk) -> None:
    deploy(desk, errand__bpmn=ERRAND, story__json=PASSING)
    queued = version(desk, 1).scenarios

    run_queued(desk)

    report = version(desk, 1).scenarios
    assert queued == {"state": "queued"}
    assert report is not None
    assert (report["passed"], report["failed"]) == (1, 0)
    assert (report["coverage"]["nodes"], report["coverage"]["flows"]) == (80, 60)
    assert report["coverage"]["visited"]["agree"] == 0
    assert [row["file"] for row in report["results"]] == ["story.json"]


def test_nothing_is_due_once_they_have_run(desk: Desk) -> None:
    deploy(desk, errand__bpmn=ERRAND, story__json=PASSING)
    run_queued(desk)

    with desk.look() as session:
        assert due.sources()["scenarios"].next_due(session) is None


def test_a_version_whose_scenario_fails_does_not_become_active(desk: Desk) -> None:
    with pytest.raises(NotReady):
        deploy(desk, activate=True, errand__bpmn=ERRAND, story__json=FAILING)


def test_it_does_with_a_reason_which_is_recorded(desk: Desk) -> None:
    deploy(desk, activate=True, reason="клиент ждёт до понедельника", errand__bpmn=ERRAND, story__json=FAILING)

    found = version(desk, 1)
    assert (found.state, found.override_reason) == ("active", "клиент ждёт до понедельника")
    assert found.scenarios is not None
    assert found.scenarios["failed"] == 1


def test_a_scenario_that_cannot_be_read_counts_as_failing(desk: Desk) -> None:
    with pytest.raises(NotReady):
        deploy(desk, activate=True, errand__bpmn=ERRAND, story__json=b"{")


def test_what_takes_too_long_to_wait_for_stays_queued_and_stands_in_the_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(desk, errand__bpmn=ERRAND, story__json=PASSING)
    monkeypatch.setattr(operations, "WAITED_SECONDS", 0.0)
    with desk.change() as session:
        draft = session.scalars(select(ProcessDefinition).where(ProcessDefinition.key == "errand")).one()
        operations.examine(session, draft)
        in_the_way = [obstacle.kind for obstacle in versions.obstacles(session, draft)]

    run_queued(desk)

    report = version(desk, 1).scenarios
    assert in_the_way == ["scenarios"]
    assert report is not None
    assert (report["passed"], report["failed"], report["complete"]) == (1, 0, True)


def test_a_changed_drawing_that_comes_alone_is_asked_what_the_version_before_it_was_asked(desk: Desk) -> None:
    deploy(desk, activate=True, errand__bpmn=ERRAND, story__json=PASSING)

    deploy(desk, activate=True, errand__bpmn=CHANGED)

    found = version(desk, 2)
    assert found.state == "active"
    assert found.scenarios is not None
    assert found.scenarios["passed"] == 1


def test_a_changed_scenario_makes_no_new_version_and_is_the_one_that_counts(desk: Desk) -> None:
    deploy(desk, activate=True, errand__bpmn=ERRAND, story__json=PASSING)

    with desk.change() as session:
        chosen = session.scalars(select(ProcessDefinition).where(ProcessDefinition.key == "errand")).one()
        problems = operations.save(session, chosen, "story.json", FAILING, author="agent:1")
    run_queued(desk)

    with desk.look() as session:
        versions = session.scalar(select(func.count()).where(ProcessDefinition.key == "errand"))
    report = version(desk, 1).scenarios
    assert (problems, versions) == ([], 1)
    assert report is not None
    assert report["failed"] == 1


def test_a_scenario_may_be_changed_back(desk: Desk) -> None:
    deploy(desk, activate=True, errand__bpmn=ERRAND, story__json=PASSING)
    for content in (FAILING, PASSING):
        desk.clock.advance(timedelta(minutes=1))
        with desk.change() as session:
            chosen = session.scalars(select(ProcessDefinition).where(ProcessDefinition.key == "errand")).one()
            operations.save(session, chosen, "story.json", content, author="agent:1")

    run_queued(desk)

    report = version(desk, 1).scenarios
    assert report is not None
    assert (report["passed"], report["failed"]) == (1, 0)


def test_a_scenario_with_a_mistake_is_not_stored(desk: Desk) -> None:
    deploy(desk, errand__bpmn=ERRAND, story__json=PASSING)
    with desk.look() as session:
        before = session.scalar(select(func.count()).select_from(Deployment))

    with desk.change() as session:
        chosen = session.scalars(select(ProcessDefinition).where(ProcessDefinition.key == "errand")).one()
        problems = operations.save(session, chosen, "story.json", errand({"press": "maybe"}), author="agent:1")

    with desk.look() as session:
        after = session.scalar(select(func.count()).select_from(Deployment))
    assert [problem.rule for problem in problems] == ["scenario-action"]
    assert before == after


def test_a_draft_is_rehearsed_with_the_active_versions_of_what_it_lacks(desk: Desk) -> None:
    changed = builtin.files()["ticket_lifecycle.bpmn"].replace("Взять в работу".encode(), "Взять себе".encode())
    story = as_file(scenario(expect={"tasks": ["Взять себе"]}))

    deploy(desk, ticket_lifecycle__bpmn=changed, story__json=story)
    run_queued(desk)

    report = version(desk, 2, "ticket_lifecycle").scenarios
    assert report is not None
    assert [row["differences"] for row in report["results"]] == [[]]


def test_running_scenarios_touches_no_ticket_of_the_desk(desk: Desk) -> None:
    with desk.change() as session:
        repository.deploy(session, {**builtin.files(), **builtin.scenarios()}, author="tests")

    run_queued(desk)

    with desk.look() as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 0
    report = version(desk, 1, "ticket_lifecycle").scenarios
    assert report is not None
    assert (report["failed"], report["coverage"]["unvisited"]) == (0, [])


def test_what_the_time_of_a_bundle_does_not_suffice_for_is_told_as_not_run() -> None:
    files = {f"{number}.json": as_file(scenario({"press": "take"})) for number in range(3)}

    report = run_all(files, shipped(), seconds=0.0)

    assert [each.differences[0].said.en for each in report.results] == [
        "not run: the time for all scenarios is used up"
    ] * 3


def test_a_drawing_that_came_alone_is_asked_the_scenarios_before_it_at_once(desk: Desk) -> None:
    deploy(desk, errand__bpmn=ERRAND, story__json=PASSING)

    deploy(desk, errand__bpmn=CHANGED)

    assert version(desk, 2).scenarios == {"state": "queued"}
    run_queued(desk)
    assert "results" in (version(desk, 2).scenarios or {})
