"""Undoing what was completed: a scope remembers it, a compensation event has it undone, the last first, each once."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from SpiffWorkflow.bpmn.specs.mixins import SubWorkflowTaskMixin
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.task import Task

from engine.bpmn.gateways import ExclusiveGateway
from engine.bpmn.specs import Node

_DONE = "compensate:done"
"""In the data of a scope: what can be undone, in the order of completion; no variable has such a name."""
_TO_DO = "compensate:to-do"

Record = dict[str, Any]
"""`activity`: its id; `by`: the node that undoes it; `data`: its variables then; `inner`: what was done inside."""


def remember_activity(by: str) -> Callable[[Any, Task], None]:
    """What happens when an activity completes that the node `by` undoes."""

    def remember(workflow: Any, task: Task) -> None:
        record = {"activity": task.task_spec.bpmn_id, "by": by, "data": deepcopy(task.data), "inner": []}
        _done(workflow).append(record)

    return remember


def remember_scope(by: str) -> Callable[[Any, Task], None]:
    """What happens when a sub-process completes that is undone from inside; the node `by` sees to it."""

    def remember(workflow: Any, task: Task) -> None:
        inner = workflow.top_workflow.subprocesses[task.id].data.pop(_DONE, [])
        if inner:
            _done(workflow).append({"activity": task.task_spec.bpmn_id, "by": by, "data": {}, "inner": inner})

    return remember


class Compensate(SubWorkflowTaskMixin, Node):
    """A compensation event that is thrown: goes on when everything is undone, with its own variables."""

    activity: str | None = None
    """The one activity to undo; None = everything in its scope."""

    def copy_data(self, my_task: Task, subworkflow: Any) -> None:
        super().copy_data(my_task, subworkflow)
        done = _done(my_task.workflow)
        taken = [record for record in done if self.activity in (None, record["activity"])]
        done[:] = [record for record in done if record not in taken]
        subworkflow.data[_TO_DO] = taken

    def update_data(self, my_task: Task, subworkflow: Any) -> None:
        """What the handlers set stays with them."""


class UndoScope(SubWorkflowTaskMixin, Node):
    """Undoes what was done inside a completed sub-process."""

    def copy_data(self, my_task: Task, subworkflow: Any) -> None:
        super().copy_data(my_task, subworkflow)
        subworkflow.data[_TO_DO] = my_task.parent.internal_data["inner"]

    def update_data(self, my_task: Task, subworkflow: Any) -> None:
        """What the handlers set stays with them."""


class Next(ExclusiveGateway):
    """Takes the activity that was completed last and leads to what undoes it; to the end when all are undone."""

    def offer(self, by: str, first: TaskSpec) -> None:
        self.connect_if(by, first)

    def _run_hook(self, my_task: Task) -> bool:
        to_do = my_task.workflow.data.get(_TO_DO)
        my_task.internal_data.clear()
        if to_do:
            record = to_do.pop()
            my_task.data = deepcopy(record["data"])
            my_task.internal_data.update(by=record["by"], inner=record["inner"])
        return bool(super()._run_hook(my_task))

    def holds(self, condition: str, my_task: Task) -> bool:
        return bool(my_task.internal_data.get("by") == condition)


def _done(workflow: Any) -> list[Record]:
    """The memory of a scope; the body and the handlers of one scope have it in common."""
    while getattr(workflow.spec, "is_part", False):
        workflow = workflow.parent_workflow
    records: list[Record] = workflow.data.setdefault(_DONE, [])
    return records
