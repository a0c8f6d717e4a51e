"""The verbs of the engine: start, complete, press, correlate, rearm, cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine import clock, history, repository, starts, suspension, user_tasks
from engine.bpmn.log import Happening
from engine.bpmn.machine import Machine
from engine.errors import EngineError, NotFound
from engine.listeners import listeners
from engine.models import ProcessDefinition, ProcessInstance, StartEvent, Subscription
from engine.reconcile import Cause, OpenRow, close_all, open_rows
from engine.stepper import Move, catching, load, lock, running, step, write_log


def start_process(
    session: Session,
    key: str,
    *,
    business_key: str | None = None,
    variables: Mapping[str, Any] | None = None,
    actor: str | None = None,
) -> ProcessInstance:
    """Start the active version of a process and run it to its first wait states; raises NotFound."""
    return _begin(session, repository.latest(session, key), None, {}, business_key, variables, actor)


def begin_at(
    session: Session,
    start: StartEvent,
    *,
    business_key: str | None = None,
    variables: Mapping[str, Any] | None = None,
    actor: str | None = None,
) -> ProcessInstance:
    """Start an instance at a start event whose message or signal came, or whose time has come."""
    what = {"start": start.kind, "name": start.name}
    return _begin(session, start.definition, start.element_id, what, business_key, variables, actor)


def _begin(
    session: Session,
    definition: ProcessDefinition,
    start: str | None,
    what: Mapping[str, Any],
    business_key: str | None,
    variables: Mapping[str, Any] | None,
    actor: str | None,
) -> ProcessInstance:
    instance = ProcessInstance(
        definition_id=definition.id,
        bindings=repository.bindings_of(session, definition),
        business_key=business_key,
        version=0,
        state="active",
        started_by=actor,
        started_at=clock.now(),
        last_hash="",
    )
    session.add(instance)
    session.flush()
    given = dict(variables or {})
    data = {"variables": given, **what}
    return step(session, instance, Move("start", lambda m, _: m.begin(given, start), actor, start, data=data))


def complete_task(
    session: Session,
    instance_id: int,
    user_task_id: int,
    *,
    action: str,
    variables: Mapping[str, Any],
    actor: str,
    expected_version: int | None,
) -> ProcessInstance:
    """Complete a user task with an action; the variables and `action` become data of the process.

    A task that is over raises Stale; a version that moved on while the task is still open is no obstacle.
    """
    instance = _active(session, instance_id)
    task = user_tasks.get_open(session, instance, user_task_id)
    label = _label(session, instance, task.process_key, task.element_id, action)
    given = {**variables, "action": action}
    return step(
        session,
        instance,
        Move(
            "complete",
            _if_open(session, instance, task.task_id, lambda machine: machine.complete(task.task_id, given)),
            actor,
            task.element_id,
            task.task_id,
            action,
            {"action": action, "label": label, "variables": dict(variables), "user_task": task.id},
        ),
    )


def trigger(
    session: Session,
    instance_id: int,
    subscription_id: int,
    *,
    action: str,
    variables: Mapping[str, Any],
    actor: str,
    expected_version: int | None,
) -> ProcessInstance:
    """Press a button that is a signal boundary event; raises Stale when the process no longer offers it."""
    instance = _active(session, instance_id)
    row = session.get(Subscription, subscription_id, populate_existing=True)
    if row is None or row.instance_id != instance.id or row.kind != "signal":
        raise user_tasks.stale(session, instance)
    label = _label(session, instance, row.process_key, row.element_id, action)
    key, given = row.task_id, {**variables, "action": action}
    return step(
        session,
        instance,
        Move(
            "trigger",
            _if_open(session, instance, key, lambda machine: machine.fire(key, given)),
            actor,
            row.element_id,
            key,
            action,
            {"action": action, "label": label, "variables": dict(variables)},
        ),
    )


def correlate_message(
    session: Session,
    name: str,
    *,
    business_key: str,
    variables: Mapping[str, Any] | None = None,
    actor: str | None = None,
    besides: int | None = None,
) -> int:
    """Hand a message to every node of the record's instances that waits for it; returns how many did (0 is fine).

    `besides` names an instance to leave out.
    """
    query = (
        select(Subscription.instance_id, Subscription.task_id)
        .join(ProcessInstance, ProcessInstance.id == Subscription.instance_id)
        .where(Subscription.kind == "message", Subscription.name == name)
        .where(ProcessInstance.business_key == business_key, ProcessInstance.id != (besides or 0))
    )
    return _fire_all(session, "message", name, session.execute(query).all(), variables, actor)


def publish_message(
    session: Session,
    name: str,
    *,
    business_key: str | None = None,
    variables: Mapping[str, Any] | None = None,
    actor: str | None = None,
    besides: int | None = None,
) -> int:
    """Hand a message to the record's instances that wait for it, else begin every process that it starts.

    One instance a process, with that business key. Returns how many nodes caught it or instances began. `besides`
    names an instance to leave out.
    """
    caught = 0
    if business_key is not None:
        caught = correlate_message(
            session, name, business_key=business_key, variables=variables, actor=actor, besides=besides
        )
    return caught or _begin_all(session, "message", name, business_key, variables, actor)


def broadcast_signal(
    session: Session,
    name: str,
    variables: Mapping[str, Any] | None = None,
    actor: str | None = None,
    *,
    besides: int | None = None,
) -> int:
    """Hand a signal to every node of every instance that waits for it, and begin every process that it starts.

    `besides` names an instance to leave out.
    """
    query = select(Subscription.instance_id, Subscription.task_id).where(
        Subscription.kind == "signal", Subscription.name == name, Subscription.instance_id != (besides or 0)
    )
    caught = _fire_all(session, "signal", name, session.execute(query).all(), variables, actor)
    return caught + _begin_all(session, "signal", name, None, variables, actor)


def rearm(session: Session, instance_id: int, *, actor: str | None = None) -> None:
    """Compute the computed timers of the instance again, after the deadlines they ask for have changed.

    Within a step of the same instance it is done at the end of that step. Nothing changed – no step is written.
    """
    current = running(session, instance_id)
    if current is not None:
        current.wants_rearm = True
        return
    instance = lock(session, instance_id)
    if instance.state == "active":
        step(session, instance, Move("rearm", lambda machine, _: None, actor))


def reconsider(session: Session, instance_id: int, *, actor: str | None = None) -> None:
    """Look again at the conditions that the instance waits for, after something that they read has changed.

    A step of the same instance that is under way does so at its end by itself. Nothing is seen otherwise than before –
    no step is written.
    """
    if running(session, instance_id) is None:
        instance = lock(session, instance_id)
        if instance.state == "active":
            step(session, instance, Move("reconsider", lambda machine, _: None, actor))


def watching(session: Session, business_key: str) -> Sequence[int]:
    """Ids of the record's instances that wait for a condition."""
    query = (
        select(Subscription.instance_id)
        .join(ProcessInstance, ProcessInstance.id == Subscription.instance_id)
        .where(ProcessInstance.business_key == business_key, Subscription.kind == "condition")
    )
    return session.scalars(query.distinct().order_by(Subscription.instance_id)).all()


