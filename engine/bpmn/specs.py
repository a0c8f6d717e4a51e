"""The activities and events of a process as the desk runs them: own behaviour where the library falls short."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.exceptions import WorkflowTaskException
from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit
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
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import variables
from engine.bpmn.events import Error, Waiting, is_interrupted
from engine.errors import BpmnError
from engine.values import stored


class Node(BpmnSpecMixin):
    """What is common to all nodes: the tree holds tokens only, and those that leave a node are made when it completes.

    The library foresees all ways ahead, for ever in a loop without a gateway, and its joins take that for tokens.
    """

    def __init__(self, wf_spec: Any, bpmn_id: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.guards: list[tuple[str, str]] = []
        """Conditions of outgoing flows and the names of the nodes they lead to, in the order of the file."""
        self.default: str | None = None

    def connect_if(self, condition: str, following: TaskSpec) -> None:
        """Connect by a flow with a condition."""
        self.guards.append((condition, following.name))
        self.connect(following)

    def connect_default(self, following: TaskSpec) -> None:
        """Connect by the flow that is taken when no condition holds."""
        self.default = following.name
        self.connect(following)

    def ways(self, my_task: Task) -> list[str]:
        """The names of the nodes that get a token now; raises WorkflowException when every way is closed."""
        if not self.guards:
            return list(self._outputs)
        held = [name for condition, name in self.guards if self.holds(condition, my_task)]
        conditional = {name for _, name in self.guards} | {self.default}
        always = [name for name in self._outputs if name not in conditional]
        taken = always + (held or ([self.default] if self.default else []))
        if all(isinstance(self._wf_spec.task_specs[name], BoundaryEventJoin) for name in taken):
            raise WorkflowTaskException("Expected one of the conditions to hold, but none does", task=my_task)
        return taken

    def holds(self, condition: str, my_task: Task) -> bool:
        return bool(my_task.workflow.script_engine.evaluate(my_task, condition))

    def _predict(
        self, my_task: Task, seen: Any = None, looked_ahead: int = 0, mask: int = TaskState.PREDICTED_MASK
    ) -> None:
        """Nothing is foreseen."""

    def _update_hook(self, my_task: Task) -> bool:
        """Variables are taken over once, when the token comes; what an instance has for itself stands before them."""
        if my_task._state == TaskState.WAITING and my_task.data:
            return True
        super()._update_hook(my_task)
        my_task.data.update(my_task.internal_data.pop("inner", None) or {})
        return True

    def _on_complete_hook(self, my_task: Task) -> None:
        super()._on_complete_hook(my_task)
        specs = self._wf_spec.task_specs
        my_task._sync_children([specs[name] for name in self.ways(my_task)], TaskState.FUTURE)


class UserTask(UserTaskMixin, Node):
    pass


class PassTask(Node):
    """A task without a type: documentation on the way, the token goes through."""


class ScriptTask(ScriptTaskMixin, Node):
    pass


class Nested:
    """An activity with a scope inside: only what was changed there comes out, the rest may have moved on meanwhile."""

    def update_data(self, my_task: Task, subworkflow: Any) -> None:
        result = dict(my_task.data)
        variables.apply_changes(subworkflow.task_tree.data, subworkflow.last_task.data, result)
        changed = variables.changes(my_task.data, result)
        my_task.data = result
        variables.share(my_task, changed)


class CallActivity(Nested, CallActivityMixin, Node):
    """Begins the called process at its blank start; one that only events begin cannot be called."""

    def start_workflow(self, my_task: Task) -> None:
        called = my_task.workflow.top_workflow.subprocess_specs.get(self.spec)
        if called is not None and not called.begins_by_itself:
            raise WorkflowException(f"Expected a blank start event in {self.spec}, but there is none", task_spec=self)
        super().start_workflow(my_task)


class SubProcess(Nested, SubWorkflowTaskMixin, Node):
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
        super().__init__(wf_spec, bpmn_id, event_definition=NoneEventDefinition(), **kwargs)
        self.trigger = event_definition
        """What begins the process here; the host watches for it."""


class BoundarySplit(BoundaryEventSplit):
    """Where the token of an activity and those of its boundary events part."""

    def _predict(
        self, my_task: Task, seen: Any = None, looked_ahead: int = 0, mask: int = TaskState.PREDICTED_MASK
    ) -> None:
        """Nothing is foreseen."""

    def _on_complete_hook(self, my_task: Task) -> None:
        super()._on_complete_hook(my_task)
        my_task._sync_children(self.outputs, TaskState.FUTURE)


class BoundaryJoin(BoundaryEventJoin):
    """Where an activity and its events meet again: only those of one lap belong together."""

    def _find_tasks(self, my_task: Task) -> list[Task]:
        split = my_task.find_ancestor(self.split_task)
        return [join for branch in split.children for join in branch.children if join.task_spec is self]


class BoundaryEvent(BoundaryEventMixin, Node):
    """A boundary event; one that does not interrupt waits again for the next occurrence."""

    def ways(self, my_task: Task) -> list[str]:
        """The join belongs to the activity's own path; a branch that interrupts nothing passes it by."""
        ways = super().ways(my_task)
        if self.cancel_activity:
            return ways
        return [name for name in ways if not isinstance(self._wf_spec.task_specs[name], BoundaryEventJoin)]

    def _run_hook(self, my_task: Task) -> bool:
        if self.cancel_activity:
            _forget_rivals(my_task)
        else:
            self._wait_again(my_task)
        return bool(super()._run_hook(my_task))

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
