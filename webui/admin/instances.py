"""Instances: the list, and the inspector of one – where it stands, what it waits for, what can be repaired."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, inspection, repair, suspension, user_tasks
from engine.errors import EngineError
from engine.models import ElementLog, History, ProcessDefinition, ProcessInstance
from engine.repair import Place
from webui.admin import definitions, journal, runs
from webui.admin.blueprint import ADMIN, STUDIO, blueprint
from webui.routes import Visit, may, route
from webui.views import diagram

_BY_HAND = frozenset(
    {"move-token", "repeat", "skip", "set-variable", "set-due", "suspend", "resume", "migrate", "migrate-undo"}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a repair has led to."""

    words: str
    places: tuple[str, ...]
    opened: tuple[str, ...]
    timers: int


@dataclass(frozen=True, slots=True)
class Mending:
    """What may be repaired in one instance, for the forms of the inspector."""

    places: tuple[Place, ...]
    """Innermost first."""
    goals: dict[str, list[tuple[str, str]]]
    """Key of a place → ids and names of the nodes its token may be moved to."""


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
    return inspector(visit, instance_id)


@route(blueprint, "/instances/<int:instance_id>/diagram.json", roles=STUDIO)
def instance_diagram(visit: Visit, instance_id: int) -> ResponseReturnValue:
    found = runs.one(visit.session, instance_id)
    return jsonify(diagram.running(visit.session, found, request.args.get("process")))


def inspector(visit: Visit, instance_id: int, *, refused: str = "", refusal: str = "") -> str:
    """The page of one instance; `refused` names the repair that was not made, `refusal` says why."""
    found = runs.one(visit.session, instance_id)
    drawings = diagram.drawings(visit.session, found)
    wished = request.args.get("process", "")
    shown = wished if wished in drawings else diagram.standing(visit.session, found)
    return render_template(
        "admin/instance.html",
        instance=found,
        ticket=runs.tickets(visit.session, [found]).get(found.business_key or ""),
        waits=runs.waits(visit.session, found),
        lines=journal.lines(visit.session, found),
        variables=_variables(visit.session, found),
        as_json=_as_json,
        drawings=drawings,
        shown=shown,
        newer=_newer(visit.session, drawings[shown]) if found.ended_at is None else None,
        mending=_mending(visit.session, found) if may(g.agent, ADMIN) else None,
        suspended=user_tasks.suspended(visit.session, found) if found.state == "suspended" else None,
        held=suspension.held(visit.session, found.id),
        outcome=_outcome(visit.session, found),
        now=clock.now(),
        refused=refused,
        refusal=refusal,
        form=request.form,
    )


def _variables(session: Session, found: ProcessInstance) -> dict[str, Any] | None:
    """None when the stored state cannot be opened: the page still shows everything else."""
    try:
        return inspection.variables(session, found)
    except EngineError:
        return None


def _newer(session: Session, definition: ProcessDefinition) -> ProcessDefinition | None:
    """The active version of the process, when it is another one."""
    active = select(ProcessDefinition).where(
        ProcessDefinition.key == definition.key, ProcessDefinition.state == "active"
    )
    found = session.scalars(active).one_or_none()
    return None if found is None or found.id == definition.id else found


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _mending(session: Session, found: ProcessInstance) -> Mending | None:
    """None when nothing can be repaired: it has ended, or its state cannot be opened."""
    if found.ended_at is not None:
        return None
    try:
        places = tuple(reversed(repair.places(session, found)))
        return Mending(places, {place.key: repair.goals(session, found, place.key) for place in places})
    except EngineError:
        return Mending((), {})


def _outcome(session: Session, found: ProcessInstance) -> Outcome | None:
    """What the repair that was just made has led to; the address names its step."""
    n = request.args.get("after", 0, type=int)
    step = session.scalars(select(History).where(History.instance_id == found.id, History.n == n)).one_or_none()
    if step is None or n != found.version or (step.move not in _BY_HAND and step.move != "cancel"):
        return None
    waits = runs.waits(session, found)
    log = select(ElementLog.element_id).where(ElementLog.instance_id == found.id, ElementLog.n == n)
    entered = set(session.scalars(log.where(ElementLog.event == "entered")))
    return Outcome(
        journal.words(step),
        _names(session, found),
        tuple(task.name or task.element_id for task in waits.tasks if task.element_id in entered),
        sum(job.kind == "timer" for job in waits.jobs),
    )


def _names(session: Session, found: ProcessInstance) -> tuple[str, ...]:
    try:
        return tuple(place.name for place in repair.places(session, found))
    except EngineError:
        return ()
