"""Gateways where tokens meet: parallel and inclusive joins, in loops too."""

from __future__ import annotations

import pytest

from engine.bpmn import state
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
    timer,
    user,
)
from tests.engine.walk import Begin, Walk, program

LAPS = drawing(
    start(),
    gateway("again"),
    gateway("fork", "parallel"),
    user("a"),
    user("b"),
    gateway("join", "parallel"),
    gateway("more", default="more_end"),
    end(),
    chain("start", "again", "fork", "a", "join", "more", "end"),
    chain("fork", "b", "join"),
    flows("more>again: more"),
)


def test_join_fires_anew_in_every_lap(begin: Begin) -> None:
    walk = begin(LAPS)

    for _ in range(3):
        walk.press("a", more=True)
        assert walk.tasks == ["b"]
        walk.press("b", more=True)
        assert walk.tasks == ["a", "b"]
    walk.press("b", more=False).press("a", more=False)

    assert walk.done
    assert walk.trace.count("entered join") == walk.trace.count("completed join") == 4


def test_waiting_token_is_no_entering_of_the_join(begin: Begin) -> None:
    walk = begin(LAPS).press("a")

    assert not [line for line in walk.trace if line.endswith(" join")]


SURPLUS = drawing(
    start(),
    gateway("fork", "parallel"),
    user("a"),
    user("b"),
    user("c"),
    gateway("merge"),
    gateway("join", "parallel"),
    user("after"),
    end(),
    chain("start", "fork", "a", "merge", "join", "after", "end"),
    chain("fork", "b", "merge"),
    chain("fork", "c", "join"),
)


def test_surplus_token_stays_for_the_next_firing(begin: Begin) -> None:
    walk = begin(SURPLUS).press("b", who="b").press("a", who="a")

    walk.press("c", c=1)

    assert walk.tasks == ["after"]
    assert walk.data("after")["who"] == "a"


def test_surplus_token_that_nothing_can_free_is_told(begin: Begin) -> None:
    walk = begin(SURPLUS).press("a").press("b")
    assert walk.stuck() == []

    walk.press("c")

    (found,) = walk.stuck()
    assert (found.process_key, found.element_id, found.missing) == ("p", "join", ("c_join",))


def test_three_branches_in_any_order_make_one_token(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("b"),
            user("c"),
            gateway("join", "parallel"),
            user("after"),
            end(),
            chain("start", "fork", "a", "join", "after", "end"),
            chain("fork", "b", "join"),
            chain("fork", "c", "join"),
        )
    )

    walk.press("c").press("a").press("b")

    assert walk.tasks == ["after"]


def test_join_that_also_splits_sends_one_token_each_way(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("b"),
            gateway("both", "parallel"),
            user("x"),
            user("y"),
            end(),
            end("e2"),
            chain("start", "fork", "a", "both", "x", "end"),
            chain("fork", "b", "both", "y", "e2"),
        )
    )

    walk.press("a").press("b")

    assert walk.tasks == ["x", "y"]


def _inclusive(*more: str) -> bytes:
    return drawing(
        start(),
        user("first"),
        gateway("some", "inclusive", default="some_c"),
        user("a"),
        user("b"),
        user("c"),
        gateway("meet", "inclusive"),
        user("after"),
        end(),
        chain("start", "first", "some"),
        flows("some>a: n >= 1", "some>b: n >= 2", "some>c", "a>meet", "b>meet", "c>meet", "meet>after", "after>end"),
        *more,
    )


@pytest.mark.parametrize(("n", "branches"), [(0, ["c"]), (1, ["a"]), (2, ["a", "b"])])
def test_inclusive_join_waits_for_the_branches_that_were_begun(begin: Begin, n: int, branches: list[str]) -> None:
    walk = begin(_inclusive()).press("first", n=n)
    assert walk.tasks == branches

    for branch in reversed(branches):
        assert "after" not in walk.tasks
        walk.press(branch)

    assert walk.tasks == ["after"]


def test_inclusive_join_does_not_wait_for_a_token_that_went_elsewhere(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("b"),
            gateway("where", default="where_meet"),
            gateway("meet", "inclusive"),
            user("after"),
            end(),
            end("gone"),
            chain("start", "fork", "a", "meet", "after", "end"),
            chain("fork", "b", "where", "meet"),
            flows("where>gone: leave"),
        )
    )
    walk.press("a")
    assert walk.tasks == ["b"]

    walk.press("b", leave=True)

    assert walk.tasks == ["after"]


