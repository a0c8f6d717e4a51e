"""The scenarios of the shipped processes: all of them pass, and together they visit every node and every flow."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.models import ProcessDefinition
from services import rehearsal
from services.rehearsal import Template
from services.scenarios import checking, operations
from services.scenarios.operations import Report
from webui import builtin


@pytest.fixture(scope="module")
def shipped() -> Template:
    with rehearsal.opened() as desk:
        desk.deploy(builtin.files())
        return desk.template()


@pytest.fixture(scope="module")
def report(shipped: Template) -> Report:
    return operations.run_all(builtin.scenarios(), shipped)


def test_every_scenario_of_the_shipped_processes_passes(report: Report) -> None:
    failed = {result.file: [each.said.en for each in result.differences] for result in report.results}

    assert len(failed) > 10
    assert {file: differences for file, differences in failed.items() if differences} == {}


def test_every_node_and_every_flow_of_the_shipped_processes_is_visited(report: Report, shipped: Template) -> None:
    with rehearsal.opened(reference=shipped) as desk, desk.look() as session:
        covered = {each.key: report.coverage(each) for each in session.scalars(select(ProcessDefinition))}

    assert {key: found["unvisited"] for key, found in covered.items()} == {key: [] for key in covered}
    assert {(found["nodes"], found["flows"]) for found in covered.values()} == {(100, 100)}


def test_the_shipped_scenarios_speak_only_of_what_is_drawn() -> None:
    found = checking.check({**builtin.files(), **builtin.scenarios()})

    assert [problem.message_en for problem in found] == []
