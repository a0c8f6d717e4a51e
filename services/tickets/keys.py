"""From a process instance to its ticket and back, by the business key."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.connectors import Execution
from engine.errors import BpmnError
from engine.models import ProcessInstance
from services.tickets.models import Ticket


def ticket_id_of(business_key: str | None) -> int | None:
    """42 for "ticket:42"; None for any other key."""
    kind, _, number = (business_key or "").partition(":")
    return int(number) if kind == "ticket" and number.isdigit() else None


def ticket_of(session: Session, instance: ProcessInstance) -> Ticket | None:
    """The ticket whose life the instance is; None before it exists."""
    ticket_id = ticket_id_of(instance.business_key)
    return session.get(Ticket, ticket_id) if ticket_id is not None else None


def required_ticket(execution: Execution) -> Ticket:
    """The ticket a connector works on; raises BpmnError("no_ticket") when the process has none yet."""
    ticket = ticket_of(execution.session, execution.instance)
    if ticket is None:
        raise BpmnError("no_ticket", "Expected a process that belongs to a ticket, but this one has none yet")
    return ticket
