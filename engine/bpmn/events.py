"""What events wait for and throw: timers on the desk's clock, messages, signals, errors, escalations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.simple import TerminateEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine import iso8601
from engine.errors import BpmnError, ExpressionError


class Waiting(EventDefinition):
    """Base of the events that one node waits for, fired by address and not by name."""

    def fire(self, task: Task, payload: Mapping[str, Any] | None = None) -> None:
        """Let exactly this node go on; the payload becomes its data."""
        task.internal_data.update(event_fired=True, payload=dict(payload or {}))

    def catch(self, my_task: Task, event: BpmnEvent | None = None) -> None:
        self.fire(my_task, event.payload if event is not None else None)

    def update_task_data(self, my_task: Task) -> None:
        my_task.data.update(my_task.internal_data.pop("payload", None) or {})

    def again(self, task: Task) -> dict[str, Any] | None:
        """The bookkeeping of the next wait of a repeating event; None when this was the last."""
        return {}


class Timer(Waiting):
    """Due at an instant that is computed once, when the node begins to wait, and by `rearm`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text.strip()

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def is_computed(self) -> bool:
        return self.text.startswith("=")

    def has_fired(self, my_task: Task) -> bool:
        if "due" not in my_task.internal_data:
            self.arm(my_task)
        return bool(my_task.internal_data.get("event_fired", False))

    def arm(self, task: Task) -> None:
        """Compute when the node is due; a value of None leaves it unarmed."""
        task.internal_data.update(self.schedule(task))

    def schedule(self, task: Task) -> dict[str, Any]:
        engine = task.workflow.script_engine
        value = engine.evaluate(task, self.text[1:]) if self.is_computed else self.text
        return scheduled(value, engine.environment.now)

    def again(self, task: Task) -> dict[str, Any] | None:
        every, left = task.internal_data.get("every"), task.internal_data.get("left")
        if every is None:
            return None
        due, now = datetime.fromisoformat(task.internal_data["due"]), task.workflow.script_engine.environment.now
        # Periods that passed while nobody looked collapse into the firing that is happening.
        passed = max((now - due) // timedelta(seconds=every), 0) + 1
        if left is not None and left <= passed:
            return None
        following = due + timedelta(seconds=every) * passed
        return {"due": following.isoformat(), "every": every, "left": None if left is None else left - passed}


class Condition(Waiting):
    """Happens when its expression becomes true, or is true when it is first looked at."""

    kind = "condition"

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text.strip()

    def __eq__(self, other: object) -> bool:
        return self is other

    def look(self, holds: bool, memory: dict[str, Any]) -> bool:
        """Whether it has just become true; `memory` keeps what was seen last."""
        before, memory["held"] = memory.get("held", False), holds
        return holds and not before

    def again(self, task: Task) -> dict[str, Any] | None:
        return {"held": True}


class Named(Waiting):
    """A message or a signal: recognised by its name."""

    def throw(self, my_task: Task) -> None:
        my_task.workflow.script_engine.environment.thrown.append((self.kind, self.name))

    kind = ""

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self.name == getattr(other, "name", None)


class Message(Named):
    """Goes to the nodes of this instance that wait for it; when there are none, to the host."""

    kind = "message"

    def throw(self, my_task: Task) -> None:
        if not _reaches(my_task, self):
            super().throw(my_task)


class Signal(Named):
    """Goes to every node that waits for it, in this instance and, through the host, in all others."""

    kind = "signal"

    def throw(self, my_task: Task) -> None:
        _reaches(my_task, self)
        super().throw(my_task)


class Coded(Waiting):
    """An error or an escalation: caught by the nearest enclosing activity, by its code."""

    def __init__(self, code: str | None) -> None:
        super().__init__()
        self.code = code

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self.code == getattr(other, "code", None)

    def throw_out_of(self, task: Task | None) -> bool:
        """Fire the boundary event that catches this code on `task` or outside it; False when there is none."""
        while task is not None:
            catcher = _catcher(task, type(self), self.code)
            if catcher is not None:
                catcher.task_spec.event_definition.fire(catcher, {"error_code": self.code})
                catcher.task_spec._update(catcher)
                return True
            task = enclosing(task)
        return False


class Error(Coded):
    def again(self, task: Task) -> dict[str, Any] | None:
        return None

    def throw(self, my_task: Task) -> None:
        if not self.throw_out_of(enclosing(my_task)):
            raise BpmnError(self.code or "error", f"Nothing catches the error {self.code or ''}".rstrip())


class Escalation(Coded):
    def throw(self, my_task: Task) -> None:
        if not self.throw_out_of(enclosing(my_task)):
            my_task.workflow.script_engine.environment.thrown.append(("escalation", self.code or ""))


class Terminate(TerminateEventDefinition):
    def throw(self, my_task: Task) -> None:
        """Ends its own scope when the node completes; nobody else hears of it."""


def _split_of(task: Task) -> Task | None:
    """Where an activity and its boundary events part; None when it has none."""
    while task.parent is not None and isinstance(task.parent.task_spec, LoopTask):
        task = task.parent
    split = task.parent
    return split if split is not None and isinstance(split.task_spec, BoundaryEventSplit) else None


def _split_beside(task: Task) -> Task | None:
    """Where the body of a scope and its events part, seen from a handler that runs beside the body."""
    event = task.parent
    return event.parent if event is not None and getattr(event.task_spec, "starts_handler", False) else None


def _interrupts(task: Task) -> bool:
    return task._state == TaskState.READY and getattr(task.task_spec, "cancel_activity", False)


def _catcher(task: Task, kind: type[Coded], code: str | None) -> Task | None:
    split = _split_of(task)
    if split is None:
        return None
    waiting = [
        child
        for child in split.children
        if child.has_state(TaskState.WAITING) and isinstance(getattr(child.task_spec, "event_definition", None), kind)
    ]
    exact = [child for child in waiting if child.task_spec.event_definition.code == code]
    return next(iter(exact or [child for child in waiting if child.task_spec.event_definition.code is None]), None)


def _reaches(thrower: Task, thrown: Named) -> bool:
    """Let every node of the instance that waits for it catch it; those that were dropped with a loop do not count."""
    event = BpmnEvent(thrown)
    waiting = [task for task in thrower.workflow.top_workflow.event_manager.tasks.values() if _waits(task)]
    caught = [task for task in waiting if task.task_spec.catches(task, event)]
    for task in caught:
        task.task_spec.catch(task, event)
        task.task_spec._update(task)
    return bool(caught)


def _waits(task: Task) -> bool:
    return task._state == TaskState.WAITING and task.workflow.tasks.get(task.id) is task


def is_interrupted(task: Task | None) -> bool:
    """Whether an event has just ended an activity that `task` is in."""
    while task is not None:
        split = _split_of(task) or _split_beside(task)
        if split is not None and any(_interrupts(each) for each in split.children):
            return True
        task = enclosing(task)
    return False


def enclosing(task: Task) -> Task | None:
    """The activity whose inside the task belongs to."""
    parent_id = task.workflow.parent_task_id
    return None if parent_id is None else task.workflow.top_workflow.get_task_from_id(parent_id)


def scheduled(value: Any, now: datetime) -> dict[str, Any]:
    """When a timer of this value that is armed now is due, as plain data; raises ExpressionError."""
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("R"):
            cycle = iso8601.parse_cycle(text)
            due = now + cycle.period
            return {"due": due.isoformat(), "every": cycle.period.total_seconds(), "left": cycle.repeat}
        value = _parsed(text)
    return {"due": None if value is None else _instant(value, now).isoformat()}


def _parsed(text: str) -> datetime | timedelta | date:
    if text.startswith("P"):
        return iso8601.parse_duration(text)
    return iso8601.parse_instant(text) if "T" in text else iso8601.parse_date(text)


def _instant(value: Any, now: datetime) -> datetime:
    match value:
        case datetime():
            return value.astimezone(UTC)
        case timedelta():
            return now + value
        case date():
            return datetime.combine(value, time(), UTC)
    raise ExpressionError(
        f"Expected an instant, a duration or nothing from a timer, got {type(value).__name__}",
        f"Таймер должен дать момент, длительность или пусто, получено {type(value).__name__}",
    )
