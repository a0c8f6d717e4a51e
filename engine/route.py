"""The way of instances from one version of a process to another, and back, one instance at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from engine import clock, repository
from engine.bpmn.counterparts import Crossing, Obstacle
from engine.bpmn.program import Program
from engine.bpmn.script_engine import Environment, ScriptEngine
from engine.bpmn.transplant import Transplant
from engine.crossing import carry_over, put_back
from engine.errors import EngineError, Refused
from engine.models import Migration, MigrationItem, ProcessDefinition, ProcessInstance

OPEN = ("active", "suspended")
"""States of an instance that can still move."""


class Route:
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


def _refuse_call(name: str, *_: Any) -> Any:
    raise EngineError(f"Expected a look only, but the connector {name} was called")


def move(
    session: Session, route: Route, item: MigrationItem, instance: ProcessInstance, by: str, migration_id: int | None
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


def sentences(error: Exception) -> tuple[str, str]:
    """What went wrong, in Russian and in English."""
    text = f"{type(error).__name__}: {error}"[:500]
    return getattr(error, "ru", text), text


def take_back(session: Session, migration: Migration, item: MigrationItem, instance: ProcessInstance) -> None:
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
