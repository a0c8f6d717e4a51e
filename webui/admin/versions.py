"""One version among the others: activation and the way back, what differs, deletion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import difference, difference_words, versions
from engine.errors import NotReady, VersionInUse
from engine.models import ProcessDefinition, StartEvent
from engine.versions import SHORTEST_REASON, Obstacle
from services.notifications import live
from webui.admin import definitions, runs
from webui.admin.blueprint import ADMIN, STUDIO, blueprint
from webui.admin.definitions import Family
from webui.language import gettext
from webui.routes import Visit, leave_to, may, route
from webui.views import diagram


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands between a version and its activation, for the person who looks at it."""

    obstacles: Sequence[Obstacle]
    may_override: bool
    refusal: str = ""

    @property
    def is_shut(self) -> bool:
        """Whether no reason helps."""
        return any(obstacle.is_final for obstacle in self.obstacles)


def gate(visit: Visit, chosen: ProcessDefinition, refusal: str = "") -> Gate:
    """The gate of a version; what is active or comes back needs none."""
    found = versions.obstacles(visit.session, chosen) if chosen.state != "active" else []
    return Gate(found, may(visit.agent, ADMIN), refusal)


def starts(session: Session, chosen: ProcessDefinition) -> Sequence[StartEvent]:
    """The events by which this version begins instances now."""
    query = select(StartEvent).where(StartEvent.definition_id == chosen.id)
    return session.scalars(query.order_by(StartEvent.id)).all()


def migration_url(family: Family, chosen: ProcessDefinition) -> str | None:
    """Where running tickets are moved to this version; None when there are none elsewhere."""
    if not family.staying(chosen):
        return None
    return url_for("admin.new_migration", process=family.key, target=chosen.version)


@route(blueprint, "/processes/<key>/versions/<int:number>/activation", roles=STUDIO, methods=["POST"])
def activate(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    reason = request.form.get("reason", "").strip()[:1000]
    if reason and not may(visit.agent, ADMIN):
        abort(403)
    if chosen.state != "active":
        try:
            versions.activate(visit.session, chosen, by=visit.agent.ref, override_reason=reason)
        except NotReady as refused:
            return leave_to(_page(chosen, refused=_why(refused, reason)) + "#activation")
        live.publish(visit.session, "processes")
    return leave_to(_page(chosen))


@route(blueprint, "/processes/<key>/difference", roles=STUDIO)
def process_difference(visit: Visit, key: str) -> ResponseReturnValue:
    family = definitions.family(visit.session, key)
    before, after = _pair(family)
    found = difference.compare(visit.session, before, after)
    lines = difference_words.lines(found, str(get_locale() or "ru"))
    return render_template(
        "admin/process_difference.html",
        family=family,
        before=before,
        after=after,
        lines=lines,
        counts={kind: sum(line.change.kind == kind for line in lines) for kind in ("added", "removed", "changed")},
        moved=len(found.moved),
        text=list(definitions.difference(before, after)),
    )


@route(blueprint, "/processes/<key>/difference/<side>.json", roles=STUDIO)
def difference_diagram(visit: Visit, key: str, side: str) -> ResponseReturnValue:
    if side not in ("before", "after"):
        abort(404)
    before, after = _pair(definitions.family(visit.session, key))
    found = difference.compare_files(before.resource.content, after.resource.content, key)
    shown = before if side == "before" else after
    return jsonify(diagram.compared(shown, found.marks("before" if side == "before" else "after")))


@route(blueprint, "/processes/<key>/versions/<int:number>/deletion", roles=STUDIO)
def deletion(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    return _deletion(visit, key, number)


@route(blueprint, "/processes/<key>/versions/<int:number>/deletion", roles=STUDIO, methods=["POST"])
def delete(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    family = definitions.family(visit.session, key)
    try:
        versions.delete(visit.session, family.version(number), by=visit.agent.ref)
    except VersionInUse:
        return _deletion(visit, key, number, is_recorded=True), 409
    live.publish(visit.session, "processes")
    return leave_to(url_for("admin.process", key=key) if len(family.versions) > 1 else url_for("admin.processes"))


def _deletion(visit: Visit, key: str, number: int, *, is_recorded: bool = False) -> str:
    family = definitions.family(visit.session, key)
    chosen = family.version(number)
    used = versions.uses(visit.session, chosen)
    return render_template(
        "admin/process_deletion.html",
        family=family,
        chosen=chosen,
        used=used,
        tickets=runs.tickets_of(visit.session, used.business_keys),
        is_recorded=is_recorded and not used,
    )


def _pair(family: Family) -> tuple[ProcessDefinition, ProcessDefinition]:
    """The wished versions; else the active one and the newest, else the two newest."""
    newest = family.versions[0]
    after = family.version(request.args.get("after", newest.version, type=int))
    wished = request.args.get("before", type=int)
    if wished is not None:
        return family.version(wished), after
    return before(family, after) or after, after


def before(family: Family, chosen: ProcessDefinition) -> ProcessDefinition | None:
    """What a version is compared with unless somebody says otherwise: the active one, else the one before it."""
    if family.active and family.active.id != chosen.id:
        return family.active
    return next((version for version in family.versions if version.version < chosen.version), None)


def _page(chosen: ProcessDefinition, refused: str | None = None) -> str:
    return url_for("admin.process", key=chosen.key, version=chosen.version, refused=refused)


def _why(refused: NotReady, reason: str) -> str:
    if "unrunnable" in refused.obstacles:
        return "unrunnable"
    return "short" if reason and len(reason) < SHORTEST_REASON else "reason"


def refusal(code: str) -> str:
    """Why an activation was refused, by the code in the address."""
    words = {
        "unrunnable": gettext("Такую схему движок исполнить не может, причина здесь не поможет."),
        "short": gettext("Причина короче %(n)d знаков. Напишите, кто и почему так решил.", n=SHORTEST_REASON),
        "reason": gettext("Есть препятствия: включить версию может администратор, записав причину."),
    }
    return words.get(code, "")
