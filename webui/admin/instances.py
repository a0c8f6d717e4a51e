"""Instances: the list, and the inspector of one – where it stands, what it waits for, what can be repaired."""

from __future__ import annotations

from typing import Any

from flask import jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from engine import clock, inspection, runtime
from engine.errors import EngineError
from engine.models import ProcessInstance
from webui.admin import definitions, journal, runs
from webui.admin.blueprint import STUDIO, blueprint
from webui.routes import Visit, leave_to, route
from webui.views import diagram

_SHORTEST_REASON = 3


@route(blueprint, "/instances", roles=STUDIO)
def instances(visit: Visit) -> ResponseReturnValue:
    filters = runs.Filters(
        process=request.args.get("process", ""),
        state=request.args.get("state", ""),
        incident=request.args.get("incident") == "1",
        text=request.args.get("q", "").strip().removeprefix("№").strip(),
        before=request.args.get("before", 0, type=int),
    )
    found = runs.found(visit.session, filters)
    return render_template(
        "admin/instances.html",
        runs=found[: runs.PAGE],
        more=found[runs.PAGE - 1].instance.id if len(found) > runs.PAGE else None,
        filters=filters,
        states=runs.STATES,
        keys=definitions.keys(visit.session),
    )


@route(blueprint, "/instances/<int:instance_id>", roles=STUDIO)
def instance(visit: Visit, instance_id: int) -> ResponseReturnValue:
    return _inspector(visit, instance_id)


@route(blueprint, "/instances/<int:instance_id>/diagram.json", roles=STUDIO)
def instance_diagram(visit: Visit, instance_id: int) -> ResponseReturnValue:
    found = runs.one(visit.session, instance_id)
    return jsonify(diagram.running(visit.session, found, request.args.get("process")))


@route(blueprint, "/instances/<int:instance_id>/cancellation", roles=STUDIO, methods=["POST"])
def cancel(visit: Visit, instance_id: int) -> ResponseReturnValue:
    runs.one(visit.session, instance_id)
    reason = request.form.get("reason", "").strip()[:500]
    if len(reason) < _SHORTEST_REASON:
        return _inspector(visit, instance_id, gettext("Напишите причину: она останется в истории.")), 422
    runtime.cancel(visit.session, instance_id, reason=reason, actor=visit.agent.ref)
    return leave_to(url_for("admin.instance", instance_id=instance_id))


def _inspector(visit: Visit, instance_id: int, refusal: str = "") -> str:
    found = runs.one(visit.session, instance_id)
    drawings = diagram.drawings(visit.session, found)
    wished = request.args.get("process", "")
    return render_template(
        "admin/instance.html",
        instance=found,
        ticket=runs.tickets(visit.session, [found]).get(found.business_key or ""),
        waits=runs.waits(visit.session, found),
        lines=journal.lines(visit.session, found),
        variables=_variables(visit.session, found),
        drawings=drawings,
        shown=wished if wished in drawings else diagram.standing(visit.session, found),
        now=clock.now(),
        refusal=refusal,
    )


def _variables(session: Session, found: ProcessInstance) -> dict[str, Any] | None:
    """None when the stored state cannot be opened: the page still shows everything else."""
    try:
        return inspection.variables(session, found)
    except EngineError:
        return None
