"""What must be true before a desk starts: tables, built-in processes, and somebody who can log in."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.config import Settings
from services import demo
from services.bootstrap import open_desk
from services.lines.models import Line
from services.people.models import Agent
from services.people.operations import create_agent
from webui import builtin


@dataclass
class Prepared:
    """What the banner tells."""

    logins: list[str] = field(default_factory=list)
    """Demonstration users, or the admin that was just created."""
    password: str = ""
    chats: list[str] = field(default_factory=list)
    """Slugs of the chats of the active lines."""
    mails: list[str] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    """Processes of which this release brings a newer version, as yet a draft."""


def prepare(settings: Settings) -> Prepared:
    """Bring the desk up to date and tell what is in it; doing it again changes nothing."""
    desk = open_desk(settings, migrate=True)
    told = Prepared()
    with desk.database.transaction() as session:
        proposed = builtin.propose(session)
        told.drafts = [
            f"{definition.key} v{definition.version}" for definition in proposed if definition.state == "draft"
        ]
    if settings.demo:
        demo.fill(desk.database, settings)
    with desk.database.transaction() as session:
        _people(session, settings, told)
        told.chats, told.mails = list(_addresses(session, "chat")), list(_addresses(session, "email"))
    desk.database.dispose()
    return told


def _people(session: Session, settings: Settings, told: Prepared) -> None:
    if settings.demo:
        people = session.scalars(
            select(Agent).where(Agent.email.endswith("@desk.localhost"), Agent.active).order_by(Agent.id)
        )
        told.logins = [agent.email for agent in people]
        told.password = demo.PASSWORD if told.logins else ""
    elif session.scalar(select(Agent.id).limit(1)) is None:
        told.password = secrets.token_urlsafe(12)
        admin = create_agent(
            session, email=f"admin@{settings.mail_domain}", name="Admin", roles=["admin"], password=told.password
        )
        told.logins = [admin.email]


def _addresses(session: Session, kind: str) -> Iterator[str]:
    for line in session.scalars(select(Line).where(Line.active).order_by(Line.id)):
        yield from (channel.address for channel in line.channels if channel.kind == kind and channel.active)
