"""States of the first release as those of today: its joins went by the history of finished branches."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import loops
from engine.bpmn.joins import Join, ScopeEnd, number_arrivals
from engine.bpmn.variables import apply_changes, give, inner, of_scope

_LIVE = TaskState.WAITING | TaskState.READY | TaskState.STARTED


def adopt(workflow: Any) -> None:
    """Change a workflow that was just decoded; it holds no task that was only foreseen any more."""
    for each in (workflow, *workflow.subprocesses.values()):
        if not each.completed:
            _adopt_scope(each)
    for each in reversed((workflow, *workflow.subprocesses.values())):
        if not each.completed:
            _share_variables(each)


def _adopt_scope(workflow: Any) -> None:
    by_age = sorted(workflow.tasks.values(), key=lambda task: task.last_state_change)
    collecting = {task.task_spec.name for task in by_age if task._state == TaskState.WAITING}
    for task in by_age:
        if isinstance(task.task_spec, LoopTask) and task._state == TaskState.STARTED:
            loops.adopt(task)
        elif isinstance(task.task_spec, Join | ScopeEnd) and task._state == TaskState.WAITING:
            task._inherit_data()  # it took its variables over when it went on
        elif task.task_spec.name in collecting and _came_before(task):
            _adopt_token(task)
    number_arrivals(workflow)


def _came_before(task: Task) -> bool:
    """Whether the token waited at a join until a later one took over."""
    return task._state == TaskState.CANCELLED and task.parent is not None and task.parent._state == TaskState.COMPLETED


def _adopt_token(task: Task) -> None:
    if isinstance(task.task_spec, Join):
        task._inherit_data()
        task._state = TaskState.WAITING
    elif isinstance(task.task_spec, ScopeEnd):
        task._inherit_data()


def _share_variables(workflow: Any) -> None:
    """Its tokens had variables of their own: now all have what each has changed since it parted from the others."""
    found = _together(workflow.task_tree)
    for task in workflow.tasks.values():
        if found and task is not workflow.task_tree:
            give(task, found)


def _together(task: Task) -> dict[str, Any] | None:
    """The variables of the tokens from here on, ended ones too; None when there are none."""
    if task._state & _LIVE or isinstance(task.task_spec, ScopeEnd):
        within = inner(task)
        return dict(task.data) if within is None else dict(of_scope(within))
    branches = [found for child in task.children if (found := _together(child)) is not None]
    together = dict(task.data)
    for branch in branches:
        apply_changes(task.data, branch, together)
    return together if branches else None
