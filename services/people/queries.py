"""Finding people: by address, by actor reference, by line, by role."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from services.clients.models import Client
from services.lines.models import line_member
from services.people.models import Agent, Role

_MACHINES = {
    "timer": {"ru": "Таймер", "en": "Timer"},
    "system": {"ru": "Процесс", "en": "Process"},
}


def by_id(session: Session, agent_id: int) -> Agent:
    """The person of that id; raises NotFound."""
    agent = session.get(Agent, agent_id)
    if agent is None:
        raise NotFound
    return agent


def by_email(session: Session, email: str) -> Agent | None:
    """The person who logs in with that address."""
    return session.scalar(select(Agent).where(Agent.email == email.strip().lower()))


def active(session: Session) -> Sequence[Agent]:
    """Everybody who works here now, by name."""
    return session.scalars(select(Agent).where(Agent.active).order_by(Agent.name)).all()


def line_members(session: Session, line_id: int) -> Sequence[Agent]:
    """Active people of a line."""
    members = select(line_member.c.agent_id).where(line_member.c.line_id == line_id)
    return session.scalars(select(Agent).where(Agent.active, Agent.id.in_(members)).order_by(Agent.id)).all()


def with_role(session: Session, *roles: str) -> Sequence[Agent]:
    """Active people who have one of the roles."""
    chosen = select(Agent).where(Agent.active, Agent.roles.any(Role.name.in_(roles)))
    return session.scalars(chosen.order_by(Agent.id)).all()


def actor_agent(session: Session, ref: str | None) -> Agent | None:
    """The person behind "agent:7"; None for clients, timers and the system."""
    kind, _, number = (ref or "").partition(":")
    return session.get(Agent, int(number)) if kind == "agent" and number.isdigit() else None


def display_name(session: Session, ref: str | None, language: str = "ru") -> str:
    """How "agent:7", "client:3", "timer" or "system" is called on screens."""
    kind, _, number = (ref or "system").partition(":")
    if kind in _MACHINES:
        return _MACHINES[kind]["ru" if language == "ru" else "en"]
    found: Agent | Client | None = None
    if number.isdigit():
        found = session.get(Agent, int(number)) if kind == "agent" else session.get(Client, int(number))
    return found.name if found else ref or ""
