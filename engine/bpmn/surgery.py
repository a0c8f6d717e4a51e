"""Changing a workflow by hand: a token is moved, entered anew or let go on; a variable or an instant is set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.mixins import BoundaryEventMixin
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.events.start_event import StartEvent
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.events import Timer
from engine.bpmn.gateways import EventBasedGateway, FirstOf
from engine.bpmn.joins import Join
from engine.bpmn.machine import Machine
from engine.errors import Refused
from engine.values import stored

_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED
_SPLIT = ".BoundaryEventSplit"


def tokens(machine: Machine) -> list[tuple[str, str, str, str]]:
    """Where the workflow stands: task id, process key, element id and name of each token, outermost first."""
    return [
        (task.id.hex, machine.program.owner(task.workflow.spec.name), spec.bpmn_id, spec.bpmn_name or spec.bpmn_id)
        for task in _live(machine)
        if (spec := task.task_spec).bpmn_id and not isinstance(spec, BoundaryEventMixin)
    ]


def goals(machine: Machine, key: str) -> list[tuple[str, str]]:
    """Where a token may be moved to: id and name of the nodes of its scope that may be entered from anywhere."""
    specs = _token(machine, key).workflow.spec.task_specs.values()
    return [(spec.bpmn_id, spec.bpmn_name or spec.bpmn_id) for spec in specs if _may_be_entered(spec)]


def move(machine: Machine, key: str, element_id: str) -> None:
    """Take a token away from where it waits and let it enter another node of the same scope. Raises Refused."""
    task = _token(machine, key)
    spec = task.workflow.spec.task_specs.get(element_id)
    if spec is None:
        raise Refused(
            f"Expected a node of the same (sub-)process, but {element_id} is not there",
            f"Узла {element_id} нет в том же процессе или подпроцессе: перенести можно только внутри него",
        )
    if not _may_be_entered(spec):
        raise Refused(
            f"Expected a node that can be entered by itself, but {element_id} cannot",
            "На этот узел нельзя встать: это событие на границе, начало, слияние ветвей или многократный шаг",
        )
    _refuse_loop(task)
    _cancel(task)
    _enter(task, spec)


def repeat(machine: Machine, key: str) -> None:
    """Leave the node where a token waits and enter it anew, with its boundary events. Raises Refused."""
    task = _token(machine, key)
    _refuse_loop(task)
    _cancel(task)
    _enter(task, task.task_spec)


def skip(machine: Machine, key: str) -> None:
    """Let a token go on as if its node were done; nothing of it is carried out. Raises Refused."""
    task = _token(machine, key)
    if isinstance(task.task_spec, EventBasedGateway) and len(task.task_spec.outputs) > 1:
        raise Refused(
            "Expected a node with one way out, but this gateway has several: move the token instead",
            "Из этого узла несколько путей: вместо пропуска перенесите токен на нужный шаг",
        )
    if isinstance(task.task_spec, Join):
        raise Refused(
            "Expected a node that waits by itself, but this one waits for other branches",
            "Этот узел ждёт другие ветви, пропустить его нельзя",
        )
    if isinstance(task.task_spec, LoopTask | SubWorkflowTask):
        task.task_spec._on_cancel(task)
    if isinstance(task.task_spec, CatchingEvent):
        task.workflow.top_workflow.event_manager.remove_task(task)
    if isinstance(task.task_spec, EventBasedGateway):
        task.internal_data["branch"] = 0
        task.task_spec._run_hook(task)
    task.complete()


def set_variable(machine: Machine, name: str, value: Any, key: str | None) -> None:
    """Set a variable where one token stands, or everywhere."""
    clean = stored({name: value})
    for task in _everything(machine) if key is None else _with_source(_token(machine, key)):
        task.data.update(clean)


def set_due(machine: Machine, key: str, at: datetime) -> None:
    """Let a timer that waits be due at another instant. Raises Refused when there is no such timer."""
    key, _, branch = key.partition(":")
    task = next((each for each in _live(machine) if each.id.hex == key), None)
    definition = None if task is None else getattr(task.task_spec, "event_definition", None)
    if task is not None and isinstance(definition, FirstOf) and branch:
        task.internal_data["branches"][int(branch)]["due"] = at.isoformat()
    elif task is not None and isinstance(definition, Timer):
        task.internal_data["due"] = at.isoformat()
    else:
        raise Refused("Expected a timer that waits, but there is none", "Такого таймера больше нет")


def _live(machine: Machine) -> Iterator[Task]:
    for each in (machine.workflow, *machine.workflow.subprocesses.values()):
        if not each.completed:
            yield from (task for task in each.tasks.values() if task._state & _LIVE)


def _everything(machine: Machine) -> Iterator[Task]:
    for each in (machine.workflow, *machine.workflow.subprocesses.values()):
        if not each.completed:
            yield from each.tasks.values()


def _with_source(task: Task) -> list[Task]:
    """The token and what it takes its variables from again when it goes on."""
    return [task] if task.parent is None else [task, task.parent]


def _token(machine: Machine, key: str) -> Task:
    found = next((task for task in _live(machine) if task.id.hex == key.partition(":")[0]), None)
    if found is None or isinstance(found.task_spec, BoundaryEventMixin) or not found.task_spec.bpmn_id:
        raise Refused(
            "Expected a token that waits at a node, but it has moved on",
            "Здесь уже никто не стоит: процесс ушёл дальше",
        )
    return found


def _may_be_entered(spec: Any) -> bool:
    closed = (BoundaryEventMixin, StartEvent, LoopTask)
    collects = isinstance(spec, Join) and len(spec.inputs) > 1
    return bool(spec.bpmn_id) and spec.name == spec.bpmn_id and not isinstance(spec, closed) and not collects


def _refuse_loop(task: Task) -> None:
    if isinstance(task.task_spec, LoopTask) or isinstance(task.parent.task_spec, LoopTask):
        raise Refused(
            "Expected a token that stands by itself, but this one belongs to a repetition",
            "Этот токен принадлежит многократному шагу, перенести его нельзя",
        )


def _cancel(task: Task) -> None:
    """End what the token waits for; the events on its border go with it."""
    if isinstance(task.parent.task_spec, BoundaryEventSplit):
        for event in task.parent.children:
            if isinstance(event.task_spec, BoundaryEventMixin) and event._state == TaskState.WAITING:
                event.cancel()
    task.cancel()


def _enter(left: Task, spec: Any) -> None:
    """Go on at a node behind the one that was left, with the variables that were there."""
    entry = left.workflow.spec.task_specs.get(f"{spec.name}{_SPLIT}", spec)
    child = left._add_child(entry, TaskState.FUTURE)
    child.triggered = True
    entry._update(child)
