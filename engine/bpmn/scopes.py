"""A scope with event sub-processes: a body with one event for each of them, and the handlers beside it.

None of what is invented here has an id of the drawing: the body is silent, the event of a handler goes by the start
event that is drawn, the handler by its event sub-process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.specs import BoundaryEvent, EndEvent, StartEvent, SubProcess

_LIVE = TaskState.WAITING | TaskState.READY | TaskState.STARTED
_START = "start"


def start_events(specs: Mapping[str, Any], key: str) -> list[StartEvent]:
    """The start events at which the process `key` may begin."""
    spec = specs[key]
    body = next((each for each in spec.task_specs.values() if isinstance(each, Body)), None)
    begun = spec if body is None else specs[body.spec]
    return [node for node in begun.task_specs.values() if isinstance(node, StartEvent)]


def begin_at(workflow: Any, element_id: str) -> bool:
    """Begin at this start event instead of the blank one; False when there is no such in the scope."""
    root, spec = workflow.task_tree, workflow.spec
    body = next((each for each in spec.task_specs.values() if isinstance(each, Body)), None)
    if body is not None:
        if element_id not in body.starts:
            return False
        root.internal_data[_START] = element_id
        chosen = spec.task_specs[body.first]
    elif element_id in spec.task_specs:
        chosen = spec.task_specs[element_id]
    else:
        return False
    for child in list(root.children):
        workflow._remove_task(child.id)
    chosen._predict(root._add_child(chosen, TaskState.FUTURE), mask=TaskState.NOT_FINISHED_MASK)
    return True


class Body(SubProcess):
    """The content of a scope without its event sub-processes."""

    def __init__(self, wf_spec: Any, name: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, name, **kwargs)
        self.bpmn_id = None
        self.first = name
        """The node that the scope begins with: this one or the split before it."""
        self.starts: frozenset[str] = frozenset()

    def copy_data(self, my_task: Task, subworkflow: Any) -> None:
        super().copy_data(my_task, subworkflow)
        start = my_task.workflow.task_tree.internal_data.get(_START)
        if start is not None:
            begin_at(subworkflow, start)


class HandlerEvent(BoundaryEvent):
    """The start event of an event sub-process, waiting beside the body; one that interrupts ends the handlers too."""

    starts_handler = True

    def _run_hook(self, my_task: Task) -> bool:
        done = super()._run_hook(my_task)
        if self.cancel_activity:
            stop_handlers(my_task.workflow)
        return done


class Handler(SubProcess):
    """An event sub-process at work."""


class BodyEnd(EndEvent):
    """An end event in a body: one that terminates ends the handlers of the scope as well."""

    def _on_complete_hook(self, my_task: Task) -> None:
        super()._on_complete_hook(my_task)
        if my_task.workflow.completed:
            stop_handlers(my_task.workflow.parent_workflow)


def stop_handlers(workflow: Any) -> None:
    """Cancel every event sub-process of the scope that is at work."""
    for task in list(workflow.tasks.values()):
        if isinstance(task.task_spec, Handler) and task._state & _LIVE:
            task.cancel()
