"""Where tokens part without a gateway, meet without one, and what becomes of their variables."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import StepFailed
from tests.engine.drawings import (
    boundary,
    chain,
    drawing,
    end,
    event,
    flows,
    gateway,
    script,
    start,
    subprocess,
    timer,
    user,
)
from tests.engine.walk import Begin


@pytest.mark.parametrize(
    ("variables", "following"),
    [({"n": 1}, ["b"]), ({"n": 2}, ["b", "c"]), ({"n": 0}, ["d"])],
)
def test_conditional_flows_out_of_a_task(begin: Begin, variables: dict[str, Any], following: list[str]) -> None:
    walk = begin(
        drawing(
            start(),
            user("a", default="a_d"),
            user("b"),
            user("c"),
            user("d"),
            end(),
            chain("start", "a"),
            flows("a>b: n >= 1", "a>c: n >= 2", "a>d", "b>end", "c>end", "d>end"),
        )
    )

    walk.press("a", **variables)

    assert walk.tasks == following
    assert {line.split()[1] for line in walk.trace} == {"start", "a", *following}


def test_conditional_flow_beside_a_plain_one_and_boundary_events(begin: Begin) -> None:
    drawn = drawing(
        start(),
        user("a"),
        boundary("late", "a", timer("PT1H")),
        user("b"),
        user("c"),
        user("l"),
        end(),
        chain("start", "a"),
        flows("a>b", "a>c: n > 1", "late>l", "b>end", "c>end", "l>end"),
    )

    assert begin(drawn).press("a", n=1).tasks == ["b"]
    assert begin(drawn).press("a", n=2).tasks == ["b", "c"]
    assert begin(drawn).fire("late").tasks == ["l"]


def test_conditional_flows_of_which_none_holds_name_the_task(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            user("a"),
            boundary("late", "a", timer("PT1H")),
            end(),
            end("e2"),
            chain("start", "a"),
            flows("a>end: n > 1", "late>e2"),
        )
    )

    with pytest.raises(StepFailed) as failure:
        walk.press("a", n=1)

    assert failure.value.element_id == "a"


def test_several_flows_out_of_an_event_part_the_tokens(begin: Begin) -> None:
    walk = begin(drawing(start(), user("a"), user("b"), end(), flows("start>a", "start>b", "a>end", "b>end")))

    assert walk.tasks == ["a", "b"]


def test_two_unjoined_tokens_make_two_tasks_of_one_activity(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            script("one", "who = 1"),
            script("two", "who = 2"),
            user("both"),
            boundary("late", "both", timer("PT1H"), interrupting=False),
            user("side"),
            user("after"),
            end(),
            end("e2"),
            chain("start", "fork", "one", "both", "after", "end"),
            chain("fork", "two", "both"),
            chain("late", "side", "e2"),
        )
    )
    assert walk.tasks == ["both", "both"]
    assert [data["who"] for data in walk.all_data("both")] == [2, 2]

    walk.press_where("both", "who", 2)
    assert walk.tasks == ["after", "both"]
    walk.fire("late").press("both").press("after").press("side").press("after")

    assert walk.done


def test_branch_without_an_end_event_ends_where_it_stops(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("which", default="which_a"),
            user("a"),
            end(),
            flows("start>which", "which>a", "which>end: n > 1"),
        ),
        n=1,
    )

    assert walk.press("a").done


def _parting(left: str, right: str, first: str = "x = 0") -> bytes:
    return drawing(
        start(),
        script("set", first),
        gateway("fork", "parallel"),
        user("wait_left"),
        script("left", left),
        user("wait_right"),
        script("right", right),
        gateway("join", "parallel"),
        user("after"),
        end(),
        chain("start", "set", "fork", "wait_left", "left", "join", "after", "end"),
        chain("fork", "wait_right", "right", "join"),
    )


@pytest.mark.parametrize("order", [("wait_left", "wait_right"), ("wait_right", "wait_left")])
def test_stale_copy_never_overwrites_a_change(begin: Begin, order: tuple[str, str]) -> None:
    walk = begin(_parting("x = 5", "y = 1"))

    walk.press(order[0]).press(order[1])

    assert (walk.data("after")["x"], walk.data("after")["y"]) == (5, 1)


@pytest.mark.parametrize(("order", "x"), [(("wait_left", "wait_right"), 2), (("wait_right", "wait_left"), 1)])
def test_of_two_changes_the_one_that_came_later_wins(begin: Begin, order: tuple[str, str], x: int) -> None:
    walk = begin(_parting("x = 1", "x = 2"))

    walk.press(order[0]).press(order[1])

    assert walk.data("after")["x"] == x


def test_lists_are_taken_whole(begin: Begin) -> None:
    walk = begin(_parting("x = [1, 2, 3]", "y = [3, 1]", first="x = [1]\ny = [1, 2]"))

    walk.press("wait_right").press("wait_left")

    assert walk.data("after")["x"] == [1, 2, 3]
    assert walk.data("after")["y"] == [3, 1]


def test_value_set_before_an_inner_split_is_no_change_of_each_inner_branch(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("outer", "parallel"),
            script("set", "x = 1"),
            gateway("inner", "parallel"),
            user("a"),
            user("b"),
            user("c"),
            gateway("join", "parallel"),
            user("after"),
            end(),
            chain("start", "outer", "set", "inner", "a", "join", "after", "end"),
            chain("inner", "b", "join"),
            chain("outer", "c", "join"),
        )
    )

    walk.press("a", x=5).press("c").press("b")

    assert walk.data("after")["x"] == 5


def test_what_side_branches_changed_is_known_at_the_end_of_their_scope(begin: Begin) -> None:
    inner = subprocess(
        "sub",
        start("s"),
        user("work"),
        boundary("nudge", "work", event("message", "nudge"), interrupting=False),
        script("count", "nudges = nudges + 1"),
        end("told"),
        end("e"),
        chain("s", "work", "e"),
        chain("nudge", "count", "told"),
    )
    walk = begin(drawing(start(), inner, user("after"), end(), chain("start", "sub", "after", "end")), nudges=0)

    walk.fire("nudge").fire("nudge").press("work", done=True)

    assert (walk.data("after")["nudges"], walk.data("after")["done"]) == (2, True)


def test_later_change_of_the_main_branch_stands_against_an_ended_side_branch(begin: Begin) -> None:
    inner = subprocess(
        "sub",
        start("s"),
        user("work"),
        boundary("nudge", "work", event("message", "nudge"), interrupting=False),
        script("set", "x = 1\nside = True"),
        end("told"),
        end("e"),
        chain("s", "work", "e"),
        chain("nudge", "set", "told"),
    )
    walk = begin(drawing(start(), inner, user("after"), end(), chain("start", "sub", "after", "end")), x=0)

    walk.fire("nudge").press("work", x=2)

    assert walk.data("after") == {"x": 2, "side": True}
