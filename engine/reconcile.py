"""After a step: make the rows say what the workflow now waits for, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, literal, null, select, union_all, update
from sqlalchemy.orm import Session

from engine import retries
from engine.bpmn.machine import Machine, Wait
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


def open_rows(session: Session, instance_id: int) -> dict[str, OpenRow]:
    """All open rows of the instance by the workflow's task id, in one query."""
    tasks = select(literal("task"), UserTask.id, UserTask.task_id).where(
        UserTask.instance_id == instance_id, UserTask.state == "open"
    )
    subscriptions = select(literal("subscription"), Subscription.id, Subscription.task_id).where(
        Subscription.instance_id == instance_id
    )
    jobs = select(literal("job"), Job.id, Job.task_id).where(
        Job.instance_id == instance_id, Job.state.in_(("waiting", "failed", "suspended"))
    )
    notes = select(literal("incident"), Incident.id, Incident.details["key"].as_string()).where(
        Incident.instance_id == instance_id, Incident.state == "open", Incident.job_id.is_(None)
    )
    rows = session.execute(union_all(tasks, subscriptions, jobs, notes))
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
    gone = [row for row in before.values() if row.key not in waits]
    close_all(session, gone, cause)
    new = [wait for key, wait in waits.items() if key not in before]
    _subscribe(session, instance, [w for w in new if _ROW_OF[w.kind] == "subscription"], cause.at)
    _arm(session, instance, machine, [w for w in new if _ROW_OF[w.kind] == "job"], cause.at)
    _move(session, [(before[key], waits[key]) for key in sorted(rearmed) if key in waits and key in before])
    _open(session, instance, machine, [w for w in new if w.kind == "user"], cause.at)


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
        session.execute(delete(Subscription).where(Subscription.id.in_(ids)))
    if ids := [row.id for row in rows if row.kind == "incident"]:
        _resolve(session, Incident.id.in_(ids), cause)


def _close_tasks(session: Session, ids: list[int], state: str, cause: Cause) -> None:
    session.execute(
        update(UserTask)
        .where(UserTask.id.in_(ids))
        .values(state=state, ended_at=cause.at, ended_by=cause.actor, action=cause.action)
    )


def _close_jobs(session: Session, ids: list[int], state: str, cause: Cause) -> None:
    failed = session.scalars(
        update(Job)
        .where(Job.id.in_(ids))
        .values(state=state, ended_at=cause.at, lease_until=null(), lease_owner=null())
        .returning(Job.error)
    ).all()
    if any(failed):
        _resolve(session, Incident.job_id.in_(ids), cause)


def _resolve(session: Session, which: ColumnElement[bool], cause: Cause) -> None:
    resolved = {"state": "resolved", "resolved_at": cause.at, "resolved_by": cause.actor}
    session.execute(update(Incident).where(which, Incident.state == "open").values(resolved))


def _subscribe(session: Session, instance: ProcessInstance, waits: list[Wait], at: datetime) -> None:
    if waits:
        rows = [{**_common(instance, wait, at), "kind": wait.kind, "name": wait.name} for wait in waits]
        session.execute(insert(Subscription), rows)


def _arm(session: Session, instance: ProcessInstance, machine: Machine, waits: list[Wait], at: datetime) -> None:
    if waits:
        session.execute(insert(Job), [_job(instance, machine, wait, at) for wait in waits])


def _job(instance: ProcessInstance, machine: Machine, wait: Wait, at: datetime) -> dict[str, Any]:
    policy = retries.policy(machine.program.node(wait.process_key, wait.element_id).get("job", {}))
    return {
        **_common(instance, wait, at),
        "name": wait.element_name,
        "kind": wait.kind,
        "state": "waiting",
        "due_at": wait.due or at,
        "retries_left": policy.attempts,
        "backoff_sec": int(policy.pause(1).total_seconds()),
    }


def _common(instance: ProcessInstance, wait: Wait, at: datetime) -> dict[str, Any]:
    return {
        "instance_id": instance.id,
        "task_id": wait.key,
        "process_key": wait.process_key,
        "element_id": wait.element_id,
        "created_at": at,
    }


def _move(session: Session, moved: list[tuple[OpenRow, Wait]]) -> None:
    for row, wait in moved:
        session.execute(
            update(Job)
            .where(Job.id == row.id)
            .values(due_at=wait.due, state="waiting", lease_until=null(), lease_owner=null())
        )


def _open(session: Session, instance: ProcessInstance, machine: Machine, waits: list[Wait], at: datetime) -> None:
    if waits:
        session.execute(insert(UserTask), [_user_task(instance, machine, wait, at) for wait in waits])


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
