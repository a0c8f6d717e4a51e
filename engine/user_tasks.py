"""Work for people: which user tasks are open, and what happened to one that no longer is."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository
from engine.errors import NotFound, Stale, Suspended
from engine.models import History, ProcessInstance, UserTask


def open_tasks(session: Session, instance_id: int) -> Sequence[UserTask]:
    """The open user tasks of an instance, oldest first."""
    query = select(UserTask).where(UserTask.instance_id == instance_id, UserTask.state == "open").order_by(UserTask.id)
    return session.scalars(query).all()


def get_open(session: Session, instance: ProcessInstance, user_task_id: int) -> UserTask:
    """The open user task; raises Stale with who did what and when if it is over, NotFound if it never was."""
    task = session.get(UserTask, user_task_id)
    if task is None or task.instance_id != instance.id:
        raise NotFound(f"Expected the user task {user_task_id} in this instance, but it is not there")
    if task.state != "open":
        label = repository.program_of(session, instance).label(task.action)
        raise Stale(by=task.ended_by, at=task.ended_at, action=label)
    return task


def stale(session: Session, instance: ProcessInstance) -> Stale:
    """The error for something that is over, told by the last step that a person or an event made."""
    if instance.state == "suspended":
        return suspended(session, instance)
    query = (
        select(History)
        .where(History.instance_id == instance.id, History.move != "rearm")
        .order_by(History.n.desc())
        .limit(1)
    )
    last = session.scalars(query).one_or_none()
    if last is None:
        return Stale()
    return Stale(by=last.actor, at=last.at, action=last.data.get("label"))


def suspended(session: Session, instance: ProcessInstance) -> Suspended:
    """The error for an instance that is suspended: by whom, when and why."""
    query = select(History).where(History.instance_id == instance.id, History.move == "suspend")
    last = session.scalars(query.order_by(History.n.desc()).limit(1)).one_or_none()
    if last is None:
        return Suspended(at=instance.suspended_at)
    return Suspended(by=last.actor, at=last.at, reason=str(last.data.get("reason", "")))
