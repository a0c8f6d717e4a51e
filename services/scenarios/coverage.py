"""Which nodes and sequence flows of a process were visited, how often, and which never."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.models import ElementLog

_JOINS = frozenset({"parallelGateway", "inclusiveGateway"})
_LEFT = frozenset({"completed", "fired"})
_REACHED = frozenset({"entered", "fired"})

Index = Mapping[str, Any]
"""`ProcessDefinition.index`."""


@dataclass
class Visits:
    """How often each node and each sequence flow of one process was passed."""

    nodes: Counter[str] = field(default_factory=Counter)
    flows: Counter[str] = field(default_factory=Counter)

    def add(self, other: Visits) -> None:
        """Count the visits of another run too."""
        self.nodes.update(other.nodes)
        self.flows.update(other.flows)


def visits(entries: Iterable[ElementLog], index: Index) -> Visits:
    """What one instance did in one process; `entries` are its rows of the element log, oldest first."""
    found, walk = Visits(), _Walk(index)
    for entry in entries:
        if entry.event in _REACHED:
            found.nodes[entry.element_id] += 1
        found.flows.update(walk.passed(entry))
    return found


class _Walk:
    """Follows the tokens of an instance through its log: a node is entered over the flow that became free last."""

    def __init__(self, index: Index) -> None:
        self._nodes = index["nodes"]
        self._incoming: dict[str, list[str]] = defaultdict(list)
        self._outgoing: dict[str, list[str]] = defaultdict(list)
        for name, flow in index["flows"].items():
            self._incoming[flow["target"]].append(name)
            self._outgoing[flow["source"]].append(name)
        self._into_joins = {flow for node in self._incoming if self._joins(node) for flow in self._incoming[node]}
        self._free: dict[str, list[int]] = defaultdict(list)
        """Flow → positions in the log at which its source was left and nobody was seen to arrive since."""
        self._position = 0
        self._step = 0

    def passed(self, entry: ElementLog) -> list[str]:
        """The flows over which this entry of the log came; a join is also looked at when it opens."""
        self._position += 1
        if entry.n != self._step:
            self._step = entry.n
            self._forget()
        element, joins = entry.element_id, self._joins(entry.element_id)
        arrived = self._arrived(element, joins) if entry.event == "entered" or joins else []
        if entry.event in _LEFT:
            for flow in self._outgoing[element]:
                self._free[flow].append(self._position)
        return arrived

    def _arrived(self, element: str, joins: bool) -> list[str]:
        came = [flow for flow in self._incoming[element] if self._free[flow]]
        if joins:
            for flow in came:
                self._free[flow].clear()
            return came
        if not came:
            return []
        chosen = max(came, key=lambda flow: self._free[flow][-1])
        self._free[chosen].pop()
        return [chosen]

    def _forget(self) -> None:
        """Within a step everything arrives; only a join waits for what is still to come."""
        for flow in set(self._free) - self._into_joins:
            del self._free[flow]

    def _joins(self, element: str) -> bool:
        return self._nodes.get(element, {}).get("type") in _JOINS and len(self._incoming[element]) > 1


def report(seen: Visits, index: Index) -> dict[str, Any]:
    """Percentages, what was never visited (id and name), and the counts, as they are stored with a version."""
    nodes, flows = index["nodes"], index["flows"]
    return {
        "nodes": _percent([seen.nodes[node] for node in nodes]),
        "flows": _percent([seen.flows[flow] for flow in flows]),
        "unvisited": [
            *({"id": node, "name": found.get("name", "")} for node, found in nodes.items() if not seen.nodes[node]),
            *({"id": flow, "name": _flow_name(index, flow)} for flow in flows if not seen.flows[flow]),
        ],
        "visited": {name: seen.nodes[name] or seen.flows[name] for name in (*nodes, *flows)},
    }


def _percent(counts: Sequence[int]) -> int:
    """Rounded down: 100 means all of them."""
    return 100 * sum(1 for count in counts if count) // len(counts) if counts else 100


def _flow_name(index: Index, flow: str) -> str:
    found = index["flows"][flow]
    ends = [index["nodes"].get(found[end], {}).get("name") or found[end] for end in ("source", "target")]
    return " → ".join(ends) + (f" ({found['name']})" if found["name"] else "")
