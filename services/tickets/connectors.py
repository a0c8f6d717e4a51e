"""Connectors that create, link, assign and mark tickets: ticket.*."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.connectors import Execution, connector
from engine.errors import BpmnError
from services.catalog.models import PRIORITIES
from services.lines.models import LineSession
from services.notifications.operations import notify_supervisors
from services.people import assignment
from services.tickets import creation, fields, history
from services.tickets.keys import required_ticket


@connector("ticket.create_from_session")
def create_from_session(execution: Execution, session_id: int) -> int:
    """Создаёт обращение из первого сообщения линии; результат – его id. Creates the ticket of a conversation."""
    line_session = _line_session(execution.session, session_id)
    ticket = creation.create_from_session(execution.session, line_session, actor=execution.actor)
    execution.set_business_key(ticket.business_key)
    return ticket.id


@connector("ticket.link_session")
def link_session(execution: Execution, session_id: int) -> None:
    """Связывает с обращением разговор и его сообщения.

    Joins the conversation and its messages to the ticket.
    """
    line_session = _line_session(execution.session, session_id)
    creation.link_session(execution.session, required_ticket(execution), line_session)


@connector("ticket.assign")
def assign(execution: Execution, strategy: str = "service") -> int | None:
    """Назначает ответственного по сервису, результат – его id; никого нет – сообщает старшим.

    Makes somebody of the service responsible, the least loaded first; nobody there: the supervisors are told.
    """
    session, ticket = execution.session, required_ticket(execution)
    choice = assignment.choose(session, ticket, strategy=strategy)
    ticket.assignment_reason = choice.reason
    if choice.agent is None:
        notify_supervisors(session, ticket, "unassigned", actor=execution.actor, reason=choice.reason)
        return None
    fields.write(
        session,
        ticket,
        "responsible_id",
        choice.agent.id,
        actor=None,
        reason=choice.reason,
        step=execution.element_name,
    )
    choice.agent.last_assigned_at = execution.now
    return choice.agent.id


@connector("ticket.record_reaction")
def record_reaction(execution: Execution) -> None:
    """Запоминает, когда обращение взяли в работу; второй раз ничего не меняет.

    Records when it was taken.
    """
    ticket = required_ticket(execution)
    ticket.taken_at = ticket.taken_at or execution.now


@connector("ticket.record_resolution")
def record_resolution(execution: Execution) -> None:
    """Запоминает, когда обращение решено.

    Records when it was resolved.
    """
    required_ticket(execution).resolved_at = execution.now


@connector("ticket.raise_priority")
def raise_priority(execution: Execution) -> None:
    """Поднимает приоритет на одну ступень.

    Raises the priority by one step; the highest stays.
    """
    ticket = required_ticket(execution)
    higher = PRIORITIES[min(ticket.priority_rank + 1, len(PRIORITIES) - 1)]
    fields.write(
        execution.session,
        ticket,
        "priority",
        higher,
        actor=execution.actor,
        reason="эскалация",
        step=execution.element_name,
    )


@connector("ticket.clear_wait")
def clear_wait(execution: Execution) -> None:
    """Пауза кончилась: убирает её причину и срок.

    Ends the pause on the card.
    """
    ticket = required_ticket(execution)
    if ticket.wait_since is None and ticket.wait_until is None and not ticket.wait_reason:
        return
    history.record(
        execution.session,
        ticket,
        "field",
        actor=execution.actor,
        field="wait_reason",
        old=ticket.wait_reason,
        step=execution.element_name,
    )
    ticket.wait_reason, ticket.wait_since, ticket.wait_until = "", None, None


def _line_session(session: Session, session_id: int) -> LineSession:
    found = session.get(LineSession, session_id)
    if found is None:
        raise BpmnError("no_session", f"Expected the conversation {session_id}, but there is none")
    return found
