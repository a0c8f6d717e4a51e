"""Two workflows compared by what they are, not by the random ids of their tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from SpiffWorkflow.task import Task

from engine.bpmn.machine import Machine

_ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")


def likeness(machine: Machine) -> list[list[Any]]:
    """Every task in the order of the tree: scope, node, state, variables, what it keeps (timers, rounds of loops)."""
    numbers: dict[str, int] = {}
    found: list[list[Any]] = []
    top = machine.workflow
    for each in (top, *sorted(top.subprocesses.values(), key=lambda sub: _place(sub, numbers, top))):
        found.append([_place(each, numbers, top), each.spec.name, each.completed, each.data])
        found.extend(_row(task, numbers) for task in _preorder(each))
    return [_without_ids(row, numbers) for row in found]


def difference(one: list[list[Any]], other: list[list[Any]]) -> str:
    """The first difference in words; empty when there is none."""
    for left, right in zip(one, other, strict=False):
        if left != right:
            return f"{_short(left)} instead of {_short(right)}"
    return "" if len(one) == len(other) else f"{len(one)} tasks instead of {len(other)}"


def _place(workflow: Any, numbers: dict[str, int], top: Any) -> int:
    """0 for the process itself, else the number of the task that called it; callers are numbered before."""
    if workflow is top:
        return 0
    key = workflow.parent_task_id.hex
    if key not in numbers:
        for each in (top, *top.subprocesses.values()):
            for task in _preorder(each):
                numbers.setdefault(task.id.hex, len(numbers))
    return numbers.get(key, -1)


def _preorder(workflow: Any) -> Iterator[Task]:
    pending = [workflow.task_tree]
    while pending:
        task = pending.pop()
        yield task
        pending.extend(workflow.tasks[child] for child in reversed(task._children))


def _row(task: Task, numbers: dict[str, int]) -> list[Any]:
    numbers.setdefault(task.id.hex, len(numbers))
    return [task.task_spec.name, task._state, bool(task.triggered), task.data, task.internal_data]


def _without_ids(value: Any, numbers: dict[str, int]) -> Any:
    if isinstance(value, str):
        return _ID.sub(lambda match: f"#{numbers.get(match[0].replace('-', ''), '?')}", value)
    if isinstance(value, list | tuple):
        return [_without_ids(item, numbers) for item in value]
    if isinstance(value, dict):
        return {key: _without_ids(item, numbers) for key, item in value.items()}
    return value


def _short(row: list[Any]) -> str:
    text = repr(row)
    return text if len(text) <= 200 else text[:199] + "…"
