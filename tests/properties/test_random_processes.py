"""Random processes on random paths: a restart after each step changes nothing, and nothing ever stalls in silence."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine import listeners, repository
from engine.bpmn import parser
from engine.bpmn.machine import Machine, Wait
from engine.bpmn.program import Program
from engine.bpmn.script_engine import Environment
from engine.listeners import Listeners
from tests.conformance import host
from tests.conformance.in_memory import program
from tests.properties.random_processes import Block, drawn, kinds, processes

BEGIN = datetime(2026, 3, 16, 9, tzinfo=UTC)
PROCESSES = int(os.environ.get("STORM", "120"))
LONGEST_PATH = 16
MOST_TASKS = 4_000
"""In a tree; a walk that makes more tokens than this has shown enough."""


@dataclass
class Count:
    """What was tried and what was found; a run that tried nothing shows."""

    processes: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    ended: int = 0
    differences: int = 0
    other_turns: int = 0
    """Steps in which branches beside each other took turns in another order, which BPMN leaves open."""
    stalls: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        blocks = ", ".join(f"{kind} {number}" for kind, number in sorted(self.kinds.items()))
        return (
            f"{self.processes} processes, {self.steps} steps, {self.ended} ended, "
            f"{self.differences} differences, {self.other_turns} other turns, {self.stalls} silent stalls; "
            f"refused {dict(self.refused.most_common(8))}; blocks: {blocks}"
        )


class Walker:
    """A machine on its way; the forgetful one is stored, thrown away and read again before every move."""

    def __init__(self, content: bytes, *, forgetful: bool) -> None:
        self._files = {"p.bpmn": content}
        self._forgetful = forgetful
        self._program: Program = program(self._files)
        self.now = BEGIN
        self.facts = {"x": 0}
        self._told = 0
        self.machine = self._machine(None)
        self.machine.begin({"v": 0, "pair": [1, 2]})
        self.machine.run()

    def _machine(self, data: bytes | None) -> Machine:
        environment = Environment(self.now, lambda: {"fact": dict(self.facts)}, lambda *call: call[-1].get("value"))
        return Machine(self._program, environment, data, lambda happening: None)

    def look(self) -> dict[str, Any]:
        """Everything that can be seen from outside since the last move."""
        news = [(each.event, each.element_id) for each in self.machine.log[self._told :]]
        return {
            "done": self.machine.completed,
            "waits": [self._seen(wait) for wait in self.waits()],
            "news": sorted(news),
        }

    def passed(self) -> list[str]:
        """The nodes that the last move passed, in their order."""
        return [each.element_id for each in self.machine.log[self._told :] if each.event in ("completed", "fired")]

    def _seen(self, wait: Wait) -> tuple[Any, ...]:
        return wait.kind, wait.element_id, wait.name, wait.due, sorted(self.machine.data_of(wait.key).items())

    def waits(self) -> list[Wait]:
        waits = [] if self.machine.completed else self.machine.waits()
        return sorted(waits, key=lambda wait: repr(self._seen(wait)))

    def choices(self) -> list[int]:
        """Positions of the waits that look like no other: of two alike nobody could say which is which in the twin."""
        looks = [repr(self._seen(wait)) for wait in self.waits()]
        return [position for position, look in enumerate(looks) if looks.count(look) == 1]

    def move(self, position: int, value: int) -> None:
        """One thing that the instance waits for happens: a message or a signal to all that wait for it."""
        self._restart()
        wait = self.waits()[position]
        facts: Mapping[str, Any] = {"v": value}
        if wait.kind == "user":
            self.machine.complete(wait.key, {**facts, "action": "done"})
        elif wait.kind == "async":
            self.machine.execute(wait.key)
        elif wait.kind == "timer":
            self.now = self.machine.environment.now = max(self.now, wait.due or self.now)
            self.machine.fire(wait.key)
        elif wait.kind == "condition":
            self.facts["x"] = 0 if self.facts["x"] > 4 else 9
        else:
            self._fire_all(wait.kind, wait.name, facts)
        self.machine.run()

    def _restart(self) -> None:
        self._told = len(self.machine.log)
        if self._forgetful:
            data = self.machine.encoded()
            parser.compiled.cache_clear()
            self._program = program(self._files)
            self.machine = self._machine(data)
            self._told = 0

    def _fire_all(self, kind: str, name: str, facts: Mapping[str, Any]) -> None:
        for key in [wait.key for wait in self.waits() if (wait.kind, wait.name) == (kind, name)]:
            if any(wait.key == key for wait in self.machine.waits()):
                self.machine.fire(key, facts)


def walk(content: bytes, path: list[tuple[int, int]], count: Count) -> None:
    keeper, forgetter = Walker(content, forgetful=False), Walker(content, forgetful=True)
    for pick, value in [*path, (0, 0)]:
        before, after = keeper.look(), forgetter.look()
        count.differences += before != after
        count.other_turns += keeper.passed() != forgetter.passed()
        assert after == before, f"the twins differ after {count.steps} steps"
        is_over, choices = keeper.machine.completed, keeper.choices()
        count.stalls += not is_over and not keeper.waits()
        count.ended += is_over
        assert is_over or keeper.waits(), "nothing will ever move this instance"
        if not choices or keeper.machine.size > MOST_TASKS:
            return
        position = choices[pick % len(choices)]
        keeper.move(position, value)
        forgetter.move(position, value)
        count.steps += 1


@pytest.fixture(scope="module")
def count() -> Iterator[Count]:
    """The figures of the whole run, printed and held against the least that proves something."""
    found = Count()
    with host.connected(), listeners.using(Listeners()):
        yield found
    print(f"\n{found}")
    assert found.processes >= PROCESSES * 0.7, f"too few of the random processes are valid: {found}"
    assert found.steps >= found.processes * 4, f"the walks are too short to prove anything: {found}"
    assert set(found.kinds) >= {"task", "wait", "many", "all", "some", "first", "bordered", "handled", "part"}


PATHS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), min_size=8, max_size=LONGEST_PATH)


@settings(
    max_examples=PROCESSES,
    deadline=None,
    derandomize="STORM" not in os.environ,
    phases=[Phase.reuse, Phase.generate, Phase.target] + [Phase.shrink] * ("SHRINK" in os.environ),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)
@given(block=processes(), path=PATHS)
def test_restart_after_each_step_changes_nothing_and_nothing_stalls(
    count: Count, block: Block, path: list[tuple[int, int]]
) -> None:
    content = drawn(block)
    refused = {p.rule for p in repository.check({"p.bpmn": content}) if p.severity == "error"}
    if refused:
        count.refused.update(refused)
        return
    count.processes += 1
    count.kinds.update(set(kinds(block)))

    walk(content, path, count)
