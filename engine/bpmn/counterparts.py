"""What stands for what when a workflow changes its program: scope by scope, node by node."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from SpiffWorkflow.bpmn.specs.mixins import SubWorkflowTaskMixin
from SpiffWorkflow.task import Task

from engine.bpmn.joins import ScopeEnd
from engine.bpmn.program import Program

SPLIT = ".BoundaryEventSplit"
_INVENTED = re.compile(r"(\.(body|undo|undoing|next))?(\.(BoundaryEventSplit|BoundaryEventJoin))?$")
"""What the names of nodes that nobody drew add to the id of the element they belong to."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a token stands, in the old program and in the new one."""

    key: str
    """The workflow's own task id."""
    process_key: str
    element_id: str
    element_name: str
    target_id: str | None
    """None when it has no counterpart."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a token cannot be carried over as it is."""

    kind: Literal["mapping", "blocked"]
    """mapping = a person may say where to; blocked = not even then."""
    element_id: str
    element_name: str
    ru: str
    en: str
    candidates: tuple[str, ...] = ()
    """Elements of the new program that it may be carried to, the likeliest first."""


@dataclass
class Crossing:
    """One workflow on its way; `data` is the stored form for the new program."""

    places: list[Place] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    renewed: set[str] = field(default_factory=set)
    """Waits whose event is defined differently now: they begin to wait anew."""
    elements: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The workflow's task id of every wait → id and name of its element in the new program."""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Way:
    """From one program to another; `mapping` names the elements of process `key` that change their id."""

    old: Program
    new: Program
    key: str
    mapping: Mapping[str, str]


class Scope:
    """One (sub-)process of a workflow and the specs it is carried to."""

    def __init__(self, way: Way, workflow: Any, new: Any) -> None:
        self.way = way
        self.workflow = workflow
        self.old, self.new = workflow.spec, new
        self.key = way.old.owner(workflow.spec.name)

    def counterpart(self, spec: Any) -> Any:
        """The spec of the same kind that stands for this one in the new program, or None."""
        if isinstance(spec, ScopeEnd):
            return next((each for each in self.new.task_specs.values() if isinstance(each, ScopeEnd)), None)
        found = self.new.task_specs.get(self.new_name(spec))
        return found if found is not None and type(found) is type(spec) else None

    def new_name(self, spec: Any) -> str:
        """How the counterpart is called, if there is one."""
        name: str = spec.name
        old: str = spec.bpmn_id or _INVENTED.sub("", name)
        return self.renamed(old) + name[len(old) :] if name.startswith(old) else name

    def renamed(self, element_id: str) -> str:
        return self.way.mapping.get(element_id, element_id) if self.key == self.way.key else element_id

    def inner(self, task: Task) -> Any:
        """The specs that the sub-process of this activity is carried to; None when there are none."""
        found = self.counterpart(task.task_spec)
        return None if not isinstance(found, SubWorkflowTaskMixin) else self.way.new.specs.get(found.spec)

    def place(self, task: Task) -> Place:
        """Where a token stands that is at a drawn node."""
        spec, found = task.task_spec, self.counterpart(task.task_spec)
        name = spec.bpmn_name or spec.bpmn_id
        return Place(task.id.hex, self.key, spec.bpmn_id, name, None if found is None else found.bpmn_id)


def facts(part: Any) -> dict[str, Any]:
    """What a node or an event was drawn with: its plain values."""
    plain = str | int | float | None
    return {name: value for name, value in vars(part).items() if isinstance(value, plain)}
