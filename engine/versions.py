"""The life of a version: draft, active, retired – what stands in the way, who uses it, and the journal of it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Text, cast, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock, starts
from engine.errors import NotReady, VersionInUse
from engine.listeners import listeners
from engine.models import Migration, ProcessDefinition, ProcessInstance, Resource, VersionChange

SHORTEST_REASON = 10
"""Characters of a reason to activate a version against its check or its scenarios."""
MOST_NAMED = 20
_UNRUNNABLE = frozenset({"not-executable", "not-executable-drawing"})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What speaks against activating a draft."""

    kind: str
    """unrunnable | errors | scenarios"""
    key: str
    """Of the process: the draft's own, or of one that it brings along."""
    count: int

    @property
    def is_final(self) -> bool:
        """Whether no reason helps: the engine could not run it at all."""
        return self.kind == "unrunnable"


@dataclass(frozen=True, slots=True)
class Uses:
    """Who needs a version."""

    is_active: bool
    count: int
    """Instances, running and ended."""
    business_keys: tuple[str, ...]
    """Of the first of them."""
    callers: tuple[ProcessDefinition, ...]
    """Versions of other processes that are bound to it."""
    migrations: int

    def __bool__(self) -> bool:
        return self.is_active or bool(self.count or self.callers or self.migrations)


def obstacles(session: Session, definition: ProcessDefinition) -> list[Obstacle]:
    """What speaks against activating this draft; a version that was active before may always come back."""
    if definition.activated_at is not None:
        return []
    brought = [deployed_with(session, definition, key) for key in definition.index.get("bound", ())]
    found: list[Obstacle] = []
    for each in [definition, *(each for each in brought if each is not None and each.activated_at is None)]:
        errors = [row["rule"] for row in each.lint or () if row["severity"] == "error"]
        hopeless = len(_UNRUNNABLE.intersection(errors))
        failed = (each.scenarios or {}).get("failed", 0)
        counts = {"unrunnable": hopeless, "errors": len(errors) - hopeless, "scenarios": failed}
        found += [Obstacle(kind, each.key, count) for kind, count in counts.items() if count]
    return found


def activate(session: Session, definition: ProcessDefinition, *, by: str, override_reason: str | None = None) -> None:
    """Make this version the one that new instances start with; the former one is retired.

    A draft with errors or failing scenarios needs a reason, which is recorded. Raises NotReady.
    """
    lock(session, definition.key)
    reason = (override_reason or "").strip()
    for examine in listeners().examine:
        examine(session, definition)
    found = obstacles(session, definition)
    if any(each.is_final for each in found) or (found and len(reason) < SHORTEST_REASON):
        raise NotReady(definition.key, definition.version, [each.kind for each in found])
    before = _active(session, definition.key)
    if before is not None and before.id != definition.id:
        before.state = "retired"
    kind = "activated" if definition.activated_at is None else "rolled_back"
    definition.state = "active"
    definition.activated_by, definition.activated_at = by, clock.now()
    definition.override_reason = (reason or None) if found else definition.override_reason
    _note(session, definition, kind, before, by, reason if found else None)
    session.flush()
    starts.watch(session, definition, by)
    for listener in listeners().activated:
        listener(session, definition)


def lock(session: Session, key: str) -> None:
    """Read the versions of the process afresh; until the transaction ends nobody else activates, deletes, leaves one.

    Instances may begin meanwhile.
    """
    wanted = select(ProcessDefinition).where(ProcessDefinition.key == key).order_by(ProcessDefinition.id)
    session.scalars(wanted.with_for_update(key_share=True), execution_options={"populate_existing": True}).all()


def uses(session: Session, definition: ProcessDefinition) -> Uses:
    """Everything that would be lost or would fail without this version."""
    own = select(ProcessInstance).where(_runs_by(definition))
    keys = own.with_only_columns(ProcessInstance.business_key).where(ProcessInstance.business_key.is_not(None))
    moved = or_(Migration.source_id == definition.id, Migration.target_id == definition.id)
    return Uses(
        is_active=definition.state == "active",
        count=session.scalar(own.with_only_columns(func.count())) or 0,
        business_keys=tuple(session.scalars(keys.order_by(ProcessInstance.id).limit(MOST_NAMED))),
        callers=tuple(_bound_to(session, definition)),
        migrations=session.scalar(select(func.count()).select_from(Migration).where(moved)) or 0,
    )


def delete(session: Session, definition: ProcessDefinition, *, by: str) -> None:
    """Delete a version that nobody uses; its file stays with its bundle. Raises VersionInUse."""
    lock(session, definition.key)
    found = uses(session, definition)
    if found:
        raise VersionInUse(definition.key, definition.version, found.count, found.business_keys)
    before = _active(session, definition.key)
    try:
        with session.begin_nested():
            session.delete(definition)
    except IntegrityError as error:  # the host has records about it
        raise VersionInUse(definition.key, definition.version, 0, ()) from error
    _note(session, definition, "deleted", before, by, None)
    session.flush()


def journal(session: Session, key: str) -> Sequence[VersionChange]:
    """What was done to the versions of a process, newest first."""
    query = select(VersionChange).where(VersionChange.key == key)
    return session.scalars(query.order_by(VersionChange.id.desc())).all()


def highest(session: Session, key: str) -> int:
    """The highest number that a version of the process ever had; 0 before the first one."""
    there = select(func.max(ProcessDefinition.version)).where(ProcessDefinition.key == key)
    gone = select(func.max(VersionChange.version)).where(VersionChange.key == key)
    return max(session.scalar(there) or 0, session.scalar(gone) or 0)


def deployed_with(session: Session, caller: ProcessDefinition, key: str) -> ProcessDefinition | None:
    """The version of the process `key` whose file came with the caller's, whatever its state."""
    files = select(Resource.sha256).where(
        Resource.deployment_id == caller.resource.deployment_id, Resource.kind == "bpmn"
    )
    query = (
        select(ProcessDefinition)
        .join(ProcessDefinition.resource)
        .where(ProcessDefinition.key == key, ProcessDefinition.deployment_id <= caller.deployment_id)
        .where(Resource.sha256.in_(files))
    )
    return session.scalars(query.order_by(ProcessDefinition.version.desc()).limit(1)).one_or_none()


def _active(session: Session, key: str) -> ProcessDefinition | None:
    query = select(ProcessDefinition).where(ProcessDefinition.key == key, ProcessDefinition.state == "active")
    return session.scalars(query).one_or_none()


def _note(
    session: Session,
    definition: ProcessDefinition,
    kind: str,
    before: ProcessDefinition | None,
    by: str,
    reason: str | None,
) -> None:
    session.add(
        VersionChange(
            key=definition.key,
            kind=kind,
            before=before.version if before is not None else None,
            version=definition.version,
            by=by,
            at=clock.now(),
            reason=reason,
        )
    )


def _runs_by(definition: ProcessDefinition) -> ColumnElement[bool]:
    """Whether an instance has this version as its own or as one that it calls."""
    bindings = cast(ProcessInstance.bindings, Text)
    called = [bindings.contains(f'"{definition.key}": {definition.id}{end}') for end in ("}", ",")]
    return or_(ProcessInstance.definition_id == definition.id, *called)


def _bound_to(session: Session, definition: ProcessDefinition) -> list[ProcessDefinition]:
    query = select(ProcessDefinition).where(ProcessDefinition.id != definition.id).order_by(ProcessDefinition.id)
    callers = (each for each in session.scalars(query) if definition.key in each.index.get("bound", ()))
    return [each for each in callers if deployed_with(session, each, definition.key) is definition]
