"""Two machines on one drawing, one kept in memory, one stored and loaded after every step: they must see the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine import iso8601
from engine.bpmn.extensions import processes, read_index
from engine.bpmn.machine import Machine, Wait
from engine.bpmn.program import Part, Program
from engine.bpmn.script_engine import Environment
from engine.bpmn.xml import read
from engine.errors import BpmnError

BEGIN = datetime(2026, 3, 16, 9, tzinfo=UTC)


class _Walker:
    def __init__(self, program: Program, context: Mapping[str, Any], *, forgetful: bool) -> None:
        self.program = program
        self.context = context
        self.forgetful = forgetful
        self.now = BEGIN
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.thrown: list[tuple[str, str]] = []
        self.trace: list[str] = []
        self.machine = self._load(None)

    def _load(self, data: bytes | None) -> Machine:
        environment = Environment(self.now, lambda: self.context, self._call)
        return Machine(self.program, environment, data, lambda happening: None)

    def _call(self, name: str, element: str, _: str, variables: Mapping[str, Any], arguments: Any) -> Any:
        self.calls.append((element, dict(variables)))
        if name == "test.refuse":
            raise BpmnError("refused")
        return arguments.get("value")

    def step(self, move: Callable[[Machine], Any]) -> list[str]:
        if self.forgetful and self.machine.log:
            self.machine = self._load(self.machine.encoded())
        self.machine.environment.now = self.now
        told, thrown = len(self.machine.log), len(self.machine.environment.thrown)
        move(self.machine)
        self.machine.run()
        news = [f"{each.element_id} {each.event}" for each in self.machine.log[told:]]
        self.trace += news
        self.thrown += self.machine.environment.thrown[thrown:]
        return sorted(news)

    def waits(self) -> list[Wait]:
        waits = [] if self.machine.completed else self.machine.waits()
        return sorted(waits, key=lambda wait: repr(self.seen(wait)))

    def seen(self, wait: Wait) -> tuple[Any, ...]:
        return wait.kind, wait.element_id, wait.name, wait.due, sorted(self.machine.data_of(wait.key).items(), key=str)


class Twins:
    """Moves both and compares everything that can be seen from outside after every step."""

    def __init__(
        self, *files: bytes, context: Mapping[str, Any] | None = None, begins_at: str | None = None, **variables: Any
    ) -> None:
        parts = []
        for content in files:
            process = processes(read(content, "test.bpmn"))[0]
            key = process.get("id", "")
            parts.append(Part(key, key, content, read_index(process)))
        self.program = Program(parts[0].key, parts)
        self.context: dict[str, Any] = dict(context or {})
        self._both = [_Walker(self.program, self.context, forgetful=forgetful) for forgetful in (False, True)]
        self._step(lambda machine: machine.begin(variables, begins_at))

    @property
    def _one(self) -> _Walker:
        return self._both[1]

    @property
    def completed(self) -> bool:
        return self._one.machine.completed

    @property
    def waits(self) -> list[str]:
        """Ids of the elements that wait."""
        return [wait.element_id for wait in self._one.waits()]

    @property
    def trace(self) -> list[str]:
        return self._one.trace

    @property
    def called(self) -> list[str]:
        """Ids of the service tasks that were called, in their order."""
        return [element for element, _ in self._one.calls]

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        return self._one.calls

    @property
    def thrown(self) -> list[tuple[str, str]]:
        return self._one.thrown

    @property
    def result(self) -> dict[str, Any]:
        return self._one.machine.result()

    def kind(self, element: str) -> str:
        return next(wait.kind for wait in self._one.waits() if wait.element_id == element)

    def data(self, element: str) -> dict[str, Any]:
        wait = next(wait for wait in self._one.waits() if wait.element_id == element)
        return self._one.machine.data_of(wait.key)

    def due(self, element: str) -> list[datetime | None]:
        return [wait.due for wait in self._one.waits() if wait.element_id == element]

    def complete(self, element: str, **variables: Any) -> None:
        """Complete the first user task of that id."""
        self._each(element, lambda machine, wait: machine.complete(wait.key, variables))

    def fire(self, element: str, **payload: Any) -> None:
        """Let the first waiting event of that id happen."""
        self._each(element, lambda machine, wait: machine.fire(wait.key, payload))

    def deliver(self, name: str, **payload: Any) -> None:
        """Hand a message or signal to every node that waits for it."""

        def move(machine: Machine) -> None:
            for wait in machine.waits():
                if wait.name == name:
                    machine.fire(wait.key, payload)

        self._step(move)

    def advance(self, duration: str) -> None:
        """Let time pass; timers fire when they are due."""
        target = self._one.now + iso8601.parse_duration(duration)
        while due := [wait for wait in self._one.waits() if wait.due is not None and wait.due <= target]:
            first = min(due, key=lambda wait: (wait.due, wait.element_id))
            for walker in self._both:
                walker.now = max(walker.now, first.due or target)
            self._fire_due(first)
        for walker in self._both:
            walker.now = target

    def jump(self, duration: str) -> None:
        """Let time pass while nobody looks; then every timer that is due fires once."""
        for walker in self._both:
            walker.now += iso8601.parse_duration(duration)
        while due := [wait for wait in self._one.waits() if wait.due is not None and wait.due <= self._one.now]:
            self._fire_due(due[0])

    def reconsider(self) -> None:
        self._step(lambda machine: None)

    def _fire_due(self, timer: Wait) -> None:
        def move(machine: Machine) -> None:
            mine = [wait for wait in machine.waits() if wait.element_id == timer.element_id and wait.due == timer.due]
            machine.fire(mine[0].key)

        self._step(move)

    def _each(self, element: str, move: Callable[[Machine, Wait], None]) -> None:
        assert element in self.waits, f"{element} does not wait, but {self.waits}"

        def chosen(machine: Machine) -> None:
            walker = next(each for each in self._both if each.machine is machine)
            move(machine, next(wait for wait in walker.waits() if wait.element_id == element))

        self._step(chosen)

    def _step(self, move: Callable[[Machine], Any]) -> None:
        kept, reloaded = (walker.step(move) for walker in self._both)
        assert reloaded == kept
        assert [self._one.seen(w) for w in self._one.waits()] == [self._both[0].seen(w) for w in self._both[0].waits()]
        assert self._one.calls == self._both[0].calls
        assert self._one.thrown == self._both[0].thrown
        assert self._one.machine.completed == self._both[0].machine.completed
        drawn = {node for part in self.program.parts.values() for node in part.index["nodes"]}
        assert {each.split()[0] for each in self.trace} <= drawn, "only what is drawn is told of"
