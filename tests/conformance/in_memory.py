"""A run of one instance that is never stored: the machine alone, alive from the first move to the last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.bpmn import dmn
from engine.bpmn.extensions import processes, read_index
from engine.bpmn.machine import Machine, Stuck, Wait
from engine.bpmn.program import Part, Program
from engine.bpmn.script_engine import Environment
from engine.bpmn.xml import read
from tests.conformance.host import Host
from tests.conformance.seen import Seen

MOST_FIRINGS = 500
_AT_ONCE = datetime.min.replace(tzinfo=UTC)


def program(files: Mapping[str, bytes], main: str = "p") -> Program:
    """The processes of these files; `main` is the one that is started."""
    tables = {
        id: decision
        for name, content in files.items()
        if name.endswith(".dmn")
        for id, decision in dmn.decisions(content).items()
    }
    parts = [
        Part(process.get("id", ""), name, content, read_index(process), tables)
        for name, content in files.items()
        if name.endswith(".bpmn")
        for process in processes(read(content, name))
    ]
    return Program(main, parts)


class InMemory:
    """One machine and the clock it looks at."""

    def __init__(self, files: Mapping[str, bytes], begin: datetime, main: str = "p") -> None:
        self.host = Host()
        self._files = files
        self._main = main
        self._now = begin
        self._told = 0
        self._machine: Machine | None = None

    def start(self, values: Mapping[str, Any]) -> None:
        self.open(None)
        self.machine.begin(values)
        self.machine.run()

    def open(self, state: bytes | None) -> None:
        """Go on from a stored state, or from nothing."""
        environment = Environment(self._now, self.host.context, self._call)
        self._machine = Machine(program(self._files, self._main), environment, state, lambda happening: None)

    def complete(self, element: str, action: str, values: Mapping[str, Any]) -> None:
        wait = next(w for w in self.machine.waits() if w.kind == "user" and w.element_id == element)
        self.machine.complete(wait.key, {**values, "action": action})
        self.machine.run()

    def message(self, name: str, values: Mapping[str, Any]) -> None:
        self._fire_all("message", name, values)

    def signal(self, name: str, values: Mapping[str, Any]) -> None:
        self._fire_all("signal", name, values)

    def press(self, element: str, values: Mapping[str, Any]) -> None:
        wait = next(w for w in self.machine.waits() if w.kind == "signal" and w.element_id == element)
        self.machine.fire(wait.key, {**values, "action": element})
        self.machine.run()

    def advance(self, by: timedelta) -> None:
        until = self._now + by
        for _ in range(MOST_FIRINGS):
            due = self._due(until)
            if not due:
                break
            self._set_now(max(self._now, due[0][0]))
            self._do(due[0][1])
        self._set_now(until)

    def advance_to(self, wait: Wait) -> None:
        """Do what a worker would do for this wait, as soon as it is due."""
        self._set_now(max(self._now, wait.due or self._now))
        self._do(wait)

    def jump(self, by: timedelta) -> None:
        self._set_now(self._now + by)
        self.work()

    def work(self) -> None:
        for _ in range(MOST_FIRINGS):
            due = self._due(self._now)
            if not due:
                return
            self._do(due[0][1])

    def let(self, values: Mapping[str, Any]) -> None:
        self.host.facts.update(values)
        self.machine.run()
        self.machine.rearm()
        self.machine.run()

    def see(self) -> Seen:
        news = [(each.event, each.element_id) for each in self.machine.log[self._told :]]
        self._told = len(self.machine.log)
        waits = [] if self.machine.completed else self.machine.waits()
        return Seen.of(
            news,
            [*((w.element_id, w.due) for w in waits), *((f"stuck:{join.element_id}", None) for join in self._stuck())],
            self._now,
            is_end=self.machine.completed,
        )

    def data(self, element: str) -> Mapping[str, Any]:
        wait = next(w for w in self.machine.waits() if not element or w.element_id == element)
        return self.machine.data_of(wait.key)

    def forget(self) -> None:
        """Nothing is ever forgotten here."""

    def findings(self) -> list[str]:
        is_stalled = not self.machine.completed and not self.machine.waits() and not self._stuck()
        return ["nothing will ever move this instance"] if is_stalled else []

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def machine(self) -> Machine:
        assert self._machine is not None, "the story begins with start"
        return self._machine

    def _stuck(self) -> list[Stuck]:
        return [] if self.machine.completed else self.machine.stuck()

    def _call(self, name: str, *rest: Any) -> Any:
        return self.host.call(name, rest[-1])

    def _set_now(self, at: datetime) -> None:
        self._now = self.machine.environment.now = at

    def _fire_all(self, kind: str, name: str, values: Mapping[str, Any]) -> None:
        keys = [w.key for w in self.machine.waits() if w.kind == kind and w.name == name]
        for key in keys:
            if any(w.key == key for w in self.machine.waits()):
                self.machine.fire(key, values)
        self.machine.run()

    def _due(self, until: datetime) -> list[tuple[datetime, Wait]]:
        """What a worker would do up to then, the longest due first; work in the background is due at once."""
        waits = [] if self.machine.completed else self.machine.waits()
        work = [(w.due or _AT_ONCE, w) for w in waits if w.kind in ("timer", "async")]
        return sorted(((at, w) for at, w in work if at <= until), key=lambda each: each[0])

    def _do(self, wait: Wait) -> None:
        if wait.kind == "timer":
            self.machine.fire(wait.key)
        else:
            self.machine.execute(wait.key)
        self.machine.run()
