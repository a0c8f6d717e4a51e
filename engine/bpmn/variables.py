"""The variables of a scope: its tokens carry copies, and what one of them changes all of them have at once.

A process and the embedded sub-processes in it are one scope; a called process is one of its own, and so is each
instance of a repeated activity until it completes.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

_LIVE = TaskState.WAITING | TaskState.READY | TaskState.STARTED


def of_scope(workflow: Any) -> dict[str, Any]:
    """The variables as every live token of the scope has them."""
    live = (task for task in workflow.tasks.values() if task._state & _LIVE and not _is_instance(task))
    return dict(next(live, workflow.task_tree).data)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What was set in between."""
    return {name: value for name, value in after.items() if name not in before or before[name] != value}


def apply_changes(before: Mapping[str, Any], after: Mapping[str, Any], target: dict[str, Any]) -> None:
    """Change in `target` what is otherwise in `after` than in `before`."""
    for name in before.keys() - after.keys():
        target.pop(name, None)
    target.update(changes(before, after))


def share(task: Task, changed: Mapping[str, Any]) -> None:
    """Let the whole scope have what was set at one node of it."""
    if not changed or _is_instance(task):
        return
    scope = task.workflow
    while (around := _around(scope)) is not None:
        scope = around
    for other in list(scope.tasks.values()):
        if other is not scope.task_tree:  # what the scope began with is compared with what it ends with
            give(other, changed)


def give(task: Task, changed: Mapping[str, Any]) -> None:
    """Let a task and the embedded scope inside it have these variables."""
    task.data.update(deepcopy(dict(changed)))
    within = inner(task)
    for other in list(within.tasks.values()) if within is not None else ():
        give(other, changed)


def _around(workflow: Any) -> Any | None:
    """The scope that an embedded sub-process is part of; None for what is a scope of its own."""
    if workflow.parent_task_id is None:
        return None
    host = workflow.top_workflow.get_task_from_id(workflow.parent_task_id)
    shares = getattr(host.task_spec, "shares_variables", False) and not _is_instance(host)
    return host.workflow if shares else None


def _is_instance(task: Task) -> bool:
    return task.parent is not None and isinstance(task.parent.task_spec, LoopTask)


def inner(task: Task) -> Any | None:
    """The scope inside a sub-process that is under way and has its variables in common with what is around it."""
    if not getattr(task.task_spec, "shares_variables", False) or not task._state & _LIVE:
        return None
    return task.workflow.top_workflow.subprocesses.get(task.id)
