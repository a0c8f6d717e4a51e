"""Business rule tasks: which table they ask, what they leave behind, how a changed table becomes a version."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import select

from engine import repository
from engine.errors import ExpressionError
from engine.models import History, ProcessDefinition
from tests.engine.conftest import Driver
from tests.engine.drawings import chain, drawing, end, node, start, user
from tests.engine.test_dmn import decision, file, table


def asking(result: str = "", *, before: bool = False) -> bytes:
    extension = "<spiffworkflow:calledDecisionId>route</spiffworkflow:calledDecisionId>"
    extension += f'<desk:result variable="{result}"/>' if result else ""
    ask = node("businessRuleTask", "ask", extension=extension)
    way = ["start", "first", "ask", "work", "end"] if before else ["start", "ask", "work", "end"]
    first = user("first", "go") if before else ""
    return drawing(start(), first, ask, user("work", "done"), end(), chain(*way))


def pressed(driver: Driver, instance: int) -> int:
    driver.press(instance, "go")
    return instance


ROUTE = file(decision(table('< 5 | "one" ; 1', '>= 5 | "many" ; 2', outputs="group norm")))


def deploy(driver: Driver, files: Mapping[str, bytes]) -> None:
    with driver.database.transaction() as session:
        for definition in repository.store(session, files, author="agent:1").definitions:
            repository.activate(session, definition, by="agent:1")


def versions(driver: Driver) -> list[tuple[int, str]]:
    with driver.database.reading() as session:
        found = session.scalars(select(ProcessDefinition).order_by(ProcessDefinition.version))
        return [(each.version, each.state) for each in found]


def test_outputs_become_variables(driver: Driver) -> None:
    deploy(driver, {"p.bpmn": asking(), "route.dmn": ROUTE})

    instance = driver.start(n=7)

    assert driver.data(instance) == {"n": 7, "group": "many", "norm": 2}


def test_all_outputs_may_become_one_variable(driver: Driver) -> None:
    deploy(driver, {"p.bpmn": asking("route"), "route.dmn": ROUTE})

    instance = driver.start(n=1)

    assert driver.data(instance) == {"n": 1, "route": {"group": "one", "norm": 1}}


def test_the_history_names_the_rules_that_held(driver: Driver) -> None:
    deploy(driver, {"p.bpmn": asking(), "route.dmn": ROUTE})

    instance = driver.start(n=7)

    with driver.database.reading() as session:
        step = session.scalars(select(History).where(History.instance_id == instance)).one()
        assert step.data["decided"] == [["ask", "route", [2]]]


def test_a_table_that_is_not_there_stops_the_instance(driver: Driver) -> None:
    deploy(driver, {"p.bpmn": asking()})

    with pytest.raises(ExpressionError, match="decision route"):
        driver.start(n=7)


def test_a_version_keeps_its_table(driver: Driver) -> None:
    deploy(driver, {"p.bpmn": asking(before=True), "route.dmn": ROUTE})
    begun = driver.start(n=7)
    changed = file(decision(table('- | "other" ; 9', outputs="group norm")))

    deploy(driver, {"route.dmn": changed})

    assert versions(driver) == [(1, "retired"), (2, "active")]
    assert driver.data(pressed(driver, driver.start(n=7)))["group"] == "other"
    assert driver.data(pressed(driver, begun))["group"] == "many"


def test_the_same_table_again_makes_no_version(driver: Driver) -> None:
    deploy(driver, {"p.bpmn": asking(), "route.dmn": ROUTE})

    deploy(driver, {"route.dmn": ROUTE})
    deploy(driver, {"p.bpmn": asking()})

    assert versions(driver) == [(1, "active")]
