"""The heart: lock an instance, load it, make one move, run to the wait states, save everything in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.orm import Session, SessionTransaction

from engine import clock, connectors, history, repository
from engine.bpmn.log import Happening
from engine.bpmn.machine import Machine
from engine.bpmn.program import Program
from engine.bpmn.script_engine import Environment
from engine.circumstances import note
from engine.db import table_of
from engine.errors import Busy, EngineError, NotFound, StepFailed
from engine.listeners import StatusEntered, listeners
from engine.models import ElementLog, ProcessInstance
from engine.places import Place, places
from engine.reconcile import Cause, OpenRow, open_rows, reconcile
from engine.values import stored

_RUNNING = "engine.running_steps"
_LOCKED = "engine.locked"
_MOST_CHAINED = 20
_NEW_LOG = insert(table_of(ElementLog))


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that happens to an instance."""

    name: str
    """start | complete | trigger | message | signal | timer | async | rearm."""
    apply: Callable[[Machine, Mapping[str, OpenRow]], None]
    """Raises Stale or LookupError when it is not possible now; nothing was changed then."""
    actor: str | None = None
    element_id: str | None = None
    key: str | None = None
    """The workflow's task that is moved."""
    action: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """Goes into the history, with all that is needed to make the move again (engine/rebuild.py)."""
    keys: Sequence[str] = ()
    """The workflow's tasks that an event reaches, where it is not `key` alone."""


@dataclass
class Running:
    """A step under way; connectors and listeners may ask for more of it."""

    machine: Machine
    wants_rearm: bool = False


def lock(session: Session, instance_id: int, *, skip_locked: bool = False) -> ProcessInstance:
    """The instance, read afresh and locked until the end of the transaction; raises NotFound or Busy."""
    if _is_locked(session, instance_id):
        return session.get_one(ProcessInstance, instance_id)
    wanted = select(ProcessInstance).where(ProcessInstance.id == instance_id)
    found = _locked(session, wanted.with_for_update(skip_locked=skip_locked))
    if not found:
        if skip_locked and session.get(ProcessInstance, instance_id) is not None:
            raise Busy
        raise NotFound(f"Expected the instance {instance_id} to exist, but it does not")
    return found[0]


def lock_all(session: Session, business_key: str) -> Sequence[ProcessInstance]:
    """All instances of a record of the host, oldest first, read afresh and locked as by `lock`."""
    wanted = select(ProcessInstance).where(ProcessInstance.business_key == business_key)
    return _locked(session, wanted.order_by(ProcessInstance.id).with_for_update())


def lock_free(session: Session, ids: Iterable[int]) -> Sequence[ProcessInstance]:
    """Those of the instances that nobody else holds, in the order of their ids, read afresh and locked as by `lock`."""
    wanted = select(ProcessInstance).where(ProcessInstance.id.in_(sorted(ids))).order_by(ProcessInstance.id)
    return _locked(session, wanted.with_for_update(skip_locked=True))


def _locked(session: Session, wanted: Select[ProcessInstance]) -> Sequence[ProcessInstance]:
    found = session.scalars(wanted.execution_options(populate_existing=True)).all()
    for instance in found:
        session.info.setdefault(_LOCKED, {})[instance.id] = _transaction(session)
    return found


def _is_locked(session: Session, instance_id: int) -> bool:
    """Whether this transaction, or a savepoint that is still open, holds the lock; a rollback gives it back."""
    holder, each = session.info.get(_LOCKED, {}).get(instance_id), _transaction(session)
    while each is not None and each is not holder:
        each = each.parent
    return each is not None


def _transaction(session: Session) -> SessionTransaction | None:
    return session.get_nested_transaction() or session.get_transaction()


def running(session: Session, instance_id: int) -> Running | None:
    """The step of this instance that is under way in this transaction."""
    steps: dict[int, Running] = session.info.get(_RUNNING, {})
    return steps.get(instance_id)


def step(session: Session, instance: ProcessInstance, move: Move) -> ProcessInstance:
    """Make one move of a locked instance; after an error the transaction must be rolled back.

    What the step changes is written at its end, in few statements: who must find by a query what was changed within
    the same step flushes it himself.
    """
    if running(session, instance.id):
        raise EngineError("Expected one step of an instance at a time, but one is under way")
    within = not session.autoflush  # the step of another instance is under way: nothing is written by itself
    machine = load(session, instance, move.actor)
    at = machine.environment.now
    machine.is_watching = instance.state == "active"
    with _under_way(session, instance, machine) as current, session.no_autoflush:
        before = open_rows(session, instance.id) if instance.version else {}
        at_places = places(machine, move.keys or (move.key or "",)) if instance.version else []
        with _explained(machine, instance, move):
            move.apply(machine, before)
            machine.run()
        rearmed = machine.rearm() if current.wants_rearm or move.name == "rearm" else set()
        recorded = _recorded(instance, machine, move, at_places, current.wants_rearm)
        if move.name in ("rearm", "reconsider") and not rearmed and not machine.has_reconsidered:
            return instance
        reconcile(session, instance, machine, before, rearmed, Cause(move.actor, at, move.key, move.action))
        _refuse_dead_end(machine)
        _save(session, instance, machine, move, recorded)
    if within:
        session.flush()
    _tell(session, instance)
    _deliver(session, instance, machine, move.actor)
    return instance


def load(session: Session, instance: ProcessInstance, actor: str | None) -> Machine:
    """The workflow of the instance, alive, with everything its expressions and connectors may reach."""
    program = repository.program_of(session, instance)
    environment = Environment(clock.now(), _context(session, instance), _call(session, instance, actor))
    return Machine(program, environment, instance.data, _entered(session, instance, program, actor))


