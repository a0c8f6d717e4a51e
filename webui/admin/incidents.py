"""Open incidents: what failed, where, since when – and another try, for one or for many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload

from engine import clock
from engine import incidents as engine_incidents
from engine.errors import EngineError, NotFound
from engine.models import Incident, Job, ProcessInstance, StartEvent
from services.lines import beginnings
from webui.admin import runs
from webui.admin.blueprint import STUDIO, blueprint
from webui.failures import failure
from webui.language import gettext
from webui.routes import Visit, leave_to, route

_MOST = 200


@dataclass(slots=True)
class Outcome:
    """What became of a bulk retry."""

    tried: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Incident id and why it was not tried again."""


@route(blueprint, "/incidents", roles=STUDIO)
def incidents(visit: Visit) -> ResponseReturnValue:
    return _page(visit.session, None)


@route(blueprint, "/incidents/retries", roles=STUDIO, methods=["POST"])
def retry_incidents(visit: Visit) -> ResponseReturnValue:
    chosen = [int(text) for text in request.form.getlist("incident")[:_MOST] if text.isascii() and text.isdigit()]
    return _page(visit.session, retry_all(visit.session, chosen, visit.agent.ref))


@route(blueprint, "/incidents/<int:incident_id>/retry", roles=STUDIO, methods=["POST"])
def retry_incident(visit: Visit, incident_id: int) -> ResponseReturnValue:
    incident = visit.session.get(Incident, incident_id)
    if incident is None:
        raise NotFound
    engine_incidents.retry(visit.session, incident_id, visit.agent.ref)
    if incident.instance_id is None:
        return leave_to(url_for("admin.incidents"))
    return leave_to(url_for("admin.instance", instance_id=incident.instance_id))


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
                engine_incidents.retry(session, incident_id, by)
            outcome.tried += 1
        except NotFound:
            outcome.refused.append((incident_id, gettext("он уже не открыт")))
        except EngineError as error:
            outcome.refused.append((incident_id, failure(str(error))))
    return outcome


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
