"""A process in memory, moved by the names of its elements; on demand stored and loaded after every move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.bpmn.extensions import processes, read_index
from engine.bpmn.machine import Machine, Stuck, Wait
from engine.bpmn.program import Part, Program
from engine.bpmn.script_engine import Environment
from engine.bpmn.xml import read

BEGIN = datetime(2026, 3, 16, 9, tzinfo=UTC)


def program(*files: bytes) -> Program:
    """The process of the first file with those that it calls."""
    found = [(processes(read(file, "test.bpmn"))[0], file) for file in files]
    parts = [Part(node.get("id", ""), f"{number}", file, read_index(node)) for number, (node, file) in enumerate(found)]
    return Program(parts[0].key, parts)


class Walk:
    """One instance; `trace` says what happened in all moves so far."""

    def __init__(self, program: Program, *, reloads: bool, **variables: Any) -> None:
        self.program = program
        self.reloads = reloads
        self.trace: list[str] = []
        self.machine = self._load(None)
        self.machine.begin(variables)
        self._settle()

    @property
    def tasks(self) -> list[str]:
        """The open user tasks."""
        return sorted(wait.element_id for wait in self.machine.waits() if wait.kind == "user")

    @property
    def done(self) -> bool:
        return self.machine.completed

    def press(self, element_id: str, *, last: bool = False, **variables: Any) -> Walk:
        """Complete an open task of this element, the oldest one or the one that was opened last."""
        wait = self._waits("user", element_id)[-1 if last else 0]
        return self._move(lambda machine: machine.complete(wait.key, variables))

    def press_where(self, element_id: str, name: str, value: Any, **variables: Any) -> Walk:
        """Complete the open task whose variable has this value."""
        waits = self._waits("user", element_id)
        wait = next(each for each in waits if self.machine.data_of(each.key).get(name) == value)
        return self._move(lambda machine: machine.complete(wait.key, variables))

    def fire(self, element_id: str, **payload: Any) -> Walk:
        """Let the event of this element happen."""
        wait = next(each for each in self.machine.waits() if each.element_id == element_id and each.kind != "user")
        return self._move(lambda machine: machine.fire(wait.key, payload))

    def data(self, element_id: str | None = None) -> Mapping[str, Any]:
        """The variables at a task, or at the end."""
        if element_id is None:
            return self.machine.result()
        return self.machine.data_of(self._waits("user", element_id)[0].key)

    def all_data(self, element_id: str) -> list[Mapping[str, Any]]:
        return [self.machine.data_of(wait.key) for wait in self._waits("user", element_id)]

    def stuck(self) -> list[Stuck]:
        return self.machine.stuck()

    def _waits(self, kind: str, element_id: str) -> list[Wait]:
        return [wait for wait in self.machine.waits() if (wait.kind, wait.element_id) == (kind, element_id)]

    def _move(self, move: Any) -> Walk:
        if self.reloads:
            self.machine = self._load(self.machine.encoded())
        seen = len(self.machine.log)
        move(self.machine)
        self._settle(seen)
        return self

    def _settle(self, seen: int = 0) -> None:
        self.machine.run()
        self.trace += [f"{each.event} {each.element_id}" for each in self.machine.log[seen:]]

    def _load(self, data: bytes | None) -> Machine:
        return Machine(self.program, Environment(BEGIN, dict, lambda *_: None), data, lambda _: None)


Begin = Callable[..., Walk]
"""Begins an instance of the first of some drawings, with variables."""