def catching(
    keys: Iterable[str], payload: Mapping[str, Any], reached: list[str]
) -> Callable[[Machine, Mapping[str, OpenRow]], None]:
    """A message or signal for those of the nodes that still wait; `reached` gets the keys of those that it moved."""

    def apply(machine: Machine, rows: Mapping[str, OpenRow]) -> None:
        reached.extend(machine.fire_all((key for key in keys if key in rows), payload))

    return apply


@contextmanager
def _under_way(session: Session, instance: ProcessInstance, machine: Machine) -> Iterator[Running]:
    steps = session.info.setdefault(_RUNNING, {})
    steps[instance.id] = current = Running(machine)
    try:
        yield current
    finally:
        del steps[instance.id]


def _context(session: Session, instance: ProcessInstance) -> Callable[[], Mapping[str, Any]]:
    """The names of the host, asked for when first needed and again when the instance gets its business key."""
    known: dict[str | None, dict[str, Any]] = {}

    def context() -> Mapping[str, Any]:
        key = instance.business_key
        if key not in known:
            known[key] = {name: v for provide in listeners().context for name, v in provide(session, instance).items()}
        return known[key]

    return context


def _call(session: Session, instance: ProcessInstance, actor: str | None) -> Callable[..., Any]:
    def call(name: str, element_id: str, element_name: str, variables: Mapping[str, Any], arguments: Any) -> Any:
        execution = connectors.Execution(session, instance, element_id, element_name, actor, clock.now(), variables)
        return connectors.call(name, execution, arguments)

    return call


def _entered(
    session: Session, instance: ProcessInstance, program: Program, actor: str | None
) -> Callable[[Happening], None]:
    def entered(happening: Happening) -> None:
        code = program.node(happening.process_key, happening.element_id).get("status")
        if code:
            status = StatusEntered(code, happening.element_id, happening.element_name, actor)
            for listener in listeners().status_entered:
                listener(session, instance, status)

    return entered


@contextmanager
def _explained(machine: Machine, instance: ProcessInstance, move: Move) -> Iterator[None]:
    """Errors keep their kind; the instance and the node at which they arose travel as a note for the incident."""
    try:
        yield
    except Exception as error:
        note(error, instance=instance.id, key=move.key)
        element_id, name = machine.current
        if element_id and getattr(error, "element_id", None) is None:
            error.element_id, error.element_name = element_id, name  # type: ignore[attr-defined]
        raise


def _refuse_dead_end(machine: Machine) -> None:
    if not machine.completed and not machine.waits() and not machine.stuck():
        raise StepFailed("Expected something that moves the process on, but it would wait for ever", *machine.current)


def _recorded(
    instance: ProcessInstance, machine: Machine, move: Move, at_places: list[Place], wants_rearm: bool
) -> dict[str, Any]:
    """What the history keeps of a step: enough to make it again from the same state."""
    environment = machine.environment
    parts: dict[str, Any] = {
        "versions": [instance.definition_id, instance.bindings] if instance.version == 0 else None,
        "places": at_places,
        "rearmed": wants_rearm,
        "unwatched": not machine.is_watching,
        "tape": environment.tape.kept,
        "thrown": [list(each) for each in environment.thrown],
        "decided": [[element, found.decision, list(found.rules)] for element, found in environment.decided],
    }
    return history.limited({**stored(dict(move.data)), **{name: part for name, part in parts.items() if part}})


def _save(session: Session, instance: ProcessInstance, machine: Machine, move: Move, data: dict[str, Any]) -> None:
    at = machine.environment.now
    history.append(session, instance, move=move.name, element_id=move.element_id, actor=move.actor, at=at, data=data)
    if machine.completed:
        instance.state, instance.ended_at, instance.data = "completed", at, None
    else:
        instance.data = machine.encoded()
    write_log(session, instance, machine.log, at)


def write_log(session: Session, instance: ProcessInstance, happenings: Sequence[Happening], at: datetime) -> None:
    """Keep what happened at the nodes during the step that the instance's version counts."""
    if happenings:
        session.execute(_NEW_LOG, [_log_row(instance, happening, at) for happening in happenings])


def _log_row(instance: ProcessInstance, happening: Happening, at: Any) -> dict[str, Any]:
    return {
        "instance_id": instance.id,
        "n": instance.version,
        "process_key": happening.process_key,
        "element_id": happening.element_id,
        "name": happening.element_name[:255],
        "event": happening.event,
        "at": at,
    }


def _tell(session: Session, instance: ProcessInstance) -> None:
    for listener in listeners().stepped:
        listener(session, instance)
    if instance.ended_at is not None:
        for listener in listeners().ended:
            listener(session, instance)


def _deliver(session: Session, instance: ProcessInstance, machine: Machine, actor: str | None) -> None:
    """Messages and signals that the process threw reach other instances in the same transaction."""
    from engine import runtime  # the verbs are built on the stepper; this is the one way back

    depth = session.info.get("engine.chained", 0)
    if depth >= _MOST_CHAINED:
        raise EngineError(f"Expected at most {_MOST_CHAINED} events in a chain, but the processes answer each other")
    session.info["engine.chained"] = depth + 1
    try:
        for kind, name in machine.environment.thrown:
            if kind == "signal":
                runtime.broadcast_signal(session, name, actor=actor, besides=instance.id)
            elif kind == "message":
                runtime.publish_message(
                    session, name, business_key=instance.business_key, actor=actor, besides=instance.id
                )
    finally:
        session.info["engine.chained"] = depth
