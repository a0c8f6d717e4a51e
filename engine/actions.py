"""Buttons: what the process of an instance offers now, and pressing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository, runtime, stepper, user_tasks
from engine.bpmn.machine import Machine
from engine.errors import NotFound
from engine.models import ProcessInstance, Subscription, UserTask


@dataclass(frozen=True)
class Action:
    """One button, as the diagram describes it, bound to the task or event that it moves."""

    ref: str
    """"task:12:take" or "sub:5:reopen"."""
    id: str
    label: str
    form: str | None
    style: str
    """primary | danger | empty."""
    confirm: str | None
    hotkey: str | None
    roles: tuple[str, ...]
    element_id: str
    element_name: str
    user_task: UserTask | None
    subscription: Subscription | None


def available(session: Session, instance: ProcessInstance) -> list[Action]:
    """What the process offers now, in the order of the diagram; who may press it is the host's question."""
    if instance.state != "active" or instance.data is None:
        return []
    program = repository.program_of(session, instance)
    sources: list[UserTask | Subscription] = [
        *user_tasks.open_tasks(session, instance.id),
        *_signals(session, instance.id),
    ]
    sources.sort(key=lambda row: (program.node(row.process_key, row.element_id).get("order", 0), row.id))
    visibility = _Visibility(session, instance)
    return [
        _action(row, node, declared)
        for row in sources
        if (node := program.node(row.process_key, row.element_id))
        for declared in node.get("actions", ())
        if visibility.shows(row, declared)
    ]


def perform(
    session: Session,
    instance_id: int,
    ref: str,
    *,
    variables: Mapping[str, Any],
    actor: str,
    expected_version: int | None,
) -> ProcessInstance:
    """Press the button `ref`; raises Stale (by, at, action) when it is over, NotFound when it never was one."""
    kind, row_id, action = _parsed(ref)
    press = runtime.complete_task if kind == "task" else runtime.trigger
    return press(
        session,
        instance_id,
        row_id,
        action=action,
        variables=variables,
        actor=actor,
        expected_version=expected_version,
    )


class _Visibility:
    """Evaluates `visible`; the state is read only if some button has such a condition."""

    def __init__(self, session: Session, instance: ProcessInstance) -> None:
        self._session = session
        self._instance = instance
        self._machine: Machine | None = None

    def shows(self, row: UserTask | Subscription, declared: Mapping[str, Any]) -> bool:
        condition = declared.get("visible")
        if not condition:
            return True
        if self._machine is None:
            self._machine = stepper.load(self._session, self._instance, None)
        return bool(self._machine.environment.evaluate(condition, self._machine.data_of(row.task_id)))


def _signals(session: Session, instance_id: int) -> list[Subscription]:
    query = select(Subscription).where(Subscription.instance_id == instance_id, Subscription.kind == "signal")
    return list(session.scalars(query.order_by(Subscription.id)))


def _action(row: UserTask | Subscription, node: Mapping[str, Any], declared: Mapping[str, Any]) -> Action:
    is_task = isinstance(row, UserTask)
    return Action(
        ref=f"{'task' if is_task else 'sub'}:{row.id}:{declared['id']}",
        id=declared["id"],
        label=declared.get("label", declared["id"]),
        form=declared.get("form"),
        style=declared.get("style", ""),
        confirm=declared.get("confirm"),
        hotkey=declared.get("hotkey"),
        roles=tuple(declared.get("roles", ())),
        element_id=row.element_id,
        element_name=node.get("name", ""),
        user_task=row if isinstance(row, UserTask) else None,
        subscription=None if isinstance(row, UserTask) else row,
    )


def _parsed(ref: str) -> tuple[str, int, str]:
    kind, _, rest = ref.partition(":")
    row_id, _, action = rest.partition(":")
    if kind not in ("task", "sub") or not row_id.isascii() or not row_id.isdigit() or len(row_id) > 15 or not action:
        raise NotFound("Expected a reference to an action, but this is none")
    return kind, int(row_id), action
