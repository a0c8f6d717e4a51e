"""Scenario files: what is wrong with one is said with the place, in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.scenarios import language, reading
from services.scenarios.reading import Unreadable
from tests.services.scenarios.told import as_file, scenario

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "scenario.schema.json"


def refused(content: bytes) -> list[str]:
    with pytest.raises(Unreadable) as error:
        reading.read(content, "proba.json")
    assert {problem.file for problem in error.value.problems} == {"proba.json"}
    return [problem.message_en for problem in error.value.problems]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "Expected JSON, but"),
        (b"\xff\xfe", "Expected JSON, but"),
        (b"[]", "scenario: Expected an object, but got list"),
        (b'"' + b"x" * reading.MOST_BYTES + b'"', "Expected a file of at most 256 KiB"),
    ],
)
def test_what_is_no_scenario_at_all_is_refused(content: bytes, said: str) -> None:
    assert said in refused(content)[0]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({}, "steps[1]: Expected exactly one kind of step"),
        ({"wait": "PT1H", "press": "take"}, "steps[1]: Expected exactly one kind of step"),
        ({"wait": "4h"}, "steps[1].wait: Expected a duration such as PT4H or P1DT30M, got '4h'"),
        ({"wait": "PT1H", "by": "operator"}, "steps[1]: Expected no by beside wait"),
        ({"press": 7}, "steps[1].press: Expected a text, but got 7"),
        ({"pres": "take"}, "steps[1].pres: Expected a known field, but there is none of this name"),
        ({"wait_until": "2026-03-17"}, "steps[1].wait_until: Expected an instant with a zone"),
        ({"expect": {"sla": {"reaction": "run"}}}, "steps[1].expect.sla.reaction.state: Expected one of 'none'"),
        ({"expect": {"ended": "yes"}}, "steps[1].expect.ended: Expected true or false, but got 'yes'"),
        ({"press": "take", "form": {"a": 1}}, "steps[1].form.a: Expected a text, but got 1"),
    ],
)
def test_a_wrong_step_is_named_by_its_number_and_field(step: dict[str, Any], said: str) -> None:
    assert any(each.startswith(said) for each in refused(as_file(scenario(step))))


def test_all_wrong_places_are_told_at_once_in_both_languages() -> None:
    told = scenario({"wait": "x"}, {"press": ""}, given={"begins": "somehow"})

    with pytest.raises(Unreadable) as error:
        reading.read(as_file(told), "proba.json")

    assert [problem.message_ru.partition(":")[0] for problem in error.value.problems] == [
        "given.begins",
        "steps[1].wait",
        "steps[2].press",
    ]
    assert "или" in error.value.problems[0].message_ru


def test_too_many_steps_are_refused() -> None:
    told = scenario(*[{"wait": "PT1M"}] * (language.MOST_STEPS + 1))

    assert refused(as_file(told)) == ["steps: Expected at most 200 entries, but there are more"]


def test_a_deeply_nested_file_is_refused_and_breaks_nothing() -> None:
    deep = b'{"scenario": ' + b"[" * 900 + b"]" * 900 + b', "process": "p", "steps": []}'

    assert refused(deep) == ["scenario: Expected a text, but got list"]


def test_a_client_may_be_given_by_name_and_a_clock_by_its_state() -> None:
    told = scenario({"expect": {"sla": {"reaction": "running"}}}, given={"client": "Павел"})

    read = reading.read(as_file(told), "proba.json")

    assert read.given.client.name == "Павел"
    assert read.steps[0].expect is not None
    assert read.steps[0].expect.sla is not None
    assert read.steps[0].expect.sla["reaction"].state == "running"


def test_the_documented_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text()) == language.schema()
