"""One running workflow in memory: move it, run it to its wait states, say what it waits for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.exceptions import WorkflowTaskException
from SpiffWorkflow.bpmn.specs.mixins import BoundaryEventMixin
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import joins, state, variables
from engine.bpmn.budget import Budget
from engine.bpmn.conditions import conditions
from engine.bpmn.events import Condition, Message, Signal, Timer
from engine.bpmn.gateways import FirstOf
from engine.bpmn.log import LEFT, Happening, Log
from engine.bpmn.program import Program
from engine.bpmn.prune import prune
from engine.bpmn.scopes import begin_at
from engine.bpmn.script_engine import Environment, ScriptEngine
from engine.bpmn.specs import ServiceTask
from engine.errors import StepBudgetExceeded, StepFailed
from engine.values import stored

PRUNE_EVERY = 100
"""Steps: the library's walks over the tree end at depth 1,000."""

# The library builds the extras of every log record even when nobody listens.
for _name in ("spiff.task", "spiff.workflow", "spiff.data"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing the workflow waits for; `key` is the workflow's own task id (and the branch of a gateway)."""

    key: str
    kind: str
    """user | timer | async | message | signal | condition."""
    process_key: str
    element_id: str
    element_name: str
    name: str = ""
    """Of the message or signal; the expression of a condition."""
    due: datetime | None = None
    """Of a timer; an unarmed timer is no wait."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A join that holds tokens while nothing in its scope can bring those it lacks."""

    key: str
    """Of the join in its scope; no task has such an id."""
    process_key: str
    element_id: str
    element_name: str
    missing: tuple[str, ...]
    """Ids of the flows that stay empty."""


class Machine:
    """A workflow that is alive for one step; it is thrown away after an exception."""

    def __init__(
        self, program: Program, environment: Environment, data: bytes | None, entered: Callable[[Happening], None]
    ) -> None:
        self.program = program
        self.environment = environment
        environment.program = program
        self._log = Log(program.owner, entered)
        self._engine = ScriptEngine(environment)
        self._scanned_last: set[UUID] = set()
        self.budget = Budget()
        self.is_watching = True
        """Whether conditions are looked at; not while the instance is suspended."""
        self.has_reconsidered = False
        """Whether the conditions that are waited for are seen otherwise than before the step."""
        self.current: tuple[str | None, str | None] = (None, None)
        """Id and name of the node that was run last."""
        if data is None:
            self.workflow = BpmnWorkflow(program.specs[program.main], program.specs, script_engine=self._engine)
        else:
            self.workflow = state.decode(data, program.specs, program.main, self._engine)
            self._log.recall(self._tasks())

    @property
    def log(self) -> list[Happening]:
        """What happened so far."""
        return self._log.happenings

    @property
    def completed(self) -> bool:
        return bool(self.workflow.completed)

    @property
    def size(self) -> int:
        """How many tasks the tree holds."""
        return sum(len(each.tasks) for each in self._workflows())

    def encoded(self) -> bytes:
        """The state to store, pruned."""
        prune(self.workflow)
        return state.encode(self.workflow, self.program.fingerprint)

    # moves

    def begin(self, variables: Mapping[str, Any], start: str | None = None) -> None:
        """Start at the start event `start`, or at the blank one; raises StepFailed when there is no such."""
        root, spec = self.workflow.task_tree, self.workflow.spec
        if start is None and not spec.begins_by_itself:
            raise StepFailed(f"Expected a blank start event in {spec.name}, but there is none")
        if start is not None and not begin_at(self.workflow, start):
            raise StepFailed(f"Expected the start event {start} in {spec.name}, but there is none")
        root.data.update(stored(dict(variables)))

    def complete(self, key: str, variables: Mapping[str, Any]) -> None:
        """Complete one user task that is READY; raises LookupError when it is not."""
        task = self._task(key, TaskState.READY)
        if not task.task_spec.manual:
            raise LookupError(key)
        self._run(task, stored(dict(variables)))

    def fire(self, key: str, payload: Mapping[str, Any] | None = None) -> None:
        """Let one waiting event happen; raises LookupError when it does not wait."""
        key, _, branch = key.partition(":")
        task = self._task(key, TaskState.WAITING)
        definition, facts = task.task_spec.event_definition, stored(dict(payload or {}))
        if branch:
            definition.fire_branch(task, int(branch), facts)
        else:
            definition.fire(task, facts)
        task.task_spec._update(task)

    def fire_all(self, keys: Iterable[str], payload: Mapping[str, Any]) -> list[str]:
        """Let one event happen at all these nodes; returns the keys that it reached: a gateway takes its first branch.

        Raises LookupError when a node does not wait.
        """
        reached: dict[str, str] = {}
        for key in keys:
            if reached.setdefault(key.partition(":")[0], key) == key:
                self.fire(key, payload)
        return list(reached.values())

    def execute(self, key: str) -> None:
        """Run one node that was left to a worker; raises LookupError when it is not READY."""
        self._run(self._task(key, TaskState.READY))

    def rearm(self) -> set[str]:
        """Compute the computed timers again; returns the keys of those whose instant changed."""
        changed = set()
        for task in self._waiting_events():
            definition = task.task_spec.event_definition
            if isinstance(definition, Timer) and definition.is_computed and "every" not in task.internal_data:
                before = task.internal_data.get("due")
                with _as_step_failure(task):
                    definition.arm(task)
                if task.internal_data.get("due") != before:
                    changed.add(task.id.hex)
        return changed

    def cancel(self) -> None:
        """End everything where it stands."""
        self.workflow.cancel()
        self._observe()

    def run(self) -> None:
        """Run automatic nodes until only waits remain; raises StepBudgetExceeded, StepFailed or a connector's error."""
        self._run_automatic()
        while self.is_watching and self.program.has_conditions and self._look_at_conditions():
            self._run_automatic()

    def _run_automatic(self) -> None:
        task = self._observe() or self._released()
        while task is not None:
            self._run(task)
            if self.budget.steps % PRUNE_EVERY == 0:
                self._observe()
                self._log.note_dropped(self._tasks())
                prune(self.workflow)
            task = self._observe() or self._released()
        self._log.note_dropped(self._tasks())

    def _released(self) -> Task | None:
        """The token at an inclusive join that goes on, now that nothing else does."""
        if any(joins.release(each) for each in self._workflows() if not each.completed):
            return self._observe()
        return None

    def waits(self) -> list[Wait]:
        """All that can move this workflow on."""
        found: list[Wait] = []
        for each in self._workflows():
            if each.completed:
                continue
            for task in each.tasks.values():
                if task._state == TaskState.READY:
                    found.append(self._wait(task, "user" if task.task_spec.manual else "async"))
                elif task._state == TaskState.WAITING and isinstance(task.task_spec, CatchingEvent):
                    found.extend(self._event_waits(task))
        return found

    def stuck(self) -> list[Stuck]:
        """The joins that wait for ever, outermost scope first."""
        found: list[Stuck] = []
        for each in self._workflows():
            if not each.completed:
                scope = "" if each.parent_task_id is None else each.parent_task_id.hex
                found.extend(self._stuck(join, sources, scope) for join, sources in joins.stuck(each).items())
        return found

    def data_of(self, key: str) -> dict[str, Any]:
        """The variables at a waiting node; empty when it is gone."""
        task = self._find(key.partition(":")[0])
        return {} if task is None else dict(task.data)

    def result(self) -> dict[str, Any]:
        """The variables at the end of a completed workflow."""
        last = self.workflow.last_task
        return dict(last.data) if last is not None else {}

    # inside

    def _workflows(self) -> Iterator[Any]:
        yield self.workflow
        yield from list(self.workflow.subprocesses.values())

    def _tasks(self) -> Iterator[Task]:
        for each in self._workflows():
            yield from each.tasks.values()

    def _find(self, key: str) -> Task | None:
        task_id = UUID(hex=key)
        return next((each.tasks[task_id] for each in self._workflows() if task_id in each.tasks), None)

    def _task(self, key: str, state: int) -> Task:
        task = self._find(key)
        if task is None or task._state != state:
            raise LookupError(key)
        return task

    def _run(self, task: Task, given: Mapping[str, Any] | None = None) -> None:
        before = dict(task.data)
        task.data.update(given or {})
        self.budget.step(self.size, len(self.log))
        self.current = (task.task_spec.bpmn_id, task.task_spec.bpmn_name)
        with _as_step_failure(task):
            task.run()
        variables.share(task, variables.changes(before, task.data))
        self._log.look(task)
        self.budget.weigh(task.data)

    def _waiting_events(self) -> Iterator[Task]:
        for each in self._workflows():
            if not each.completed:
                for task in each.tasks.values():
                    if task._state == TaskState.WAITING and isinstance(task.task_spec, CatchingEvent):
                        yield task

    def _look_at_conditions(self) -> bool:
        """Let the first event happen whose condition has become true; the others are looked at after it."""
        for task in list(self._waiting_events()):
            for position, condition, memory in conditions(task):
                self.current = (task.task_spec.bpmn_id, task.task_spec.bpmn_name)
                before = dict(memory)
                holds = bool(self.environment.evaluate(condition.text, variables.of_scope(task.workflow)))
                fires = condition.look(holds, memory)
                self.has_reconsidered |= memory != before
                if fires:
                    self.fire(task.id.hex + position)
                    return True
        return False

    def _wait(self, task: Task, kind: str, suffix: str = "", **more: Any) -> Wait:
        spec = task.task_spec
        owner = self.program.owner(task.workflow.spec.name)
        return Wait(task.id.hex + suffix, kind, owner, spec.bpmn_id or spec.name, spec.bpmn_name or "", **more)

    def _stuck(self, join: joins.Join, sources: list[str], scope: str) -> Stuck:
        owner = self.program.owner(join._wf_spec.name)
        flows = self.program.parts[owner].index["flows"].items()
        missing = [key for key, flow in flows if flow["target"] == join.bpmn_id and flow["source"] in sources]
        return Stuck(f"join:{scope}:{join.bpmn_id}", owner, join.bpmn_id, join.bpmn_name or "", tuple(missing))

    def _event_waits(self, task: Task) -> Iterator[Wait]:
        definition = task.task_spec.event_definition
        if isinstance(definition, FirstOf):
            for position, (_, branch) in enumerate(definition.branches):
                schedule = task.internal_data["branches"][position]
                yield from self._one_event(task, branch, schedule, f":{position}")
        else:
            yield from self._one_event(task, definition, task.internal_data, "")

    def _one_event(self, task: Task, definition: Any, schedule: Mapping[str, Any], suffix: str) -> Iterator[Wait]:
        if isinstance(definition, Timer):
            if schedule.get("due") is not None:
                yield self._wait(task, "timer", suffix, due=datetime.fromisoformat(schedule["due"]))
        elif isinstance(definition, Message | Signal):
            yield self._wait(task, definition.kind, suffix, name=definition.name)
        elif isinstance(definition, Condition):
            yield self._wait(task, definition.kind, suffix, name=definition.text[:200])

    def _observe(self) -> Task | None:
        """Note what changed since the last look; returns the automatic node to run next.

        Events go first, so that an interruption wins over the activity it interrupts; then the innermost scope.
        """
        chosen: tuple[bool, int] | None = None
        following: Task | None = None
        self._cancel_orphans()
        for each in self._workflows():
            if each.completed and each is not self.workflow:
                if each.parent_task_id in self._scanned_last:
                    continue
                self._scanned_last.add(each.parent_task_id)
            for task in list(each.tasks.values()):
                now = task._state
                if now & TaskState.PREDICTED_MASK or now == TaskState.FUTURE:
                    continue
                self._log.look(task)
                if now == TaskState.READY and not each.completed and _is_automatic(task):
                    rank = (isinstance(task.task_spec, BoundaryEventMixin), each.depth)
                    if chosen is None or rank > chosen:
                        chosen, following = rank, task
        return following

    def _cancel_orphans(self) -> None:
        """Sub-processes of an activity that was dropped with its loop do not outlive it."""
        for each in list(self.workflow.subprocesses.values()):
            if not each.completed:
                parent = self._find(each.parent_task_id.hex)
                if parent is None or parent._state & LEFT:
                    each.cancel()


def _is_automatic(task: Task) -> bool:
    spec = task.task_spec
    return not spec.manual and not (isinstance(spec, ServiceTask) and spec.in_background)


class _as_step_failure:
    """Turns the library's own errors into StepFailed with the element; all others pass unchanged."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, RecursionError):
            raise StepBudgetExceeded("Expected a moderate depth of nodes, but the tree is too deep") from error
        if isinstance(error, SpiffWorkflowException):
            failed = error.task.task_spec if isinstance(error, WorkflowTaskException) else self._task.task_spec
            raise StepFailed(str(error).rstrip(". "), failed.bpmn_id or failed.name, failed.bpmn_name) from error
