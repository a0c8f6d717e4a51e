"""Repair of one instance by hand: every verb is a step with a reason and tells where the instance stands then."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, incidents, jobs, reasons, runtime, suspension
from engine.bpmn import surgery
from engine.bpmn.machine import Machine
from engine.circumstances import facts
from engine.errors import ExpressionError, NotFound, Refused
from engine.models import Incident, Job, ProcessInstance, UserTask
from engine.reconcile import OpenRow
from engine.route import OPEN
from engine.stepper import Move, load, lock, step
from engine.values import stored

MOST_BYTES = 16 * 1024
"""Of one variable as JSON."""
FARTHEST = timedelta(days=3650)
_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """One node at which the instance stands."""

    key: str
    """The workflow's own task id: what the verbs are given."""
    process_key: str
    element_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an instance stands after a repair."""

    state: str
    version: int
    places: tuple[Place, ...]
    opened: tuple[str, ...]
    """Names of the user tasks that are new."""
    timers: tuple[tuple[str, datetime], ...]
    """Name and instant of each timer that runs."""
    problem: str = ""
    """What went wrong when something was tried again."""


def standing(session: Session, instance: ProcessInstance, *, since: int = 0, problem: str = "") -> Standing:
    """Where the instance stands; `since` is the newest user task that was known before."""
    tasks = select(UserTask).where(UserTask.instance_id == instance.id, UserTask.state == "open", UserTask.id > since)
    waiting = select(Job).where(Job.instance_id == instance.id, Job.kind == "timer", Job.state == "waiting")
    return Standing(
        instance.state,
        instance.version,
        tuple(places(session, instance)),
        tuple(task.name or task.element_id for task in session.scalars(tasks)) if since >= 0 else (),
        tuple((job.name or job.element_id, job.due_at) for job in session.scalars(waiting.order_by(Job.due_at))),
        problem,
    )


def places(session: Session, instance: ProcessInstance) -> list[Place]:
    """The nodes at which the instance stands, outermost process first; raises StateUnreadable."""
    if instance.data is None:
        return []
    return [Place(*token) for token in surgery.tokens(load(session, instance, None))]


def goals(session: Session, instance: ProcessInstance, key: str) -> list[tuple[str, str]]:
    """Where the token may be moved to: element ids and names. Raises Refused."""
    return surgery.goals(load(session, instance, None), key)


def move_token(session: Session, instance_id: int, key: str, to: str, *, reason: str, by: str) -> Standing:
    """Take the token away from its node and let it enter another one of the same scope."""
    return _mend(session, instance_id, "move-token", key, lambda m: surgery.move(m, key, to), reason, by, {"to": to})


def repeat(session: Session, instance_id: int, key: str, *, reason: str, by: str) -> Standing:
    """Leave the node and enter it anew: a fresh task, fresh timers, a background step tried from its beginning."""
    return _mend(session, instance_id, "repeat", key, lambda m: surgery.repeat(m, key), reason, by, {})


def skip(session: Session, instance_id: int, key: str, *, reason: str, by: str) -> Standing:
    """Let the token go on as if its node were done, without carrying anything of it out."""
    return _mend(session, instance_id, "skip", key, lambda m: surgery.skip(m, key), reason, by, {})


def set_variable(
    session: Session, instance_id: int, name: str, value: Any, *, key: str | None = None, reason: str, by: str
) -> Standing:
    """Set a variable to a JSON value of at most 16 KiB, at one node (`key`) or everywhere. Raises Refused."""
    if not _NAME.fullmatch(name):
        raise Refused(
            "Expected a name of letters, digits and underscores",
            "Имя переменной: латинские буквы, цифры и подчёркивание, не длиннее 64 знаков",
        )
    if _size(value) > MOST_BYTES:
        raise Refused(f"Expected at most {MOST_BYTES} bytes in a variable", "Значение переменной не больше 16 КБ")

    def apply(machine: Machine) -> None:
        changes["before"] = {place[2]: machine.data_of(place[0]).get(name) for place in surgery.tokens(machine)}
        surgery.set_variable(machine, name, value, key)

    changes: dict[str, Any] = {"variable": name, "after": value}
    return _mend(session, instance_id, "set-variable", key, apply, reason, by, changes)


def set_due(session: Session, job_id: int, at: datetime, *, reason: str, by: str) -> Standing:
    """Let a timer fall due at another instant; one in the past fires at once. The next recalculation may move it again.

    Of a suspended instance it is what the timer will have left when the instance goes on.
    """
    job = session.get(Job, job_id)
    if job is None or job.kind != "timer":
        raise NotFound(f"Expected the timer {job_id} to exist, but it does not")
    instance = lock(session, job.instance_id)
    session.refresh(job)
    if job.state not in ("waiting", "suspended"):
        raise Refused("Expected a timer that waits, but this one does not", "Таймер уже сработал или снят")
    now = clock.now()
    if not now - FARTHEST < at < now + FARTHEST:
        raise Refused("Expected an instant within ten years", "Срок дальше десяти лет от сегодняшнего дня")
    data = {"timer": job.name or job.element_id, "before": job.due_at.isoformat(), "after": at.isoformat()}
    key = job.task_id
    job.due_at, job.lease_until, job.lease_owner = at, None, None
    if job.state == "suspended":
        job.remaining_sec = max(0, round((at - now).total_seconds()))
    session.flush()
    return _mend(
        session, instance.id, "set-due", key, lambda m: surgery.set_due(m, key, at), reason, by, data, job.element_id
    )


def suspend(session: Session, instance_id: int, *, reason: str, by: str) -> Standing:
    """Stop the instance where it stands; its timers keep what they have left."""
    return standing(session, suspension.suspend(session, instance_id, reason=reasons.checked(reason), by=by), since=-1)


def resume(session: Session, instance_id: int, *, reason: str, by: str) -> Standing:
    """Let a suspended instance go on."""
    since = _newest(session, instance_id)
    found = suspension.resume(session, instance_id, reason=reasons.checked(reason), by=by)
    return standing(session, found, since=since)


def cancel(session: Session, instance_id: int, *, reason: str, by: str) -> Standing:
    """End the instance without its process; everything it waited for is closed."""
    instance = _open(session, instance_id)
    runtime.cancel(session, instance.id, reason=reasons.checked(reason), actor=by)
    return standing(session, instance, since=-1)


def retry_incident(session: Session, incident_id: int, *, by: str) -> Standing:
    """Try what failed once more, now; a step that fails again keeps its incident open and is told as `problem`."""
    incident = session.get(Incident, incident_id)
    if incident is None or incident.instance_id is None or incident.job_id is None:
        raise NotFound(f"Expected the incident {incident_id} to belong to a job, but it does not")
    instance = lock(session, incident.instance_id)
    since, job_id = _newest(session, instance.id), incident.job_id
    if instance.state == "suspended":
        raise Refused("Expected a running instance, but it is suspended", "Экземпляр приостановлен: сначала продолжите")
    problem = ""
    hooks = len(session.info.setdefault("after_commit", []))
    try:
        with session.begin_nested():
            incidents.retry(session, incident_id, by)
            jobs.do(session, job_id, instance.id)
    except Exception as error:
        if isinstance(error, NotFound) and "instance" not in facts(error):
            raise
        del session.info["after_commit"][hooks:]
        problem = incidents.message(error)[:500]
        incidents.failed_again(incident, error)
        session.flush()
    session.refresh(instance)
    return standing(session, instance, since=since, problem=problem)


def _size(value: Any) -> int:
    try:
        return len(orjson.dumps(stored(value)))
    except ExpressionError as error:
        raise Refused(error.en, error.ru) from None
    except orjson.JSONEncodeError:
        raise Refused("Expected plain text in a variable", "В значении есть знаки, которые нельзя сохранить") from None


def _mend(
    session: Session,
    instance_id: int,
    name: str,
    key: str | None,
    apply: Callable[[Machine], None],
    reason: str,
    by: str,
    data: dict[str, Any],
    element_id: str | None = None,
) -> Standing:
    """One step made by hand; `data` may grow while it is made."""
    data["reason"] = reasons.checked(reason)
    instance = _open(session, instance_id)
    since = _newest(session, instance_id)
    here = {place.key: place.element_id for place in places(session, instance)}
    data["stood"] = sorted(here.values())
    element_id = element_id or here.get((key or "").partition(":")[0])

    def by_hand(machine: Machine, _: Mapping[str, OpenRow]) -> None:
        apply(machine)

    step(session, instance, Move(name, by_hand, by, element_id, None, None, data, (key,) if key else ()))
    suspension.hold(session, instance)
    return standing(session, instance, since=since)


def _open(session: Session, instance_id: int) -> ProcessInstance:
    instance = lock(session, instance_id)
    if instance.state not in OPEN:
        raise Refused("Expected an instance that has not ended, but it has", "Экземпляр уже закончен, чинить нечего")
    return instance


def _newest(session: Session, instance_id: int) -> int:
    query = select(UserTask.id).where(UserTask.instance_id == instance_id).order_by(UserTask.id.desc())
    return session.scalar(query.limit(1)) or 0
