"""Variables where tokens become one again.

Every token carries its own copy of the variables. Where tokens meet, each one's changes are applied in the order in
which the tokens came: a change is what differs from the variables at the place where the token's way parted from the
ways of those that are counted already. So a copy that was never touched does not overwrite a value that another branch
changed, of two branches that changed the same variable the later one wins, and a value is taken whole: lists and
records are not mixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

Variables = dict[str, Any]
_ENDED = "scope:ended"
"""Where a scope keeps what its ended tokens changed: by variable the value before and after, `[]` where it has none."""


def apply_changes(before: Mapping[str, Any], after: Mapping[str, Any], target: Variables) -> None:
    """Change in `target` what is otherwise in `after` than in `before`."""
    for name in before.keys() - after.keys():
        target.pop(name, None)
    for name, value in after.items():
        if name not in before or before[name] != value:
            target[name] = value


def merged(tokens: Sequence[Task]) -> Variables:
    """The variables of the one token that goes on; `tokens` in the order in which they came."""
    variables = dict(tokens[0].data)
    counted = {task.id for task in _way(tokens[0])}
    for token in tokens[1:]:
        parting = next(task for task in _way(token) if task.id in counted)
        apply_changes(parting.data, token.data, variables)
        counted.update(task.id for task in _way(token))
    return variables


def set_aside(token: Task) -> None:
    """Keep for the end of the scope what an ended token changed since it parted from those still under way."""
    absorb(token)
    parting, ended = _parting(token).data, _ended(token.workflow)
    for name in parting.keys() | token.data.keys():
        before, after = _value(parting, name), _value(token.data, name)
        if before != after:
            ended[name] = [before, after]


def absorb(token: Task) -> None:
    """Give a token that reached the end what those that ended before it changed, where it has not changed it itself."""
    ended = _ended(token.workflow)
    for name in [name for name, (before, _) in ended.items() if _value(token.data, name) == before]:
        _, after = ended.pop(name)
        token.data.pop(name, None)
        if after:
            token.data[name] = after[0]


def add_ended(workflow: Any, variables: Variables) -> None:
    """Set what the ended tokens of the scope changed, where the variables have not been changed otherwise."""
    for name, (before, after) in workflow.data.get(_ENDED, {}).items():
        if _value(variables, name) == before:
            variables.pop(name, None)
            if after:
                variables[name] = after[0]


def _ended(workflow: Any) -> dict[str, list[list[Any]]]:
    kept: dict[str, list[list[Any]]] = workflow.data.setdefault(_ENDED, {})
    return kept


def _value(variables: Mapping[str, Any], name: str) -> list[Any]:
    return [variables[name]] if name in variables else []


def _way(token: Task) -> Iterator[Task]:
    """The tasks above the token, from the nearest one to the root."""
    task = token.parent
    while task is not None:
        yield task
        task = task.parent


def _parting(token: Task) -> Task:
    others = (task for task in token.workflow.tasks.values() if task is not token)
    shared = _ways(task for task in others if task._state & TaskState.NOT_FINISHED_MASK)
    return next((task for task in _way(token) if task.id in shared), token.workflow.task_tree)


def _ways(tokens: Iterable[Task]) -> set[UUID]:
    shared: set[UUID] = set()
    for token in tokens:
        for task in _way(token):
            if task.id in shared:
                break
            shared.add(task.id)
    return shared
