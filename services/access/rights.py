"""What each role may do; the only place that knows it."""

from __future__ import annotations

from enum import StrEnum

from engine.errors import Forbidden
from services.people.models import Agent

OPERATOR = "operator"
SUPERVISOR = "supervisor"
ANALYST = "analyst"
ADMIN = "admin"


class Right(StrEnum):
    """Something that a role allows."""

    SEE_ALL = "tickets.see_all"
    """Tickets of every line, not only of one's own."""
    WORK = "tickets.work"
    """Press the buttons of a process, answer clients, create tickets."""
    ASSIGN = "tickets.assign"
    """Give anybody's ticket to anybody."""
    SET_PRIORITY = "tickets.set_priority"
    PROCESSES = "processes.manage"
    INCIDENTS = "incidents.manage"
    """Repeat what failed."""
    REPAIR = "instances.repair"
    """Change instances by hand: start, mend, migrate them, move their timers."""
    MAIL = "mail.manage"
    LEVELS = "sla.manage"
    PEOPLE = "people.manage"


_RIGHTS: dict[str, frozenset[Right]] = {
    OPERATOR: frozenset({Right.WORK}),
    SUPERVISOR: frozenset({Right.SEE_ALL, Right.WORK, Right.ASSIGN, Right.SET_PRIORITY}),
    ANALYST: frozenset({Right.SEE_ALL, Right.PROCESSES, Right.INCIDENTS, Right.LEVELS}),
    ADMIN: frozenset(Right),
}


def roles_of(agent: Agent) -> frozenset[str]:
    """Names of the person's roles."""
    return frozenset(role.name for role in agent.roles)


def may(agent: Agent, right: Right) -> bool:
    """Whether one of the person's roles allows it; somebody who is not active may do nothing."""
    return agent.active and any(right in _RIGHTS.get(role, ()) for role in roles_of(agent))


def require(agent: Agent, right: Right) -> None:
    """Raise Forbidden unless the person may do it."""
    if not may(agent, right):
        raise Forbidden


def may_press(agent: Agent, roles: tuple[str, ...], *, responsible_id: int | None) -> bool:
    """Whether a button of these roles is for this person.

    No roles = everybody who may work on tickets; "responsible" = the responsible of the ticket; an admin always may.
    """
    if not agent.active:
        return False
    own = roles_of(agent)
    if ADMIN in own:
        return True
    if not roles:
        return may(agent, Right.WORK)
    return bool(own & set(roles)) or ("responsible" in roles and responsible_id == agent.id)
