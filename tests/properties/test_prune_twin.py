"""Forgetting changes nothing: a pruned, stored and reloaded workflow walks beside an untouched twin, move by move."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.bpmn.extensions import processes, read_index
from engine.bpmn.machine import Machine, Wait
from engine.bpmn.program import Part, Program
from engine.bpmn.script_engine import Environment
from engine.bpmn.xml import read
from engine.errors import BpmnError
from tests.engine.drawings import (
    boundary,
    call,
    catch,
    chain,
    drawing,
    end,
    event,
    flows,
    gateway,
    script,
    service,
    start,
    subprocess,
    timer,
    user,
)

BEGIN = datetime(2026, 3, 16, 9, tzinfo=UTC)
WALKS = 64
LONGEST_WALK = 24

LIFECYCLE = drawing(
    start(),
    user("classify", "accept"),
    user("work", "pause", "resolve"),
    boundary("remind", "work", timer("PT1H"), interrupting=False),
    boundary("nag", "work", timer("R/PT2H", "timeCycle"), interrupting=False),
    boundary("breach", "work", timer("PT3H"), interrupting=False),
    boundary("reject", "work", event("signal", "reject")),
    service("note_remind", "note"),
    service("note_nag", "note"),
    call("escalate", "escalation"),
    gateway("pressed", default="pressed_resolved"),
    user("waiting", "resume"),
    boundary("wake", "waiting", timer("PT30M")),
    boundary("reply", "waiting", event("message", "replied")),
    user("resolved", "reopen"),
    boundary("close", "resolved", timer("P7D")),
    script("count", "laps = coalesce(laps, 0) + 1"),
    end("e1"),
    end("e2"),
    end("e3"),
    end("closed"),
    chain("start", "classify", "work", "pressed", "resolved", "count", "work"),
    flows("pressed>waiting: action == 'pause'", "waiting>work", "wake>work", "reply>work", "reject>resolved"),
    chain("remind", "note_remind", "e1"),
    chain("nag", "note_nag", "e2"),
    chain("breach", "escalate", "e3"),
    flows("close>closed"),
)
ESCALATION = drawing(
    start(),
    user("boss", "seen", "again"),
    gateway("choice", default="choice_end"),
    end(),
    chain("start", "boss", "choice", "end"),
    flows("choice>boss: action == 'again'"),
    key="escalation",
)
PARALLEL = drawing(
    start(),
    user("first", "go"),
    gateway("split", "parallel"),
    user("a", "done", "again"),
    gateway("a_choice", default="a_choice_join"),
    user("b", "done"),
    boundary("b_late", "b", timer("PT1H"), interrupting=False),
    user("b_side", "seen"),
    gateway("join", "parallel"),
    gateway("some", "inclusive", default="some_y"),
    user("x", "done"),
    user("y", "done"),
    gateway("meet", "inclusive"),
    user("last", "done"),
    end(),
    end("e2"),
    chain("start", "first", "split", "a", "a_choice", "join", "some", "y", "meet", "last", "end"),
    flows("split>b", "b>join", "a_choice>a: action == 'again'", "some>x: action == 'done'", "x>meet"),
    chain("b_late", "b_side", "e2"),
)
PHASES = drawing(
    start(),
    subprocess(
        "phase",
        start("s"),
        user("inner", "next", "again"),
        boundary("inner_late", "inner", timer("PT1H"), interrupting=False),
        user("side", "seen"),
        service("may_fail", "fail"),
        boundary("failed", "may_fail", event("error", "refused")),
        end("se1"),
        end("se2"),
        gateway("back", default="back_may_fail"),
        chain("s", "inner", "back", "may_fail", "se1"),
        flows("back>inner: action == 'again'", "failed>inner"),
        chain("inner_late", "side", "se2"),
    ),
    boundary("stop", "phase", event("signal", "stop")),
    boundary("hint", "phase", event("message", "hint"), interrupting=False),
    user("hinted", "seen"),
    gateway("first_of", "eventBased"),
    catch("answer", event("message", "answer")),
    catch("silence", timer("PT2H")),
    end("e2"),
    chain("start", "phase", "first_of", "answer", "phase"),
    chain("first_of", "silence", "phase"),
    chain("hint", "hinted", "e2"),
    flows("stop>first_of"),
)
_LOOP = (
    "<bpmn:multiInstanceLoopCharacteristics{}><bpmn:loopCardinality>3</bpmn:loopCardinality>"
    "</bpmn:multiInstanceLoopCharacteristics>"
)
MANY = drawing(
    start(),
    user("all", "done", inner=_LOOP.format("")),
    boundary("all_late", "all", timer("PT1H")),
    user("each", "done", inner=_LOOP.format(' isSequential="true"')),
    boundary("each_stop", "each", event("signal", "stop")),
    call("called", "escalation"),
    user("rest", "again"),
    chain("start", "all", "each", "called", "rest", "all"),
    flows("all_late>rest", "each_stop>rest"),
)

JOINS = drawing(
    start(),
    gateway("again"),
    gateway("fork", "parallel"),
    user("a", "done", "set"),
    boundary("nudge", "a", event("message", "nudge"), interrupting=False),
    script("note", "nudged = laps"),
    subprocess(
        "sub",
        start("s"),
        gateway("f", "parallel"),
        user("b", "done", "set"),
        user("c", "done"),
        gateway("j", "parallel"),
        end("e"),
        chain("s", "f", "b", "j", "e"),
        chain("f", "c", "j"),
    ),
    user("d", "done", "skip"),
    gateway("d_choice", default="d_choice_join"),
    gateway("join", "parallel"),
    gateway("some", "inclusive", default="some_x"),
    user("x", "done", "set"),
    user("y", "done"),
    gateway("meet", "inclusive"),
    user("more", "more", "stop"),
    gateway("stopped", default="stopped_again"),
    script("mark", "laps = laps + 1"),
    end("told"),
    end("skipped"),
    end("finished"),
    chain("start", "again", "fork", "a", "join", "some", "x", "meet", "more", "stopped", "again"),
    chain("fork", "sub", "mark", "join"),
    chain("fork", "d", "d_choice", "join"),
    chain("nudge", "note", "told"),
    flows("some>y: action == 'set'", "y>meet", "d_choice>skipped: action == 'skip' and laps > 2"),
    flows("stopped>finished: action == 'stop'"),
)

FEWEST_STEPS = {"lifecycle": 700, "parallel": 400, "phases": 900, "many": 900, "joins": 800}
"""A walk that ends early proves little; together the twins make some 4,000 moves."""
MOST_TASKS = {"lifecycle": 28, "parallel": 13, "phases": 35, "many": 16, "joins": 23}
"""The largest tree on these walks: what forgets less is seen here."""
DRAWINGS = {"lifecycle": LIFECYCLE, "parallel": PARALLEL, "phases": PHASES, "many": MANY, "joins": JOINS}


def program(content: bytes) -> Program:
    parts = [
        Part(key, key, file, read_index(processes(read(file, "test.bpmn"))[0]))
        for key, file in (("p", content), ("escalation", ESCALATION))
    ]
    return Program("p", parts)


class Walker:
    """One of the twins; the forgetful one is stored and loaded after every move."""

    def __init__(self, program: Program, *, forgetful: bool) -> None:
        self.program = program
        self.forgetful = forgetful
        self.now = BEGIN
        self.failures = 0
        self.machine = self._load(None)
        self.told = 0
        self.machine.begin({"laps": 0})
        self.settle()

    def _load(self, data: bytes | None) -> Machine:
        return Machine(self.program, Environment(self.now, dict, self._call), data, lambda happening: None)

    def _call(self, name: str, *_: Any) -> int:
        self.failures += name == "fail"
        if name == "fail" and self.failures % 2:
            raise BpmnError("refused")
        return self.failures

    def settle(self) -> None:
        self.machine.run()

    def look(self) -> dict[str, Any]:
        """Everything that can be seen from outside."""
        news = [(each.event, each.element_id) for each in self.machine.log[self.told :]]
        return {
            "done": self.machine.completed,
            "waits": [self._seen(wait) for wait in self.waits()],
            "news": sorted(news),
            "thrown": sorted(self.machine.environment.thrown),
            "stuck": sorted(each.element_id for each in self.machine.stuck()),
            "result": self.machine.result() if self.machine.completed else {},
        }

    def _seen(self, wait: Wait) -> tuple[Any, ...]:
        return wait.kind, wait.element_id, wait.name, wait.due, sorted(self.machine.data_of(wait.key).items())

    def waits(self) -> list[Wait]:
        return sorted(self.machine.waits(), key=lambda wait: repr(self._seen(wait)))

    def move(self, position: int, action: str) -> None:
        self.told = len(self.machine.log)
        if self.forgetful:
            self.machine = self._load(self.machine.encoded())
            self.told = 0
        wait = self.waits()[position]
        self.now = max(self.now, wait.due or self.now)
        self.machine.environment.now = self.now
        facts: Mapping[str, Any] = {"action": action}
        if wait.kind == "user":
            self.machine.complete(wait.key, facts)
        else:
            self.machine.fire(wait.key, facts if wait.kind == "signal" else None)
        self.settle()


@pytest.mark.parametrize("name", DRAWINGS)
def test_forgetful_twin_sees_the_same_world_after_every_move(name: str) -> None:
    built = program(DRAWINGS[name])
    chance = random.Random(f"twin {name}")  # noqa: S311 - a walk, not a secret
    steps = largest = 0

    for _ in range(WALKS):
        keeper, forgetter = Walker(built, forgetful=False), Walker(built, forgetful=True)
        for _ in range(LONGEST_WALK):
            assert forgetter.look() == keeper.look(), f"after {steps} steps"
            largest = max(largest, forgetter.machine.size)
            waits = keeper.waits()
            if not waits:
                break
            position = chance.randrange(len(waits))
            node = built.node(waits[position].process_key, waits[position].element_id)
            action = chance.choice([each["id"] for each in node.get("actions", ())] or [""])
            keeper.move(position, action)
            forgetter.move(position, action)
            steps += 1

    assert steps >= FEWEST_STEPS[name]
    assert largest == MOST_TASKS[name]


def test_five_hundred_laps_leave_the_tree_and_the_state_as_they_were() -> None:
    walker = Walker(program(LIFECYCLE), forgetful=True)
    walker.move(0, "accept")
    sizes, lengths = [], []

    for _ in range(500):
        for wanted, action in (("work", "pause"), ("waiting", "resume")):
            position = next(n for n, wait in enumerate(walker.waits()) if wait.element_id == wanted)
            walker.move(position, action)
        lengths.append(len(walker.machine.encoded()))
        sizes.append(walker.machine.size)

    assert max(sizes) == min(sizes) <= 60
    assert max(lengths) <= 2_000
    assert max(lengths[1:]) <= min(lengths) + 40
