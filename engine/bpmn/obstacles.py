"""What keeps the tokens of a workflow from being carried over to another program, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from SpiffWorkflow.bpmn.specs.mixins import BoundaryEventMixin, CallActivityMixin, SubWorkflowTaskMixin
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.counterparts import SPLIT, Crossing, Obstacle, Scope, facts
from engine.bpmn.joins import Join, ParallelJoin, ScopeEnd
from engine.bpmn.loops import Repeated
from engine.bpmn.specs import ServiceTask

Sentences = tuple[str, str]
"""Russian and English, about a node that is named before them."""

_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED
_REPEATED = "шаг повторяется, а в новой версии повторяется иначе", "it is repeated, and in another way from now on"
_MEETING = "здесь сходятся ветви, а в новой версии сходятся другие", "branches meet here, and others do from now on"
_UNKNOWN = "такое ожидание нельзя перенести", "this kind of wait cannot be carried over"
_BACKGROUND = "шаг выполняется теперь не так, как раньше", "it is carried out in another way now"
_NOT_DEPLOYED = "вызываемый процесс не установлен", "the called process is not deployed"
_OTHER_KIND = "в новой версии это элемент другого вида", "it is of another kind in the new version"
_OTHER_SCOPE = (
    "в новой версии он в другом подпроцессе, или событийные подпроцессы есть лишь в одной из версий",
    "it belongs to another scope in the new version, or only one of them has event sub-processes",
)
_MISSING = (
    "в новой версии такого элемента нет: укажите, куда перевести",
    "the new version does not have it: say where to",
)
_NO_JOIN = (
    "открыто несколько ветвей, а сойтись в новой версии им негде",
    "several branches are open, and the new version has no place where they meet",
)


def look(scope: Scope, crossing: Crossing) -> None:
    """Note where the tokens of the scope stand and what keeps them from being carried over."""
    tokens = [task for task in scope.workflow.tasks.values() if _is_token(task)]
    crossing.places += [scope.place(task) for task in tokens if task.task_spec.bpmn_id]
    found = [each for task in tokens for each in _of_token(scope, task)]
    crossing.obstacles += found or list(_of_joins(scope, tokens))


def _is_token(task: Task) -> bool:
    return bool(task._state & _LIVE) and not isinstance(task.task_spec, BoundaryEventMixin | ScopeEnd)


def _of_token(scope: Scope, task: Task) -> Iterator[Obstacle]:
    spec, found = task.task_spec, scope.counterpart(task.task_spec)
    if found is None and not spec.bpmn_id:
        yield _blocked(spec, _UNKNOWN)
    elif found is None:
        yield _missing(scope, spec)
    elif (why := _unlike(scope, task, found)) is not None:
        yield _blocked(spec, why)


def _unlike(scope: Scope, task: Task, found: Any) -> Sentences | None:
    """Why the counterpart cannot take the token over."""
    spec = task.task_spec
    if isinstance(spec, Repeated):
        return None if facts(spec) == facts(found) and _drawn_as(spec) == _drawn_as(found) else _REPEATED
    if isinstance(spec, Join):
        return None if scope.counterpart(task.parent.task_spec) in found.inputs else _MEETING
    if isinstance(spec, ServiceTask):
        return None if spec.in_background == found.in_background else _BACKGROUND
    if isinstance(spec, CallActivityMixin) and spec.spec != found.spec:
        return f"теперь вызывается другой процесс ({found.spec})", f"another process is called now ({found.spec})"
    if isinstance(spec, SubWorkflowTaskMixin) and found.spec not in scope.way.new.specs:
        return _NOT_DEPLOYED
    return None


def _drawn_as(spec: Repeated) -> dict[str, Any]:
    drawn = getattr(spec, "drawn", None)
    return {} if drawn is None else facts(drawn)


def _missing(scope: Scope, spec: Any) -> Obstacle:
    wanted, candidates = scope.new_name(spec), _candidates(scope, spec)
    if wanted in scope.new.task_specs:
        return _blocked(spec, _OTHER_KIND, candidates)
    if any(wanted in each.task_specs for each in scope.way.new.specs.values()):
        return _blocked(spec, _OTHER_SCOPE, candidates)
    return _blocked(spec, _MISSING, candidates, "mapping")


def _blocked(
    spec: Any,
    why: Sentences,
    candidates: tuple[str, ...] = (),
    kind: Literal["mapping", "blocked"] = "blocked",
) -> Obstacle:
    name, (ru, en) = _name(spec), why
    return Obstacle(kind, spec.bpmn_id or spec.name, name, f"«{name}»: {ru}", f"“{name}”: {en}", candidates)


def _candidates(scope: Scope, spec: Any) -> tuple[str, ...]:
    """Nodes of the same kind in the same scope, those of the same name first."""
    alike = [each for each in scope.new.task_specs.values() if type(each) is type(spec) and each.bpmn_id]
    alike.sort(key=lambda each: (each.bpmn_name != spec.bpmn_name, each.bpmn_name or each.bpmn_id))
    return tuple(each.bpmn_id for each in alike)


def _of_joins(scope: Scope, tokens: list[Task]) -> Iterator[Obstacle]:
    """Parallel joins of the new version that would wait for ever; joins that open branches have lost."""
    for join in _joins(scope.new, ParallelJoin):
        waiting = [task for task in tokens if scope.counterpart(task.task_spec) is join]
        moving = [_entry(scope, task) for task in tokens if task not in waiting]
        if not waiting and join not in _reached(moving, None):
            continue
        filled = _reached(moving, join) | {scope.counterpart(task.parent.task_spec) for task in waiting}
        empty = [flow for flow in join.inputs if flow not in filled]
        if empty:
            names = ", ".join(f"«{_name(flow)}»" for flow in empty)
            sentences = f"ждал бы ветвь {names}, которая не начата", f"would wait for {names}, which has not begun"
            yield _blocked(join, sentences)
    if len(tokens) > 1:
        reached = _reached([task.task_spec for task in tokens], None)
        for join in _joins(scope.old, Join):
            if join in reached and scope.counterpart(join) is None:
                yield _blocked(join, _NO_JOIN)


def _entry(scope: Scope, task: Task) -> Any:
    """Where the token is in the new version, its boundary events included."""
    found = scope.counterpart(task.task_spec)
    return scope.new.task_specs.get(f"{found.name}{SPLIT}", found)


def _joins(spec: Any, kind: type[Join]) -> list[Any]:
    return [each for each in spec.task_specs.values() if isinstance(each, kind) and len(each.inputs) > 1]


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


def _name(spec: Any) -> str:
    return str(spec.bpmn_name or spec.bpmn_id or spec.name).removesuffix(".BoundaryEventJoin")
