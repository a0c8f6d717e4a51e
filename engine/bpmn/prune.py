"""Forgetting: finished branches leave the tree, so that a step costs the same in lap 500 as in lap 1."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

_FINISHED = TaskState.FINISHED_MASK


def prune(workflow: BpmnWorkflow) -> None:
    """Remove what no live branch needs."""
    for each in (workflow, *workflow.subprocesses.values()):
        if not each.completed:
            _prune_one(each)
    _drop_orphans(workflow)


def _drop_orphans(workflow: BpmnWorkflow) -> None:
    while orphans := [key for key in workflow.subprocesses if not _is_known(workflow, key)]:
        for key in orphans:
            del workflow.subprocesses[key]


def _is_known(workflow: BpmnWorkflow, key: UUID) -> bool:
    return key in workflow.tasks or any(key in each.tasks for each in workflow.subprocesses.values())


def _prune_one(workflow: Any) -> None:
    tasks, keep = workflow.tasks, _needed(workflow)
    for key in [key for key in tasks if key not in keep]:
        del tasks[key]
    for task in tasks.values():
        if task._children:
            task._children = [child for child in task._children if child in keep]
    for task in list(tasks.values()):
        if task is not workflow.task_tree and _can_be_spliced(task, tasks):
            _splice(task, tasks)


def _needed(workflow: Any) -> set[UUID]:
    """Everything unfinished and its ancestors: where tokens parted is looked up when they meet."""
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
    return not (isinstance(parent.task_spec, BoundaryEventSplit) and _is_open(parent, tasks))


def _is_open(split: Task, tasks: dict[UUID, Task]) -> bool:
    """A split and its direct children stay until activity and join are over: the join looks for them."""
    below = [tasks[child] for child in split._children]
    joins = [tasks[key] for child in below for key in child._children]
    return any(
        not task._state & _FINISHED
        for task in (*below, *(j for j in joins if isinstance(j.task_spec, BoundaryEventJoin)))
    )


def _splice(task: Task, tasks: dict[UUID, Task]) -> None:
    parent, child = tasks[task._parent], tasks[task._children[0]]
    parent._children[parent._children.index(task.id)] = child.id
    child._parent = parent.id
    del tasks[task.id]
