"""Suspending an instance: nothing moves it, its timers keep what they have left, events that reach it are held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, null, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn import surgery
from engine.bpmn.machine import Machine
from engine.errors import Refused
from engine.models import HeldEvent, Job, ProcessInstance, Subscription
from engine.reconcile import OpenRow
from engine.stepper import Move, catching, lock, running, step


def suspend(session: Session, instance_id: int, *, reason: str, by: str) -> ProcessInstance:
    """Stop an instance where it stands: no button, no timer and no event moves it. Raises Refused."""
    instance = lock(session, instance_id)
    if instance.state != "active":
        raise Refused("Expected a running instance, but this one is not", "Приостановить можно только идущий экземпляр")
    instance.state, instance.suspended_at = "suspended", clock.now()
    step(session, instance, Move("suspend", _nothing, by, data={"reason": reason}))
    hold(session, instance)
    return instance


def resume(session: Session, instance_id: int, *, reason: str, by: str) -> ProcessInstance:
    """Let a suspended instance go on: timers with what they had left, computed ones as their expression says now.

    Events that were held meanwhile are handed over afterwards, oldest first. Raises Refused.
    """
    instance = lock(session, instance_id)
    if instance.state != "suspended":
        raise Refused("Expected a suspended instance, but this one is not", "Экземпляр не приостановлен")
    since, now = instance.suspended_at, clock.now()
    due = _release(session, instance, now)
    instance.state, instance.suspended_at = "active", None

    def apply(machine: Machine, _: Mapping[str, OpenRow]) -> None:
        armed = [wait.key for wait in machine.waits() if wait.key in due]
        data["due"] = [due[key].isoformat() for key in armed]
        for key in armed:
            surgery.set_due(machine, key, due[key])
        under_way = running(session, instance.id)
        if under_way is not None:
            under_way.wants_rearm = True

    data: dict[str, Any] = {"reason": reason, "since": since.isoformat() if since else None}
    step(session, instance, Move("resume", apply, by, data=data, keys=tuple(due)))
    _hand_over(session, instance)
    return instance


def hold(session: Session, instance: ProcessInstance) -> None:
    """Stop the clocks of all jobs of a suspended instance, those a repair has opened included.

    One that the repair has ended waits for nothing and is no longer suspended.
    """
    if instance.ended_at is not None:
        forget(session, instance.id)
        instance.suspended_at = None
    if instance.state != "suspended":
        return
    now = clock.now()
    waiting = select(Job).where(Job.instance_id == instance.id, Job.state == "waiting")
    for job in session.scalars(waiting):
        job.state, job.remaining_sec = "suspended", max(0, round((job.due_at - now).total_seconds()))
        job.lease_until = job.lease_owner = None
    session.flush()


def keep(
    session: Session, instance: ProcessInstance, kind: str, name: str, variables: Mapping[str, Any], actor: str | None
) -> None:
    """Hold an event for a suspended instance."""
    session.add(
        HeldEvent(instance_id=instance.id, kind=kind, name=name, variables=dict(variables), actor=actor, at=clock.now())
    )
    session.flush()


def forget(session: Session, instance_id: int) -> None:
    """Drop what was held for an instance that will not go on."""
    session.execute(delete(HeldEvent).where(HeldEvent.instance_id == instance_id))


def held(session: Session, instance_id: int) -> list[HeldEvent]:
    """What is held for the instance, oldest first."""
    query = select(HeldEvent).where(HeldEvent.instance_id == instance_id)
    return list(session.scalars(query.order_by(HeldEvent.id)))


def _nothing(_machine: Machine, _rows: Mapping[str, OpenRow]) -> None:
    """A move that changes nothing in the workflow."""


def _release(session: Session, instance: ProcessInstance, now: datetime) -> dict[str, datetime]:
    """Let the jobs wait again; returns when each timer is due."""
    jobs = session.scalars(select(Job).where(Job.instance_id == instance.id, Job.state == "suspended")).all()
    for job in jobs:
        job.due_at = now + timedelta(seconds=job.remaining_sec or 0)
    session.flush()
    session.execute(
        update(Job).where(Job.id.in_([job.id for job in jobs])).values(state="waiting", remaining_sec=null())
    )
    return {job.task_id: job.due_at for job in jobs if job.kind == "timer"}


def _hand_over(session: Session, instance: ProcessInstance) -> None:
    for event in held(session, instance.id):
        session.delete(event)
        query = select(Subscription.task_id).where(Subscription.instance_id == instance.id)
        wanted = query.where(Subscription.kind == event.kind, Subscription.name == event.name)
        keys = sorted(session.scalars(wanted))
        if keys and instance.state == "active":
            data = {event.kind: event.name, "variables": event.variables, "held_since": event.at.isoformat()}
            move = catching(keys, event.variables, [])
            step(session, instance, Move(event.kind, move, event.actor, data=data, keys=keys))
    session.flush()
