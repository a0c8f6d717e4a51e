"""The activities and events of a process as the desk runs them: own behaviour where the library falls short."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.bpmn.specs.mixins import (
    BoundaryEventMixin,
    BpmnSpecMixin,
    CallActivityMixin,
    EndEventMixin,
    IntermediateCatchEventMixin,
    IntermediateThrowEventMixin,
    ReceiveTaskMixin,
    ScriptTaskMixin,
    SendTaskMixin,
    StartEventMixin,
    SubWorkflowTaskMixin,
    UserTaskMixin,
)
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import variables
from engine.bpmn.events import Error, Waiting, is_interrupted
from engine.errors import BpmnError
from engine.values import stored


class Node(BpmnSpecMixin):
    """What is common to all nodes: looking ahead ends where a loop closes, and goes on when the token gets there.

    The library looks ahead for ever in a loop that has no gateway.
    """

    def _predict(
        self, my_task: Task, seen: Any = None, looked_ahead: int = 0, mask: int = TaskState.PREDICTED_MASK
    ) -> None:
        if self not in (seen or ()):
            super()._predict(my_task, [*(seen or ()), self], looked_ahead, mask)

    def _update(self, my_task: Task) -> None:
        if my_task._state & TaskState.PREDICTED_MASK:
            self._predict(my_task)
            my_task._set_state(TaskState.FUTURE)  # it is reached; loops refuse instances of a node that only may be
        elif my_task._state == TaskState.FUTURE and not my_task._children:
            self._predict(my_task, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
        super()._update(my_task)


class UserTask(UserTaskMixin, Node):
    pass


class PassTask(Node):
    """A task without a type: documentation on the way, the token goes through."""


class ScriptTask(ScriptTaskMixin, Node):
    pass


class CallActivity(CallActivityMixin, Node):
    """Begins the called process at its blank start; one that only events begin cannot be called."""

    def start_workflow(self, my_task: Task) -> None:
        called = my_task.workflow.top_workflow.subprocess_specs.get(self.spec)
        if called is not None and not called.begins_by_itself:
            raise WorkflowException(f"Expected a blank start event in {self.spec}, but there is none", task_spec=self)
        super().start_workflow(my_task)


class SubProcess(SubWorkflowTaskMixin, Node):
    shares_variables = True


class Throwing(Node):
    """A node that throws: when that interrupts an activity around it, its token goes no further."""

    def _on_complete_hook(self, my_task: Task) -> None:
        super()._on_complete_hook(my_task)
        if is_interrupted(my_task):
            my_task._drop_children()


class EndEvent(EndEventMixin, Throwing):
    pass


class IntermediateCatchEvent(IntermediateCatchEventMixin, Node):
    pass


class IntermediateThrowEvent(IntermediateThrowEventMixin, Throwing):
    pass


class ReceiveTask(ReceiveTaskMixin, Node):
    pass


class SendTask(SendTaskMixin, Throwing):
    pass


class BusinessRuleTask(Node):
    """Asks a decision; its outputs become variables, or all of them one variable."""

    def __init__(self, wf_spec: Any, bpmn_id: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.decision = ""
        self.result_variable: str | None = None

    def _run_hook(self, my_task: Task) -> bool:
        decided = my_task.workflow.script_engine.environment.decide(my_task)
        result = {self.result_variable: decided.value} if self.result_variable else dict(decided.variables)
        my_task.data.update(stored(result))
        return True


class ServiceTask(Node):
    """Calls a connector; in the background when it is marked so."""

    def __init__(self, wf_spec: Any, bpmn_id: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.connector = ""
        self.parameters: dict[str, str] = {}
        self.result_variable: str | None = None
        self.in_background = False

    def _run_hook(self, my_task: Task) -> bool | None:
        environment = my_task.workflow.script_engine.environment
        try:
            result = environment.call_connector(my_task)
        except BpmnError as error:
            if not Error(error.code).throw_out_of(my_task):
                raise
            return None  # the boundary event that caught it cancels this node
        if self.result_variable:
            my_task.data[self.result_variable] = stored(result)
        return True


class StartEvent(StartEventMixin, Node):
    """Whatever starts a process has happened when an instance exists, so it never waits."""

    def __init__(self, wf_spec: Any, bpmn_id: str, event_definition: EventDefinition, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, NoneEventDefinition(), **kwargs)
        self.trigger = event_definition
        """What begins the process here; the host watches for it."""


class BoundaryJoin(BoundaryEventJoin):
    """Where an activity and its events meet again: only those of one lap belong together.

    The library also cancels the joins that it foresees for the next lap of a loop, which then never ends.
    """

    def _find_tasks(self, my_task: Task) -> list[Task]:
        split = my_task.find_ancestor(self.split_task)
        return [join for branch in split.children for join in branch.children if join.task_spec is self]


class BoundaryEvent(BoundaryEventMixin, Node):
    """A boundary event; one that does not interrupt waits again for the next occurrence."""

    def _update(self, my_task: Task) -> None:
        if my_task._state == TaskState.WAITING and not my_task._children:
            my_task._sync_children(self.outputs, TaskState.MAYBE)
        super()._update(my_task)

    def _run_hook(self, my_task: Task) -> bool:
        my_task.data = variables.at(my_task)
        if self.cancel_activity:
            _forget_rivals(my_task)
        else:
            self._wait_again(my_task)
        return bool(super()._run_hook(my_task))

    def _on_complete_hook(self, my_task: Task) -> None:
        if not self.cancel_activity:
            # The join belongs to the activity's own path; a side branch that waited at it would be kept for ever.
            for child in my_task.children:
                if isinstance(child.task_spec, BoundaryEventJoin):
                    my_task.workflow._remove_task(child.id)
        super()._on_complete_hook(my_task)

    def _wait_again(self, my_task: Task) -> None:
        split, definition = my_task.parent, self.event_definition
        bookkeeping = definition.again(my_task) if isinstance(definition, Waiting) else None
        if bookkeeping is None or not _is_running(split):
            return
        following = split._add_child(self, TaskState.WAITING)
        following.triggered = True
        following.internal_data.update(bookkeeping)
        self._update(following)


def _forget_rivals(event: Task) -> None:
    """Of several events that would interrupt the same activity at once, the first one does."""
    for other in event.parent.children:
        if (
            other is not event
            and other._state == TaskState.READY
            and getattr(other.task_spec, "cancel_activity", False)
        ):
            other.cancel()


def _is_running(split: Task) -> bool:
    return any(
        not isinstance(child.task_spec, BoundaryEventMixin) and not child.has_state(TaskState.FINISHED_MASK)
        for child in split.children
    )
