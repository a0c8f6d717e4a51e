"""A program: one version of a process with the versions of everything it calls, ready to run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.bpmn import dmn
from engine.bpmn.cells import Names
from engine.bpmn.conditions import watches_condition
from engine.bpmn.dmn import Decided, Decision
from engine.bpmn.parser import compiled
from engine.bpmn.state import FINGERPRINT_BYTES


@dataclass(frozen=True, slots=True)
class Part:
    """One definition inside a program."""

    key: str
    sha256: str
    content: bytes
    index: Mapping[str, Any]
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    """By id: those that its business rule tasks ask, and those they build on."""


class Program:
    """Shared by all threads and never changed after it is built."""

    def __init__(self, main: str, parts: Iterable[Part]) -> None:
        self.main = main
        self.parts = {part.key: part for part in parts}
        self.fingerprint = fingerprint(main, {key: part.sha256 for key, part in self.parts.items()})
        self.specs: dict[str, Any] = {}
        for part in self.parts.values():
            self.specs.update(compiled(part.content, part.key).specs)

    def owner(self, spec_name: str) -> str:
        """The process key that a spec belongs to: embedded sub-processes are named `key/id`."""
        return spec_name.split("/", 1)[0]

    def node(self, process_key: str, element_id: str) -> dict[str, Any]:
        """What the index knows about a node; empty for an unknown one."""
        part = self.parts.get(process_key)
        found: dict[str, Any] = part.index["nodes"].get(element_id, {}) if part else {}
        return found

    def action(self, process_key: str, element_id: str, action_id: str) -> dict[str, Any] | None:
        actions = self.node(process_key, element_id).get("actions", ())
        return next((action for action in actions if action["id"] == action_id), None)

    def decide(self, process_key: str, decision_id: str, names: Names) -> Decided:
        """The answer of a decision as it was deployed with this version; raises ExpressionError."""
        return dmn.decide(decision_id, self.parts[process_key].decisions, names)

    def label(self, action_id: str | None) -> str | None:
        """The label of an action anywhere in the program; the id itself when it has none."""
        return self._labels.get(action_id, action_id) if action_id else None

    @cached_property
    def has_conditions(self) -> bool:
        """Whether some event waits for a condition."""
        nodes = (node for spec in self.specs.values() for node in spec.task_specs.values())
        return any(watches_condition(getattr(node, "event_definition", None)) for node in nodes)

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {
            action["id"]: action.get("label", action["id"])
            for part in self.parts.values()
            for node in part.index["nodes"].values()
            for action in node.get("actions", ())
        }


def fingerprint(main: str, versions: Mapping[str, str]) -> bytes:
    """What a stored state says about the specs it needs: a digest of all keys and content hashes."""
    lines = [main, *(f"{key} {sha256}" for key, sha256 in sorted(versions.items()))]
    return hashlib.sha256("\n".join(lines).encode()).digest()[:FINGERPRINT_BYTES]
