"""Coverage: what was visited, how often, and which nodes and flows never."""

from __future__ import annotations

from typing import Any

from engine.models import ElementLog
from services.scenarios.coverage import Visits, report, visits
from tests.engine import drawings as draw
from tests.services.scenarios.told import drawn, scenario, tell


def visited(drawing: bytes, *steps: dict[str, Any]) -> Visits:
    result = tell(scenario(*steps, process="p", given={"begins": "alone"}), drawn(drawing))
    assert result.passed, result.differences
    return result.visits["p"]


PARALLEL = draw.drawing(
    draw.start(),
    draw.gateway("split", "parallel"),
    draw.user("left", "l"),
    draw.user("right", "r"),
    draw.gateway("join", "parallel"),
    draw.end(),
    draw.chain("start", "split", "left", "join", "end"),
    draw.chain("split", "right", "join"),
)


def test_a_join_is_reached_over_every_branch_though_they_arrive_in_different_steps() -> None:
    seen = visited(PARALLEL, {"press": "l"}, {"press": "r"})

    assert {flow: seen.flows[flow] for flow in ("split_left", "split_right", "left_join", "right_join")} == {
        "split_left": 1,
        "split_right": 1,
        "left_join": 1,
        "right_join": 1,
    }


LOOP = draw.drawing(
    draw.start(),
    draw.gateway("again"),
    draw.user("ask", "more", "enough"),
    draw.gateway("which", default="which_end"),
    draw.end(),
    draw.chain("start", "again", "ask", "which"),
    draw.flows("which>end", 'which>again: action == "more"'),
)


def test_rounds_of_a_loop_are_counted() -> None:
    seen = visited(LOOP, {"press": "more"}, {"press": "more"}, {"press": "enough"})

    assert (seen.nodes["ask"], seen.flows["which_again"], seen.flows["start_again"]) == (3, 2, 1)


TWO_WAYS = draw.drawing(
    draw.start(),
    draw.gateway("split", "parallel"),
    draw.script("a", "x = 1"),
    draw.script("b", "y = 1"),
    draw.script("c", "z = 1"),
    draw.end(),
    draw.chain("start", "split", "a", "c", "end"),
    draw.chain("split", "b", "c"),
)


def test_two_tokens_that_meet_without_a_join_came_over_two_flows() -> None:
    seen = visited(TWO_WAYS)

    assert (seen.nodes["c"], seen.flows["a_c"], seen.flows["b_c"]) == (2, 1, 1)


def test_each_token_takes_a_flow_of_its_own() -> None:
    index = {
        "nodes": {name: {"id": name, "type": "task"} for name in "abc"},
        "flows": {"a_c": {"source": "a", "target": "c"}, "b_c": {"source": "b", "target": "c"}},
    }
    happened = [("a", "completed"), ("b", "completed"), ("c", "entered"), ("c", "entered"), ("c", "entered")]
    rows = [ElementLog(n=1, process_key="p", element_id=element, name="", event=event) for element, event in happened]

    seen = visits(rows, index)

    assert (seen.nodes["c"], dict(seen.flows)) == (3, {"a_c": 1, "b_c": 1})


def test_the_report_names_what_was_not_visited_and_rounds_down() -> None:
    index = {
        "nodes": {"a": {"id": "a", "name": "Начало"}, "b": {"id": "b", "name": ""}, "c": {"id": "c", "name": "Конец"}},
        "flows": {
            "a_b": {"name": "", "source": "a", "target": "b"},
            "b_c": {"name": "да", "source": "b", "target": "c"},
        },
    }
    seen = Visits()
    seen.nodes.update(a=2, b=1)
    seen.flows.update(a_b=1)

    assert report(seen, index) == {
        "nodes": 66,
        "flows": 50,
        "unvisited": [{"id": "c", "name": "Конец"}, {"id": "b_c", "name": "b → Конец (да)"}],
        "visited": {"a": 2, "b": 1, "c": 0, "a_b": 1, "b_c": 0},
    }
