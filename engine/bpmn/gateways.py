"""The gateways of a process: where tokens part, wait for each other and choose their way."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.bpmn.specs.mixins import (
    ExclusiveGatewayMixin,
    InclusiveGatewayMixin,
    ParallelGatewayMixin,
)
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.events import Timer, Waiting
from engine.bpmn.specs import Node


class ExclusiveGateway(ExclusiveGatewayMixin, Node):
    def _run_hook(self, my_task: Task) -> bool:
        if self.default_task_spec is None and not any(c._matches(my_task) for c, _ in self.cond_task_specs):
            raise WorkflowException("Expected one of the conditions to hold, but none does", task_spec=self)
        return bool(super()._run_hook(my_task))


class ParallelGateway(ParallelGatewayMixin, Node):
    pass


class InclusiveGateway(InclusiveGatewayMixin, Node):
    pass


class FirstOf(Waiting):
    """What an event-based gateway waits for: the first of its branches."""

    def __init__(self) -> None:
        super().__init__()
        self.branches: list[tuple[str, Waiting]] = []

    def __eq__(self, other: object) -> bool:
        return self is other

    def has_fired(self, my_task: Task) -> bool:
        if "branches" not in my_task.internal_data:
            my_task.internal_data["branches"] = [
                definition.schedule(my_task) if isinstance(definition, Timer) else {} for _, definition in self.branches
            ]
        return bool(my_task.internal_data.get("event_fired", False))

    def fire_branch(self, task: Task, position: int, payload: dict[str, Any] | None = None) -> None:
        task.internal_data["branch"] = position
        self.fire(task, payload)

    def catches(self, my_task: Task, event: BpmnEvent) -> bool:
        return any(definition == event.event_definition for _, definition in self.branches)

    def catch(self, my_task: Task, event: BpmnEvent | None = None) -> None:
        for position, (_, definition) in enumerate(self.branches):
            if event is not None and definition == event.event_definition:
                self.fire_branch(my_task, position, event.payload)
                return


class EventBasedGateway(CatchingEvent, Node):
    """Waits for the first of the events behind it; the others are forgotten."""

    def connect(self, taskspec: TaskSpec) -> None:
        super().connect(taskspec)
        self.event_definition.branches.append((taskspec.name, taskspec.event_definition))
        taskspec.event_definition = NoneEventDefinition()

    def _predict_hook(self, my_task: Task) -> None:
        my_task._sync_children(self.outputs, state=TaskState.MAYBE)

    def _run_hook(self, my_task: Task) -> bool:
        self.event_definition.update_task_data(my_task)
        chosen, _ = self.event_definition.branches[my_task.internal_data["branch"]]
        my_task._sync_children([my_task.workflow.spec.task_specs[chosen]], TaskState.FUTURE)
        for child in my_task.children:
            child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
        return True
