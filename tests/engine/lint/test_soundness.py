"""The verdict on where tokens go: no false alarm on sound drawings, no missed deadlock or doubling on unsound ones."""

from __future__ import annotations

import pytest

from engine.bpmn import xml
from engine.bpmn.lint import check_files, tokens
from engine.bpmn.lint.drawing import draw
from tests.engine.lint.blocks import sound, unsound
from tests.engine.lint.fragments import CHOICE, MESSAGE, ON_MESSAGE, catch, throw
from tests.engine.lint.sketch import END, boundary, drawing, end, file, flows, gateway, process, script, task, timer

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


def test_event_sub_process_is_followed_inside() -> None:
    begin = f'<startEvent id="in" name="Начало">{timer("PT1H")}</startEvent>'
    nodes = gateway("exclusive", "f", 'default="f_a"') + script(id="a") + script(id="b") + gateway("parallel", "j")
    inside = begin + nodes + end("out") + flows("in > f > a > j; f > b [x == 1]; b > j; j > out")
    handler = f'<subProcess id="watch" name="Часть" triggeredByEvent="true">{inside}</subProcess>'

    assert verdicts(drawing(task() + handler, "start > work > end")) == {("join-waits-forever", "j")}


def test_two_start_events_never_fill_one_join() -> None:
    starts = "".join(
        f'<startEvent id="{id}" name="{id}">{definition}</startEvent>'
        for id, definition in (("asked", ON_MESSAGE), ("timely", timer("=schedule.next('18:00')", "timeDate")))
    )
    body = starts + gateway("parallel", "j") + task() + END

    content = file(MESSAGE, process(body, "asked > j; timely > j; j > work > end"))

    assert verdicts(content) == {("join-waits-forever", "j")}


def test_link_is_as_good_as_a_flow() -> None:
    link = '<linkEventDefinition name="A"/>'
    content = drawing(task() + throw("jump", link) + catch("land", link), "start > work > jump; land > end")

    problems = check_files({"a.bpmn": content}, connectors=None, statuses=None, forms=None)

    assert [problem.rule for problem in problems] == []


def test_conditional_flows_of_a_task_do_not_fill_a_join_for_certain() -> None:
    content = drawing(
        task(attributes='default="work_j"') + script() + gateway("parallel", "j"),
        "start > work > j; work > set [x == 1]; set > j; j > end",
    )

    assert verdicts(content) == {("join-waits-forever", "j")}
