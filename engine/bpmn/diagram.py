"""What a drawing shows of a running process: the way it came, where it stands, how long each step took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.models import ElementLog

_JOINS = frozenset({"parallelGateway", "inclusiveGateway"})
_LEFT = frozenset({"completed", "fired"})
_CLOSED = frozenset({"completed", "cancelled"})

Index = Mapping[str, Any]
"""`ProcessDefinition.index`."""
_Incoming = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(slots=True)
class Trail:
    """Where the process has been and where it is, read from its element log."""

    passed: set[str] = field(default_factory=set)
    """Ids of nodes and sequence flows."""
    since: dict[str, datetime] = field(default_factory=dict)
    """Nodes that were entered and not left → since when."""
    spent: dict[str, timedelta] = field(default_factory=dict)
    """Nodes that were left → time inside, all visits together."""


def trail(entries: Iterable[ElementLog], index: Index) -> Trail:
    """The trail of one process; `entries` are its own rows of the element log, oldest first."""
    result, steps = Trail(), defaultdict[int, list[ElementLog]](list)
    for entry in entries:
        steps[entry.n].append(entry)
        _visit(result, entry)
    incoming = _incoming(index)
    for step in steps.values():
        result.passed.update(_passed_flows(step, index, incoming))
    return result


def is_boundary(index: Index, element_id: str) -> bool:
    """Whether the node waits without holding the token: on the border of another one, or to start a handler."""
    return index["nodes"].get(element_id, {}).get("type") in ("boundaryEvent", "startEvent")


def _visit(trail: Trail, entry: ElementLog) -> None:
    element = entry.element_id
    if entry.event == "entered":
        trail.passed.add(element)
        trail.since[element] = entry.at
    elif entry.event in _LEFT:
        trail.passed.add(element)
    if entry.event in _CLOSED and element in trail.since:
        spent = entry.at - trail.since.pop(element)
        trail.spent[element] = trail.spent.get(element, timedelta()) + spent


def _incoming(index: Index) -> _Incoming:
    incoming = defaultdict[str, list[tuple[str, str]]](list)
    for name, flow in index["flows"].items():
        incoming[flow["target"]].append((name, flow["source"]))
    return incoming


def _passed_flows(step: Sequence[ElementLog], index: Index, incoming: _Incoming) -> Iterator[str]:
    """Flows that a step went over: a node is entered from the neighbour that was left last before it."""
    left: dict[str, int] = {}
    for position, entry in enumerate(step):
        if entry.event in _LEFT:
            left[entry.element_id] = position
        if entry.event != "entered":
            continue
        came = [(left[source], flow) for flow, source in incoming.get(entry.element_id, ()) if source in left]
        if index["nodes"].get(entry.element_id, {}).get("type") in _JOINS:
            yield from (flow for _, flow in came)
        elif came:
            yield max(came)[1]
