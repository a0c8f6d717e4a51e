"""After a step: make the rows say what the workflow now waits for, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    bindparam,
    delete,
    insert,
    literal_column,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from engine import deadlocks, retries
from engine.bpmn.machine import Machine, Wait
from engine.db import Base, table_of
from engine.models import Incident, Job, ProcessInstance, Subscription, UserTask

_ROW_OF = {
    "user": "task",
    "timer": "job",
    "async": "job",
    "message": "subscription",
    "signal": "subscription",
    "condition": "subscription",
}


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row that stands for something the instance waited for before the step."""

    kind: str
    """task | subscription | job | incident (a note of what failed in a person's hands)."""
    id: int
    key: str | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why rows are closed: what moved the instance, by whom, when."""

    actor: str | None
    at: datetime
    key: str | None
    """The workflow's task that was moved."""
    action: str | None


# Built once: to put a statement together costs more than to run it.
_TASK, _JOB, _SUBSCRIPTION, _INCIDENT = (table_of(each) for each in (UserTask, Job, Subscription, Incident))
_INSTANCE: BindParameter[int] = bindparam("instance")
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_OPEN = union_all(
    select(literal_column("'task'"), _TASK.c.id, _TASK.c.task_id).where(
        _TASK.c.instance_id == _INSTANCE, _TASK.c.state == "open"
    ),
    select(literal_column("'subscription'"), _SUBSCRIPTION.c.id, _SUBSCRIPTION.c.task_id).where(
        _SUBSCRIPTION.c.instance_id == _INSTANCE
    ),
    select(literal_column("'job'"), _JOB.c.id, _JOB.c.task_id).where(
        _JOB.c.instance_id == _INSTANCE, _JOB.c.state.in_(("waiting", "failed", "suspended"))
    ),
    select(literal_column("'incident'"), _INCIDENT.c.id, _INCIDENT.c.details["key"].as_string()).where(
        _INCIDENT.c.instance_id == _INSTANCE, _INCIDENT.c.state == "open", _INCIDENT.c.job_id.is_(None)
    ),
)
_CLOSE_TASKS = update(_TASK).where(_TASK.c.id.in_(_IDS))
_CLOSE_JOBS = (
    update(_JOB).where(_JOB.c.id.in_(_IDS)).values(lease_until=null(), lease_owner=null()).returning(_JOB.c.error)
)
_UNSUBSCRIBE = delete(_SUBSCRIPTION).where(_SUBSCRIPTION.c.id.in_(_IDS))
_NEW_TASKS, _NEW_JOBS, _NEW_SUBSCRIPTIONS = insert(_TASK), insert(_JOB), insert(_SUBSCRIPTION)


def open_rows(session: Session, instance_id: int) -> dict[str, OpenRow]:
    """All open rows of the instance by the workflow's task id, in one query."""
    rows = session.execute(_OPEN, {"instance": instance_id})
    return {
        f"incident:{row_id}" if kind == "incident" else key: OpenRow(kind, row_id, key) for kind, row_id, key in rows
    }


def reconcile(
    session: Session,
    instance: ProcessInstance,
    machine: Machine,
    before: Mapping[str, OpenRow],
    rearmed: set[str],
    cause: Cause,
) -> None:
    """Close the rows whose wait is over, open those of new waits, move the timers that were armed anew."""
    waits = {} if machine.completed else {wait.key: wait for wait in machine.waits()}
    stuck = {} if machine.completed else {join.key: join for join in machine.stuck()}
    gone = [row for row in before.values() if row.key not in waits and row.key not in stuck]
    close_all(session, gone, cause)
    new = [wait for key, wait in waits.items() if key not in before]
    _subscribe(session, instance, [w for w in new if _ROW_OF[w.kind] == "subscription"], cause.at)
    _arm(session, instance, machine, [w for w in new if _ROW_OF[w.kind] == "job"], cause.at)
    moved = [(before[key].id, waits[key]) for key in sorted(rearmed) if key in waits and key in before]
    _move(session, machine, moved, cause)
    _open(session, instance, machine, [w for w in new if w.kind == "user"], cause.at)
    known = {row.key for row in before.values()}
    deadlocks.report(session, instance, [join for key, join in stuck.items() if key not in known], cause.at)


def close_all(session: Session, gone: Iterable[OpenRow], cause: Cause) -> None:
    """Close these rows: the one that was moved as done, the others as cancelled."""
    rows = list(gone)
    done = [row for row in rows if row.key == cause.key]
    left = [row for row in rows if row.key != cause.key]
    for state, group in (("completed", done), ("cancelled", left)):
        if ids := [row.id for row in group if row.kind == "task"]:
            _close_tasks(session, ids, state, cause)
        if ids := [row.id for row in group if row.kind == "job"]:
            _close_jobs(session, ids, "done" if state == "completed" else state, cause)
    if ids := [row.id for row in rows if row.kind == "subscription"]:
        session.execute(_UNSUBSCRIBE, {"ids": ids})
    if ids := [row.id for row in rows if row.kind == "incident"]:
        _resolve(session, Incident.id.in_(ids), cause)


