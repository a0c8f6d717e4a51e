"""Moving running instances from one version of a process to another: preview, trial, batches, the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Text, cast, func, or_, select, update
from sqlalchemy.orm import Session

from engine import clock, reasons, versions
from engine.bpmn.counterparts import Obstacle, Place
from engine.errors import EngineError, NotFound, Refused
from engine.listeners import listeners, using
from engine.models import Migration, MigrationItem, ProcessDefinition, ProcessInstance
from engine.route import OPEN, Route, move, sentences
from engine.stepper import lock

UNDER_WAY = ("running", "undoing")
"""States of a migration that workers still have to do with."""
UNDO = timedelta(days=1)
"""How long the way back stays open."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of one instance."""

    instance_id: int
    business_key: str | None
    outcome: Literal["moves", "mapping", "blocked"]
    places: tuple[Place, ...]
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one instance when its move was really made, and undone at once."""

    instance_id: int
    business_key: str | None
    outcome: Literal["moved", "blocked", "failed"]
    ru: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a migration has come."""

    total: int
    counts: Mapping[str, int]
    """State of the items → how many."""

    @property
    def done(self) -> int:
        return self.total - self.counts.get("waiting", 0)


def population(session: Session, source: ProcessDefinition) -> list[int]:
    """The ids of all running and suspended instances that use this version, as their own process or a called one."""
    query = select(ProcessInstance.id, ProcessInstance.definition_id, ProcessInstance.bindings)
    rows = session.execute(query.where(ProcessInstance.state.in_(OPEN), _may_use(source)).order_by(ProcessInstance.id))
    return [key for key, main, bound in rows if source.id == main or bound.get(source.key) == source.id]


def preview(
    session: Session,
    source: ProcessDefinition,
    target: ProcessDefinition,
    mapping: Mapping[str, str] | None = None,
    *,
    rebind: bool = False,
) -> list[Verdict]:
    """A verdict for each instance of the version; nothing is written. Raises Refused for versions of two processes."""
    route = Route(session, source, target, mapping or {}, rebind)
    query = select(ProcessInstance).where(ProcessInstance.state.in_(OPEN), _may_use(source))
    instances = session.scalars(query.order_by(ProcessInstance.id)).all()
    return [_verdict(route, instance) for instance in instances if route.concerns(instance)]


def dry_run(
    session: Session,
    source: ProcessDefinition,
    target: ProcessDefinition,
    mapping: Mapping[str, str] | None = None,
    *,
    rebind: bool = False,
    by: str,
) -> list[Attempt]:
    """Really move each instance, rows and all, and take it back at once; what went wrong is told for each."""
    route = Route(session, source, target, mapping or {}, rebind)
    with using(replace(listeners(), stepped=[], ended=[])):
        return [_attempt(session, route, key, by) for key in population(session, source)]


def begin(
    session: Session,
    source: ProcessDefinition,
    target: ProcessDefinition,
    mapping: Mapping[str, str] | None = None,
    *,
    rebind: bool = False,
    by: str,
    comment: str,
) -> Migration:
    """Order the move of all instances of the version; workers make it in batches. Raises Refused."""
    Route(session, source, target, mapping or {}, rebind)
    versions.lock(session, source.key)
    _refuse_untimely(session, source, target)
    migration = Migration(
        source_id=source.id,
        target_id=target.id,
        mapping=dict(mapping or {}),
        rebind=rebind,
        comment=reasons.checked(comment),
        state="running",
        created_by=by,
        created_at=clock.now(),
    )
    session.add(migration)
    session.flush()
    session.add_all(MigrationItem(migration_id=migration.id, instance_id=key) for key in population(session, source))
    session.flush()
    return migration


