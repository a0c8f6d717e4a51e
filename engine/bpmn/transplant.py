"""Carrying a stored workflow over to another program: every token keeps its place, its data and its identity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.mixins import (
    BoundaryEventMixin,
    CallActivityMixin,
    SubWorkflowTaskMixin,
)
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import state
from engine.bpmn.events import Timer
from engine.bpmn.gateways import FirstOf
from engine.bpmn.joins import Join, ParallelJoin, ScopeEnd
from engine.bpmn.machine import Machine
from engine.bpmn.program import Program
from engine.bpmn.script_engine import ScriptEngine
from engine.bpmn.specs import ServiceTask
from engine.errors import EngineError

_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED
_SPLIT = ".BoundaryEventSplit"
_INVENTED = re.compile(r"(\.(body|undo|undoing|next))?(\.(BoundaryEventSplit|BoundaryEventJoin))?$")
"""What the names of nodes that nobody drew add to the id of the element they belong to."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a token stands, in the old program and in the new one."""

    key: str
    """The workflow's own task id."""
    process_key: str
    element_id: str
    element_name: str
    target_id: str | None
    """None when it has no counterpart."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a token cannot be carried over as it is."""

    kind: Literal["mapping", "blocked"]
    """mapping = a person may say where to; blocked = not even then."""
    element_id: str
    element_name: str
    ru: str
    en: str
    candidates: tuple[str, ...] = ()
    """Elements of the new program that it may be carried to, the likeliest first."""


@dataclass
class Crossing:
    """One workflow on its way; `data` is the stored form for the new program."""

    places: list[Place] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    renewed: set[str] = field(default_factory=set)
    """Waits whose event is defined differently now: they begin to wait anew."""
    elements: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The workflow's task id of every wait → id and name of its element in the new program."""
    data: bytes = b""


class Transplant:
    """The way from one program to another; `mapping` names the elements of process `key` that change their id."""

    def __init__(self, old: Program, new: Program, key: str, mapping: Mapping[str, str]) -> None:
        self.old = old
        self.new = new
        self.key = key
        self.mapping = mapping

    def examine(self, data: bytes, engine: ScriptEngine) -> Crossing:
        """Carry the stored workflow over in memory; with obstacles there is no `data`."""
        workflow = state.decode(data, self.old.specs, self.old.main, engine)
        crossing = Crossing()
        pairs = list(self._scopes(workflow, crossing))
        for scope in pairs:
            scope.look()
        if not crossing.obstacles:
            for scope in pairs:
                scope.carry()
            crossing.data = state.encode(workflow, self.new.fingerprint)
        return crossing

    def _scopes(self, workflow: BpmnWorkflow, crossing: Crossing) -> Iterator[_Scope]:
        new_main = self.new.specs.get(self.new.main)
        if new_main is None or self.new.main != self.old.main:
            raise EngineError("Expected two versions of one process, but these are different processes")
        known = {id(workflow): _Scope(self, crossing, workflow, new_main)}
        yield known[id(workflow)]
        for key, sub in sorted(workflow.subprocesses.items(), key=lambda item: item[1].depth):
            task = workflow.get_task_from_id(key)
            around = None if task is None else known.get(id(task.workflow))
            inner = None if around is None or task is None else around.inner(task)
            if inner is not None:
                known[id(sub)] = _Scope(self, crossing, sub, inner)
                yield known[id(sub)]
            elif task is None or task._state & TaskState.FINISHED_MASK:
                del workflow.subprocesses[key]

    def renamed(self, scope_key: str, element_id: str) -> str:
        return self.mapping.get(element_id, element_id) if scope_key == self.key else element_id