def cancel(session: Session, instance_id: int, *, reason: str, actor: str) -> None:
    """End an instance without its process; everything it waited for is closed."""
    instance = lock(session, instance_id)
    if instance.state not in ("active", "suspended"):
        raise user_tasks.stale(session, instance)
    suspension.forget(session, instance.id)
    at, left = clock.now(), _left_by_cancelling(session, instance)
    close_all(session, open_rows(session, instance.id).values(), Cause(actor, at, None, None))
    data = {"reason": reason}
    history.append(session, instance, move="cancel", element_id=None, actor=actor, at=at, data=data)
    instance.state, instance.ended_at, instance.data, instance.suspended_at = "cancelled", at, None, None
    write_log(session, instance, left, at)
    session.flush()
    for listener in (*listeners().stepped, *listeners().ended):
        listener(session, instance)


def _left_by_cancelling(session: Session, instance: ProcessInstance) -> Sequence[Happening]:
    """What was under way; nothing when the state cannot be read, for it can be ended all the same."""
    try:
        machine = load(session, instance, None)
    except EngineError:
        return ()
    machine.cancel()
    return machine.log


def instances(session: Session, business_key: str) -> Sequence[ProcessInstance]:
    """All instances of a record of the host, oldest first."""
    query = select(ProcessInstance).where(ProcessInstance.business_key == business_key).order_by(ProcessInstance.id)
    return session.scalars(query).all()


def _active(session: Session, instance_id: int) -> ProcessInstance:
    instance = lock(session, instance_id)
    if instance.state != "active":
        raise user_tasks.stale(session, instance)
    return instance


def _label(session: Session, instance: ProcessInstance, process_key: str, element_id: str, action: str) -> str:
    """The label of an action of that node; a node that declares none may be completed by any name."""
    program = repository.program_of(session, instance)
    declared = program.node(process_key, element_id).get("actions")
    found = program.action(process_key, element_id, action)
    if declared and found is None:
        raise NotFound(f"Expected the action {action} at {element_id}, but the diagram does not offer it")
    return str((found or {}).get("label", action))


def _if_open(
    session: Session, instance: ProcessInstance, key: str, apply: Callable[[Machine], None]
) -> Callable[[Machine, Mapping[str, OpenRow]], None]:
    """The move only if the row is open and the node waits; otherwise Stale."""

    def guarded(machine: Machine, rows: Mapping[str, OpenRow]) -> None:
        if key not in rows:
            raise user_tasks.stale(session, instance)
        try:
            apply(machine)
        except LookupError as error:
            raise EngineError(f"Expected the node of row {key} to wait, but it does not") from error

    return guarded


def _begin_all(
    session: Session,
    kind: str,
    name: str,
    business_key: str | None,
    variables: Mapping[str, Any] | None,
    actor: str | None,
) -> int:
    rows = starts.listening(session, kind, name)
    for row in rows:
        begin_at(session, row, business_key=business_key, variables=variables, actor=actor)
    return len(rows)


def _fire_all(
    session: Session,
    kind: str,
    name: str,
    rows: Sequence[Row[int, str]],
    variables: Mapping[str, Any] | None,
    actor: str | None,
) -> int:
    given = dict(variables or {})
    caught = 0
    for instance_id, group in groupby(sorted(tuple(row) for row in rows), key=itemgetter(0)):
        keys = [str(key) for _, key in group]
        instance = lock(session, instance_id)
        if instance.state == "suspended":
            suspension.keep(session, instance, kind, name, given, actor)
            caught += len(keys)
        if instance.state != "active":
            continue
        hits: list[str] = []
        data = {kind: name, "variables": given}
        step(session, instance, Move(kind, catching(keys, given, hits), actor, None, None, None, data, keys))
        caught += len(hits)
    return caught
