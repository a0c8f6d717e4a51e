"""Everything that waits for its time, the earliest first."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import defer

from engine import clock, jobs
from engine.errors import NotFound
from engine.models import Job, ProcessInstance
from webui.admin import definitions, runs
from webui.admin.blueprint import STUDIO, blueprint
from webui.routes import Visit, leave_to, route

_PAGE = 100


@route(blueprint, "/timers", roles=STUDIO)
def timers(visit: Visit) -> ResponseReturnValue:
    process = request.args.get("process", "")
    wanted = select(Job).where(Job.state.in_(["waiting", "failed"]))
    if process:
        wanted = wanted.where(Job.process_key == process)
    total = visit.session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    waiting = visit.session.scalars(wanted.order_by(Job.due_at, Job.id).limit(_PAGE)).all()
    ids = {job.instance_id for job in waiting}
    of_jobs = select(ProcessInstance).where(ProcessInstance.id.in_(ids)).options(defer(ProcessInstance.data))
    instances = {instance.id: instance for instance in visit.session.scalars(of_jobs)}
    return render_template(
        "admin/timers.html",
        jobs=waiting,
        total=total,
        now=clock.now(),
        instances=instances,
        tickets=runs.tickets(visit.session, instances.values()),
        process=process,
        keys=definitions.keys(visit.session),
    )


@route(blueprint, "/jobs/<int:job_id>/retry", roles=STUDIO, methods=["POST"])
def retry_job(visit: Visit, job_id: int) -> ResponseReturnValue:
    job = visit.session.get(Job, job_id)
    if job is None:
        raise NotFound
    jobs.retry(visit.session, job_id, visit.agent.ref)
    return leave_to(url_for("admin.instance", instance_id=job.instance_id))
