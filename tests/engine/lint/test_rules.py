"""Every rule finds its bad example, spares the good twin, and says in both languages what to do."""

from __future__ import annotations

import time

import pytest

from engine.bpmn.lint import check_files
from engine.bpmn.lint.catalogue import catalogue
from engine.connectors import Connector, Parameter
from engine.errors import Problem
from tests.engine.lint.examples import EXAMPLES, Files

STATUSES = ("new", "accepted")
BY_THE_COMMAND = {"file-unreadable", "file-unwritable"}
"""Found by reading paths; shown in test_command.py."""


def _connector(name: str, *parameters: Parameter) -> Connector:
    return Connector(name, lambda execution: None, parameters, "")


CONNECTORS = {
    "notify.line": _connector("notify.line"),
    "ticket.assign": _connector("ticket.assign", Parameter("strategy", "str", False, "service")),
    "sla.start": _connector("sla.start", Parameter("clock", "str", True, None)),
}


def check(files: Files) -> list[Problem]:
    return check_files(files, connectors=CONNECTORS, statuses=STATUSES, forms=("classify",), decision_ids=())


def test_every_rule_has_a_bad_example_and_a_good_twin() -> None:
    assert set(EXAMPLES) | BY_THE_COMMAND == set(catalogue())


@pytest.mark.parametrize("rule", sorted(EXAMPLES))
def test_bad_example_is_found(rule: str) -> None:
    found = [problem for problem in check(EXAMPLES[rule].bad) if problem.rule == rule]

    assert found
    assert {problem.severity for problem in found} == {catalogue()[rule].severity}
    assert all(problem.file in EXAMPLES[rule].bad for problem in found)


@pytest.mark.parametrize("rule", sorted(EXAMPLES))
def test_good_twin_is_free_of_it_and_of_errors(rule: str) -> None:
    problems = check(EXAMPLES[rule].good)

    assert rule not in {problem.rule for problem in problems}
    assert [problem for problem in problems if problem.severity == "error"] == []


@pytest.mark.parametrize("rule", sorted(EXAMPLES))
def test_sentence_is_whole_in_both_languages_and_shows_no_placeholder(rule: str) -> None:
    for problem in check(EXAMPLES[rule].bad):
        assert problem.message("ru") != problem.message("en")
        for text in (problem.message_ru, problem.message_en):
            assert text.rstrip()[-1] in ".)"
            assert text.count(".") >= 2 or ":" in text or "?" in text, "what is wrong and what to do"
        assert any("а" <= letter <= "я" for letter in problem.message_ru)


@pytest.mark.parametrize("rule", sorted(EXAMPLES))
def test_example_is_checked_in_less_than_two_seconds(rule: str) -> None:
    started = time.process_time()

    check(EXAMPLES[rule].bad)

    assert time.process_time() - started < 2


def test_finding_names_element_and_line() -> None:
    bad = EXAMPLES["untyped-task"].bad["a.bpmn"]

    (problem,) = [found for found in check({"a.bpmn": bad}) if found.rule == "untyped-task"]

    assert (problem.element_id, problem.element_name) == ("some", "Что-то")
    assert problem.line is not None
    assert "some" in bad.decode().splitlines()[problem.line - 1]


def test_finding_inside_an_element_names_the_element_and_the_inner_line() -> None:
    (problem,) = [p for p in check(EXAMPLES["timer-value"].bad) if p.rule == "timer-value"]

    assert problem.element_id == "edge"


def test_all_findings_come_at_once() -> None:
    names = ("untyped-task", "cancel-event", "user-task-action", "status-unknown")
    files = {f"{name}.bpmn": EXAMPLES[name].bad["a.bpmn"] for name in names}

    assert set(names) <= {problem.rule for problem in check(files)}


def test_missing_catalogue_leaves_its_rules_out() -> None:
    for rule in ("connector-unknown", "parameter-missing", "status-unknown", "form-unknown"):
        problems = check_files(EXAMPLES[rule].bad, connectors=None, statuses=None, forms=None)

        assert rule not in {problem.rule for problem in problems}


def test_form_of_the_same_bundle_is_known() -> None:
    files = {**EXAMPLES["form-unknown"].bad, "forms/missing.form.json": b'{"components": []}'}

    assert "form-unknown" not in {problem.rule for problem in check(files)}
