"""Which conditions a node waits for: its own, or those of the branches behind an event-based gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from SpiffWorkflow.task import Task

from engine.bpmn.events import Condition
from engine.bpmn.gateways import FirstOf


def watches_condition(definition: Any) -> bool:
    """Whether an event of this definition waits for a condition."""
    if isinstance(definition, FirstOf):
        return any(isinstance(branch, Condition) for _, branch in definition.branches)
    return isinstance(definition, Condition)


def conditions(task: Task) -> Iterator[tuple[str, Condition, dict[str, Any]]]:
    """The conditions a waiting node looks at: the suffix of the wait's key, the condition, what was seen last."""
    definition = task.task_spec.event_definition
    if isinstance(definition, Condition):
        yield "", definition, task.internal_data
    elif isinstance(definition, FirstOf):
        for position, (_, branch) in enumerate(definition.branches):
            if isinstance(branch, Condition):
                yield f":{position}", branch, task.internal_data["branches"][position]
