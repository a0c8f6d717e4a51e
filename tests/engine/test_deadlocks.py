"""Joins that nothing can set free are told, and are incidents of their instance."""

from __future__ import annotations

from engine.models import Incident
from tests.engine.conftest import Driver
from tests.engine.drawings import (
    TERMINATE,
    call,
    chain,
    drawing,
    end,
    flows,
    gateway,
    start,
    subprocess,
    user,
)
from tests.engine.walk import Begin

DEADLOCK = drawing(
    start(),
    user("choose"),
    gateway("which", default="which_a"),
    user("a"),
    user("b"),
    gateway("join", "parallel"),
    end(),
    chain("start", "choose", "which", "a", "join", "end"),
    flows("which>b: n > 1", "b>join"),
)


def test_join_that_only_one_branch_reaches_is_stuck(begin: Begin) -> None:
    walk = begin(DEADLOCK).press("choose", n=1)
    assert walk.stuck() == []

    walk.press("a")

    assert [(each.element_id, each.missing) for each in walk.stuck()] == [("join", ("b_join",))]


def test_two_joins_that_wait_for_each_other_are_both_stuck(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("b"),
            gateway("one", "parallel"),
            gateway("two", "parallel"),
            end(),
            chain("start", "fork", "a", "one", "two", "end"),
            chain("fork", "b", "two"),
            flows("two>one"),
        )
    )

    walk.press("a").press("b")

    assert [each.element_id for each in walk.stuck()] == ["one", "two"]


def test_join_that_waits_for_another_join_which_may_fire_is_not_stuck(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("b"),
            user("c"),
            gateway("one", "parallel"),
            gateway("two", "parallel"),
            end(),
            chain("start", "fork", "a", "one", "two", "end"),
            chain("fork", "b", "one"),
            chain("fork", "c", "two"),
        )
    )

    walk.press("c").press("a")

    assert walk.stuck() == []
    assert walk.press("b").done


def test_way_through_the_join_itself_sets_nothing_free(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("a2"),
            gateway("merge"),
            gateway("join", "parallel"),
            gateway("more", default="more_end"),
            user("b"),
            end(),
            chain("start", "fork", "a", "merge", "join", "more", "end"),
            chain("fork", "a2", "merge"),
            flows("more>b: again", "b>join"),
        )
    )

    walk.press("a")

    assert walk.tasks == ["a2"]
    assert [(each.element_id, each.missing) for each in walk.stuck()] == [("join", ("b_join",))]


def test_inclusive_join_may_wait_for_a_token_at_a_join_that_can_fire(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a"),
            user("b"),
            user("c"),
            gateway("where", default="where_both"),
            gateway("merge"),
            gateway("both", "parallel"),
            gateway("meet", "inclusive"),
            user("after"),
            end(),
            chain("start", "fork", "a", "merge", "meet", "after", "end"),
            chain("fork", "b", "both", "meet"),
            chain("fork", "c", "where", "both"),
            flows("where>merge: straight"),
        )
    )

    walk.press("a").press("b")
    assert (walk.tasks, walk.stuck()) == (["c"], [])

    assert walk.press("c", straight=False).tasks == ["after"]


def test_stuck_join_inside_a_called_process_is_told_with_its_process(begin: Begin) -> None:
    inner = DEADLOCK.replace(b'<bpmn:process id="p"', b'<bpmn:process id="q"')
    walk = begin(drawing(start(), call("call", "q"), end(), chain("start", "call", "end")), inner)

    walk.press("choose", n=1).press("a")

    assert [(each.process_key, each.element_id) for each in walk.stuck()] == [("q", "join")]


def test_stuck_join_is_an_incident_until_a_person_moves_the_token(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("choose", "go"),
            gateway("which", default="which_a"),
            user("a", "go_a"),
            user("b", "go_b"),
            gateway("join", "parallel"),
            end(),
            chain("start", "choose", "which", "a", "join", "end"),
            flows("which>b: n > 1", "b>join"),
        )
    )
    driver.press(instance, "go", n=1)

    driver.press(instance, "go_a")

    (incident,) = driver.incidents()
    assert (driver.state(instance), incident.element_id) == ("active", "join")
    assert incident.message.endswith(" by b_join")
    assert incident.details["ru"]


def test_instance_with_a_stuck_join_in_a_sub_process_goes_on_beside_it(driver: Driver) -> None:
    inner = (
        start("s"),
        gateway("which", default="which_a"),
        user("a", "go_a"),
        user("x"),
        gateway("j", "parallel"),
        end("e"),
        chain("s", "which", "a", "j", "e"),
        flows("which>x: n > 1", "x>j"),
    )
    instance = driver.run(
        drawing(
            start(),
            gateway("fork", "parallel"),
            subprocess("sub", *inner),
            user("b", "go_b"),
            end("stop", TERMINATE),
            end(),
            chain("start", "fork", "sub", "end"),
            chain("fork", "b", "stop"),
        ),
        n=1,
    )

    driver.press(instance, "go_a")
    assert [each.element_id for each in driver.incidents()] == ["j"]
    driver.press(instance, "go_b")

    assert driver.state(instance) == "completed"
    assert driver.incidents() == []
    assert {row.state for row in driver.all(Incident, instance)} == {"resolved"}