def _close_tasks(session: Session, ids: list[int], state: str, cause: Cause) -> None:
    closed = {"state": state, "ended_at": cause.at, "ended_by": cause.actor, "action": cause.action}
    session.execute(_CLOSE_TASKS, {"ids": ids, **closed})
    _tell(session, UserTask, ids, closed)


def _close_jobs(session: Session, ids: list[int], state: str, cause: Cause) -> None:
    closed = {"state": state, "ended_at": cause.at}
    failed = session.execute(_CLOSE_JOBS, {"ids": ids, **closed}).scalars().all()
    _tell(session, Job, ids, {**closed, "lease_until": None, "lease_owner": None})
    if any(failed):
        _resolve(session, Incident.job_id.in_(ids), cause)


def _tell(session: Session, model: type[Base], ids: list[int], values: Mapping[str, Any]) -> None:
    """Whoever holds one of these rows as an object sees what was written."""
    for row_id in ids:
        known = session.identity_map.get(identity_key(model, row_id))
        if known is not None:
            for name, value in values.items():
                set_committed_value(known, name, value)


def _resolve(session: Session, which: ColumnElement[bool], cause: Cause) -> None:
    resolved = {"state": "resolved", "resolved_at": cause.at, "resolved_by": cause.actor}
    session.execute(update(Incident).where(which, Incident.state == "open").values(resolved))


def _subscribe(session: Session, instance: ProcessInstance, waits: list[Wait], at: datetime) -> None:
    if waits:
        rows = [{**_common(instance, wait, at), "kind": wait.kind, "name": wait.name} for wait in waits]
        session.execute(_NEW_SUBSCRIPTIONS, rows)


def _arm(session: Session, instance: ProcessInstance, machine: Machine, waits: list[Wait], at: datetime) -> None:
    if waits:
        session.execute(_NEW_JOBS, [_job(instance, machine, wait, at) for wait in waits])


def _job(instance: ProcessInstance, machine: Machine, wait: Wait, at: datetime) -> dict[str, Any]:
    policy = _policy(machine, wait)
    return {
        **_common(instance, wait, at),
        "name": wait.element_name,
        "kind": wait.kind,
        "state": "waiting",
        "due_at": wait.due or at,
        "retries_left": policy.attempts,
        "backoff_sec": int(policy.pause(1).total_seconds()),
    }


def _policy(machine: Machine, wait: Wait) -> retries.Policy:
    return retries.policy(machine.program.node(wait.process_key, wait.element_id).get("job", {}))


def _common(instance: ProcessInstance, wait: Wait, at: datetime) -> dict[str, Any]:
    return {
        "instance_id": instance.id,
        "task_id": wait.key,
        "process_key": wait.process_key,
        "element_id": wait.element_id,
        "created_at": at,
    }


def _move(session: Session, machine: Machine, moved: list[tuple[int, Wait]], cause: Cause) -> None:
    """Timers with another instant begin anew, with all their attempts."""
    for row_id, wait in moved:
        anew = {"due_at": wait.due, "state": "waiting", "retries_left": _policy(machine, wait).attempts}
        free = update(_JOB).where(_JOB.c.id == row_id).values(lease_until=null(), lease_owner=null(), **anew)
        error = session.execute(free.returning(_JOB.c.error)).scalar_one()
        _tell(session, Job, [row_id], {**anew, "lease_until": None, "lease_owner": None})
        if error:
            _resolve(session, Incident.job_id == row_id, cause)


def _open(session: Session, instance: ProcessInstance, machine: Machine, waits: list[Wait], at: datetime) -> None:
    if waits:
        session.execute(_NEW_TASKS, [_user_task(instance, machine, wait, at) for wait in waits])


def _user_task(instance: ProcessInstance, machine: Machine, wait: Wait, at: datetime) -> dict[str, Any]:
    assignment = machine.program.node(wait.process_key, wait.element_id).get("assignment", {})
    return {
        **_common(instance, wait, at),
        "name": wait.element_name,
        "state": "open",
        "assignee": _evaluated(machine, wait, assignment.get("assignee")),
        "candidate_group": _evaluated(machine, wait, assignment.get("group")),
    }


def _evaluated(machine: Machine, wait: Wait, text: str | None) -> str | None:
    if not text or not text.startswith("="):
        return text or None
    value = machine.environment.evaluate(text, machine.data_of(wait.key))
    return None if value is None else str(value)
