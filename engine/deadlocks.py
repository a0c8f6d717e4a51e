"""Joins whose tokens nothing can set free any more: each is an incident of its instance as long as that lasts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.bpmn.machine import Stuck
from engine.listeners import listeners
from engine.models import Incident, ProcessInstance


def report(session: Session, instance: ProcessInstance, stuck: Iterable[Stuck], at: datetime) -> None:
    """Open an incident for each of these joins, and tell the host."""
    for join in stuck:
        incident = Incident(
            instance_id=instance.id,
            element_id=join.element_id,
            element_name=join.element_name or None,
            message=_message(join),
            details=_details(join),
            state="open",
            created_at=at,
        )
        session.add(incident)
        session.flush()
        for listener in listeners().incident_opened:
            listener(session, instance, incident)


def _message(join: Stuck) -> str:
    flows = ", ".join(join.missing)
    return f"Expected a token on every flow into the join, but none can come any more by {flows}"


def _details(join: Stuck) -> dict[str, Any]:
    flows = ", ".join(join.missing)
    russian = f"Шлюз ждёт токен по потоку {flows}, но прийти туда уже некому. Перенесите токен дальше или завершите."
    return {"kind": "stuck", "key": join.key, "missing": list(join.missing), "ru": russian}
