"""Every case of the suite, in memory and reloaded after each step; and the judge itself can tell right from wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.cases import CASES
from tests.conformance.judge import judge
from tests.conformance.order import allows, parse


@pytest.mark.parametrize("name", CASES)
def test_engine_does_what_the_standard_says(name: str) -> None:
    verdict = judge(CASES[name])

    assert verdict.is_met, f"expected {verdict.case.expected}\ngot {verdict.got}"


def test_suite_is_as_large_as_promised() -> None:
    patterns = {int(number) for case in CASES.values() for number in case.patterns}

    assert len(CASES) >= 150
    assert patterns >= set(range(1, 21))


@pytest.mark.parametrize(
    ("text", "events", "is_allowed"),
    [
        ("a b", "a b", True),
        ("a b", "b a", False),
        ("a b", "a", False),
        ("a", "a a", False),
        ("{a b, c} d", "a c b d", True),
        ("{a b, c} d", "b a c d", False),
        ("{a b, c} d", "a b d c", False),
        ("{a, {b, !c}}", "!c a b", True),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_order_allows_what_is_written_and_nothing_else(text: str, events: str, is_allowed: bool) -> None:
    assert allows(parse(text), events.split()) is is_allowed


@pytest.mark.parametrize(
    ("line", "part"),
    [("trace", "x"), ("waits", ("b",)), ("is_end", True)],
)
def test_judge_sees_a_wrong_expectation(line: str, part: object) -> None:
    case = CASES["tasks/a user task waits for its person"]
    wrong = replace(case.story[0], **{line: part})

    verdict = judge(replace(case, story=(wrong, *case.story[1:])))

    assert (verdict.in_memory, verdict.reloaded) == ("failed", "failed")
