"""The only writer of `ticket.status`: a node with a status was entered, the ticket shows it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import clock
from engine.errors import NotFound
from engine.listeners import StatusEntered
from engine.models import ProcessInstance
from services.catalog.models import TicketStatus
from services.catalog.queries import status_name, statuses
from services.lines.models import Message
from services.notifications import live
from services.tickets import history
from services.tickets.keys import ticket_of
from services.tickets.models import Ticket


def project(session: Session, instance: ProcessInstance, entered: StatusEntered) -> None:
    """Listener: put the declared status on the ticket of the instance, with history.

    Raises NotFound for a code outside the catalog, so that the step fails visibly instead of losing the ticket.
    """
    ticket = ticket_of(session, instance)
    if ticket is None or ticket.status == entered.code:
        return
    known = statuses(session)
    new, old = known.get(entered.code), known.get(ticket.status or "")
    if new is None:
        raise NotFound(f"Expected a status of the catalog, there is none of the code {entered.code}")
    ticket.status = new.code
    ticket.is_open = new.category != "done"
    _mark_moments(ticket, new)
    _record(session, ticket, old, new, entered)
    live.publish(session, "tickets", "row")


def _mark_moments(ticket: Ticket, new: TicketStatus) -> None:
    if new.code == "accepted" and ticket.accepted_at is None:
        ticket.accepted_at = clock.now()
    if new.category == "paused" and ticket.wait_since is None:
        ticket.wait_since = clock.now()


def _record(
    session: Session, ticket: Ticket, old: TicketStatus | None, new: TicketStatus, entered: StatusEntered
) -> None:
    history.record(
        session,
        ticket,
        "status",
        actor=entered.actor,
        field="status",
        old=status_name(old),
        new=status_name(new),
        reason=ticket.wait_reason if new.category == "paused" else "",
        step=entered.element_name,
        data={"old": old.code if old else None, "new": new.code},
    )
    if new.category in ("paused", "done"):
        session.add(_landmark(ticket, new))


def _landmark(ticket: Ticket, status: TicketStatus) -> Message:
    """A line between the messages of the talk; clients never see it."""
    said = f"{status.name_ru}: {ticket.wait_reason}" if status.category == "paused" else status.name_ru
    return Message(ticket_id=ticket.id, kind="event", text=said, automatic=True, created_at=clock.now())
