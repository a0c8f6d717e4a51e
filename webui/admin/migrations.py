"""Migrations: who would move and who would not, the mapping, a trial, the start, the progress and the way back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from engine import migrating, migration
from engine.errors import NotFound, Refused
from engine.migration import Attempt, Verdict
from engine.models import Migration, MigrationItem, ProcessDefinition, ProcessInstance
from services.notifications import live
from services.tickets.models import Ticket
from webui.admin import definitions, runs
from webui.admin.blueprint import ADMIN, STUDIO, blueprint
from webui.admin.definitions import Family
from webui.admin.repair import words
from webui.language import spoken
from webui.routes import Visit, leave_to, may, route

_MOST = 100
"""Tickets named in one list."""
_MAPS = "m:"


@dataclass(frozen=True, slots=True)
class Stop:
    """One place at which instances stand, and where they go."""

    element_id: str
    name: str
    count: int
    target_id: str | None
    target_name: str
    candidates: tuple[tuple[str, str], ...]
    """Ids and names to choose from; empty when nothing is to be chosen."""
    mapped: bool


@dataclass(frozen=True, slots=True)
class Why:
    """One reason why instances stay, and which."""

    sentence: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked about: two versions of one process and what is mapped."""

    family: Family
    source: ProcessDefinition
    target: ProcessDefinition
    mapping: Mapping[str, str]
    rebind: bool


@route(blueprint, "/migrations", roles=STUDIO)
def migrations(visit: Visit) -> ResponseReturnValue:
    ends = joinedload(Migration.source), joinedload(Migration.target)
    orders = visit.session.scalars(select(Migration).options(*ends).order_by(Migration.id.desc()).limit(_MOST)).all()
    return render_template(
        "admin/migrations.html",
        orders=[(order, migration.progress(visit.session, order)) for order in orders],
        families=[family for family in definitions.families(visit.session) if len(family.versions) > 1],
    )


@route(blueprint, "/migrations/new", roles=STUDIO)
def new_migration(visit: Visit) -> ResponseReturnValue:
    return _wizard(visit.session, _asked(visit.session, request.args))


@route(blueprint, "/migrations/trials", roles=ADMIN, methods=["POST"])
def try_migration(visit: Visit) -> ResponseReturnValue:
    plan = _asked(visit.session, request.form)
    tried = migration.dry_run(
        visit.session, plan.source, plan.target, plan.mapping, rebind=plan.rebind, by=visit.agent.ref
    )
    return _wizard(visit.session, plan, tried=tried)


@route(blueprint, "/migrations", roles=ADMIN, methods=["POST"])
def begin_migration(visit: Visit) -> ResponseReturnValue:
    plan = _asked(visit.session, request.form)
    try:
        order = migration.begin(
            visit.session,
            plan.source,
            plan.target,
            plan.mapping,
            rebind=plan.rebind,
            by=visit.agent.ref,
            comment=request.form.get("reason", ""),
        )
    except Refused as refusal:
        return _wizard(visit.session, plan, refusal=words(refusal)), 422
    live.publish(visit.session, "processes")
    return leave_to(url_for("admin.one_migration", migration_id=order.id))


@route(blueprint, "/migrations/<int:migration_id>", roles=STUDIO)
def one_migration(visit: Visit, migration_id: int) -> ResponseReturnValue:
    return _order(visit.session, migration.one(visit.session, migration_id))


@route(blueprint, "/migrations/<int:migration_id>/progress", roles=STUDIO)
def migration_progress(visit: Visit, migration_id: int) -> ResponseReturnValue:
    order = migration.one(visit.session, migration_id)
    part = render_template(
        "admin/migration_progress.html", order=order, progress=migration.progress(visit.session, order)
    )
    # The end changes the whole page: what became of each, and the way back.
    return part, {} if order.state in migration.UNDER_WAY else {"HX-Refresh": "true"}


@route(blueprint, "/migrations/<int:migration_id>/undoing", roles=ADMIN, methods=["POST"])
def undo_migration(visit: Visit, migration_id: int) -> ResponseReturnValue:
    order = migration.one(visit.session, migration_id)
    try:
        migration.undo(visit.session, order, by=visit.agent.ref)
    except Refused as refusal:
        return _order(visit.session, order, refusal=words(refusal)), 422
    live.publish(visit.session, "processes")
    return leave_to(url_for("admin.one_migration", migration_id=order.id))


def _asked(session: Session, given: Mapping[str, str]) -> Plan:
    """The plan as the page sent it; left out, the source is the most crowded version and the target the active one."""
    family = definitions.family(session, given.get("process", ""))
    target = family.version(_number(given, "target", family.shown.version))
    others = [version for version in family.versions if version.id != target.id]
    if not others:
        raise NotFound
    crowded = max(others, key=lambda version: (family.running.get(version.id, 0), version.version))
    source = family.version(_number(given, "source", crowded.version))
    mapping = {key.removeprefix(_MAPS): value for key, value in given.items() if key.startswith(_MAPS) and value}
    return Plan(family, source, target, mapping, given.get("rebind") == "1")


def _number(given: Mapping[str, str], name: str, otherwise: int) -> int:
    text = given.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else otherwise


