"""Incidents: list, look, repeat with the state that follows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import select

from engine import repair
from engine.errors import NotFound
from engine.models import Incident
from services.access.rights import ADMIN, roles_of
from webui.api.operation import Call, operation
from webui.api.pages import PageQuery, Shown, page
from webui.api.repairs import StandingShown, standing


class IncidentQuery(PageQuery):
    """Which incidents to list."""

    state: str = Field("open", description="open or resolved.")
    instance_id: int | None = None


class IncidentShown(Shown):
    """One incident."""

    id: int
    instance_id: int | None
    job_id: int | None
    element_id: str | None
    element_name: str | None
    message: str
    details: dict[str, Any] = Field(description="Expression and redacted values; the stack only for admins.")
    state: str
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None


class IncidentPage(Shown):
    """Some incidents."""

    items: list[IncidentShown]
    next: int | None


@operation("GET", "/incidents", scope="incidents:read", answer=IncidentPage, query=IncidentQuery)
def list_incidents(call: Call) -> IncidentPage:
    """Incidents, oldest first."""
    query = select(Incident).where(Incident.state == call.query.state)
    if call.query.instance_id:
        query = query.where(Incident.instance_id == call.query.instance_id)
    found, following = page(call.session, query, Incident.id, call.query)
    return IncidentPage(items=[_shown(call, each) for each in found], next=following)


@operation("GET", "/incidents/<int:incident_id>", scope="incidents:read", answer=IncidentShown)
def get_incident(call: Call, incident_id: int) -> IncidentShown:
    """One incident."""
    found = call.session.get(Incident, incident_id)
    if found is None:
        raise NotFound(f"Expected the incident {incident_id} to exist, but it does not")
    return _shown(call, found)


@operation("POST", "/incidents/<int:incident_id>/retry", scope="incidents:write", answer=StandingShown)
def retry_incident(call: Call, incident_id: int) -> StandingShown:
    """Try what failed once more, now; returns where the instance stands then, with the failure if it failed again."""
    return standing(repair.retry_incident(call.session, incident_id, by=call.agent.ref))


def _shown(call: Call, found: Incident) -> IncidentShown:
    told = IncidentShown.model_validate(found)
    if ADMIN not in roles_of(call.agent):
        told.details.pop("stack", None)
    return told
