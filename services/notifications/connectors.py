"""Connectors that tell the staff: notify.line, notify.responsible, notify.supervisors."""

from __future__ import annotations

from engine.connectors import Execution, connector
from services.notifications import operations
from services.tickets.keys import required_ticket


@connector("notify.line")
def line(execution: Execution, kind: str) -> None:
    """Сообщает операторам линии обращения: в ленту и по почте.

    Tells the people of the ticket's line.
    """
    ticket = required_ticket(execution)
    operations.notify_line(execution.session, ticket, kind, actor=execution.actor, **_clock(execution))


@connector("notify.responsible")
def responsible(execution: Execution, kind: str) -> None:
    """Сообщает ответственному; пока его нет – операторам линии.

    Tells the responsible, else the line.
    """
    ticket = required_ticket(execution)
    operations.notify_responsible(execution.session, ticket, kind, actor=execution.actor, **_clock(execution))


@connector("notify.supervisors")
def supervisors(execution: Execution, kind: str) -> None:
    """Сообщает старшим.

    Tells the supervisors.
    """
    ticket = required_ticket(execution)
    operations.notify_supervisors(execution.session, ticket, kind, actor=execution.actor, **_clock(execution))


def _clock(execution: Execution) -> dict[str, str]:
    """Which clock a reminder or breach is about, if the process says so."""
    clock = execution.variables.get("clock")
    return {"clock": clock} if isinstance(clock, str) else {}
