"""The gateways of a process: where tokens part, wait for each other and choose their way."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.exceptions import WorkflowTaskException
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.task import Task

from engine.bpmn.events import Timer, Waiting
from engine.bpmn.joins import InclusiveJoin, ParallelJoin
from engine.bpmn.specs import Node


class ExclusiveGateway(Node):
    """The first condition that holds decides, in the order of the file."""

    def ways(self, my_task: Task) -> list[str]:
        for condition, name in self.guards:
            if self.holds(condition, my_task):
                return [name]
        if self.default is None:
            raise WorkflowTaskException("Expected one of the conditions to hold, but none does", task=my_task)
        return [self.default]


class ParallelGateway(ParallelJoin, Node):
    """Awaits a token on every incoming flow and sends one along every outgoing flow."""


class InclusiveGateway(InclusiveJoin, Node):
    """Awaits all tokens that still can come and sends one along every flow whose condition holds."""


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

    def ways(self, my_task: Task) -> list[str]:
        chosen, _ = self.event_definition.branches[my_task.internal_data["branch"]]
        return [chosen]
