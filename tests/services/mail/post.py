"""The desk, its mailbox and the clients who write to it."""

from __future__ import annotations

import smtplib
from typing import Any

from sqlalchemy import select

from engine import clock
from services.bootstrap import Desk
from services.lines import operations as lines
from services.lines.models import InboundMail, MailboxMessage, Message
from services.mail import inbound
from services.notifications import outbox
from services.notifications.models import OutboxMessage
from services.people.models import Agent, Role
from services.tickets.models import Ticket
from tests.services.mail.letters import IVAN, SUPPORT


class Post:
    """One desk whose ticker and worker run when told."""

    def __init__(self, desk: Desk, port: int) -> None:
        self.desk = desk
        self.database = desk.database
        self.settings = desk.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port})
        self.port = port

    def deliver(self, content: Any, *, envelope: str = IVAN, to: list[str] | None = None) -> None:
        """A mail goes over SMTP into the mailbox."""
        encoded = content if isinstance(content, bytes) else content.as_bytes()
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
            client.sendmail(envelope, to or [SUPPORT], encoded)

    def work(self) -> None:
        """The ticker and the worker do what is due."""
        with self.database.transaction() as session:
            ids = inbound.claim(session, "test", 100)
        inbound.execute(self.settings, self.database, ids)

    def write(self, content: Any, **options: Any) -> InboundMail:
        """Deliver and process; gives the row of the mail."""
        self.deliver(content, **options)
        self.work()
        return self.mails()[-1]

    def answer(self, ticket_id: int, text: str = "Проверьте кабель.") -> MailboxMessage:
        """An operator answers from the card; gives the mail as the client's mailbox got it."""
        with self.database.transaction() as session:
            agent = session.scalars(select(Agent)).first() or _operator(session)
            lines.reply(session, session.get_one(Ticket, ticket_id), text=text, actor=agent)
        self.send()
        with self.database.reading() as session:
            found = session.scalars(select(MailboxMessage).order_by(MailboxMessage.id.desc())).first()
            session.expunge_all()
            assert found is not None
            return found

    def send(self) -> None:
        with self.database.transaction() as session:
            ids = outbox.claim(session, "test", 100)
        outbox.execute(self.settings, self.database, ids)

    def mails(self) -> list[InboundMail]:
        return self._all(select(InboundMail).order_by(InboundMail.id))

    def tickets(self) -> list[Ticket]:
        return self._all(select(Ticket).order_by(Ticket.id))

    def messages(self, *kinds: str) -> list[Message]:
        return self._all(select(Message).where(Message.kind.in_(kinds or ("in",))).order_by(Message.id))

    def outgoing(self) -> list[OutboxMessage]:
        return self._all(select(OutboxMessage).where(OutboxMessage.key.not_like("notify:%")))

    def _all(self, query: Any) -> list[Any]:
        with self.database.reading() as session:
            found = list(session.scalars(query))
            session.expunge_all()
            return found


def _operator(session: Any) -> Agent:
    role = session.scalar(select(Role).where(Role.name == "operator")) or Role(name="operator")
    agent = Agent(
        email="operator@desk.localhost",
        name="Алина Чернова",
        fs_uniquifier="alina",
        created_at=clock.now(),
        roles=[role],
    )
    session.add(agent)
    session.flush()
    return agent
