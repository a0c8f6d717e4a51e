"""The ticket's history: every change is one entry, old → new, by whom and why."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, insert, inspect
from sqlalchemy.orm import Session

from engine import clock
from engine.db import table_of
from services.people.queries import display_name
from services.tickets.models import Ticket, TicketEvent

_TABLE = table_of(TicketEvent)
_NEW = insert(_TABLE)
_COLUMNS = tuple(column.name for column in _TABLE.columns if not column.primary_key)


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
) -> None:
    """Add one entry; `actor` is a reference such as "agent:7", None = the process itself."""
    entry = TicketEvent(
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
    session.add(entry)
    ticket.updated_at = entry.at


@event.listens_for(Session, "before_flush")
def _write_together(session: Session, _context: Any, _instances: Any) -> None:
    """All new entries in one statement: nobody asks for their ids, which cost the database one statement each."""
    entries = [each for each in session.new if isinstance(each, TicketEvent)]
    if entries:
        entries.sort(key=lambda each: inspect(each).insert_order or 0)
        session.execute(_NEW, [{name: getattr(each, name) for name in _COLUMNS} for each in entries])
        for each in entries:
            session.expunge(each)
