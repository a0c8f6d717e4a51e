"""Incidents: steps that failed for good and wait for a person to mend the cause and repeat them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.circumstances import facts, told
from engine.db import Database
from engine.errors import Busy, Forbidden, NotFound, Refused, Stale
from engine.listeners import listeners
from engine.models import Incident, Job, ProcessInstance, StartEvent

REFUSALS = (Stale, Busy, Forbidden, Refused)
"""What a person is told and nobody has to mend."""
_KEPT = frozenset({"key", "kind"})


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
        message=message(error),
        details={**told(error), "key": job.task_id},
        state="open",
        created_at=clock.now(),
    )
    return _opened(session, session.get_one(ProcessInstance, job.instance_id), incident)


def report(database: Database, error: Exception) -> Incident | None:
    """Note a step that failed in a person's hands, in a transaction of its own; None for what is a mere refusal.

    The same failure of the same task is noted once, with its newest circumstances. The note is resolved by the
    next step that leaves the task.
    """
    known = facts(error)
    if "instance" not in known or isinstance(error, REFUSALS):
        return None
    with database.transaction() as session:
        instance = session.get(ProcessInstance, known["instance"])
        if instance is None:
            return None  # it failed to begin: who asked for it tries again
        return _noted(session, instance, error, known.get("key"))


def close(session: Session, incident_id: int, by: str) -> None:
    """Put away a note that no job stands behind. Raises NotFound when it is not open, or is to be retried."""
    incident = session.get(Incident, incident_id, with_for_update=True, populate_existing=True)
    if incident is None or incident.state != "open" or incident.job_id or incident.start_event_id:
        raise NotFound(f"Expected the incident {incident_id} to be an open note, but it is not")
    incident.state, incident.resolved_at, incident.resolved_by = "resolved", clock.now(), by


def _noted(session: Session, instance: ProcessInstance, error: Exception, key: str | None) -> Incident:
    notes = select(Incident).where(Incident.instance_id == instance.id, Incident.state == "open")
    for known in session.scalars(notes.where(Incident.job_id.is_(None))):
        if known.details.get("key") == key and known.details.get("kind") == "move":
            failed_again(known, error)
            return known
    incident = Incident(
        instance_id=instance.id,
        element_id=getattr(error, "element_id", None),
        element_name=getattr(error, "element_name", None),
        message=message(error),
        details={**told(error), "kind": "move", "key": key},
        state="open",
        created_at=clock.now(),
    )
    return _opened(session, instance, incident)


def _opened(session: Session, instance: ProcessInstance | None, incident: Incident) -> Incident:
    session.add(incident)
    session.flush()
    for listener in listeners().incident_opened:
        listener(session, instance, incident)
    return incident


def failed_again(incident: Incident, error: Exception) -> None:
    """What was tried once more has failed again: the incident stays open and tells of the newest failure."""
    incident.message = message(error)
    incident.details = {**told(error), **{name: incident.details[name] for name in _KEPT & incident.details.keys()}}
    incident.element_id = getattr(error, "element_id", None) or incident.element_id
    incident.element_name = getattr(error, "element_name", None) or incident.element_name


def message(error: Exception) -> str:
    """The failure in one line: its kind and its sentence."""
    return f"{type(error).__name__}: {error}"[:2000]


def open_for_start(session: Session, row: StartEvent, error: Exception) -> Incident:
    """Open an incident for a start event that could not begin an instance, and tell the host."""
    incident = Incident(
        start_event_id=row.id,
        element_id=row.element_id,
        element_name=row.definition.index["nodes"].get(row.element_id, {}).get("name"),
        message=message(error),
        details=told(error),
        state="open",
        created_at=clock.now(),
    )
    return _opened(session, None, incident)


def retry(session: Session, incident_id: int, by: str) -> None:
    """Repeat what failed; the incident is resolved. Raises NotFound when it is not open."""
    from engine import jobs, starts  # they open incidents; only this verb goes the other way

    incident = session.get(Incident, incident_id, with_for_update=True, populate_existing=True)
    if incident is None or incident.state != "open" or not (incident.job_id or incident.start_event_id):
        raise NotFound(f"Expected the incident {incident_id} to be open and to be retried by a job, but it is not")
    if incident.job_id is not None:
        jobs.retry(session, incident.job_id, by)
    elif incident.start_event_id is not None:
        starts.retry(session, incident.start_event_id)
        incident.state, incident.resolved_at, incident.resolved_by = "resolved", clock.now(), by


def resolve(session: Session, job_id: int, by: str) -> None:
    """Mark the open incidents of a job as resolved."""
    session.execute(
        update(Incident)
        .where(Incident.job_id == job_id, Incident.state == "open")
        .values(state="resolved", resolved_at=clock.now(), resolved_by=by)
    )
