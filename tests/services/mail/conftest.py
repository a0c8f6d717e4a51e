"""A desk with one line that is reached by mail, and a conversation with a client in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine import listeners, repository
from engine.clock import FixedClock
from engine.config import Settings
from engine.db import Database
from services.bootstrap import open_desk
from services.clients.operations import client_for_contact
from services.lines.models import Channel, Line, LineSession, Message
from services.mail import identity, mailbox
from services.people.models import Agent
from services.reference import ensure_reference
from services.tickets.models import Ticket
from tests.services.mail.letters import IVAN, SUPPORT
from tests.services.mail.post import Post
from webui import builtin


@dataclass
class MailDesk:
    """What the mailbox and the sources need of a desk."""

    settings: Settings
    database: Database


@dataclass
class Talk:
    """A conversation: its ticket, its session and the operator who answers."""

    ticket: Ticket
    row: LineSession
    agent: Agent

    def message(self, session: Session, text: str = "Проверьте кабель.", **fields: object) -> Message:
        """An answer of the operator, added to the session."""
        values: dict[str, object] = {
            "session_id": self.row.id,
            "ticket_id": self.ticket.id,
            "kind": "out",
            "channel": "email",
            "text": text,
            "created_at": engine_clock.now(),
        }
        message = Message(**(values | fields))
        session.add(message)
        session.flush()
        return message


@pytest.fixture
def desk(settings: Settings, database: Database, clock: FixedClock) -> MailDesk:
    """A desk whose line «Поддержка» has a mail address."""
    identity.install(settings)
    with database.transaction() as session:
        line = Line(name="Поддержка", slug="support")
        line.channels = [Channel(kind="email", address=SUPPORT)]
        session.add(line)
    return MailDesk(settings, database)


@pytest.fixture
def post(settings: Settings, clock: FixedClock) -> Iterator[Post]:
    """A whole desk with the shipped processes, reached over real SMTP."""
    desk = open_desk(settings)
    files = builtin.files()
    with desk.database.transaction() as session:
        ensure_reference(session, settings)
        repository.deploy(session, files, author="system", activate=True)
    with mailbox.serve(desk) as port:
        yield Post(desk, port)
    listeners.reset()
    desk.database.dispose()


def begin_talk(session: Session, *, email: str = IVAN, subject: str = "Не работает касса", number: int = 42) -> Talk:
    """Ivan has written and has a ticket."""
    now = engine_clock.now()
    channel = session.get_one(Channel, 1)
    client = client_for_contact(session, "email", email, "Иван Петров")
    ticket = Ticket(number=number, topic=subject, source="line", client=client, created_at=now, updated_at=now)
    agent = Agent(email="operator@desk.localhost", name="Алина Чернова", fs_uniquifier="alina", created_at=now)
    session.add_all([ticket, agent])
    session.flush()
    row = LineSession(
        line=channel.line,
        channel=channel,
        client=client,
        ticket_id=ticket.id,
        subject=subject,
        started_at=now,
        last_message_at=now,
    )
    session.add(row)
    session.flush()
    first = Message(
        session_id=row.id,
        ticket_id=ticket.id,
        kind="in",
        channel="email",
        author_client_id=client.id,
        text="Здравствуйте! Не работает касса.",
        external_id="<first@client.example>",
        created_at=now,
    )
    session.add(first)
    session.flush()
    return Talk(ticket, row, agent)
