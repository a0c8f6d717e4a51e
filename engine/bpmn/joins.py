"""Where tokens wait for each other: parallel and inclusive joins, and the end of a scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED | TaskState.FUTURE
_ARRIVED = "arrived"


class Join(BpmnTaskSpec):
    """A gateway at which tokens wait, each as a waiting task below the node it came from."""

    def _update_hook(self, my_task: Task) -> bool:
        if my_task._state == TaskState.WAITING:
            return False
        my_task._inherit_data()
        if len(self._inputs) < 2:
            return True
        waiting = self.waiting(my_task.workflow)
        my_task.internal_data[_ARRIVED] = 1 + max((_arrival(task) for task in waiting), default=0)
        my_task._set_state(TaskState.WAITING)
        return self._fires(my_task.workflow)

    def _fires(self, workflow: Any) -> bool:
        """Whether the token that came last goes on at once."""
        return False

    def waiting(self, workflow: Any) -> list[Task]:
        """The tokens that wait here, the oldest first."""
        found = [t for t in workflow.tasks.values() if t.task_spec is self and t._state == TaskState.WAITING]
        return sorted(found, key=_arrival)

    def first_by_flow(self, workflow: Any) -> dict[str, Task]:
        """The oldest token of every incoming flow that has one, by the node the flow comes from."""
        found: dict[str, Task] = {}
        for task in self.waiting(workflow):
            found.setdefault(task.parent.task_spec.name, task)
        return found

    def fire(self, tokens: Iterable[Task]) -> Task:
        """Make one token of these; returns it, still waiting."""
        *others, last = sorted(tokens, key=_arrival)
        last.internal_data.pop(_ARRIVED, None)
        for task in others:
            task._set_state(TaskState.CANCELLED)
        return last

    @cached_property
    def before(self) -> dict[str, frozenset[str]]:
        """By incoming flow, the nodes from which a token can get to it without passing this join."""
        sources: dict[str, set[str]] = {}
        for spec in self._wf_spec.task_specs.values():
            for name in spec._outputs:
                sources.setdefault(name, set()).add(spec.name)
        return {flow: frozenset(_backwards(flow, sources, self.name)) for flow in set(self._inputs)}


class ParallelJoin(Join):
    """Fires when every incoming flow has a token and consumes one of each, the oldest; the others stay."""

    def _fires(self, workflow: Any) -> bool:
        tokens = self.first_by_flow(workflow)
        if len(tokens) < len(set(self._inputs)):
            return False
        self.fire(tokens.values())
        return True


class InclusiveJoin(Join):
    """Fires when no token can get to an incoming flow that has none, unless it can also get to one that has one."""

    def release(self, workflow: Any) -> Task | None:
        """The token that goes on if the join fires now."""
        tokens = self.first_by_flow(workflow)
        if not tokens or any(self.awaits(task, tokens) for task in _live(workflow)):
            return None
        return self.fire(tokens.values())

    def awaits(self, task: Task, tokens: Iterable[str]) -> bool:
        """Whether the join waits for this token, while it has a token on the flows `tokens`."""
        if task.task_spec is self:
            return False
        name, filled = task.task_spec.name, set(tokens)
        return any(name in nodes for flow, nodes in self.before.items() if flow not in filled) and not any(
            name in self.before[flow] for flow in filled
        )


class ScopeEnd(BpmnTaskSpec):
    """Behind all end events of a process or sub-process: the last token that comes completes it.

    The tokens that came before leave, so that side branches without number cost nothing.
    """

    def _predict(
        self, my_task: Task, seen: Any = None, looked_ahead: int = 0, mask: int = TaskState.PREDICTED_MASK
    ) -> None:
        """Nothing is foreseen."""

    def _update_hook(self, my_task: Task) -> bool:
        if my_task._state != TaskState.WAITING:
            my_task._inherit_data()
            for earlier in [task for task in _live(my_task.workflow) if task.task_spec is self and task is not my_task]:
                earlier._set_state(TaskState.CANCELLED)
            my_task._set_state(TaskState.WAITING)
        return all(task is my_task for task in _live(my_task.workflow))

    def _on_complete_hook(self, my_task: Task) -> None:
        super()._on_complete_hook(my_task)
        my_task._sync_children(self.outputs, TaskState.FUTURE)


def release(workflow: Any) -> bool:
    """Let the first inclusive join that may fire do so; to be asked when nothing else moves."""
    for spec in {id(task.task_spec): task.task_spec for task in _at_joins(workflow, InclusiveJoin)}.values():
        task = spec.release(workflow)
        if task is not None:
            task._ready()
            return True
    return False


def stuck(workflow: Any) -> dict[Join, list[str]]:
    """The joins of a scope whose tokens no other token can ever set free, with the incoming flows that stay empty."""
    holding = list({id(task.task_spec): task.task_spec for task in _at_joins(workflow, Join)}.values())
    moving = {task.task_spec.name for task in _live(workflow) if not _rests(task)}
    hopeless = holding
    while freed := [join for join in hopeless if _can_fire(join, workflow, moving)]:
        moving.update(join.name for join in freed)
        hopeless = [join for join in hopeless if join not in freed]
    return {join: _missing(join, workflow) for join in hopeless}


def number_arrivals(workflow: Any) -> None:
    """Give the waiting tokens of a first-format state their order: those that became waiting earlier come first."""
    waiting = sorted(_at_joins(workflow, Join), key=lambda task: task.last_state_change or float("inf"))
    for number, task in enumerate(waiting, 1):
        task.internal_data[_ARRIVED] = number


def _rests(task: Task) -> bool:
    return isinstance(task.task_spec, Join | ScopeEnd) and task._state == TaskState.WAITING


def _can_fire(join: Join, workflow: Any, moving: set[str]) -> bool:
    if isinstance(join, InclusiveJoin):
        tokens = join.first_by_flow(workflow)
        return any(task.task_spec.name in moving and join.awaits(task, tokens) for task in _live(workflow))
    return all(join.before[flow] & moving for flow in _missing(join, workflow))


def _missing(join: Join, workflow: Any) -> list[str]:
    tokens = join.first_by_flow(workflow)
    return [flow for flow in dict.fromkeys(join._inputs) if flow not in tokens]


def _at_joins(workflow: Any, kind: type[Join]) -> Iterator[Task]:
    for task in workflow.tasks.values():
        if task._state == TaskState.WAITING and isinstance(task.task_spec, kind):
            yield task


def _live(workflow: Any) -> Sequence[Task]:
    return [task for task in workflow.tasks.values() if task._state & LIVE]


def _arrival(task: Task) -> int:
    number: int = task.internal_data.get(_ARRIVED, 0)
    return number


def _backwards(flow: str, sources: dict[str, set[str]], join: str) -> set[str]:
    """The node `flow` and all from which it can be reached, never through the join."""
    seen: set[str] = set()
    pending = [flow]
    while pending:
        name = pending.pop()
        if name != join and name not in seen:
            seen.add(name)
            pending.extend(sources.get(name, ()))
    return seen