def _refuse_untimely(session: Session, source: ProcessDefinition, target: ProcessDefinition) -> None:
    if target.state == "draft":
        raise Refused(
            "Expected a version that is or was active, but the target is a draft",
            "Новая версия ещё черновик: сначала сделайте её действующей",
        )
    under_way = select(Migration.id).where(Migration.source_id == source.id, Migration.state.in_(UNDER_WAY))
    if session.scalar(under_way.limit(1)) is not None:
        raise Refused(
            "Expected no other migration of this version to be under way, but there is one",
            "Миграция этой версии уже идёт: дождитесь её конца",
        )


def undo(session: Session, migration: Migration, *, by: str) -> None:
    """Bring back every instance that made no step since its move; open for a day. Raises Refused."""
    session.refresh(migration, with_for_update=True)
    if not can_be_undone(migration):
        raise Refused(
            "Expected a finished migration of the last day, but this one cannot be undone",
            "Отменить можно законченную миграцию в течение суток",
        )
    migration.state, migration.undone_by, migration.ended_at = "undoing", by, None
    session.flush()


def can_be_undone(migration: Migration) -> bool:
    """Whether the way back is still open."""
    return migration.state == "done" and migration.ended_at is not None and clock.now() - migration.ended_at < UNDO


def progress(session: Session, migration: Migration) -> Progress:
    """How many instances have moved, are blocked, failed, still wait."""
    query = select(MigrationItem.state, func.count()).where(MigrationItem.migration_id == migration.id)
    counts = Counter({state: count for state, count in session.execute(query.group_by(MigrationItem.state))})
    return Progress(counts.total(), dict(counts))


def items(session: Session, migration: Migration, state: str = "") -> Sequence[MigrationItem]:
    """The instances of the migration, perhaps only those in one state."""
    query = select(MigrationItem).where(MigrationItem.migration_id == migration.id)
    narrowed = query.where(MigrationItem.state == state) if state else query
    return session.scalars(narrowed.order_by(MigrationItem.id)).all()


def forget_expired(session: Session) -> int:
    """Drop the former states of migrations whose day is over; returns how many."""
    over = select(Migration.id).where(Migration.ended_at <= clock.now() - UNDO)
    kept = MigrationItem.before.is_not(None)
    found = session.execute(update(MigrationItem).where(kept, MigrationItem.migration_id.in_(over)).values(before=None))
    return int(found.rowcount)  # type: ignore[attr-defined]


def _may_use(source: ProcessDefinition) -> ColumnElement[bool]:
    bound = cast(ProcessInstance.bindings, Text).contains(f'"{source.key}"', autoescape=True)
    return or_(ProcessInstance.definition_id == source.id, bound)


def _verdict(route: Route, instance: ProcessInstance) -> Verdict:
    try:
        crossing, _, _ = route.examine(instance)
    except EngineError as error:
        unreadable = Obstacle("blocked", "", "", f"Состояние не читается: {error}", str(error))
        return Verdict(instance.id, instance.business_key, "blocked", (), (unreadable,))
    kinds = {obstacle.kind for obstacle in crossing.obstacles}
    outcome: Any = "blocked" if "blocked" in kinds else "mapping" if kinds else "moves"
    return Verdict(instance.id, instance.business_key, outcome, tuple(crossing.places), tuple(crossing.obstacles))


def _attempt(session: Session, route: Route, instance_id: int, by: str) -> Attempt:
    instance = session.get_one(ProcessInstance, instance_id)
    key = instance.business_key
    hooks = len(session.info.setdefault("after_commit", []))
    nested = session.begin_nested()
    try:
        item = MigrationItem()
        move(session, route, item, lock(session, instance_id), by, None)
        outcome: Any = "moved" if item.state == "moved" else "blocked"
        return Attempt(instance_id, key, outcome, item.reason.get("ru", ""), item.reason.get("en", ""))
    except Exception as error:
        return Attempt(instance_id, key, "failed", *sentences(error))
    finally:
        nested.rollback()
        del session.info["after_commit"][hooks:]


def one(session: Session, migration_id: int) -> Migration:
    """Raises NotFound."""
    found = session.get(Migration, migration_id)
    if found is None:
        raise NotFound(f"Expected the migration {migration_id} to exist, but it does not")
    return found