class _Scope:
    """One (sub-)process of the workflow and the specs it is carried to."""

    def __init__(self, plan: Transplant, crossing: Crossing, workflow: Any, new: Any) -> None:
        self._plan = plan
        self._crossing = crossing
        self._workflow = workflow
        self._old, self._new = workflow.spec, new
        self._key = plan.old.owner(workflow.spec.name)
        self._kept: dict[str, Any] = {}

    # looking

    def look(self) -> None:
        """Note where the tokens stand and what keeps them from being carried over."""
        tokens = [task for task in self._workflow.tasks.values() if self._is_token(task)]
        for task in tokens:
            found = self.counterpart(task.task_spec)
            if task.task_spec.bpmn_id:
                self._crossing.places.append(self._place(task, found))
            self._refuse_unlike(task, found)
        if not self._crossing.obstacles:
            self._refuse_joins(tokens)

    def inner(self, task: Task) -> Any:
        """The specs that the sub-process of this activity is carried to; None when there are none."""
        found = self.counterpart(task.task_spec)
        return None if not isinstance(found, SubWorkflowTaskMixin) else self._plan.new.specs.get(found.spec)

    def counterpart(self, spec: Any) -> Any:
        """The spec of the same kind that stands for this one in the new program, or None."""
        if isinstance(spec, ScopeEnd):
            return next((each for each in self._new.task_specs.values() if isinstance(each, ScopeEnd)), None)
        found = self._new.task_specs.get(self._new_name(spec))
        return found if found is not None and type(found) is type(spec) else None

    def _new_name(self, spec: Any) -> str:
        name: str = spec.name
        old: str = spec.bpmn_id or _INVENTED.sub("", name)
        return self._plan.renamed(self._key, old) + name[len(old) :] if name.startswith(old) else name

    def _is_token(self, task: Task) -> bool:
        return bool(task._state & _LIVE) and not isinstance(task.task_spec, BoundaryEventMixin | ScopeEnd)

    def _place(self, task: Task, found: Any) -> Place:
        spec = task.task_spec
        element_id = spec.bpmn_id or spec.name
        return Place(
            task.id.hex,
            self._key,
            element_id,
            spec.bpmn_name or element_id,
            None if found is None else found.bpmn_id or found.name,
        )

    def _refuse_unlike(self, task: Task, found: Any) -> None:
        spec = task.task_spec
        if isinstance(spec, LoopTask) or isinstance(task.parent.task_spec, LoopTask):
            self._block(
                spec,
                "здесь идёт многократный шаг, его повторения нельзя перенести",
                "it is repeated here, and repetitions cannot be carried over",
            )
        elif isinstance(spec, Join):
            self._block(
                spec, "здесь как раз сходятся ветви: дождитесь, пока они сойдутся", "branches are just meeting here"
            )
        elif not spec.bpmn_id and found is None:
            self._block(spec, "такое ожидание нельзя перенести", "this kind of wait cannot be carried over")
        elif found is None:
            self._refuse_missing(spec)
        elif isinstance(spec, ServiceTask) and spec.in_background != found.in_background:
            self._block(
                spec, "шаг выполняется теперь не так, как раньше", "it is carried out in another way now", among=spec
            )
        elif isinstance(spec, CallActivityMixin) and spec.spec != found.spec:
            self._block(
                spec,
                f"теперь вызывается другой процесс ({found.spec})",
                f"another process is called now ({found.spec})",
            )
        elif isinstance(spec, SubWorkflowTaskMixin) and found.spec not in self._plan.new.specs:
            self._block(spec, "вызываемый процесс не установлен", "the called process is not deployed")

    def _refuse_missing(self, spec: Any) -> None:
        wanted = self._new_name(spec)
        if wanted in self._new.task_specs:
            self._block(
                spec, "в новой версии это элемент другого вида", "it is of another kind in the new version", among=spec
            )
        elif any(wanted in each.task_specs for each in self._plan.new.specs.values()):
            self._block(
                spec,
                "в новой версии он в другом подпроцессе, или событийные подпроцессы есть лишь в одной из версий",
                "it belongs to another scope in the new version, or only one of them has event sub-processes",
                among=spec,
            )
        else:
            self._block(
                spec,
                "в новой версии такого элемента нет: укажите, куда перевести",
                "the new version does not have it: say where to",
                among=spec,
                kind="mapping",
            )

    def _block(
        self, spec: Any, ru: str, en: str, *, among: Any = None, kind: Literal["mapping", "blocked"] = "blocked"
    ) -> None:
        name = spec.bpmn_name or spec.bpmn_id or spec.name
        candidates = tuple(self._candidates(among)) if among is not None else ()
        self._crossing.obstacles.append(
            Obstacle(kind, spec.bpmn_id or spec.name, name, f"«{name}»: {ru}", f"“{name}”: {en}", candidates)
        )

    def _candidates(self, spec: Any) -> list[str]:
        alike = [each for each in self._new.task_specs.values() if type(each) is type(spec) and each.bpmn_id]
        alike.sort(key=lambda each: (each.bpmn_name != spec.bpmn_name, each.bpmn_name or each.bpmn_id))
        return [each.bpmn_id for each in alike]

    def _refuse_joins(self, tokens: list[Task]) -> None:
        """A parallel join of the new version must be able to get a token on each of its flows."""
        places = [self.counterpart(task.task_spec) for task in tokens]
        for join in _joins(self._new):
            sources = [self._entry(place) for place in places]
            if join not in _reached(sources, None):
                continue
            before = _reached(sources, join)
            missing = [each for each in join.inputs if each not in before]
            if missing and isinstance(join, ParallelJoin):
                names = ", ".join(f"«{_drawn(each)}»" for each in missing)
                self._block(
                    join,
                    f"ждал бы ветвь {names}, которая не начата",
                    f"would wait for {names}, which has not begun",
                )
        if len(tokens) > 1:
            self._refuse_lost_joins(tokens)

    def _refuse_lost_joins(self, tokens: list[Task]) -> None:
        for join in _joins(self._old):
            if join in _reached([task.task_spec for task in tokens], None) and self.counterpart(join) is None:
                self._block(
                    join,
                    "открыто несколько ветвей, а сойтись в новой версии им негде",
                    "several branches are open, and the new version has no place where they meet",
                )

    def _entry(self, spec: Any) -> Any:
        return self._new.task_specs.get(f"{spec.name}{_SPLIT}", spec)

    # carrying

    def carry(self) -> None:
        """Give every task its new spec."""
        for task in list(self._workflow.tasks.values()):
            if task._state & _LIVE:
                self._carry_live(task)
        for task in list(self._workflow.tasks.values()):
            if task._state & TaskState.FINISHED_MASK:
                self._carry_finished(task)
        self._workflow.spec = self._new

    def _carry_live(self, task: Task) -> None:
        old, new = task.task_spec, self.counterpart(task.task_spec)
        if isinstance(old, BoundaryEventMixin) and not self._stays_attached(task, new):
            self._remove(task)
            return
        if isinstance(old, CatchingEvent):
            self._renew(task, old.event_definition, new.event_definition)
        split = self._new.task_specs.get(f"{new.name}{_SPLIT}")
        if split is not None and not isinstance(task.parent.task_spec, BoundaryEventSplit):
            self._put_below(task, split)
        task.task_spec = new
        self._crossing.elements[task.id.hex] = (new.bpmn_id or new.name, new.bpmn_name or "")

    def _stays_attached(self, task: Task, new: Any) -> bool:
        """Whether the boundary event, as the new version has it, still belongs to the same activity."""
        split = self.counterpart(task.parent.task_spec)
        return (
            new is not None
            and split is not None
            and new in split.outputs
            and new.cancel_activity == task.task_spec.cancel_activity
        )

    def _renew(self, task: Task, old: Any, new: Any) -> None:
        if _is_same(old, new, self):
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
            self._plan.renamed(self._key, name): (definition, schedule)
            for (name, definition), schedule in zip(old.branches, task.internal_data["branches"], strict=True)
        }
        return [
            known[name][1] if name in known and _is_same(known[name][0], definition, self) else {}
            for name, definition in new.branches
        ]

    def _put_below(self, task: Task, split: Any) -> None:
        above = task.parent
        above._children.remove(task.id)
        between = Task(self._workflow, split, above, TaskState.COMPLETED)
        between.data = dict(above.data)
        between._children.append(task.id)
        task._parent = between.id

    def _carry_finished(self, task: Task) -> None:
        """What is over serves as history: without a counterpart it only keeps its place and its data."""
        if task.task_spec in self._new.task_specs.values():
            return
        found = self.counterpart(task.task_spec)
        if isinstance(task.task_spec, BoundaryEventMixin) and not self._stays_known(task, found):
            self._move_to_root(task)
            found = None
        task.task_spec = self._new.start if found is None else found

    def _stays_known(self, task: Task, found: Any) -> bool:
        return found is not None and found.cancel_activity == task.task_spec.cancel_activity

    def _move_to_root(self, task: Task) -> None:
        """A join takes what it does not know beside an activity for the activity itself."""
        root = self._workflow.task_tree
        task.parent._children.remove(task.id)
        root._children.append(task.id)
        task._parent = root.id

    def _remove(self, task: Task) -> None:
        task.parent._children.remove(task.id)
        del self._workflow.tasks[task.id]


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


def _is_same(old: Any, new: Any, scope: _Scope) -> bool:
    if type(old) is not type(new):
        return False
    if isinstance(old, FirstOf):
        names = [scope._plan.renamed(scope._key, name) for name, _ in old.branches]
        pairs = zip(old.branches, new.branches, strict=False)
        return names == [name for name, _ in new.branches] and all(_is_same(a, b, scope) for (_, a), (_, b) in pairs)
    return _facts(old) == _facts(new)


def _facts(definition: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(definition).items() if isinstance(value, str | int | float | None)}


def _joins(spec: Any) -> list[Any]:
    return [each for each in spec.task_specs.values() if isinstance(each, Join) and len(each.inputs) > 1]


def _reached(sources: list[Any], wall: Any) -> set[Any]:
    """Everything that a token at one of these may reach, themselves included; nothing behind the wall."""
    found: set[Any] = set()
    pending = list(sources)
    while pending:
        spec = pending.pop()
        if spec not in found:
            found.add(spec)
            pending.extend(() if spec is wall else spec.outputs)
    return found


def _drawn(spec: Any) -> str:
    name = spec.bpmn_name or spec.bpmn_id or spec.name
    return str(name).removesuffix(".BoundaryEventJoin")
