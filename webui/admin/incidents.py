"""Open incidents: what failed, where, since when – and another try, for one or for many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload

from engine import clock, repair
from engine import incidents as engine_incidents
from engine.errors import EngineError, NotFound
from engine.models import Incident, Job, ProcessInstance, StartEvent
from services.lines import beginnings
from webui.admin import runs
from webui.admin.blueprint import ADMIN, STUDIO, blueprint
from webui.failures import failure
from webui.language import gettext, spoken
from webui.routes import Visit, leave_to, may, route

_MOST = 200


@dataclass(slots=True)
class Outcome:
    """What became of a bulk retry."""

    tried: int = 0
    """Incidents that are resolved by it."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Incident id and why it was not tried again, or what failed again."""


@route(blueprint, "/incidents", roles=STUDIO)
def incidents(visit: Visit) -> ResponseReturnValue:
    return _page(visit.session, None)


@route(blueprint, "/incidents/retries", roles=STUDIO, methods=["POST"])
def retry_incidents(visit: Visit) -> ResponseReturnValue:
    chosen = [int(text) for text in request.form.getlist("incident")[:_MOST] if text.isascii() and text.isdigit()]
    return _page(visit.session, retry_all(visit.session, chosen, visit.agent.ref))


@route(blueprint, "/incidents/<int:incident_id>/retry", roles=STUDIO, methods=["POST"])
def retry_incident(visit: Visit, incident_id: int) -> ResponseReturnValue:
    incident = _one(visit.session, incident_id)
    _retry(visit.session, incident, visit.agent.ref)
    return leave_to(url_for("admin.incident", incident_id=incident_id, tried=1))


@route(blueprint, "/incidents/<int:incident_id>", roles=STUDIO)
def incident(visit: Visit, incident_id: int) -> ResponseReturnValue:
    found = _one(visit.session, incident_id)
    instance = found.instance_id and runs.one(visit.session, found.instance_id)
    return render_template(
        "admin/incident.html",
        incident=found,
        instance=instance,
        ticket=runs.tickets(visit.session, [instance]).get(instance.business_key or "") if instance else None,
        stands=_stands(visit.session, instance) if instance else [],
        stack=found.details.get("stack", []) if may(visit.agent, ADMIN) else [],
        said=(spoken() == "ru" and found.details.get("ru")) or failure(found.message),
        tried=request.args.get("tried") == "1",
        now=clock.now(),
    )


@route(blueprint, "/incidents/<int:incident_id>/closing", roles=STUDIO, methods=["POST"])
def close_incident(visit: Visit, incident_id: int) -> ResponseReturnValue:
    engine_incidents.close(visit.session, incident_id, visit.agent.ref)
    return leave_to(url_for("admin.incidents"))


@route(blueprint, "/conversations/<int:conversation_id>/retry", roles=STUDIO, methods=["POST"])
def retry_conversation(visit: Visit, conversation_id: int) -> ResponseReturnValue:
    beginnings.retry(visit.session, conversation_id)
    return leave_to(url_for("admin.incidents"))


def retry_all(session: Session, ids: Iterable[int], by: str) -> Outcome:
    """Try each incident again; one that cannot be tried leaves the others alone."""
    outcome = Outcome()
    for incident_id in dict.fromkeys(ids):
        try:
            with session.begin_nested():
                problem = _retry(session, _one(session, incident_id), by)
            if problem:
                outcome.refused.append((incident_id, failure(problem)))
            else:
                outcome.tried += 1
        except NotFound:
            outcome.refused.append((incident_id, gettext("он уже не открыт")))
        except EngineError as error:
            outcome.refused.append((incident_id, failure(str(error))))
    return outcome


def _one(session: Session, incident_id: int) -> Incident:
    found = session.get(Incident, incident_id)
    if found is None:
        raise NotFound(f"Expected the incident {incident_id} to exist, but it does not")
    return found


def _retry(session: Session, incident: Incident, by: str) -> str:
    """Try what failed once more; returns what failed again, or nothing."""
    if incident.job_id is not None:
        return repair.retry_incident(session, incident.id, by=by).problem
    engine_incidents.retry(session, incident.id, by)
    return ""


def _stands(session: Session, instance: ProcessInstance) -> list[str]:
    """Names of the nodes where the instance stands; none when its state cannot be opened."""
    try:
        return [place.name for place in repair.places(session, instance)]
    except EngineError:
        return []


def _page(session: Session, outcome: Outcome | None) -> str:
    wanted = select(Incident).where(Incident.state == "open").order_by(Incident.created_at, Incident.id)
    found = session.scalars(wanted.limit(_MOST)).all()
    instances = {
        instance.id: instance
        for instance in session.scalars(
            select(ProcessInstance)
            .where(ProcessInstance.id.in_({incident.instance_id for incident in found}))
            .options(defer(ProcessInstance.data), joinedload(ProcessInstance.definition))
        )
    }
    begun = session.scalars(
        select(StartEvent)
        .where(StartEvent.id.in_({incident.start_event_id for incident in found if incident.start_event_id}))
        .options(joinedload(StartEvent.definition))
    )
    jobs = session.scalars(select(Job).where(Job.id.in_({incident.job_id for incident in found if incident.job_id})))
    return render_template(
        "admin/incidents.html",
        incidents=found,
        conversations=beginnings.waiting(session),
        most=_MOST,
        instances=instances,
        starts={row.id: row for row in begun},
        jobs={job.id: job for job in jobs},
        tickets=runs.tickets(session, instances.values()),
        outcome=outcome,
        now=clock.now(),
    )
