"""Compensation: what was completed is undone, the last first, with the variables of that moment, each once."""

from __future__ import annotations

import pytest

from engine.errors import DeploymentRefused
from tests.engine.drawings import (
    boundary,
    chain,
    drawing,
    end,
    event,
    flows,
    gateway,
    node,
    script,
    service,
    start,
    subprocess,
    throw,
    user,
)
from tests.engine.twins import Twins

ALL = "<bpmn:compensateEventDefinition/>"


def one(activity: str) -> str:
    return f'<bpmn:compensateEventDefinition activityRef="{activity}"/>'


def undone(activity: str, handler: str = "") -> str:
    """The compensation event on an activity, its line, and the handler `undo_<activity>`."""
    event_ = node("boundaryEvent", f"c_{activity}", ALL, attachedToRef=activity)
    line = f'<bpmn:association id="line_{activity}" sourceRef="c_{activity}" targetRef="undo_{activity}"/>'
    return event_ + line + (handler or service_handler(f"undo_{activity}"))


def service_handler(id: str, connector: str = "test.note") -> str:
    return service(id, connector).replace("<bpmn:serviceTask ", '<bpmn:serviceTask isForCompensation="true" ')


def booked(*more: str) -> str:
    """Two bookings, each remembering its number, and a decision."""
    return "".join(
        [
            start(),
            script("count", "n = 1"),
            service("hotel", "test.note"),
            undone("hotel"),
            script("count2", "n = 2"),
            service("train", "test.note"),
            undone("train"),
            script("count3", "n = 3"),
            user("decide", "go"),
            *more,
            chain("start", "count", "hotel", "count2", "train", "count3", "decide"),
        ]
    )


def undoing(twins: Twins) -> list[tuple[str, int]]:
    return [(element, variables["n"]) for element, variables in twins.calls if element.startswith("undo_")]


def test_everything_is_undone_backwards_with_the_variables_of_its_completion() -> None:
    twins = Twins(drawing(booked(throw("undo", ALL), user("after", "ok"), end(), chain("decide", "undo", "after"))))
    assert twins.waits == ["decide"], "the events of compensation do not wait"

    twins.complete("decide")

    assert undoing(twins) == [("undo_train", 2), ("undo_hotel", 1)]
    assert twins.waits == ["after"]
    assert twins.data("after")["n"] == 3
    assert {"undo entered", "undo_train completed", "undo_hotel completed", "undo completed"} <= set(twins.trace)


def test_one_activity_is_undone_by_its_id_and_only_once() -> None:
    twins = Twins(
        drawing(
            booked(
                throw("first", one("hotel")),
                throw("second", one("hotel")),
                end("rest", ALL),
                chain("decide", "first", "second", "rest"),
            )
        )
    )

    twins.complete("decide")

    assert undoing(twins) == [("undo_hotel", 1), ("undo_train", 2)]
    assert twins.completed
    assert twins.trace[-2:] == ["undo_train completed", "rest completed"]


def test_what_was_not_completed_is_not_undone() -> None:
    content = drawing(
        start(),
        gateway("choice", default="choice_hotel"),
        service("hotel", "test.note"),
        undone("hotel"),
        service("train", "test.note"),
        undone("train"),
        end("undo", ALL),
        chain("start", "choice", "hotel", "undo"),
        flows("choice>train: n == 7", "train>undo"),
    )
    twins = Twins(content, n=0)

    assert twins.called == ["hotel", "undo_hotel"]
    assert twins.completed


def test_every_lap_of_a_loop_is_undone() -> None:
    content = drawing(
        start(),
        service("hotel", "test.note"),
        undone("hotel"),
        user("again", "go"),
        gateway("choice", default="choice_undo"),
        end("undo", ALL),
        chain("start", "hotel", "again", "choice", "undo"),
        flows("choice>hotel: action == 'again'"),
    )
    twins = Twins(content, n=0)
    for lap in range(1, 4):
        twins.complete("again", action="again", n=lap)

    twins.complete("again", action="done")

    assert undoing(twins) == [("undo_hotel", 3), ("undo_hotel", 2), ("undo_hotel", 1), ("undo_hotel", 0)]


def test_what_was_done_inside_a_completed_sub_process_is_undone_from_outside() -> None:
    inside = subprocess(
        "trip",
        start("s"),
        service("hotel", "test.note"),
        undone("hotel"),
        service("train", "test.note"),
        undone("train"),
        end("e"),
        chain("s", "hotel", "train", "e"),
    )
    content = drawing(
        start(),
        service("visa", "test.note"),
        undone("visa"),
        inside,
        user("decide", "go"),
        end("undo", ALL),
        chain("start", "visa", "trip", "decide", "undo"),
    )
    twins = Twins(content, n=1)

    twins.complete("decide")

    assert [element for element, _ in undoing(twins)] == ["undo_train", "undo_hotel", "undo_visa"]
    assert twins.completed


