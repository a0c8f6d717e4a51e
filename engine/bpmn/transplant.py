"""Carrying a stored workflow over to another program: every token keeps its place, its data and its identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.mixins import BoundaryEventMixin
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import state
from engine.bpmn.counterparts import SPLIT, Crossing, Scope, Way, facts
from engine.bpmn.events import Timer
from engine.bpmn.gateways import FirstOf
from engine.bpmn.machine import Machine
from engine.bpmn.obstacles import look
from engine.bpmn.program import Program
from engine.bpmn.script_engine import ScriptEngine
from engine.errors import EngineError

_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED


class Transplant:
    """The way from one program to another; `mapping` names the elements of process `key` that change their id."""

    def __init__(self, old: Program, new: Program, key: str, mapping: Mapping[str, str]) -> None:
        self.old, self.new, self.key, self.mapping = old, new, key, mapping

    def examine(self, data: bytes, engine: ScriptEngine) -> Crossing:
        """Carry the stored workflow over in memory; with obstacles there is no `data`."""
        workflow = state.decode(data, self.old.specs, self.old.main, engine)
        crossing = Crossing()
        scopes = list(self._scopes(workflow))
        for scope in scopes:
            look(scope, crossing)
        if not crossing.obstacles:
            for scope in scopes:
                _Carriage(scope, crossing).carry()
            crossing.data = state.encode(workflow, self.new.fingerprint)
        return crossing

    def _scopes(self, workflow: BpmnWorkflow) -> Iterator[Scope]:
        new_main = self.new.specs.get(self.new.main)
        if new_main is None or self.new.main != self.old.main:
            raise EngineError("Expected two versions of one process, but these are different processes")
        way = Way(self.old, self.new, self.key, self.mapping)
        known = {id(workflow): Scope(way, workflow, new_main)}
        yield known[id(workflow)]
        for key, sub in sorted(workflow.subprocesses.items(), key=lambda item: item[1].depth):
            task = workflow.get_task_from_id(key)
            around = None if task is None else known.get(id(task.workflow))
            inner = None if around is None or task is None else around.inner(task)
            if inner is not None:
                known[id(sub)] = Scope(way, sub, inner)
                yield known[id(sub)]
            elif task is None or task._state & TaskState.FINISHED_MASK:
                del workflow.subprocesses[key]


class _Carriage:
    """Carries one scope over."""

    def __init__(self, scope: Scope, crossing: Crossing) -> None:
        self._scope = scope
        self._crossing = crossing

    def carry(self) -> None:
        """Give every task its new spec."""
        for task in list(self._scope.workflow.tasks.values()):
            if task._state & _LIVE:
                self._carry_live(task)
        for task in list(self._scope.workflow.tasks.values()):
            if task._state & TaskState.FINISHED_MASK:
                self._carry_finished(task)
        self._scope.workflow.spec = self._scope.new

    def _carry_live(self, task: Task) -> None:
        old, new = task.task_spec, self._scope.counterpart(task.task_spec)
        if isinstance(old, BoundaryEventMixin) and not self._stays_attached(task, new):
            self._remove(task)
            return
        if isinstance(old, CatchingEvent):
            self._renew(task, old.event_definition, new.event_definition)
        split = self._scope.new.task_specs.get(f"{new.name}{SPLIT}")
        if split is not None and not isinstance(task.parent.task_spec, BoundaryEventSplit):
            self._put_below(task, split)
        task.task_spec = new
        self._crossing.elements[task.id.hex] = (new.bpmn_id or new.name, new.bpmn_name or "")

    def _stays_attached(self, task: Task, new: Any) -> bool:
        """Whether the boundary event, as the new version has it, still belongs to the same activity."""
        split = self._scope.counterpart(task.parent.task_spec)
        return (
            new is not None
            and split is not None
            and new in split.outputs
            and new.cancel_activity == task.task_spec.cancel_activity
        )

    def _renew(self, task: Task, old: Any, new: Any) -> None:
        if _is_same(old, new, self._scope):
            return
        self._crossing.renewed.add(task.id.hex)
        if isinstance(old, FirstOf) and isinstance(new, FirstOf):
            self._crossing.renewed |= {f"{task.id.hex}:{position}" for position in range(len(old.branches))}
            task.internal_data["branches"] = self._schedules(task, old, new)
        else:
            task.internal_data = {}

    def _schedules(self, task: Task, old: FirstOf, new: FirstOf) -> list[Any]:
        """What each branch of a gateway waits for; nothing is known of a branch that begins to wait now."""
        known = {
            self._scope.renamed(name): (definition, schedule)
            for (name, definition), schedule in zip(old.branches, task.internal_data["branches"], strict=True)
        }
        return [
            known[name][1] if name in known and _is_same(known[name][0], definition, self._scope) else {}
            for name, definition in new.branches
        ]

    def _put_below(self, task: Task, split: Any) -> None:
        above = task.parent
        above._children.remove(task.id)
        between = Task(self._scope.workflow, split, above, TaskState.COMPLETED)
        between.data = dict(above.data)
        between._children.append(task.id)
        task._parent = between.id

    def _carry_finished(self, task: Task) -> None:
        """What is over serves as history: without a counterpart it only keeps its place and its data."""
        if task.task_spec in self._scope.new.task_specs.values():
            return
        found = self._scope.counterpart(task.task_spec)
        if isinstance(task.task_spec, BoundaryEventMixin) and not self._stays_known(task, found):
            self._move_to_root(task)
            found = None
        task.task_spec = self._scope.new.start if found is None else found

    def _stays_known(self, task: Task, found: Any) -> bool:
        return found is not None and found.cancel_activity == task.task_spec.cancel_activity

    def _move_to_root(self, task: Task) -> None:
        """A join takes what it does not know beside an activity for the activity itself."""
        root = self._scope.workflow.task_tree
        task.parent._children.remove(task.id)
        root._children.append(task.id)
        task._parent = root.id

    def _remove(self, task: Task) -> None:
        task.parent._children.remove(task.id)
        del self._scope.workflow.tasks[task.id]


def settle(machine: Machine, renewed: set[str]) -> None:
    """After a crossing, in the new program: arm what is new, let changed events wait anew."""
    for workflow in [machine.workflow, *machine.workflow.subprocesses.values()]:
        if not workflow.completed:
            for task in list(workflow.tasks.values()):
                if task._state & _LIVE:
                    _settle_one(task, renewed)


def _settle_one(task: Task, renewed: set[str]) -> None:
    spec = task.task_spec
    if task.id.hex in renewed:
        _wait_anew(task)
    if isinstance(task.parent.task_spec, BoundaryEventSplit) and not isinstance(spec, BoundaryEventMixin):
        _attach_missing(task.parent)


def _wait_anew(task: Task) -> None:
    definition = task.task_spec.event_definition
    if isinstance(definition, FirstOf) and "branches" in task.internal_data:
        pairs = zip(task.internal_data["branches"], definition.branches, strict=True)
        task.internal_data["branches"] = [_schedule(task, known, branch) for known, (_, branch) in pairs]
    task.task_spec._update(task)


def _schedule(task: Task, known: dict[str, Any], branch: Any) -> dict[str, Any]:
    return branch.schedule(task) if isinstance(branch, Timer) and "due" not in known else known


def _attach_missing(split: Task) -> None:
    present = [child.task_spec for child in split.children]
    for spec in split.task_spec.outputs:
        if isinstance(spec, BoundaryEventMixin) and spec not in present:
            event = split._add_child(spec, TaskState.WAITING)
            spec._update(event)


def _is_same(old: Any, new: Any, scope: Scope) -> bool:
    if type(old) is not type(new):
        return False
    if isinstance(old, FirstOf):
        names = [scope.renamed(name) for name, _ in old.branches]
        pairs = zip(old.branches, new.branches, strict=False)
        return names == [name for name, _ in new.branches] and all(_is_same(a, b, scope) for (_, a), (_, b) in pairs)
    return facts(old) == facts(new)
