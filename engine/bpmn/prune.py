"""Forgetting: finished branches leave the tree, so that a step costs the same in lap 500 as in lap 1."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.specs.control import (
    BoundaryEventJoin,
    BoundaryEventSplit,
    StartEventJoin,
    StartEventSplit,
    _EndJoin,
)
from SpiffWorkflow.bpmn.specs.mixins import BoundaryEventMixin
from SpiffWorkflow.bpmn.specs.mixins.unstructured_join import UnstructuredJoin
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

_FINISHED = TaskState.FINISHED_MASK
_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED
_SPLITS = (BoundaryEventSplit, StartEventSplit)
_SPLIT_JOINS = (BoundaryEventJoin, StartEventJoin)
_NO_TOKEN = (BoundaryEventMixin, *_SPLIT_JOINS, _EndJoin)


def prune(workflow: BpmnWorkflow) -> int:
    """Remove what no live branch needs; returns how many tasks went."""
    removed = sum(_prune_one(each) for each in (workflow, *workflow.subprocesses.values()) if not each.completed)
    if removed:
        _drop_orphans(workflow)
    return removed


def _drop_orphans(workflow: BpmnWorkflow) -> None:
    while orphans := [key for key in workflow.subprocesses if not _is_known(workflow, key)]:
        for key in orphans:
            del workflow.subprocesses[key]


def _is_known(workflow: BpmnWorkflow, key: UUID) -> bool:
    return key in workflow.tasks or any(key in each.tasks for each in workflow.subprocesses.values())


def _prune_one(workflow: Any) -> int:
    if _joins_are_involved(workflow):
        return 0
    tasks, before = workflow.tasks, len(workflow.tasks)
    keep = _needed(workflow)
    for key in [key for key in tasks if key not in keep]:
        del tasks[key]
    for task in tasks.values():
        if task._children:
            task._children = [child for child in task._children if child in keep]
    for task in list(tasks.values()):
        if task is not workflow.task_tree and _can_be_spliced(task, tasks):
            _splice(task, tasks)
    if workflow.last_task is not None and workflow.last_task.id not in tasks:
        workflow.last_task = None
    return before - len(tasks)


def _joins_are_involved(workflow: Any) -> bool:
    """While a join collects its tokens, or several tokens may still meet at one, the history decides."""
    tokens = 0
    for task in workflow.tasks.values():
        if not task._state & _LIVE or isinstance(task.task_spec, _NO_TOKEN):
            continue
        if isinstance(task.task_spec, UnstructuredJoin):
            return True
        tokens += 1
    return tokens > 1 and any(_is_join(spec) for spec in workflow.spec.task_specs.values())


def _is_join(spec: Any) -> bool:
    return isinstance(spec, UnstructuredJoin) and not isinstance(spec, _EndJoin) and len(spec._inputs) > 1


def _needed(workflow: Any) -> set[UUID]:
    """Everything unfinished and its ancestors."""
    tasks = workflow.tasks
    keep = {workflow.task_tree.id}
    for live in tasks.values():
        if live._state & _FINISHED:
            continue
        task: Task | None = live
        while task is not None and task.id not in keep:
            keep.add(task.id)
            task = tasks.get(task._parent)
    return keep


def _can_be_spliced(task: Task, tasks: dict[UUID, Task]) -> bool:
    """Whether a finished node with one child may hand that child to its own parent.

    A child that still lives takes its variables from its parent again when it goes on, so it keeps this one.
    """
    if not task._state & _FINISHED or len(task._children) != 1 or not tasks[task._children[0]]._state & _FINISHED:
        return False
    parent = tasks[task._parent]
    return not (isinstance(parent.task_spec, _SPLITS) and _join_is_open(parent, tasks))


def _join_is_open(split: Task, tasks: dict[UUID, Task]) -> bool:
    """A split and its direct children stay until their join is resolved: the join looks for them."""
    return any(
        isinstance(tasks[grandchild].task_spec, _SPLIT_JOINS) and not tasks[grandchild]._state & _FINISHED
        for child in split._children
        for grandchild in tasks[child]._children
    )


def _splice(task: Task, tasks: dict[UUID, Task]) -> None:
    parent, child = tasks[task._parent], tasks[task._children[0]]
    parent._children[parent._children.index(task.id)] = child.id
    child._parent = parent.id
    del tasks[task.id]
