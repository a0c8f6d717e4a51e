"""What a step did, node by node: noticed by comparing the states of the tasks with those seen before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from SpiffWorkflow.bpmn.specs.mixins import BoundaryEventMixin
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.events import Timer
from engine.bpmn.joins import Join

LIVE = TaskState.WAITING | TaskState.READY | TaskState.STARTED
LEFT = TaskState.CANCELLED | TaskState.ERROR


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened at one node during the step."""

    event: str
    process_key: str
    element_id: str
    element_name: str


class Log:
    """The happenings of one step, in their order."""

    def __init__(self, owner: Callable[[str], str], entered: Callable[[Happening], None]) -> None:
        self.happenings: list[Happening] = []
        self._owner = owner
        self._entered = entered
        self._seen: dict[UUID, int] = {}
        self._live: dict[UUID, Happening] = {}
        """Activities under way, to tell of those that vanish."""

    def recall(self, tasks: Iterable[Task]) -> None:
        """Take the tasks of a stored workflow as seen."""
        for task in tasks:
            self._seen[task.id] = task._state
            if task._state & LIVE and is_activity(task) and not _is_at_join(task):
                self._live[task.id] = self._happening(task, "entered")

    def look(self, task: Task) -> None:
        """Note what became of the task since the last look."""
        now = task._state
        before = self._seen.get(task.id)
        if before != now:
            self._seen[task.id] = now
            self._note(task, before or 0, now)

    def note_dropped(self, tasks: Iterable[Task]) -> None:
        """Instances of a loop that was interrupted leave the tree without a last state; `tasks` are all there are."""
        present = {task.id for task in tasks}
        for key in [key for key in self._live if key not in present]:
            self.happenings.append(replace(self._live.pop(key), event="cancelled"))

    def _note(self, task: Task, before: int, now: int) -> None:
        if isinstance(task.task_spec, BoundaryEventMixin):
            self._note_boundary(task, before, now)
        elif is_activity(task) and not _is_at_join(task):
            self._note_activity(task, before, now)

    def _note_boundary(self, task: Task, before: int, now: int) -> None:
        if now == TaskState.WAITING and not before & LIVE and _is_armed(task):
            self._happened(task, "armed")
        elif now & (TaskState.READY | TaskState.COMPLETED) and not before & TaskState.READY:
            self._happened(task, "fired")
        elif now & LEFT and before & LIVE and _is_armed(task):
            self._happened(task, "cancelled")

    def _note_activity(self, task: Task, before: int, now: int) -> None:
        if task.id not in self._live and not before & TaskState.FINISHED_MASK and not now & LEFT:
            self._live[task.id] = self._happened(task, "entered")
        if now & TaskState.FINISHED_MASK and self._live.pop(task.id, None):
            self._happened(task, "completed" if now == TaskState.COMPLETED else "cancelled")

    def _happened(self, task: Task, event: str) -> Happening:
        happening = self._happening(task, event)
        self.happenings.append(happening)
        if event in ("entered", "fired"):
            self._entered(happening)
        return happening

    def _happening(self, task: Task, event: str) -> Happening:
        spec = task.task_spec
        return Happening(event, self._owner(task.workflow.spec.name), spec.bpmn_id, spec.bpmn_name or "")


def is_activity(task: Task) -> bool:
    """Whether the node is in the drawing; of a loop only its instances count."""
    return bool(task.task_spec.bpmn_id) and not isinstance(task.task_spec, LoopTask | BoundaryEventMixin)


def _is_at_join(task: Task) -> bool:
    """Whether it is a token that waits at a gateway: the gateway itself is entered when it fires."""
    return task._state == TaskState.WAITING and isinstance(task.task_spec, Join)


def _is_armed(task: Task) -> bool:
    return isinstance(task.task_spec.event_definition, Timer) and task.internal_data.get("due") is not None