def test_inclusive_join_sees_ways_through_boundary_events_and_loops(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("b"),
            boundary("late", "b", timer("PT1H")),
            user("back"),
            gateway("meet", "inclusive"),
            user("after"),
            end(),
            end("e2"),
            chain("start", "fork", "a", "meet", "after", "end"),
            chain("fork", "b", "e2"),
            chain("late", "back", "meet"),
        )
    )
    walk.press("a")
    assert walk.tasks == ["b"]

    walk.fire("late")
    assert walk.tasks == ["back"]
    walk.press("back")

    assert walk.tasks == ["after"]


def test_inclusive_join_is_free_as_soon_as_the_event_can_no_longer_happen(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("b"),
            boundary("late", "b", timer("PT1H")),
            gateway("meet", "inclusive"),
            user("after"),
            end(),
            end("e2"),
            chain("start", "fork", "a", "meet", "after", "end"),
            chain("fork", "b", "e2"),
            flows("late>meet"),
        )
    )

    walk.press("a").press("b")

    assert walk.tasks == ["after"]


def test_token_that_can_also_come_by_a_flow_that_has_one_is_not_awaited(begin: Begin) -> None:
    """Table 13.3: a path to an empty flow counts only where none leads to a flow that has a token."""
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("b"),
            gateway("merge"),
            gateway("where", default="where_merge"),
            gateway("meet", "inclusive"),
            user("after"),
            end(),
            chain("start", "fork", "a", "merge", "meet", "after", "end"),
            chain("fork", "b", "where", "merge"),
            flows("where>meet: straight"),
        )
    )

    walk.press("a")

    assert walk.tasks == ["after", "b"]


def test_inclusive_split_without_a_way_names_the_gateway(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            user("first"),
            gateway("some", "inclusive"),
            user("a"),
            user("b"),
            end(),
            chain("start", "first", "some"),
            flows("some>a: n == 1", "some>b: n == 2", "a>end", "b>end"),
        )
    )

    with pytest.raises(StepFailed, match="Some") as failure:
        walk.press("first", n=3)

    assert failure.value.element_id == "some"


def test_inclusive_join_in_a_loop(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("again"),
            gateway("some", "inclusive", default="some_a"),
            user("a"),
            user("b"),
            gateway("meet", "inclusive"),
            gateway("more", default="more_end"),
            end(),
            chain("start", "again", "some", "a", "meet", "more", "end"),
            flows("some>b: n > 1", "b>meet", "more>again: n > 0"),
        ),
        n=2,
    )
    assert walk.tasks == ["b"]

    walk.press("b", n=1)
    assert walk.tasks == ["a"]
    walk.press("a", n=0)

    assert walk.done


def test_two_thousand_laps_of_a_parallel_loop_leave_the_state_as_it_was() -> None:
    walk = Walk(program(LAPS), reloads=True)
    lengths, sizes = [], []

    for _ in range(2_000):
        walk.press("a", more=True).press("b", more=True)
        lengths.append(len(walk.machine.encoded()))
        sizes.append(walk.machine.size)
        walk.trace.clear()

    assert max(sizes) == min(sizes) <= 20
    assert max(lengths) <= min(lengths) + 40
    assert max(lengths) <= 2_000


def test_two_thousand_side_branches_leave_the_state_as_it_was() -> None:
    walk = Walk(
        program(
            drawing(
                start(),
                user("work"),
                boundary("nudge", "work", event("message", "nudge"), interrupting=False),
                script("count", "n = 1"),
                end("told"),
                chain("start", "work", "work"),
                chain("nudge", "count", "told"),
            )
        ),
        reloads=True,
    )
    lengths = []

    for _ in range(2_000):
        walk.fire("nudge").press("work")
        lengths.append(len(walk.machine.encoded()))
        walk.trace.clear()

    assert max(lengths[10:]) <= min(lengths[10:]) + 40


def test_states_of_this_release_have_their_own_version() -> None:
    assert Walk(program(LAPS), reloads=False).machine.encoded().startswith(state.HEADER)
