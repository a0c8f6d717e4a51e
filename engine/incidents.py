"""Incidents: steps that failed for good and wait for a person to mend the cause and repeat them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import NotFound
from engine.listeners import listeners
from engine.models import Incident, Job, ProcessInstance


def open_ones(session: Session) -> Sequence[Incident]:
    """All open incidents, newest first."""
    return session.scalars(select(Incident).where(Incident.state == "open").order_by(Incident.id.desc())).all()


def open_for(session: Session, job: Job, error: Exception) -> Incident:
    """Open an incident for a job that has no retries left, and tell the host."""
    incident = Incident(
        instance_id=job.instance_id,
        job_id=job.id,
        element_id=getattr(error, "element_id", None) or job.element_id,
        element_name=getattr(error, "element_name", None) or job.name,
        message=f"{type(error).__name__}: {error}"[:2000],
        state="open",
        created_at=clock.now(),
    )
    session.add(incident)
    session.flush()
    instance = session.get_one(ProcessInstance, job.instance_id)
    for listener in listeners().incident_opened:
        listener(session, instance, incident)
    return incident


def retry(session: Session, incident_id: int, by: str) -> None:
    """Repeat what failed; the incident is resolved. Raises NotFound when it is not open."""
    from engine import jobs  # jobs open incidents; only this verb goes the other way

    incident = session.get(Incident, incident_id, with_for_update=True, populate_existing=True)
    if incident is None or incident.state != "open" or incident.job_id is None:
        raise NotFound(f"Expected the incident {incident_id} to be open, but it is not")
    jobs.retry(session, incident.job_id, by)


def resolve(session: Session, job_id: int, by: str) -> None:
    """Mark the open incidents of a job as resolved."""
    session.execute(
        update(Incident)
        .where(Incident.job_id == job_id, Incident.state == "open")
        .values(state="resolved", resolved_at=clock.now(), resolved_by=by)
    )
