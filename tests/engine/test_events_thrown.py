"""Signals, messages, escalations and errors that a process throws: who hears them, and who goes on."""

from __future__ import annotations

import pytest

from engine.errors import BpmnError
from tests.engine.drawings import (
    boundary,
    call,
    catch,
    chain,
    drawing,
    end,
    event,
    gateway,
    node,
    service,
    start,
    subprocess,
    throw,
    timer,
    user,
)
from tests.engine.twins import Twins


def test_signal_end_event_is_heard_in_the_same_instance_and_outside() -> None:
    content = drawing(
        start(),
        gateway("split", "parallel"),
        user("work", "done"),
        end("tell", event("signal", "moved")),
        catch("hear", event("signal", "moved")),
        end("e2"),
        chain("start", "split", "work", "tell"),
        chain("split", "hear", "e2"),
    )
    twins = Twins(content)

    twins.complete("work")

    assert twins.completed
    assert twins.thrown == [("signal", "moved")]
    assert "hear completed" in twins.trace


def test_signal_reaches_every_node_that_waits_for_it_but_none_that_comes_later() -> None:
    content = drawing(
        start(),
        gateway("split", "parallel"),
        catch("one", event("signal", "moved")),
        catch("two", event("signal", "moved")),
        throw("tell", event("signal", "moved")),
        catch("late", event("signal", "moved")),
        end("e1"),
        end("e2"),
        end("e3"),
        user("first", "go"),
        chain("start", "split", "one", "e1"),
        chain("split", "two", "e2"),
        chain("split", "first", "tell", "late", "e3"),
    )
    twins = Twins(content)

    twins.complete("first")

    assert twins.waits == ["late"]


@pytest.mark.parametrize("kind", ["message", "signal", "escalation"])
def test_interrupting_event_ends_the_sub_process_that_throws(kind: str) -> None:
    """The thrower's token goes no further."""
    inside = subprocess(
        "sub",
        start("s"),
        throw("say", event(kind, "x")),
        user("work", "done", status="never"),
        end("e"),
        chain("s", "say", "work", "e"),
    )
    content = drawing(
        start(),
        inside,
        boundary("heard", "sub", event(kind, "x")),
        user("after", "ok"),
        user("instead", "ok"),
        end(),
        end("e2"),
        chain("start", "sub", "after", "end"),
        chain("heard", "instead", "e2"),
    )
    twins = Twins(content)

    assert twins.waits == ["instead"]
    assert {"say completed", "heard fired", "sub cancelled"} <= set(twins.trace)
    assert "work entered" not in twins.trace
    twins.complete("instead")
    assert twins.completed


@pytest.mark.parametrize("kind", ["signal", "escalation"])
def test_end_event_that_throws_to_its_own_sub_process_ends_it(kind: str) -> None:
    inside = subprocess("sub", start("s"), end("say", event(kind, "x")), chain("s", "say"))
    content = drawing(
        start(),
        inside,
        boundary("heard", "sub", event(kind, "x")),
        user("after", "ok"),
        user("instead", "ok"),
        end(),
        end("e2"),
        chain("start", "sub", "after", "end"),
        chain("heard", "instead", "e2"),
    )

    assert Twins(content).waits == ["instead"]


@pytest.mark.parametrize("kind", ["signal", "escalation"])
def test_other_branch_of_the_sub_process_ends_with_it(kind: str) -> None:
    inside = subprocess(
        "sub",
        start("s"),
        gateway("split", "parallel"),
        user("work", "go"),
        throw("say", event(kind, "x")),
        user("other", "go"),
        end("e"),
        end("e0"),
        chain("s", "split", "work", "say", "e"),
        chain("split", "other", "e0"),
    )
    content = drawing(
        start(),
        inside,
        boundary("heard", "sub", event(kind, "x")),
        end(),
        end("e2"),
        chain("start", "sub", "end"),
        chain("heard", "e2"),
    )
    twins = Twins(content)

    twins.complete("work")

    assert twins.completed
    assert "other cancelled" in twins.trace


def escalating(*catchers: str) -> bytes:
    """An inner sub-process that escalates `late`, within an outer one; the catchers are boundary events."""
    inner = subprocess(
        "inner",
        start("s2"),
        throw("say", event("escalation", "late")),
        user("work", "done"),
        end("e2"),
        chain("s2", "say", "work", "e2"),
    )
    near = "".join(each for each in catchers if 'attachedToRef="inner"' in each)
    far = "".join(each for each in catchers if 'attachedToRef="outer"' in each)
    sides = [id for id in ("near", "near_all", "far") if f'id="{id}"' in near + far]
    inside = [user(f"by_{id}", "ok") + end(f"end_{id}") + chain(id, f"by_{id}", f"end_{id}") for id in sides]
    inner_sides = "".join(part for id, part in zip(sides, inside, strict=True) if id != "far")
    outer_sides = "".join(part for id, part in zip(sides, inside, strict=True) if id == "far")
    outer = subprocess("outer", start("s1"), inner, near, inner_sides, end("e1"), chain("s1", "inner", "e1"))
    return drawing(start(), outer, far, outer_sides, end(), chain("start", "outer", "end"))


