"""Where a wait stands, said without the workflow's random ids: process, element, and the how-manieth there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from engine.bpmn.machine import Machine

Place = list[str | int]
"""Process key, element id, number among the waits of that element from 0."""


def places(machine: Machine, keys: Collection[str]) -> list[Place]:
    """The places of these keys, in the order in which the workflow lists its waits."""
    return [place for key, place in _all(machine) if key in keys] if keys else []


def keys_at(machine: Machine, wanted: Sequence[Place]) -> list[str]:
    """The keys at these places; raises LookupError when nothing waits there."""
    known = {tuple(place): key for key, place in _all(machine)}
    return [known[tuple(place)] for place in wanted]


def _all(machine: Machine) -> Iterator[tuple[str, Place]]:
    counted: Counter[tuple[str, str]] = Counter()
    for wait in machine.waits():
        element = (wait.process_key, wait.element_id)
        yield wait.key, [*element, counted[element]]
        counted[element] += 1
