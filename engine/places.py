"""Where a token stands, said without the workflow's random ids: process, element, and the how-manieth there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from engine.bpmn import surgery
from engine.bpmn.machine import Machine

Place = list[str | int]
"""Process key, element id, number among those at that element from 0."""


def places(machine: Machine, keys: Collection[str]) -> list[Place]:
    """The places of these keys, in the order in which the workflow lists them."""
    return [place for key, place in _all(machine) if key in keys] if keys else []


def keys_at(machine: Machine, wanted: Sequence[Place]) -> list[str]:
    """The keys at these places; raises LookupError when nothing waits there."""
    known = {tuple(place): key for key, place in _all(machine)}
    return [known[tuple(place)] for place in wanted]


def _all(machine: Machine) -> Iterator[tuple[str, Place]]:
    counted: Counter[tuple[str, str]] = Counter()
    for key, process_key, element_id in _standing(machine):
        yield key, [process_key, element_id, counted[process_key, element_id]]
        counted[process_key, element_id] += 1


def _standing(machine: Machine) -> Iterator[tuple[str, str, str]]:
    """Everything that waits, then the tokens that stand where nothing but a person's repair moves them."""
    waits = {wait.key: (wait.process_key, wait.element_id) for wait in machine.waits()}
    yield from ((key, *element) for key, element in waits.items())
    yield from (token[:3] for token in surgery.tokens(machine) if token[0] not in waits)
