"""What is wrong with a scenario is found without running it: names that no diagram knows."""

from __future__ import annotations

from typing import Any

import pytest

from services.scenarios import checking
from tests.services.scenarios.told import as_file, scenario
from webui import builtin


def found(told: dict[str, Any], files: dict[str, bytes] | None = None) -> list[tuple[str, str]]:
    problems = checking.check({**(builtin.files() if files is None else files), "proba.json": as_file(told)})
    return [(problem.rule, problem.message_en) for problem in problems]


@pytest.mark.parametrize(
    ("told", "rule", "said"),
    [
        (
            scenario({"press": "tke"}),
            "scenario-action",
            "step 1: Expected a known button, but there is no tke, similar is take",
        ),
        (
            scenario({"press": "Классифицировать", "form": {"servise": "x"}}),
            "scenario-field",
            "step 1: Expected a known field of the form, but there is no servise, similar is service",
        ),
        (
            scenario({"wait": "PT1H"}, {"expect": {"path": ["Взять в роботу"]}}),
            "scenario-element",
            "step 2: Expected a known element, but there is no Взять в роботу, similar is Взять в работу",
        ),
        (
            scenario(expect={"status": "solved"}),
            "scenario-status",
            "at the end: Expected a known status, but there is no solved, similar is resolved",
        ),
        (
            scenario(expect={"actions": ["Отменить"]}),
            "scenario-action",
            "at the end: Expected a known button, but there is no Отменить",
        ),
        (
            scenario(process="ticket_lifecicle"),
            "scenario-process",
            "Expected a known process, but there is no ticket_lifecicle, similar is ticket_lifecycle",
        ),
        (
            scenario({"wait": "PT1H"}, process="create_request_from_line", given={"begins": "line"}),
            "scenario-begin",
            "Expected the first step client_writes, because it begins by client_writes",
        ),
    ],
)
def test_an_unknown_name_is_found_with_its_step_and_what_is_like_it(told: dict[str, Any], rule: str, said: str) -> None:
    assert found(told) == [(rule, said)]


def test_elements_of_called_processes_are_known() -> None:
    told = scenario(expect={"path": ["Поднять приоритет"], "timers": {"breach_reaction": None}})

    assert found(told) == []


def test_elements_of_processes_that_it_never_reaches_are_not() -> None:
    told = scenario(process="escalation", expect={"tasks": ["Взять в работу"]})

    assert [rule for rule, _ in found(told)] == ["scenario-element"]


def test_nothing_is_unknown_while_a_called_process_is_not_at_hand() -> None:
    files = {name: content for name, content in builtin.files().items() if name == "create_request_manually.bpmn"}
    told = scenario({"creates": {}}, {"press": "take"}, process="create_request_manually", given={"begins": "card"})

    assert found(told, files) == []


def test_a_broken_file_is_a_finding_among_others() -> None:
    problems = checking.check({**builtin.files(), "a.json": b"{", "b.json": as_file(scenario({"press": "x"}))})

    assert [(problem.file, problem.rule) for problem in problems] == [
        ("a.json", "scenario-format"),
        ("b.json", "scenario-action"),
    ]
