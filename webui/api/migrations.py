"""Migration of running instances: preview, dry run, begin, progress, undo."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from pydantic import Field

from engine import migration
from engine.models import Migration, ProcessDefinition
from webui.api.definitions import definition
from webui.api.operation import Call, operation
from webui.api.pages import Given, Shown
from webui.api.problems import speaks_russian


class Route(Given):
    """From which version to which."""

    source_id: int
    target_id: int
    mapping: dict[str, str] = Field(default_factory=dict, description="Element id → element id, where they differ.")
    rebind: bool = Field(False, description="Bind called processes to their active versions.")


class Order(Route):
    """A migration to be made."""

    comment: str = Field("", max_length=2000)


class VerdictShown(Shown):
    """What becomes of one instance."""

    instance_id: int
    business_key: str | None
    outcome: str
    elements: list[str] = Field(description="Where it stands.")
    reasons: list[str]


class Verdicts(Shown):
    """What becomes of all of them."""

    counts: dict[str, int]
    items: list[VerdictShown]


class MigrationShown(Shown):
    """A migration under way or done."""

    id: int
    source_id: int
    target_id: int
    mapping: dict[str, str]
    comment: str
    state: str
    created_by: str
    created_at: datetime
    ended_at: datetime | None
    total: int
    counts: dict[str, int]
    can_be_undone: bool


@operation("POST", "/migrations/preview", scope="migrations:read", answer=Verdicts, body=Route, reads=True)
def preview_migration(call: Call) -> Verdicts:
    """A verdict for every running instance of the version: moves, mapping or blocked, and why. Nothing is written."""
    source, target = _ends(call)
    found = migration.preview(call.session, source, target, call.body.mapping, rebind=call.body.rebind)
    items = [
        VerdictShown(
            instance_id=each.instance_id,
            business_key=each.business_key,
            outcome=each.outcome,
            elements=[place.element_id for place in each.places],
            reasons=[_said(obstacle.ru, obstacle.en) for obstacle in each.obstacles],
        )
        for each in found
    ]
    return _verdicts(items)


@operation("POST", "/migrations/dry-run", scope="migrations:write", answer=Verdicts, body=Route)
def dry_run_migration(call: Call) -> Verdicts:
    """Really move each instance and take it back at once."""
    source, target = _ends(call)
    given: Route = call.body
    tried = migration.dry_run(call.session, source, target, given.mapping, rebind=given.rebind, by=call.agent.ref)
    items = [
        VerdictShown(
            instance_id=each.instance_id,
            business_key=each.business_key,
            outcome=each.outcome,
            elements=[],
            reasons=[said] if (said := _said(each.ru, each.en)) else [],
        )
        for each in tried
    ]
    return _verdicts(items)


@operation("POST", "/migrations", scope="migrations:write", answer=MigrationShown, status=201, body=Order)
def begin_migration(call: Call) -> MigrationShown:
    """Order the move; workers make it in batches."""
    source, target = _ends(call)
    given: Order = call.body
    begun = migration.begin(
        call.session,
        source,
        target,
        given.mapping,
        rebind=given.rebind,
        by=call.agent.ref,
        comment=given.comment,
    )
    return _shown(call, begun)


@operation("GET", "/migrations/<int:migration_id>", scope="migrations:read", answer=MigrationShown)
def get_migration(call: Call, migration_id: int) -> MigrationShown:
    """How far it has come."""
    return _shown(call, migration.one(call.session, migration_id))


@operation("POST", "/migrations/<int:migration_id>/undo", scope="migrations:write", answer=MigrationShown)
def undo_migration(call: Call, migration_id: int) -> MigrationShown:
    """Bring back every instance that made no step since; open for a day."""
    found = migration.one(call.session, migration_id)
    migration.undo(call.session, found, by=call.agent.ref)
    return _shown(call, found)


def _ends(call: Call) -> tuple[ProcessDefinition, ProcessDefinition]:
    return definition(call.session, call.body.source_id), definition(call.session, call.body.target_id)


def _said(ru: str, en: str) -> str:
    return ru if speaks_russian() else en


def _verdicts(items: list[VerdictShown]) -> Verdicts:
    return Verdicts(counts=dict(Counter(each.outcome for each in items)), items=items)


def _shown(call: Call, found: Migration) -> MigrationShown:
    progress = migration.progress(call.session, found)
    return MigrationShown(
        id=found.id,
        source_id=found.source_id,
        target_id=found.target_id,
        mapping=found.mapping,
        comment=found.comment,
        state=found.state,
        created_by=found.created_by,
        created_at=found.created_at,
        ended_at=found.ended_at,
        total=progress.total,
        counts=dict(progress.counts),
        can_be_undone=migration.can_be_undone(found),
    )
