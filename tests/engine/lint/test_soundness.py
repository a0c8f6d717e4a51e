"""The verdict on where tokens go: no false alarm on sound drawings, no missed deadlock or doubling on unsound ones."""

from __future__ import annotations

import pytest

from engine.bpmn import xml
from engine.bpmn.lint import check_files, tokens
from engine.bpmn.lint.drawing import draw
from tests.engine.lint.blocks import sound, unsound
from tests.engine.lint.fragments import CHOICE
from tests.engine.lint.sketch import boundary, drawing, end, gateway, script, task, timer

VERDICTS = {"join-waits-forever", "branches-not-joined", "tokens-multiply"}


def verdicts(content: bytes) -> set[tuple[str, str | None]]:
    problems = check_files({"a.bpmn": content}, connectors=None, statuses=None, forms=None)
    return {(problem.rule, problem.element_id) for problem in problems if problem.rule in VERDICTS}


@pytest.mark.parametrize("seed", range(40))
def test_sound_blocks_raise_no_alarm(seed: int) -> None:
    assert verdicts(sound(seed)) == set()


def test_wrong_join_is_found() -> None:
    wrong = [made for seed in range(40) if (made := unsound(seed)) is not None]

    found = [((rule, join), verdicts(content)) for content, join, rule in wrong]

    assert len(wrong) > 30
    assert all(told for _, told in found)
    assert sum(expected in told for expected, told in found) > 0.8 * len(wrong)


def test_choice_that_dooms_a_join_is_named() -> None:
    content = drawing(
        gateway("exclusive", "early", 'default="early_a"')
        + gateway("exclusive", "m")
        + gateway("parallel", "f")
        + gateway("exclusive", "late", 'default="late_j"')
        + task(id="a")
        + script(id="b")
        + gateway("parallel", "j"),
        "start > early > a > m > f; early > m [x == 1]; f > late > j; late > end [x == 2]; f > b > j; j > end",
    )

    problems = check_files({"a.bpmn": content}, connectors=None, statuses=None, forms=None)

    (found,) = [problem for problem in problems if problem.rule == "join-waits-forever"]
    assert found.element_id == "j"
    assert "“Шлюз late”" in found.message("en")


def test_join_that_needs_an_event_which_may_not_happen_waits_forever() -> None:
    content = drawing(
        task() + boundary(timer("PT1H"), cancels=False) + gateway("parallel", "j"),
        "start > work > j; edge > j; j > end",
    )

    assert verdicts(content) == {("join-waits-forever", "j")}


def test_interrupting_event_may_take_the_place_of_the_task() -> None:
    content = drawing(
        task() + boundary(timer("PT1H")) + gateway("exclusive", "m") + script(),
        "start > work > m; edge > m > set > end",
    )

    assert verdicts(content) == set()


def test_terminating_end_leaves_nothing_waiting() -> None:
    content = drawing(
        gateway("parallel", "f")
        + CHOICE.replace("g_end", "g_j")
        + task()
        + gateway("parallel", "j")
        + end("stop", "<terminateEventDefinition/>"),
        "start > f > g > j; g > stop [x == 1]; f > work > j; j > end",
    )

    assert verdicts(content) == set()


def test_inclusive_join_waits_only_for_what_can_still_come() -> None:
    content = drawing(
        gateway("inclusive", "f", 'default="f_a"')
        + script(id="a")
        + task(id="b")
        + gateway("inclusive", "j")
        + script(id="c"),
        "start > f > a > j; f > b [x == 1]; b > j; j > c > end",
    )

    assert verdicts(content) == set()


def test_exploration_says_when_it_did_not_see_all() -> None:
    rows = "".join(f"f > w{n} > j;" for n in range(14))
    many = "".join(task(id=f"w{n}") + boundary(timer("PT1H"), id=f"e{n}", on=f"w{n}") for n in range(14))
    content = drawing(
        gateway("parallel", "f") + gateway("parallel", "j") + many + end("late"),
        f"start > f; {rows} j > end;" + "".join(f"e{n} > late;" for n in range(14)),
    )

    (scope,) = draw(xml.read(content, "a.bpmn")).scopes

    assert not tokens.explore(scope).complete
