"""The fluent driver of a whole desk without its web: people write and press, the clock moves, due work is done."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine import due, listeners, repository
from engine.clock import FixedClock
from engine.config import Settings
from services import bootstrap
from services.catalog.queries import choices
from services.clients.operations import client_for_contact
from services.demo.catalogs import add_catalogs
from services.demo.people import add_staff
from services.lines import operations as lines
from services.lines import queries as line_queries
from services.lines.models import Channel, LineSession, Message
from services.notifications.models import Notification
from services.people.models import Agent
from services.reference import ensure_reference
from services.tickets import fields, operations, queries
from services.tickets.models import Ticket, TicketEvent
from webui import builtin

WORKED = ("jobs", "starts", "conversations", "housekeeping")
"""Sources that the driver lets work; the outbox and the inbound mail have servers and tests of their own."""
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


class Desk:
    """One desk with the shipped processes, the people of the demonstration and no tickets."""

    def __init__(self, settings: Settings, clock: FixedClock) -> None:
        opened = bootstrap.open_desk(settings)
        self.settings, self.database, self.clock = settings, opened.database, clock
        engine_clock.install(clock)
        with self.database.transaction() as session:
            ensure_reference(session, settings)
            repository.deploy(session, builtin.files(), author="tests", activate=True)
            add_catalogs(session, add_staff(session, settings))

    def close(self) -> None:
        listeners.reset()
        self.database.dispose()

    @contextmanager
    def change(self) -> Iterator[Session]:
        """A writing transaction, for what has no verb here."""
        with self.database.transaction() as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[Session]:
        """A reading session; what was loaded in it may be looked at afterwards."""
        with self.database.reading() as session:
            yield session
            session.expunge_all()

    def client_writes(self, text: str, *, client: str = "Ольга") -> int:
        """Somebody writes in the web chat; the number of the ticket that the message reached."""
        with self.change() as session:
            chat = line_queries.chat_channel(session, "support")
            token = hashlib.sha256(client.encode()).hexdigest()
            return _number(session, lines.receive_chat(session, chat, token, name=client, text=text))

    def client_mails(self, address: str, subject: str, text: str, *, automatic: bool = False) -> int:
        """Somebody sends a mail to the line that belongs to no known thread."""
        with self.change() as session:
            channel = session.scalars(select(Channel).where(Channel.kind == "email")).one()
            client = client_for_contact(session, "email", address)
            message = lines.receive_message(
                session, channel, client=client, text=text, subject=subject, automatic=automatic
            )
            return _number(session, message)

    def client_sees(self, *, client: str = "Ольга") -> list[str]:
        """What the client's chat page shows."""
        with self.look() as session:
            chat = line_queries.chat_channel(session, "support")
            talk = line_queries.chat_session(session, chat, hashlib.sha256(client.encode()).hexdigest())
            return [message.text for message in line_queries.chat_messages(session, talk)] if talk else []

    def operator(self, first_name: str) -> Operator:
        """A member of staff by the first name, whatever the role."""
        with self.look() as session:
            found = session.scalars(select(Agent).where(Agent.name.startswith(f"{first_name} "))).one()
        return Operator(self, found.id, found.name)

    def responsible(self, number: int) -> Operator:
        """Whoever the ticket was given to."""
        responsible = self.ticket(number).responsible
        assert responsible is not None, "nobody is responsible"
        return Operator(self, responsible.id, responsible.name)

    def ticket(self, number: int) -> Ticket:
        """The ticket as it is now, detached."""
        with self.look() as session:
            return queries.by_number(session, self._everything(session), number)

    def history(self, number: int, kind: str = "", field: str = "") -> list[TicketEvent]:
        """Entries of the history, oldest first."""
        with self.look() as session:
            ticket = queries.by_number(session, self._everything(session), number)
            events = list(reversed(queries.history(session, ticket)))
        return [e for e in events if (not kind or e.kind == kind) and (not field or e.field == field)]

    def statuses(self, number: int) -> list[str]:
        """Codes of all statuses that the ticket had, in their order."""
        return [event.data["new"] for event in self.history(number, "status")]

    def talk(self, number: int) -> Sequence[Message]:
        """The talk as the staff sees it."""
        with self.look() as session:
            return line_queries.talk(session, queries.by_number(session, self._everything(session), number))

    def advance(self, by: str | timedelta) -> None:
        """Move the clock ("4h", "1d12h", "30s") and do what falls due on the way, each at its own time."""
        until = self.clock.at + (by if isinstance(by, timedelta) else _duration(by))
        for _ in range(10_000):
            at = self._next_due()
            if at is None or at > until:
                self.clock.set(until)
                return
            self.clock.set(max(at, self.clock.at))
            self.work()
        raise AssertionError("due work never ends")

    def work(self) -> None:
        """Do what is due now, as the ticker and a worker would."""
        for name in WORKED:
            source = due.sources()[name]
            with self.change() as session:
                ids = source.claim(session, "tests", 100)
            if ids:
                source.execute(self.database, ids)

    def _next_due(self) -> datetime | None:
        with self.look() as session:
            found = [due.sources()[name].next_due(session) for name in WORKED]
        return min((at for at in found if at is not None), default=None)

    def _everything(self, session: Session) -> Agent:
        return session.scalars(select(Agent).where(Agent.email.startswith("admin@"))).one()


