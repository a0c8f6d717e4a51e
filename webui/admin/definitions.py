"""Reading the stored processes: one row a key, one row a version, and what an activation would change."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session, defer, selectinload

from engine.errors import NotFound
from engine.models import ProcessDefinition, ProcessInstance


@dataclass(frozen=True, slots=True)
class Family:
    """All versions of one process."""

    key: str
    versions: tuple[ProcessDefinition, ...]
    """Newest first."""
    running: dict[int, int]
    """Definition id → instances that run by it, as their own process or as a called one."""

    @property
    def active(self) -> ProcessDefinition | None:
        return next((version for version in self.versions if version.state == "active"), None)

    @property
    def shown(self) -> ProcessDefinition:
        """The version that gives the family its name."""
        return self.active or self.versions[0]

    @property
    def drafts(self) -> list[ProcessDefinition]:
        return [version for version in self.versions if version.state == "draft"]

    @property
    def total(self) -> int:
        return sum(self.running.get(version.id, 0) for version in self.versions)

    def version(self, number: int) -> ProcessDefinition:
        """Raises NotFound."""
        for candidate in self.versions:
            if candidate.version == number:
                return candidate
        raise NotFound

    def staying(self, chosen: ProcessDefinition) -> list[tuple[int, int]]:
        """Version number and count of the running instances that another activated version leaves where they are."""
        return [
            (version.version, self.running[version.id])
            for version in self.versions
            if version.id != chosen.id and self.running.get(version.id)
        ]


def families(session: Session) -> list[Family]:
    """Every process with its versions, by name."""
    running = _running(session)
    grouped: dict[str, list[ProcessDefinition]] = {}
    for definition in _definitions(session):
        grouped.setdefault(definition.key, []).append(definition)
    found = [Family(key, tuple(versions), running) for key, versions in grouped.items()]
    return sorted(found, key=lambda family: (family.shown.name or family.key).lower())


def family(session: Session, key: str) -> Family:
    """One process with its versions; raises NotFound."""
    versions = tuple(_definitions(session, key))
    if not versions:
        raise NotFound
    return Family(key, versions, _running(session))


def difference(before: ProcessDefinition, after: ProcessDefinition) -> Iterator[tuple[str, str]]:
    """The lines of two files that differ, with three lines around: kind (new, old, place, same) and text."""
    old, new = (each.resource.content.decode("utf-8", "replace").splitlines() for each in (before, after))
    kinds = {"+": "new", "-": "old", "@": "place"}
    for line in list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]:
        yield kinds.get(line[:1], "same"), line


def keys(session: Session) -> Sequence[str]:
    """The keys of all processes, sorted."""
    return session.scalars(select(ProcessDefinition.key).distinct().order_by(ProcessDefinition.key)).all()


def _definitions(session: Session, key: str | None = None) -> Sequence[ProcessDefinition]:
    wanted = select(ProcessDefinition).options(
        defer(ProcessDefinition.index), selectinload(ProcessDefinition.deployment)
    )
    if key is not None:
        wanted = wanted.where(ProcessDefinition.key == key)
    return session.scalars(wanted.order_by(ProcessDefinition.key, ProcessDefinition.version.desc())).all()


def _running(session: Session) -> dict[int, int]:
    bindings = cast(ProcessInstance.bindings, Text)
    rows = session.execute(
        select(ProcessInstance.definition_id, bindings, func.count())
        .where(ProcessInstance.ended_at.is_(None))
        .group_by(ProcessInstance.definition_id, bindings)
    )
    counts = Counter[int]()
    for definition_id, bound, count in rows:
        for used in {definition_id, *json.loads(bound or "{}").values()}:
            counts[used] += count
    return dict(counts)