def test_sub_process_with_a_handler_of_its_own_is_undone_by_it_alone() -> None:
    inside = subprocess(
        "trip", start("s"), service("hotel", "test.note"), undone("hotel"), end("e"), chain("s", "hotel", "e")
    )
    content = drawing(
        start(),
        service("visa", "test.note"),
        undone("visa"),
        inside,
        undone("trip"),
        user("decide", "go"),
        end("undo", ALL),
        chain("start", "visa", "trip", "decide", "undo"),
    )
    twins = Twins(content, n=1)

    twins.complete("decide")

    assert [element for element, _ in undoing(twins)] == ["undo_trip", "undo_visa"]


def test_handler_may_be_work_of_people_and_a_sub_process() -> None:
    work = node("userTask", "undo_hotel", extension='<desk:action id="ok" label="Ok"/>', isForCompensation="true")
    parts = start("us") + user("call", "ok") + service("refund", "test.note") + end("ue")
    sub = node("subProcess", "undo_train", parts + chain("us", "call", "refund", "ue"), isForCompensation="true")
    content = drawing(
        start(),
        service("hotel", "test.note"),
        undone("hotel", work),
        service("train", "test.note"),
        undone("train", sub),
        user("decide", "go"),
        throw("undo", ALL),
        user("after", "ok"),
        end(),
        chain("start", "hotel", "train", "decide", "undo", "after", "end"),
    )
    twins = Twins(content)

    twins.complete("decide")
    assert twins.waits == ["call"]
    twins.complete("call")
    assert twins.waits == ["undo_hotel"]
    twins.complete("undo_hotel")

    assert twins.waits == ["after"]
    assert twins.called == ["hotel", "train", "refund"]


def test_handler_of_an_error_undoes_the_scope_it_watches_over() -> None:
    handler = node(
        "subProcess",
        "h",
        node("startEvent", "on_h", event("error", "refused"))
        + throw("undo", ALL)
        + user("told", "ok")
        + end("end_h")
        + chain("on_h", "undo", "told", "end_h"),
        triggeredByEvent="true",
    )
    inside = subprocess(
        "trip",
        start("s"),
        service("hotel", "test.note"),
        undone("hotel"),
        service("train", "test.refuse"),
        undone("train"),
        end("e"),
        chain("s", "hotel", "train", "e"),
        handler,
    )
    twins = Twins(drawing(start(), inside, end(), chain("start", "trip", "end")), n=4)

    assert undoing(twins) == [("undo_hotel", 4)]
    assert twins.waits == ["told"]
    twins.complete("told")
    assert twins.completed


def test_error_of_a_handler_is_caught_around_the_compensation() -> None:
    inside = subprocess(
        "trip",
        start("s"),
        service("hotel", "test.note"),
        undone("hotel", service_handler("undo_hotel", "test.refuse")),
        end("undo", ALL),
        chain("s", "hotel", "undo"),
    )
    content = drawing(
        start(),
        inside,
        boundary("failed", "trip", event("error", "refused")),
        user("mend", "ok"),
        end(),
        end("e2"),
        chain("start", "trip", "end"),
        chain("failed", "mend", "e2"),
    )

    assert Twins(content).waits == ["mend"]


def test_compensation_of_nothing_goes_on() -> None:
    twins = Twins(
        drawing(start(), throw("undo", ALL), user("after", "ok"), end(), chain("start", "undo", "after", "end"))
    )

    assert twins.waits == ["after"]


def test_activity_without_a_handler_cannot_be_named() -> None:
    content = drawing(
        start(), service("hotel", "test.note"), end("undo", one("hotel")), chain("start", "hotel", "undo")
    )

    with pytest.raises(DeploymentRefused, match="hotel"):
        Twins(content)


def test_sub_process_is_undone_by_its_id_however_deep_its_activities_lie() -> None:
    inner = subprocess(
        "inner", start("s2"), service("hotel", "test.note"), undone("hotel"), end("e2"), chain("s2", "hotel", "e2")
    )
    outer = subprocess(
        "trip",
        start("s"),
        inner,
        service("train", "test.note"),
        undone("train"),
        end("e"),
        chain("s", "inner", "train", "e"),
    )
    content = drawing(
        start(),
        service("visa", "test.note"),
        undone("visa"),
        outer,
        throw("undo", one("trip")),
        user("after", "ok"),
        end(),
        chain("start", "visa", "trip", "undo", "after", "end"),
    )
    twins = Twins(content, n=1)

    assert [element for element, _ in undoing(twins)] == ["undo_train", "undo_hotel"]
    assert twins.waits == ["after"]


def test_sub_process_that_was_interrupted_is_not_undone_from_outside() -> None:
    inside = subprocess(
        "trip",
        start("s"),
        service("hotel", "test.note"),
        undone("hotel"),
        user("wait", "go"),
        end("e"),
        chain("s", "hotel", "wait", "e"),
    )
    content = drawing(
        start(),
        inside,
        boundary("stop", "trip", event("signal", "stop")),
        end("undo", ALL),
        end(),
        chain("start", "trip", "end"),
        chain("stop", "undo"),
    )
    twins = Twins(content, n=1)

    twins.deliver("stop")

    assert twins.called == ["hotel"]
    assert twins.completed