def caught(id: str, on: str, code: str | None = "late", *, interrupting: bool = True) -> str:
    definition = event("escalation", code) if code else "<bpmn:escalationEventDefinition/>"
    return boundary(id, on, definition, interrupting=interrupting)


@pytest.mark.parametrize(
    ("catchers", "waits"),
    [
        ([caught("near", "inner"), caught("far", "outer")], ["by_near"]),
        ([caught("far", "outer")], ["by_far"]),
        ([caught("near", "inner", "other"), caught("far", "outer")], ["by_far"]),
        ([caught("near_all", "inner", None), caught("far", "outer")], ["by_near_all"]),
        ([caught("near", "inner"), caught("near_all", "inner", None)], ["by_near"]),
        ([caught("near", "inner", interrupting=False), caught("far", "outer")], ["by_near", "work"]),
        ([caught("far", "outer", interrupting=False)], ["by_far", "work"]),
    ],
)
def test_escalation_goes_to_the_nearest_event_that_catches_its_code(catchers: list[str], waits: list[str]) -> None:
    twins = Twins(escalating(*catchers))

    assert [id for id in twins.waits if id in ("work", "by_near", "by_near_all", "by_far")] == waits
    assert twins.thrown == []


def test_escalation_nobody_catches_is_told_and_the_thrower_goes_on() -> None:
    twins = Twins(escalating())

    assert twins.waits == ["work"]
    assert twins.thrown == [("escalation", "late")]


@pytest.mark.parametrize("interrupting", [True, False])
def test_escalation_leaves_a_called_process(interrupting: bool) -> None:
    called = drawing(
        start(),
        throw("say", event("escalation", "late")),
        user("work", "done"),
        end(),
        chain("start", "say", "work", "end"),
        key="q",
    )
    twins = Twins(
        drawing(
            start(),
            call("call", "q"),
            boundary("late", "call", event("escalation", "late"), interrupting=interrupting),
            user("boss", "ok"),
            end(),
            end("e2"),
            chain("start", "call", "end"),
            chain("late", "boss", "e2"),
        ),
        called,
    )

    assert sorted(twins.waits) == (["boss"] if interrupting else ["boss", "work"])


@pytest.mark.parametrize(
    ("near", "far", "waits"),
    [("no", "no", ["by_near"]), ("other", "no", ["by_far"]), (None, "no", ["by_near"]), ("other", None, ["by_far"])],
)
def test_error_goes_to_the_nearest_event_that_catches_its_code(
    near: str | None, far: str | None, waits: list[str]
) -> None:
    def definition(code: str | None) -> str:
        return event("error", code) if code else "<bpmn:errorEventDefinition/>"

    inner = subprocess("inner", start("s2"), end("fail", event("error", "no")), chain("s2", "fail"))
    outer = subprocess(
        "outer",
        start("s1"),
        inner,
        boundary("near", "inner", definition(near)),
        user("by_near", "ok"),
        end("e1"),
        end("e3"),
        chain("s1", "inner", "e1"),
        chain("near", "by_near", "e3"),
    )
    twins = Twins(
        drawing(
            start(),
            outer,
            boundary("far", "outer", definition(far)),
            user("by_far", "ok"),
            end(),
            end("e2"),
            chain("start", "outer", "end"),
            chain("far", "by_far", "e2"),
        )
    )

    assert twins.waits == waits
    assert twins.data(waits[0])["error_code"] == "no"


def test_error_nobody_catches_is_raised_at_its_node() -> None:
    inner = subprocess("inner", start("s2"), end("fail", event("error", "no")), chain("s2", "fail"))

    with pytest.raises(BpmnError, match="no"):
        Twins(drawing(start(), inner, end(), chain("start", "inner", "end")))


def test_event_on_a_sub_process_finds_what_was_set_inside() -> None:
    inside = subprocess("sub", start("s"), user("a", "go"), user("b", "go"), end("e"), chain("s", "a", "b", "e"))
    twins = Twins(
        drawing(
            start(),
            inside,
            boundary("stop", "sub", event("signal", "stop")),
            user("after", "ok"),
            end(),
            end("e2"),
            chain("start", "sub", "end"),
            chain("stop", "after", "e2"),
        ),
        n=1,
    )
    twins.complete("a", n=2, m=3)

    twins.deliver("stop", why="x")

    assert twins.data("after") == {"n": 2, "m": 3, "why": "x"}


