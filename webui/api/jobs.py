"""Timers and background steps: list, repeat, move."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import jobs, repair
from engine.errors import NotFound
from engine.models import Job
from services.access.rights import Right, require
from webui.api.operation import Call, operation
from webui.api.pages import Given, PageQuery, Shown, page
from webui.api.repairs import StandingShown, standing


class JobQuery(PageQuery):
    """Which jobs to list."""

    state: str = Field("waiting", description="waiting, suspended, done, cancelled or failed.")
    kind: str | None = Field(None, description="timer or async.")
    instance_id: int | None = None


class JobShown(Shown):
    """One timer or background step."""

    id: int
    instance_id: int
    process_key: str
    element_id: str
    name: str
    kind: str
    state: str
    due_at: datetime
    remaining_sec: int | None
    retries_left: int
    error: str | None
    created_at: datetime
    ended_at: datetime | None


class JobPage(Shown):
    """Some jobs."""

    items: list[JobShown]
    next: int | None


class DueTime(Given):
    """Another due time of a timer."""

    due_at: AwareDatetime
    reason: str = Field(max_length=500)


@operation("GET", "/jobs", scope="jobs:read", answer=JobPage, query=JobQuery)
def list_jobs(call: Call) -> JobPage:
    """Timers and background steps, oldest first."""
    asked: JobQuery = call.query
    query = select(Job).where(Job.state == asked.state)
    if asked.kind:
        query = query.where(Job.kind == asked.kind)
    if asked.instance_id:
        query = query.where(Job.instance_id == asked.instance_id)
    found, following = page(call.session, query, Job.id, asked)
    return JobPage(items=[JobShown.model_validate(each) for each in found], next=following)


@operation("GET", "/jobs/<int:job_id>", scope="jobs:read", answer=JobShown)
def get_job(call: Call, job_id: int) -> JobShown:
    """One of them."""
    return JobShown.model_validate(_job(call.session, job_id))


@operation("POST", "/jobs/<int:job_id>/retry", scope="jobs:write", answer=JobShown)
def retry_job(call: Call, job_id: int) -> JobShown:
    """Let a failed job be tried again by a worker; its incident counts as resolved."""
    jobs.retry(call.session, job_id, call.agent.ref)
    return JobShown.model_validate(_job(call.session, job_id))


@operation("PUT", "/jobs/<int:job_id>/due", scope="jobs:write", answer=StandingShown, body=DueTime)
def set_job_due(call: Call, job_id: int) -> StandingShown:
    """Let a timer fall due at another instant; one in the past fires at once."""
    require(call.agent, Right.REPAIR)
    given: DueTime = call.body
    found = repair.set_due(call.session, job_id, given.due_at, reason=given.reason, by=call.agent.ref)
    return standing(found)


def _job(session: Session, job_id: int) -> Job:
    found = session.get(Job, job_id)
    if found is None:
        raise NotFound(f"Expected the job {job_id} to exist, but it does not")
    return found
