"""Moving running instances from one version of a process to another: preview, trial, batches, the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import ColumnElement, Text, cast, func, or_, select, update
from sqlalchemy.orm import Session

from engine import clock, repository
from engine import due as due_sources
from engine.bpmn.program import Program
from engine.bpmn.script_engine import Environment, ScriptEngine
from engine.bpmn.transplant import Crossing, Obstacle, Place, Transplant
from engine.crossing import carry_over, put_back
from engine.db import Database
from engine.errors import Busy, EngineError, NotFound, Refused
from engine.listeners import listeners, using
from engine.models import Migration, MigrationItem, ProcessDefinition, ProcessInstance
from engine.stepper import lock

log = structlog.get_logger(__name__)

BATCH = 25
"""Instances a transaction."""
ROUNDS = 10
"""Batches a worker does before it looks after other work."""
LEASE = timedelta(seconds=10)
UNDO = timedelta(days=1)
"""How long the way back stays open."""
OPEN = ("active", "suspended")
UNDER_WAY = ("running", "undoing")


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
    route = _Route(session, source, target, mapping or {}, rebind)
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
    route = _Route(session, source, target, mapping or {}, rebind)
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
    comment: str = "",
) -> Migration:
    """Order the move of all instances of the version; workers make it in batches. Raises Refused."""
    _Route(session, source, target, mapping or {}, rebind)
    under_way = select(Migration.id).where(Migration.source_id == source.id, Migration.state.in_(UNDER_WAY))
    if session.scalar(under_way.limit(1)) is not None:
        raise Refused(
            "Expected no other migration of this version to be under way, but there is one",
            "Миграция этой версии уже идёт: дождитесь её конца",
        )
    migration = Migration(
        source_id=source.id,
        target_id=target.id,
        mapping=dict(mapping or {}),
        rebind=rebind,
        comment=comment,
        state="running",
        created_by=by,
        created_at=clock.now(),
    )
    session.add(migration)
    session.flush()
    session.add_all(MigrationItem(migration_id=migration.id, instance_id=key) for key in population(session, source))
    session.flush()
    return migration


def undo(session: Session, migration: Migration, *, by: str) -> None:
    """Bring back every instance that made no step since its move; open for a day. Raises Refused."""
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


class _Route:
    """From one version to another, with the programs of every combination of called versions on the way."""

    def __init__(
        self,
        session: Session,
        source: ProcessDefinition,
        target: ProcessDefinition,
        mapping: Mapping[str, str],
        rebind: bool,
    ) -> None:
        if source.key != target.key or source.id == target.id:
            raise Refused(
                "Expected two versions of one process, but these are not",
                "Выберите две разные версии одного процесса",
            )
        self.source, self.target = source, target
        self._session = session
        self._mapping = mapping
        self._latest = repository.bindings_of(session, target)
        self._rebind = rebind
        self._plans: dict[tuple[bytes, bytes], Transplant] = {}
        self._engine = ScriptEngine(Environment(clock.now(), dict, _refuse_call))

    def concerns(self, instance: ProcessInstance) -> bool:
        """Whether the instance still uses the version that is left."""
        return instance.definition_id == self.source.id or instance.bindings.get(self.source.key) == self.source.id

    def examine(self, instance: ProcessInstance) -> tuple[Crossing, Transplant, dict[str, int]]:
        """How the instance gets over, by which plan and with which called versions."""
        bindings = self._bindings(instance)
        main = self.target.id if instance.definition_id == self.source.id else instance.definition_id
        old = repository.program_of(self._session, instance)
        new = repository.program_of(self._session, ProcessInstance(definition_id=main, bindings=bindings))
        plan = self._plan(old, new)
        return plan.examine(instance.data or b"", self._engine), plan, bindings

    def _bindings(self, instance: ProcessInstance) -> dict[str, int]:
        """What the instance calls from now on: what is new is added, what it knew stays unless it is bound anew."""
        known = dict(instance.bindings)
        if known.get(self.source.key) == self.source.id:
            known[self.source.key] = self.target.id
        return {**known, **self._latest} if self._rebind else {**self._latest, **known}

    def _plan(self, old: Program, new: Program) -> Transplant:
        key = (old.fingerprint, new.fingerprint)
        if key not in self._plans:
            self._plans[key] = Transplant(old, new, self.source.key, self._mapping)
        return self._plans[key]


def _may_use(source: ProcessDefinition) -> ColumnElement[bool]:
    bound = cast(ProcessInstance.bindings, Text).contains(f'"{source.key}"', autoescape=True)
    return or_(ProcessInstance.definition_id == source.id, bound)


def _refuse_call(name: str, *_: Any) -> Any:
    raise EngineError(f"Expected a look only, but the connector {name} was called")


def _verdict(route: _Route, instance: ProcessInstance) -> Verdict:
    try:
        crossing, _, _ = route.examine(instance)
    except EngineError as error:
        unreadable = Obstacle("blocked", "", "", f"Состояние не читается: {error}", str(error))
        return Verdict(instance.id, instance.business_key, "blocked", (), (unreadable,))
    kinds = {obstacle.kind for obstacle in crossing.obstacles}
    outcome: Any = "blocked" if "blocked" in kinds else "mapping" if kinds else "moves"
    return Verdict(instance.id, instance.business_key, outcome, tuple(crossing.places), tuple(crossing.obstacles))


def _attempt(session: Session, route: _Route, instance_id: int, by: str) -> Attempt:
    instance = session.get_one(ProcessInstance, instance_id)
    key = instance.business_key
    hooks = len(session.info.setdefault("after_commit", []))
    nested = session.begin_nested()
    try:
        item = MigrationItem()
        _move(session, route, item, lock(session, instance_id), by, None)
        outcome: Any = "moved" if item.state == "moved" else "blocked"
        return Attempt(instance_id, key, outcome, item.reason.get("ru", ""), item.reason.get("en", ""))
    except Exception as error:
        return Attempt(instance_id, key, "failed", *_sentences(error))
    finally:
        nested.rollback()
        del session.info["after_commit"][hooks:]


def _move(
    session: Session, route: _Route, item: MigrationItem, instance: ProcessInstance, by: str, migration_id: int | None
) -> None:
    """Move one locked instance, or say in its item why it stays."""
    if instance.state not in OPEN or not route.concerns(instance):
        item.state = "blocked"
        item.reason = {"ru": "Уже не на этой версии или закончен", "en": "No longer on this version, or ended"}
        return
    crossing, plan, bindings = route.examine(instance)
    if crossing.obstacles:
        item.state, item.reason = "blocked", _reason(crossing.obstacles)
        return
    item.before, item.bindings = instance.data, dict(instance.bindings)
    target = route.target if instance.definition_id == route.source.id else instance.definition
    data = {"migration": migration_id, "from": route.source.version, "to": route.target.version}
    carry_over(session, instance, crossing, plan, target, bindings, by=by, data={**data, "process": route.source.key})
    item.state, item.reason, item.version, item.at = "moved", {}, instance.version, clock.now()


def _reason(obstacles: Sequence[Obstacle]) -> dict[str, Any]:
    first = obstacles[0]
    return {"element": first.element_id, "ru": first.ru, "en": first.en}


def _sentences(error: Exception) -> tuple[str, str]:
    text = f"{type(error).__name__}: {error}"[:500]
    return getattr(error, "ru", text), text


def _take_back(session: Session, migration: Migration, item: MigrationItem, instance: ProcessInstance) -> None:
    """Bring one locked instance back, unless it has gone on since."""
    if instance.state not in OPEN or instance.version != item.version or item.before is None:
        item.state = "kept"
        item.reason = {"ru": "После переноса уже был шаг", "en": "It has made a step since"}
        return
    moved_main = instance.definition_id == migration.target_id
    definition = migration.source if moved_main else instance.definition
    data = {"migration": migration.id, "from": migration.target.version, "to": migration.source.version}
    put_back(session, instance, item.before, definition, item.bindings or {}, by=migration.undone_by, data=data)
    item.state, item.reason, item.at = "undone", {}, clock.now()


# due work: the ticker claims a migration, a worker moves it on batch by batch


def claim(session: Session, owner: str, limit: int) -> list[int]:
    """Lease migrations under way that nobody works at."""
    now = clock.now()
    query = select(Migration.id).where(*_is_due(now)).order_by(Migration.id).limit(limit)
    ids = list(session.scalars(query.with_for_update(skip_locked=True)))
    if ids:
        leased = {"lease_until": now + LEASE, "lease_owner": owner}
        session.execute(update(Migration).where(Migration.id.in_(ids)).values(leased))
    return ids


def execute(database: Database, ids: Sequence[int]) -> None:
    """Move each of these migrations on by some batches; what a kill interrupts is taken up by the next worker."""
    for migration_id in ids:
        rounds = 1
        while _round(database, migration_id, last=rounds == ROUNDS) and rounds < ROUNDS:
            rounds += 1


def next_due(session: Session) -> datetime | None:
    """When a migration wants work: at once, or when the lease of its worker ends."""
    open_ones = select(func.min(func.coalesce(Migration.lease_until, Migration.created_at)))
    found: datetime | None = session.scalar(open_ones.where(Migration.state.in_(UNDER_WAY)))
    return found


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(Migration.lease_until.is_(None), Migration.lease_until <= now)
    return Migration.state.in_(UNDER_WAY), free


def _round(database: Database, migration_id: int, *, last: bool) -> bool:
    """One batch in one transaction; False when nothing is left to do now."""
    with database.transaction() as session:
        migration = session.get(Migration, migration_id, with_for_update=True, populate_existing=True)
        if migration is None or migration.state not in UNDER_WAY:
            return False
        wanted = "waiting" if migration.state == "running" else "moved"
        query = select(MigrationItem).where(MigrationItem.migration_id == migration_id, MigrationItem.state == wanted)
        batch = session.scalars(query.order_by(MigrationItem.instance_id).limit(BATCH)).all()
        if not batch:
            _finish(migration)
            return False
        migration.lease_until = None if last else clock.now() + LEASE
        work = _forward(session, migration) if migration.state == "running" else _backward(session, migration)
        return all([_safely(session, item, work) for item in batch])


def _finish(migration: Migration) -> None:
    migration.state = "done" if migration.state == "running" else "undone"
    migration.ended_at, migration.lease_until, migration.lease_owner = clock.now(), None, None
    log.info("migration ended", action="migration", migration=migration.id, state=migration.state)


def _forward(session: Session, migration: Migration) -> Any:
    route = _Route(session, migration.source, migration.target, migration.mapping, migration.rebind)
    return lambda item, instance: _move(session, route, item, instance, migration.created_by, migration.id)


def _backward(session: Session, migration: Migration) -> Any:
    return lambda item, instance: _take_back(session, migration, item, instance)


def _safely(session: Session, item: MigrationItem, work: Any) -> bool:
    """Do one item in a savepoint; one that fails stops no other. False when it must wait for somebody."""
    hooks = len(session.info.setdefault("after_commit", []))
    try:
        with session.begin_nested():
            work(item, lock(session, item.instance_id, skip_locked=True))
    except Busy:
        del session.info["after_commit"][hooks:]
        return False
    except Exception as error:
        del session.info["after_commit"][hooks:]
        log.warning("instance not migrated", action="migration", instance=item.instance_id, error=repr(error))
        ru, en = _sentences(error)
        item.state, item.reason, item.before = "failed", {"ru": ru, "en": en}, None
    return True


def one(session: Session, migration_id: int) -> Migration:
    """Raises NotFound."""
    found = session.get(Migration, migration_id)
    if found is None:
        raise NotFound(f"Expected the migration {migration_id} to exist, but it does not")
    return found


due_sources.register(due_sources.DueSource("migrations", claim, execute, next_due))
