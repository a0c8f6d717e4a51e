"""The variables of a scope: its tokens carry copies, and what one of them changes all of them have at once.

A process and the embedded sub-processes in it are one scope; a called process is one of its own, and so is each
instance of a repeated activity until it completes.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin
from SpiffWorkflow.bpmn.specs.mixins import BoundaryEventMixin
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import merging

_LIVE = TaskState.WAITING | TaskState.READY | TaskState.STARTED


def at(event: Task) -> dict[str, Any]:
    """What a boundary event finds: the current variables of its activity, those set inside a sub-process too."""
    host = host_of(event)
    inner = None if host is None else _inner(host)
    return event.data if inner is None else deepcopy(of_scope(inner))


def host_of(event: Task) -> Task | None:
    """The activity that a boundary event sits on."""
    split = event.parent
    if split is None or not isinstance(event.task_spec, BoundaryEventMixin):
        return None
    return next((each for each in split.children if not isinstance(each.task_spec, BoundaryEventMixin)), None)


def of_scope(workflow: Any) -> dict[str, Any]:
    """The variables of all live tokens together: what each has changed since it parted from the others."""
    found = _together(workflow.task_tree)
    variables = dict(workflow.task_tree.data) if found is None else found
    merging.add_ended(workflow, variables)
    return variables


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What was set in between."""
    return {name: value for name, value in after.items() if name not in before or before[name] != value}


def share(task: Task, changed: Mapping[str, Any]) -> None:
    """Let the whole scope have what was set at one node of it."""
    if not changed or _is_instance(task):
        return
    scope = task.workflow
    while (around := _around(scope)) is not None:
        scope = around
    for other in list(scope.tasks.values()):
        if other is not scope.task_tree:  # what the scope began with is compared with what it ends with
            _give(other, changed)


def _give(task: Task, changed: Mapping[str, Any]) -> None:
    """Also to what has passed: tokens that meet again are compared with the place where they parted."""
    task.data.update(deepcopy(dict(changed)))
    inner = _inner(task)
    for other in list(inner.tasks.values()) if inner is not None else ():
        _give(other, changed)


def _around(workflow: Any) -> Any | None:
    """The scope that an embedded sub-process is part of; None for what is a scope of its own."""
    if workflow.parent_task_id is None:
        return None
    host = workflow.top_workflow.get_task_from_id(workflow.parent_task_id)
    shares = getattr(host.task_spec, "shares_variables", False) and not _is_instance(host)
    return host.workflow if shares else None


def _is_instance(task: Task) -> bool:
    return task.parent is not None and isinstance(task.parent.task_spec, LoopTask)


def _together(task: Task) -> dict[str, Any] | None:
    """The variables of the live tokens from here on; None when there are none."""
    if task._state & _LIVE:
        return _of_token(task) if _counts(task) else None
    branches = [found for child in task.children if (found := _together(child)) is not None]
    if len(branches) < 2:
        return branches[0] if branches else None
    found = dict(task.data)
    for branch in branches:
        merging.apply_changes(task.data, branch, found)
    return found


def _counts(task: Task) -> bool:
    """Events of activities hold no token; what a handler beside the body sets is seen when it is done."""
    beside = isinstance(task.task_spec, BoundaryEventMixin | BoundaryEventJoin)
    return not beside and not getattr(task.task_spec, "is_aside", False)


def _of_token(token: Task) -> dict[str, Any]:
    inner = _inner(token)
    return dict(token.data) if inner is None else of_scope(inner)


def _inner(task: Task) -> Any | None:
    """The scope inside a sub-process that is under way and has its variables in common with what is around it."""
    if not getattr(task.task_spec, "shares_variables", False) or not task._state & _LIVE:
        return None
    return task.workflow.top_workflow.subprocesses.get(task.id)
