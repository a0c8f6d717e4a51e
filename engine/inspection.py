"""Looking into a running instance without moving it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine import stepper
from engine.models import ProcessInstance


def variables(session: Session, instance: ProcessInstance) -> dict[str, Any]:
    """The variables at the nodes where the instance waits, later nodes winning; empty once it has ended.

    Raises StateUnreadable or another EngineError when the stored state cannot be opened.
    """
    if instance.data is None:
        return {}
    machine = stepper.load(session, instance, None)
    found: dict[str, Any] = {}
    for wait in machine.waits():
        found.update(machine.data_of(wait.key))
    return found
