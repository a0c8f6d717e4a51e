"""Due work of instances: timers to fire and nodes to run by a worker; claimed by lease, retried, never lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, bindparam, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import clock, incidents, repository, retries
from engine import due as due_sources
from engine.bpmn.machine import Machine
from engine.db import Database, is_lock, table_of
from engine.errors import Busy, EngineError, NotFound, Refused
from engine.models import Job, ProcessInstance
from engine.reconcile import OpenRow
from engine.stepper import Move, lock, lock_free, step

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=10)
"""A batch that a dead worker or a lost Redis swallowed is late by this much; a slow one is merely looked at twice."""
BATCH = 25
"""Instances per transaction."""
BUSY_DELAY = timedelta(seconds=1)
_JOB = table_of(Job)
_FOUND = (
    select(*(_JOB.c[name] for name in ("id", "instance_id", "task_id", "element_id", "kind", "due_at")))
    .where(
        _JOB.c.id.in_(bindparam("ids", expanding=True)), _JOB.c.state == "waiting", _JOB.c.due_at <= bindparam("now")
    )
    .order_by(_JOB.c.instance_id, _JOB.c.due_at, _JOB.c.id)
)


@dataclass(frozen=True, slots=True)
class _Due:
    """A job that is to be done now."""

    id: int
    instance_id: int
    task_id: str
    element_id: str
    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class _Failure:
    """A job that was undone, and why."""

    job_id: int
    error: Exception


def due(session: Session, now: datetime, limit: int) -> list[int]:
    """The ids of jobs that are due and not leased, longest overdue first."""
    query = select(Job.id).where(*_is_due(now)).order_by(Job.due_at, Job.id).limit(limit)
    return list(session.scalars(query))


def claim(session: Session, *, owner: str, limit: int, now: datetime) -> list[int]:
    """Lease due jobs to `owner`; another one gets them when the lease has run out and they are still due."""
    query = select(Job.id).where(*_is_due(now)).order_by(Job.due_at, Job.id).limit(limit)
    ids = list(session.scalars(query.with_for_update(skip_locked=True)))
    if ids:
        session.execute(update(Job).where(Job.id.in_(ids)).values(lease_until=now + LEASE, lease_owner=owner))
    return ids


def execute(database: Database, ids: list[int]) -> None:
    """Do these jobs, up to 25 in one transaction; a failing one is undone and recorded in a transaction of its own."""
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        failures = _together(database, batch)
        if failures is None:
            failures = _one_by_one(database, batch)
        elif failures:
            failures += _one_by_one(database, [job_id for job_id in batch if job_id != failures[0].job_id])
        for failure in failures:
            with database.transaction() as session:
                _record_failure(session, failure.job_id, failure.error)


def _together(database: Database, ids: list[int]) -> list[_Failure] | None:
    """Do them in few statements, without a net: the first failure undoes them all; None when it was of no job."""
    job_id = None
    try:
        with database.transaction() as session:
            touched: set[int] = set()
            for job, instance in _taken(session, ids):
                job_id = job.id
                now = job if instance.id not in touched else _waiting(session, job.id)
                if now is not None:
                    _make(session, instance, now)
                touched.add(instance.id)
            job_id = None
    except Exception as error:
        return None if job_id is None or _is_busy(error) else [_Failure(job_id, error)]
    return []


def _one_by_one(database: Database, ids: list[int]) -> list[_Failure]:
    """Do each in a savepoint of its own."""
    failures: list[_Failure] = []
    with database.transaction() as session:
        for job_id, instance_id in _in_lock_order(session, ids):
            error = _attempt(session, job_id, instance_id)
            if error is not None:
                failures.append(_Failure(job_id, error))
    return failures


def next_due(session: Session) -> datetime | None:
    """When the next job is due, or, if that one is leased, when its lease ends."""
    waiting = select(Job.due_at).where(Job.state == "waiting", Job.lease_until.is_(None)).order_by(Job.due_at).limit(1)
    leased = select(Job.lease_until).where(
        Job.state == "waiting", Job.due_at <= clock.now(), Job.lease_until.is_not(None)
    )
    ends = [session.scalar(waiting), session.scalar(leased.order_by(Job.lease_until).limit(1))]
    return min((at for at in ends if at), default=None)


def retry(session: Session, job_id: int, by: str) -> None:
    """Try a failed job again now, with all its retries; its incident counts as resolved.

    Raises NotFound, and Refused when its instance is suspended.
    """
    job = session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None or job.state != "failed":
        raise NotFound(f"Expected the job {job_id} to have failed, but it has not")
    if session.get_one(ProcessInstance, job.instance_id).state == "suspended":
        raise Refused("Expected a running instance, but it is suspended", "Экземпляр приостановлен: сначала продолжите")
    job.state, job.due_at, job.retries_left = "waiting", clock.now(), max(_policy(session, job).attempts, 1)
    incidents.resolve(session, job.id, by)
    session.flush()


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(Job.lease_until.is_(None), Job.lease_until <= now)
    return Job.state == "waiting", Job.due_at <= now, free


def _in_lock_order(session: Session, ids: Sequence[int]) -> list[tuple[int, int]]:
    """Job and instance ids; all workers lock instances in this order, so they never wait in a circle."""
    query = select(Job.id, Job.instance_id).where(Job.id.in_(ids), Job.state == "waiting")
    return [(job, instance) for job, instance in session.execute(query.order_by(Job.instance_id, Job.due_at, Job.id))]


def _attempt(session: Session, job_id: int, instance_id: int) -> Exception | None:
    """Do one job inside a savepoint; returns what went wrong instead of raising it."""
    hooks = len(session.info.setdefault("after_commit", []))
    try:
        with session.begin_nested():
            do(session, job_id, instance_id)
    except Exception as error:
        del session.info["after_commit"][hooks:]
        if not _is_busy(error):
            return error
        _put_off(session, [job_id])
    return None


def _is_busy(error: Exception) -> bool:
    """Whether somebody else merely holds the record: no failure of the step."""
    return isinstance(error, Busy) or (isinstance(error, OperationalError) and is_lock(error))


def do(session: Session, job_id: int, instance_id: int) -> None:
    """Do one job that is due now; one that is over is passed over. Raises Busy, or whatever the step raises."""
    instance = lock(session, instance_id, skip_locked=True)
    job = _waiting(session, job_id)
    if job is not None:
        _make(session, instance, job)


def _taken(session: Session, ids: list[int]) -> Iterator[tuple[_Due, ProcessInstance]]:
    """Those of the jobs that are to be done, with their instances, locked at once; the others are looked at later."""
    known = _in_lock_order(session, ids)
    instances = {each.id: each for each in lock_free(session, {instance_id for _, instance_id in known})}
    busy = [job_id for job_id, instance_id in known if instance_id not in instances]
    if busy:
        _put_off(session, busy)
    rows = session.execute(_FOUND, {"ids": [job_id for job_id, _ in known], "now": clock.now()}).all()
    yield from ((_Due(*row), instances[row.instance_id]) for row in rows if row.instance_id in instances)


def _waiting(session: Session, job_id: int) -> _Due | None:
    """The job, if it is still to be done: whoever closed or moved it meanwhile has seen to everything."""
    row = session.execute(_FOUND, {"ids": [job_id], "now": clock.now()}).one_or_none()
    return None if row is None else _Due(*row)


def _make(session: Session, instance: ProcessInstance, job: _Due) -> None:
    if instance.state != "active":
        return

    def apply(machine: Machine, _rows: Mapping[str, OpenRow]) -> None:
        machine.fire(job.task_id) if job.kind == "timer" else machine.execute(job.task_id)

    actor, data = "timer" if job.kind == "timer" else "system", {"job": job.id, "due": job.due_at.isoformat()}
    step(session, instance, Move(job.kind, apply, actor, job.element_id, job.task_id, None, data))


def _put_off(session: Session, ids: list[int]) -> None:
    until = clock.now() + BUSY_DELAY
    session.execute(update(Job).where(Job.id.in_(ids)).values(lease_until=until))


def _record_failure(session: Session, job_id: int, error: Exception) -> None:
    job = session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None or job.state != "waiting":
        return
    log.warning("job failed", action="job", job=job.id, element=job.element_id, error=repr(error))
    now = clock.now()
    job.retries_left -= 1
    job.error = incidents.message(error)
    job.lease_until, job.lease_owner = None, None
    if job.retries_left > 0 and not retries.is_final(error):
        policy = _policy(session, job)
        job.due_at = now + policy.pause(policy.attempts - job.retries_left)
    else:
        job.state = "failed"
        incidents.open_for(session, job, error)
    session.flush()


def _policy(session: Session, job: Job) -> retries.Policy:
    """The policy of the node as it is now; the row's own pause where the program cannot be read."""
    instance = session.get_one(ProcessInstance, job.instance_id)
    try:
        node = repository.program_of(session, instance).node(job.process_key, job.element_id)
        return retries.policy(node.get("job", {}))
    except EngineError:
        return retries.Policy(retries.DEFAULT_RETRIES, (timedelta(seconds=job.backoff_sec),))


due_sources.register(
    due_sources.DueSource(
        "jobs",
        lambda session, owner, limit: claim(session, owner=owner, limit=limit, now=clock.now()),
        execute,
        next_due,
    )
)