def test_first_of_two_interrupting_events_wins() -> None:
    """One signal meets two events of the same task."""
    twins = Twins(
        drawing(
            start(),
            user("work", "done"),
            boundary("one", "work", event("signal", "stop")),
            boundary("two", "work", event("signal", "stop")),
            user("a", "ok"),
            user("b", "ok"),
            end(),
            chain("start", "work", "end"),
            chain("one", "a", "end"),
            chain("two", "b", "end"),
        )
    )

    twins.deliver("stop")

    assert twins.waits == ["a"]


@pytest.mark.parametrize("times", [1, 4])
def test_message_boundary_that_does_not_interrupt_hears_every_one(times: int) -> None:
    twins = Twins(
        drawing(
            start(),
            user("work", "done"),
            boundary("reply", "work", event("message", "replied"), interrupting=False),
            service("tell", "test.note"),
            end(),
            end("e2"),
            chain("start", "work", "end"),
            chain("reply", "tell", "e2"),
        )
    )

    for number in range(times):
        twins.deliver("replied", number=number)

    assert [variables["number"] for _, variables in twins.calls] == list(range(times))
    assert twins.waits == ["reply", "work"]


def test_two_timers_behind_a_gateway_and_the_first_one_wins() -> None:
    content = drawing(
        start(),
        gateway("first", "eventBased"),
        catch("soon", timer("PT1H")),
        catch("later", timer("PT2H")),
        user("a", "ok"),
        user("b", "ok"),
        end(),
        chain("start", "first", "soon", "a", "end"),
        chain("first", "later", "b", "end"),
    )
    twins = Twins(content)
    assert len(twins.due("first")) == 2

    twins.advance("PT3H")

    assert twins.waits == ["a"]


def test_timers_of_one_name_are_told_apart() -> None:
    content = drawing(
        start(),
        user("work", "done"),
        boundary("one", "work", timer("PT1H"), interrupting=False).replace('name="One"', 'name="Late"'),
        boundary("two", "work", timer("PT2H"), interrupting=False).replace('name="Two"', 'name="Late"'),
        service("tell", "test.note"),
        service("shout", "test.note"),
        end(),
        end("e1"),
        end("e2"),
        chain("start", "work", "end"),
        chain("one", "tell", "e1"),
        chain("two", "shout", "e2"),
    )
    twins = Twins(content)

    twins.advance("PT1H")
    assert twins.called == ["tell"]
    twins.advance("PT1H")

    assert twins.called == ["tell", "shout"]


def reminded(cycle: str) -> Twins:
    return Twins(
        drawing(
            start(),
            user("work", "done"),
            boundary("remind", "work", timer(cycle, "timeCycle"), interrupting=False),
            service("tell", "test.note"),
            end(),
            end("e2"),
            chain("start", "work", "end"),
            chain("remind", "tell", "e2"),
        )
    )


def test_bounded_cycle_fires_as_often_as_it_says() -> None:
    twins = reminded("R3/PT10M")

    twins.advance("PT2H")

    assert twins.called == ["tell"] * 3
    assert twins.waits == ["work"]


def test_missed_periods_collapse_into_one_firing_on_the_same_beat() -> None:
    twins = reminded("R/PT1H")

    twins.jump("PT5H30M")
    assert twins.called == ["tell"]
    twins.advance("PT29M")
    assert twins.called == ["tell"]
    twins.advance("PT1M")

    assert twins.called == ["tell", "tell"]


def test_missed_periods_of_a_bounded_cycle_count() -> None:
    twins = reminded("R3/PT10M")

    twins.jump("PT25M")
    assert twins.called == ["tell"]
    twins.advance("PT5M")
    twins.advance("PT5H")

    assert twins.called == ["tell", "tell"]


def test_instances_that_were_dropped_with_their_loop_hear_nothing() -> None:
    loop = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>2</bpmn:loopCardinality>"
        "</bpmn:multiInstanceLoopCharacteristics>"
    )
    twins = Twins(
        drawing(
            start(),
            node("receiveTask", "hear", loop, messageRef="message_m"),
            boundary("stop", "hear", event("signal", "stop")),
            throw("say", event("message", "m")),
            end(),
            end("e2"),
            chain("start", "hear", "end"),
            chain("stop", "say", "e2"),
        )
    )

    twins.deliver("stop")

    assert twins.completed
    assert twins.thrown == [("message", "m")]
