"""The ticket's history: every change is one entry, old → new, by whom and why."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from services.people.queries import display_name
from services.tickets.models import Ticket, TicketEvent


def record(
    session: Session,
    ticket: Ticket,
    kind: str,
    *,
    actor: str | None,
    field: str = "",
    old: str = "",
    new: str = "",
    reason: str = "",
    step: str = "",
    data: dict[str, Any] | None = None,
) -> TicketEvent:
    """Add one entry; `actor` is a reference such as "agent:7", None = the process itself."""
    event = TicketEvent(
        ticket_id=ticket.id,
        at=clock.now(),
        actor=actor or "system",
        actor_name=display_name(session, actor),
        kind=kind,
        field=field,
        old=old,
        new=new,
        reason=reason,
        step=step,
        data=data or {},
    )
    session.add(event)
    ticket.updated_at = event.at
    return event
