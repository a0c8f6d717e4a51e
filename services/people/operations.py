"""What happens to people: joining, presence, their own settings."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from services.forms import FormInvalid
from services.notifications import live
from services.people.models import Agent, Role
from services.people.passwords import hashed

PRESENCES = ("free", "away", "busy", "dnd", "offline")
LANGUAGES = ("ru", "en")
THEMES = ("light", "dark", "system")


def create_agent(
    session: Session, *, email: str, name: str, roles: Iterable[str], position: str = "", password: str | None = None
) -> Agent:
    """A new member of staff; a password of None means that nobody can log in as this person yet."""
    agent = Agent(
        email=email.strip().lower(),
        name=name,
        position=position,
        password=hashed(password) if password else None,
        fs_uniquifier=secrets.token_hex(32),
        roles=list(session.scalars(select(Role).where(Role.name.in_(list(roles))))),
        groups=[],
        created_at=clock.now(),
        presence_since=clock.now(),
    )
    session.add(agent)
    session.flush()
    return agent


def set_presence(session: Session, agent: Agent, presence: str) -> None:
    """Free, away, busy, do not disturb or offline, since now."""
    if presence not in PRESENCES:
        raise FormInvalid({"presence": "Неизвестное состояние"})
    agent.presence = presence
    agent.presence_since = clock.now()
    live.publish(session, f"agent:{agent.id}", "presence")


def set_preferences(session: Session, agent: Agent, *, language: str, theme: str, zone: str) -> None:
    """Language, theme and time zone of the person's own screens."""
    errors = {}
    if language not in LANGUAGES:
        errors["language"] = "Неизвестный язык"
    if theme not in THEMES:
        errors["theme"] = "Неизвестная тема"
    if zone not in available_timezones():
        errors["zone"] = "Неизвестный часовой пояс"
    if errors:
        raise FormInvalid(errors)
    agent.language, agent.theme, agent.zone = language, theme, zone
    session.flush()
