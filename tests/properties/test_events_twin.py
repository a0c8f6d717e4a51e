"""Forgetting changes nothing where events watch over scopes and where what was completed can be undone."""

from __future__ import annotations

import random

import pytest

from tests.engine.drawings import (
    boundary,
    catch,
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
    timer,
    user,
)
from tests.properties.test_prune_twin import Walker, program

WALKS = {"watched": 160, "undone": 40}
"""The first drawing ends soon."""
LONGEST_WALK = 30

_ALL = "<bpmn:compensateEventDefinition/>"


def _condition(text: str) -> str:
    return f"<bpmn:conditionalEventDefinition><bpmn:condition>{text}</bpmn:condition></bpmn:conditionalEventDefinition>"


def _link(name: str) -> str:
    return f'<bpmn:linkEventDefinition name="{name}"/>'


def _handler(id: str, definition: str, *inside: str, interrupting: bool = True) -> str:
    begin = node("startEvent", f"on_{id}", definition, isInterrupting=str(interrupting).lower())
    return node("subProcess", id, begin + "".join(inside) + end(f"end_{id}"), triggeredByEvent="true")


def _undone(activity: str) -> str:
    """An activity's compensation event, its line and its handler."""
    event_ = node("boundaryEvent", f"c_{activity}", _ALL, attachedToRef=activity)
    line = f'<bpmn:association id="line_{activity}" sourceRef="c_{activity}" targetRef="undo_{activity}"/>'
    handler = service(f"undo_{activity}", "note").replace(
        "<bpmn:serviceTask ", '<bpmn:serviceTask isForCompensation="true" '
    )
    return event_ + line + handler


WATCHED = drawing(
    start(),
    user("first", "go"),
    subprocess(
        "phase",
        start("s"),
        gateway("split", "parallel"),
        user("a", "done", "again"),
        gateway("more", default="more_e"),
        script("count", "n = coalesce(n, 0) + 1"),
        user("b", "done"),
        throw("call_help", event("escalation", "late")),
        end("e"),
        end("e0"),
        chain("s", "split", "a", "more", "e"),
        chain("split", "b", "call_help", "e0"),
        flows("more>count: action == 'again'", "count>a"),
        _handler(
            "told",
            event("message", "told"),
            user("read", "ok"),
            script("mark", "seen = coalesce(seen, 0) + 1"),
            chain("on_told", "read", "mark", "end_told"),
            interrupting=False,
        ),
        _handler(
            "nag",
            timer("R3/PT1H", "timeCycle"),
            service("shout", "note"),
            chain("on_nag", "shout", "end_nag"),
            interrupting=False,
        ),
        _handler("much", _condition("coalesce(n, 0) &gt; 2"), user("calm", "ok"), chain("on_much", "calm", "end_much")),
        _handler(
            "helped",
            event("escalation", "late"),
            user("boss", "ok"),
            chain("on_helped", "boss", "end_helped"),
            interrupting=False,
        ),
    ),
    boundary("stop", "phase", event("signal", "stop")),
    gateway("choice", default="choice_away"),
    throw("away", _link("back")),
    catch("here", _link("back")),
    user("rest", "again"),
    end(),
    chain("start", "first", "phase", "choice", "away"),
    flows("choice>end: coalesce(n, 0) > 5", "stop>rest", "rest>phase"),
    chain("here", "rest"),
    _handler("ended", event("signal", "close"), user("bye", "ok"), chain("on_ended", "bye", "end_ended")),
)
UNDONE = drawing(
    start(),
    script("begin", "n = 0"),
    user("again", "go", "undo", "one"),
    gateway("which", default="which_hotel"),
    service("hotel", "note"),
    _undone("hotel"),
    subprocess(
        "trip",
        start("s"),
        script("count", "n = n + 1"),
        service("train", "note"),
        _undone("train"),
        user("wait", "go"),
        service("may_fail", "fail"),
        end("e"),
        chain("s", "count", "train", "wait", "may_fail", "e"),
    ),
    boundary("failed", "trip", event("error", "refused")),
    throw("undo_all", _ALL),
    throw("undo_one", '<bpmn:compensateEventDefinition activityRef="hotel"/>'),
    user("calm", "go"),
    chain("start", "begin", "again", "which", "hotel", "trip", "again"),
    flows("which>undo_all: action == 'undo'", "which>undo_one: action == 'one'", "failed>undo_all"),
    chain("undo_all", "calm", "again"),
    flows("undo_one>calm"),
)
FEWEST_STEPS = {"watched": 600, "undone": 900}
DRAWINGS = {"watched": WATCHED, "undone": UNDONE}


@pytest.mark.parametrize("name", DRAWINGS)
def test_forgetful_twin_sees_the_same_world_after_every_move(name: str) -> None:
    built = program(DRAWINGS[name])
    chance = random.Random(f"events {name}")  # noqa: S311 - a walk, not a secret
    steps = 0

    for _ in range(WALKS[name]):
        keeper, forgetter = Walker(built, forgetful=False), Walker(built, forgetful=True)
        for _ in range(LONGEST_WALK):
            assert forgetter.look() == keeper.look(), f"after {steps} steps"
            waits = [wait for wait in keeper.waits() if wait.kind != "condition"]
            if not waits:
                break
            chosen = keeper.waits().index(chance.choice(waits))
            wait = keeper.waits()[chosen]
            node_ = built.node(wait.process_key, wait.element_id)
            action = chance.choice([each["id"] for each in node_.get("actions", ())] or [""])
            keeper.move(chosen, action)
            forgetter.move(chosen, action)
            steps += 1

    assert steps >= FEWEST_STEPS[name]


def test_undoing_in_every_lap_leaves_the_state_as_it_was() -> None:
    walker = Walker(program(UNDONE), forgetful=True)
    lengths = []

    for _ in range(40):
        for action in ("go", "go", "undo", "go"):
            place = next(n for n, wait in enumerate(walker.waits()) if wait.kind == "user")
            walker.move(place, action)
        lengths.append(len(walker.machine.encoded()))

    assert max(lengths) <= min(lengths) + 200
