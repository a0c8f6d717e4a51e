"""The stored form of a running workflow: rows without the spec, compressed, with a version of its own."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID, uuid4

import orjson
import zstandard
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.adoption import adopt
from engine.bpmn.budget import MOST_STATE
from engine.errors import StateUnreadable, StepBudgetExceeded

HEADER = b"BD2\x00"
_FIRST = b"BD1\x00"
"""States of the first release: the tree held what the library foresaw, and its joins went by history."""
FINGERPRINT_BYTES = 16
_KEEPS_ID = TaskState.READY | TaskState.WAITING | TaskState.STARTED
_FORESEEN = TaskState.PREDICTED_MASK | TaskState.FUTURE
_local = threading.local()


def encode(workflow: BpmnWorkflow, fingerprint: bytes) -> bytes:
    """The workflow as bytes; `fingerprint` names the specs it belongs to.

    Sub-processes keep the order they were made in, parents first: after a reload they take turns as before it.
    """
    names: dict[str, int] = {}
    stored = {
        "main": _rows(workflow, names),
        "subs": [
            [key.hex, sub.spec.name, sub.parent_task_id.hex, _rows(sub, names)]
            for key, sub in workflow.subprocesses.items()
        ],
        "names": list(names),
    }
    plain = orjson.dumps(stored)
    if len(plain) > MOST_STATE:
        raise StepBudgetExceeded(f"Expected a state of at most {MOST_STATE} bytes, but this one has {len(plain)}")
    return HEADER + fingerprint + _compressor().compress(plain)


def fingerprint_of(data: bytes) -> bytes:
    """Which specs the state belongs to; raises StateUnreadable for any format but our own."""
    if not data.startswith((HEADER, _FIRST)) or len(data) <= len(HEADER) + FINGERPRINT_BYTES:
        raise StateUnreadable
    return data[len(HEADER) : len(HEADER) + FINGERPRINT_BYTES]


def decode(data: bytes, specs: dict[str, Any], main: str, engine: Any) -> BpmnWorkflow:
    """The workflow back from its bytes; raises StateUnreadable."""
    fingerprint_of(data)
    try:
        plain = _decompressor().decompress(data[len(HEADER) + FINGERPRINT_BYTES :], max_output_size=MOST_STATE)
        stored = orjson.loads(plain)
        workflow = _restore(stored, specs, main, engine)
        if data.startswith(_FIRST):
            adopt(workflow)
        return workflow
    except (zstandard.ZstdError, ValueError, KeyError, IndexError, TypeError) as error:
        raise StateUnreadable(f"Expected a readable state, but {error!r}") from error


def _compressor() -> zstandard.ZstdCompressor:
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=3)
    return _local.compressor  # type: ignore[no-any-return]


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor()
    return _local.decompressor  # type: ignore[no-any-return]


def _rows(workflow: Any, names: dict[str, int]) -> dict[str, Any]:
    tasks, positions = workflow.tasks, {}
    rows: list[list[Any]] = []
    pending = [workflow.task_tree]
    while pending:
        task = pending.pop()
        positions[task.id] = len(rows)
        rows.append(_row(task, tasks.get(task._parent), positions, names))
        pending.extend(tasks[child] for child in reversed(task._children))
    last = workflow.last_task
    return {
        "rows": rows,
        "data": workflow.data or 0,
        "last": -1 if last is None else positions.get(last.id, -1),
        "done": workflow.completed,
        "good": workflow.success,
    }


def _row(task: Task, parent: Task | None, positions: dict[UUID, int], names: dict[str, int]) -> list[Any]:
    """A task as a row; its data only where it differs from its parent's, trailing emptiness left out."""
    inherited = {} if parent is None else parent.data
    data = task.data
    changed = {k: v for k, v in data.items() if k not in inherited or inherited[k] != v} if data != inherited else 0
    gone = [k for k in inherited if k not in data] if inherited else 0
    has_live_id = task._state & _KEEPS_ID or task.id in task.workflow.top_workflow.subprocesses
    row = [
        names.setdefault(task.task_spec.name, len(names)),
        -1 if parent is None else positions[parent.id],
        task._state,
        task.id.hex if has_live_id else 0,
        int(task.last_state_change * 1000) if task._state & TaskState.FINISHED_MASK else 0,
        changed or 0,
        task.internal_data or 0,
        1 if task.triggered else 0,
        gone or 0,
    ]
    while row[-1] == 0 and len(row) > 3:
        row.pop()
    return row


def _restore(stored: dict[str, Any], specs: dict[str, Any], main: str, engine: Any) -> BpmnWorkflow:
    names = stored["names"]
    workflow = BpmnWorkflow(specs[main], specs, script_engine=engine, deserializing=True)
    _fill(workflow, stored["main"], names)
    for key, spec_name, parent, rows in stored["subs"]:
        sub = BpmnSubWorkflow(specs[spec_name], UUID(parent), workflow, deserializing=True)
        workflow.subprocesses[UUID(key)] = sub
        _fill(sub, rows, names)
        task = workflow.get_task_from_id(UUID(key))
        sub.completed_event.connect(task.task_spec._on_subworkflow_completed, task)
    return workflow


def _fill(workflow: Any, stored: dict[str, Any], names: list[str]) -> None:
    tasks: list[Task | None] = []
    waiting = workflow.top_workflow.event_manager
    for row in stored["rows"]:
        name, parent, state, key, changed_at, changed, internal, triggered, gone = row + [0] * (9 - len(row))
        above = tasks[parent] if parent >= 0 else None
        if state & _FORESEEN:
            tasks.append(None)
            continue
        spec = workflow.spec.task_specs[names[name]]
        task = Task(workflow, spec, above, state, UUID(key) if key else uuid4())
        task.last_state_change = changed_at / 1000
        task.triggered = bool(triggered)
        task.internal_data = internal or {}
        task.data = _data(above, changed, gone)
        if state == TaskState.WAITING and isinstance(spec, CatchingEvent):
            waiting.add_task(task)
        tasks.append(task)
    workflow.task_tree = tasks[0]
    workflow.data = stored["data"] or {}
    workflow.completed, workflow.success = stored["done"], stored["good"]
    workflow.last_task = tasks[stored["last"]] if stored["last"] >= 0 else None


def _data(parent: Task | None, changed: Any, gone: Any) -> dict[str, Any]:
    inherited = {} if parent is None else parent.data
    data = {k: v.copy() if isinstance(v, dict | list) else v for k, v in inherited.items()}
    data.update(changed or {})
    for key in gone or ():
        data.pop(key, None)
    return data