def _wizard(session: Session, plan: Plan, *, tried: Sequence[Attempt] | None = None, refusal: str = "") -> str:
    try:
        verdicts = migration.preview(session, plan.source, plan.target, plan.mapping, rebind=plan.rebind)
    except Refused as error:
        verdicts, refusal = [], words(error)
    counts = {outcome: sum(v.outcome == outcome for v in verdicts) for outcome in ("moves", "mapping", "blocked")}
    listed = [verdict for verdict in verdicts if verdict.outcome == request.values.get("show")]
    return render_template(
        "admin/migration_new.html",
        plan=plan,
        counts=counts,
        total=len(verdicts),
        stops=_stops(plan, verdicts),
        renamed=_renamed(plan),
        whys=_whys(verdicts),
        listed=listed[:_MOST],
        show=request.values.get("show", ""),
        named=_named(session, [*listed[:_MOST], *(v for v in verdicts if v.outcome != "moves")][: 2 * _MOST]),
        tried=tried,
        failures=[attempt for attempt in tried or () if attempt.outcome != "moved"][:_MOST],
        batches=-(-counts["moves"] // migrating.BATCH),
        language=spoken(),
        maps=_MAPS,
        refusal=refusal,
        reason=request.form.get("reason", ""),
        query=_query,
        may_do=may(g.agent, ADMIN),
    )


def _query(plan: Plan, show: str) -> str:
    """The address of the same question with one of its lists."""
    given = {"process": plan.family.key, "source": plan.source.version, "target": plan.target.version, "show": show}
    chosen = {f"{_MAPS}{element_id}": to for element_id, to in plan.mapping.items()}
    return urlencode({**given, **chosen, **({"rebind": 1} if plan.rebind else {})})


def _stops(plan: Plan, verdicts: Iterable[Verdict]) -> list[Stop]:
    """The places of all instances in the order of their number, those that want a decision first."""
    counts: dict[str, int] = defaultdict(int)
    found: dict[str, Stop] = {}
    for verdict in verdicts:
        open_ones = {obstacle.element_id: obstacle for obstacle in verdict.obstacles}
        for place in (each for each in verdict.places if each.process_key == plan.family.key):
            counts[place.element_id] += 1
            if place.element_id not in found:
                obstacle = open_ones.get(place.element_id)
                candidates = obstacle.candidates if obstacle else ()
                found[place.element_id] = _stop(plan, place.element_id, place.element_name, place.target_id, candidates)
    stops = [
        Stop(s.element_id, s.name, counts[key], s.target_id, s.target_name, s.candidates, s.mapped)
        for key, s in found.items()
    ]
    return sorted(stops, key=lambda stop: (not stop.candidates and not stop.mapped, -stop.count, stop.name))


def _stop(plan: Plan, element_id: str, name: str, target_id: str | None, candidates: Sequence[str]) -> Stop:
    mapped = element_id in plan.mapping
    if mapped and not candidates:
        candidates = _alike(plan, element_id)
    choices = tuple((each, _name(plan.target, each)) for each in candidates)
    return Stop(element_id, name, 0, target_id, _name(plan.target, target_id or ""), choices, mapped)


def _alike(plan: Plan, element_id: str) -> list[str]:
    nodes = plan.target.index["nodes"]
    kind = plan.source.index["nodes"].get(element_id, {}).get("type")
    return [each for each, node in nodes.items() if node.get("type") == kind]


def _renamed(plan: Plan) -> list[Stop]:
    """Boundary events that the target does not have under their id: their timers may go on under another."""
    missing = [
        (element_id, node)
        for element_id, node in plan.source.index["nodes"].items()
        if node.get("type") == "boundaryEvent" and element_id not in plan.target.index["nodes"]
    ]
    return [
        Stop(
            element_id,
            node.get("name") or element_id,
            0,
            plan.mapping.get(element_id),
            _name(plan.target, plan.mapping.get(element_id, "")),
            tuple((each, _name(plan.target, each)) for each in _alike(plan, element_id)),
            element_id in plan.mapping,
        )
        for element_id, node in missing
    ]


def _name(definition: ProcessDefinition, element_id: str) -> str:
    return str(definition.index["nodes"].get(element_id, {}).get("name") or element_id)


def _whys(verdicts: Iterable[Verdict]) -> list[Why]:
    """The reasons of those that stay, the commonest first."""
    grouped: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        for obstacle in verdict.obstacles[:1]:
            grouped[obstacle.ru if spoken() == "ru" else obstacle.en].append(verdict)
    return [Why(sentence, tuple(group)) for sentence, group in sorted(grouped.items(), key=lambda each: -len(each[1]))]


def _named(session: Session, verdicts: Iterable[Verdict]) -> dict[str, Ticket]:
    """The tickets of these instances by business key."""
    return runs.tickets(session, [ProcessInstance(business_key=verdict.business_key) for verdict in verdicts])


def _order(session: Session, order: Migration, *, refusal: str = "") -> str:
    state = request.args.get("state", "")
    items = migration.items(session, order, state)[:_MOST]
    query = select(ProcessInstance).where(ProcessInstance.id.in_([item.instance_id for item in items]))
    instances = {instance.id: instance for instance in session.scalars(query)}
    return render_template(
        "admin/migration.html",
        order=order,
        progress=migration.progress(session, order),
        rows=[_row(item, instances) for item in items],
        tickets=runs.tickets(session, instances.values()),
        state=state,
        language=spoken(),
        can_be_undone=migration.can_be_undone(order),
        may_do=may(g.agent, ADMIN),
        until=order.ended_at + migration.UNDO if order.ended_at else None,
        refusal=refusal,
    )


def _row(item: MigrationItem, instances: Mapping[int, ProcessInstance]) -> tuple[MigrationItem, ProcessInstance]:
    return item, instances[item.instance_id]