@dataclass(frozen=True)
class Operator:
    """A person at work."""

    desk: Desk
    id: int
    name: str

    @property
    def ref(self) -> str:
        return f"agent:{self.id}"

    def presses(self, label: str, number: int, **values: str) -> None:
        """Press a button by its label; catalog values are given by name, the rest of the form stays as shown."""
        self.presses_shown(self.shown(label, number), number, **values)

    def shown(self, label: str, number: int) -> Shown:
        """The button as a page shows it, with the version of that moment."""
        with self.desk.look() as session:
            me, ticket = self._me(session), queries.by_number(session, self._me(session), number)
            actions = {action.label: action.ref for action in queries.offered_actions(session, ticket, me)}
            instance = queries.instance_of(session, ticket)
        assert label in actions, f"{self.name} sees only {list(actions)}"
        assert instance is not None
        return Shown(actions[label], instance.version)

    def presses_shown(self, shown: Shown, number: int, **values: str) -> None:
        """Press a button of a page that was opened earlier."""
        with self.desk.change() as session:
            me, ticket = self._me(session), queries.by_number(session, self._me(session), number)
            entered = self._filled(session, ticket, me, shown.ref, values)
            operations.perform_action(session, ticket, shown.ref, entered, actor=me, expected_version=shown.version)

    def buttons(self, number: int) -> list[str]:
        """Labels of what the process offers this person."""
        with self.desk.look() as session:
            me, ticket = self._me(session), queries.by_number(session, self._me(session), number)
            return [action.label for action in queries.offered_actions(session, ticket, me)]

    def replies(self, number: int, text: str) -> None:
        with self.desk.change() as session:
            lines.reply(session, self._ticket(session, number), text=text, actor=self._me(session))

    def notes(self, number: int, text: str) -> None:
        with self.desk.change() as session:
            lines.note(session, self._ticket(session, number), text=text, actor=self._me(session))

    def creates(self, **values: str) -> int:
        """Fill in "+ Обращение"; catalog values by name."""
        with self.desk.change() as session:
            form = queries.creation_form(session)
            entered = {f.key: _entered(session, f.catalog, values.get(f.key, "")) for f in form.inputs}
            return operations.create_manually(session, entered, actor=self._me(session)).number

    def changes(self, number: int, **values: Any) -> None:
        """Change fields of the card by hand."""
        with self.desk.change() as session:
            operations.change_fields(session, self._ticket(session, number), values, actor=self._me(session))

    def feed(self) -> list[str]:
        """Kinds of the person's notifications, oldest first."""
        with self.desk.look() as session:
            own = select(Notification).where(Notification.agent_id == self.id).order_by(Notification.id)
            return [row.kind for row in session.scalars(own)]

    def sees(self, folder: str = "all", **filters: Any) -> list[int]:
        """Numbers in a folder of the registry."""
        with self.desk.look() as session:
            page = queries.registry(session, self._me(session), folder, queries.Filters(**filters), sort="number")
            return [ticket.number for ticket in page.rows]

    def _me(self, session: Session) -> Agent:
        return session.get_one(Agent, self.id)

    def _ticket(self, session: Session, number: int) -> Ticket:
        return queries.by_number(session, self._me(session), number)

    def _filled(
        self, session: Session, ticket: Ticket, me: Agent, ref: str, values: Mapping[str, str]
    ) -> dict[str, str]:
        action = queries.offered_action(session, ticket, me, ref)
        form = queries.form_of(session, ticket, action) if action else None
        if form is None:
            return dict(values)
        present = fields.bound_values(ticket)
        shown = {f.key: _as_text(present.get(f.bind)) or f.default for f in form.inputs}
        catalogs = {f.key: f.catalog for f in form.inputs}
        return shown | {key: _entered(session, catalogs.get(key, ""), value) for key, value in values.items()}


@dataclass(frozen=True)
class Shown:
    """A button on a page: what a press of it sends."""

    ref: str
    version: int


def _number(session: Session, message: Message) -> int:
    talk = session.get_one(LineSession, message.session_id)
    assert talk.ticket_id is not None, "the line's process created no ticket"
    return session.get_one(Ticket, talk.ticket_id).number


def _entered(session: Session, catalog: str, value: str) -> str:
    if not catalog or not value:
        return value
    named = {choice.label: choice.value for choice in choices(session, catalog)}
    return named.get(value, value)


def _as_text(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value or "")


def _duration(text: str) -> timedelta:
    parts = re.findall(r"(\d+)([dhms])", text)
    assert "".join(number + unit for number, unit in parts) == text != "", f"not a duration: {text}"
    return timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
