"""One instance changes its version: an ordinary step in which nothing happens but the change itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, suspension
from engine.bpmn.counterparts import Crossing
from engine.bpmn.machine import Machine
from engine.bpmn.program import Program
from engine.bpmn.transplant import Transplant, settle
from engine.errors import EngineError
from engine.listeners import StatusEntered, listeners
from engine.models import Job, ProcessDefinition, ProcessInstance, Subscription, UserTask
from engine.reconcile import Cause, OpenRow, close_all, open_rows
from engine.stepper import Move, load, step

_QUIET = frozenset({"armed", "cancelled"})
"""What may be noted at nodes while an instance changes its version."""


def carry_over(
    session: Session,
    instance: ProcessInstance,
    crossing: Crossing,
    plan: Transplant,
    definition: ProcessDefinition,
    bindings: Mapping[str, int],
    *,
    by: str,
    data: Mapping[str, Any],
) -> None:
    """Let a locked instance go on by other versions from where it stands; raises EngineError if a node would move."""
    _close(session, instance, crossing.renewed, by)
    _rename(session, instance, crossing.elements)
    _bind(instance, crossing.data, definition, bindings)

    def apply(machine: Machine) -> None:
        settle(machine, crossing.renewed)
        _project(session, instance, crossing, plan, by)

    again = {"process": plan.key, "mapping": dict(plan.mapping), "versions": [definition.id, dict(bindings)]}
    _quiet_step(session, instance, "migrate", apply, by, {**data, **again, "stands": _told(crossing)})


def put_back(
    session: Session,
    instance: ProcessInstance,
    before: bytes,
    definition: ProcessDefinition,
    bindings: Mapping[str, int],
    *,
    by: str | None,
    data: Mapping[str, Any],
) -> None:
    """Let a locked instance go on from its former state by its former versions."""
    now = _waits(session, instance)
    _bind(instance, before, definition, bindings)
    then = _waits(session, instance)
    changed = {key for key, facts in now.items() if key in then and then[key][1:] != facts[1:]}
    _close(session, instance, changed, by)
    _rename(session, instance, {key: facts[0] for key, facts in then.items()})
    versions = [definition.id, dict(bindings)]
    _quiet_step(session, instance, "migrate-undo", lambda _: None, by, {**data, "versions": versions})


def _close(session: Session, instance: ProcessInstance, keys: set[str], by: str | None) -> None:
    """Close the rows of waits that begin anew; the step opens others for them."""
    rows = open_rows(session, instance.id)
    close_all(session, [rows[key] for key in keys if key in rows], Cause(by, clock.now(), None, None))


def _bind(instance: ProcessInstance, data: bytes, definition: ProcessDefinition, bindings: Mapping[str, int]) -> None:
    instance.data = data
    instance.definition_id, instance.definition = definition.id, definition
    instance.bindings = dict(bindings)


def _rename(session: Session, instance: ProcessInstance, elements: Mapping[str, tuple[str, str]]) -> None:
    """Open rows follow their node when it has another id or name."""
    tables: tuple[Any, ...] = (UserTask, Job, Subscription)
    for table in tables:
        named = table is not Subscription
        for row in session.scalars(select(table).where(table.instance_id == instance.id, _is_open(table))):
            element_id, name = elements.get(row.task_id.partition(":")[0], (row.element_id, ""))
            row.element_id = element_id
            if named and name:
                row.name = name[:255]
    session.flush()


def _is_open(table: Any) -> Any:
    if table is Subscription:
        return table.id.is_not(None)
    return table.state.in_(("open", "waiting", "failed", "suspended"))


def _quiet_step(
    session: Session,
    instance: ProcessInstance,
    name: str,
    apply: Callable[[Machine], None],
    by: str | None,
    data: Mapping[str, Any],
) -> None:
    machines: list[Machine] = []

    def quietly(machine: Machine, _: Mapping[str, OpenRow]) -> None:
        machines.append(machine)
        apply(machine)

    step(session, instance, Move(name, quietly, by, data=data))
    loud = [happening for happening in machines[0].log if happening.event not in _QUIET]
    if loud:
        raise EngineError(f"Expected nothing to happen, but {loud[0].element_id} was {loud[0].event}")
    suspension.hold(session, instance)


def _project(session: Session, instance: ProcessInstance, crossing: Crossing, plan: Transplant, by: str) -> None:
    """A place whose status is another one in the new version gives its status to the record."""
    for place in crossing.places:
        target_id = place.target_id or place.element_id
        code = _status(plan.new, place.process_key, target_id)
        if code and code != _status(plan.old, place.process_key, place.element_id):
            status = StatusEntered(code, target_id, place.element_name, by)
            for listener in listeners().status_entered:
                listener(session, instance, status)


def _status(program: Program, process_key: str, element_id: str) -> str | None:
    code: str | None = program.node(process_key, element_id).get("status")
    return code


def _told(crossing: Crossing) -> list[dict[str, str | None]]:
    return [{"from": place.element_id, "to": place.target_id} for place in crossing.places]


def _waits(session: Session, instance: ProcessInstance) -> dict[str, tuple[Any, ...]]:
    """Key → its node, and what it waits for."""
    machine = load(session, instance, None)
    return {w.key: ((w.element_id, w.element_name), w.kind, w.name, w.due) for w in machine.waits()}
