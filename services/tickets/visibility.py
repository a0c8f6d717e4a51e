"""What a person may see: the one select that every query of tickets starts from."""

from __future__ import annotations

from sqlalchemy import Select, false, or_, select

from services.access.rights import Right, may
from services.lines.models import line_member
from services.people.models import Agent
from services.tickets.models import Ticket


def visible_to(agent: Agent) -> Select[Ticket]:
    """Tickets of the person's lines, those of no line, and those he is responsible for; all, by right."""
    if may(agent, Right.SEE_ALL):
        return select(Ticket)
    if not may(agent, Right.WORK):
        return select(Ticket).where(false())
    own_lines = select(line_member.c.line_id).where(line_member.c.agent_id == agent.id)
    return select(Ticket).where(
        or_(Ticket.line_id.is_(None), Ticket.line_id.in_(own_lines), Ticket.responsible_id == agent.id)
    )
