"""A throw-away desk: the real services on a database in memory, on a clock of its own, heard by nobody."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, insert, select
from sqlalchemy.orm import Session

from engine import clock, due, iso8601, jobs, listeners, repository, runtime
from engine.bundles import bundle_digest
from engine.clock import FixedClock
from engine.config import Settings
from engine.db import IN_MEMORY, Base, Database
from engine.errors import EngineError
from engine.listeners import Listeners
from engine.models import Deployment, ProcessDefinition, Resource, StartEvent
from services import connectors as connectors
from services import listening
from services.catalog.models import Counter
from services.catalog.queries import choices
from services.demo.catalogs import add_catalogs
from services.demo.people import add_staff
from services.forms import Field, Form
from services.lines import beginnings
from services.lines import operations as lines
from services.lines.models import LineSession
from services.lines.queries import chat_channel
from services.mail import identity
from services.mail.identity import MailIdentity
from services.notifications import live
from services.people.models import Agent
from services.reference import ensure_reference
from services.tickets import queries
from services.tickets.fields import bound_values
from services.tickets.models import Ticket
from services.tickets.operations import perform_action

AUTHOR = "rehearsal"
BEGIN = datetime(2026, 3, 16, 6, 0, tzinfo=UTC)
"""Monday, 9 o'clock in Moscow."""
MOST_ROUNDS = 2_000
"""Moments at which something fell due; more than any life of a ticket holds."""
_IDENTITY = MailIdentity("desk.localhost", b"rehearsal", "ru", "http://desk.localhost")
_REFERENCE = (
    *("role", "agent", "group", "agent_role", "agent_group"),
    *("client_category", "company", "ticket_status", "ticket_type", "product"),
    *("service_offering", "service_responsible", "schedule", "schedule_exception", "service_level"),
    *("line", "channel", "line_member"),
)
"""Tables that a copy takes as they are; no client and no ticket is among them."""


class NotOffered(EngineError):
    """Expected a button that the process offers now, but it offers others."""

    def __init__(self, action: str, offered: list[str]) -> None:
        super().__init__(f"Expected the button {action}, but the process offers {', '.join(offered) or 'none'}")
        self.action = action
        self.offered = offered
        """Labels of what this person could press."""


class NeverEnds(EngineError):
    """Expected the work that falls due to come to an end, but there is ever more of it."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a desk begins with: a whole database as bytes."""

    content: bytes


class Desk:
    """One throw-away desk; use it in the thread that opened it."""

    def __init__(self, database: Database, fixed: FixedClock) -> None:
        self.database = database
        self.clock = fixed
        self._sources = {"conversations": beginnings.due_source()}

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A writing transaction of this desk; one at a time."""
        with self.database.transaction() as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[Session]:
        """A reading session of this desk; not inside of `session`."""
        with self.database.reading() as session:
            yield session

    def deploy(self, files: Mapping[str, bytes]) -> None:
        """Make these files the active versions without checking them; raises DeploymentRefused for broken ones."""
        with self.session() as session:
            same = select(Deployment).where(Deployment.sha256 == bundle_digest(files))
            known = session.scalars(same).one_or_none()
            _activate_all(session, known or repository.store(session, files, author=AUTHOR))

    def activate(self, deployment_id: int) -> None:
        """Make what came with a copied bundle the active versions; raises NotReady for what can never run."""
        with self.session() as session:
            _activate_all(session, session.get_one(Deployment, deployment_id))

    def template(self) -> Template:
        """This desk as it is now, to open others from."""
        return Template(_connection(self.database).serialize())

    def start(self, process: str, *, key: str | None = None, variables: Mapping[str, Any] | None = None) -> int:
        """Start the active version of a process; its instance's id. Raises NotFound, EngineError."""
        with self.session() as session:
            return runtime.start_process(session, process, business_key=key, variables=variables, actor="system").id

    def client_writes(self, text: str, *, client: str = "Ольга", line: str = "support") -> int | None:
        """A visitor writes in the web chat of the line; the id of the ticket that the message reached, if any."""
        with self.session() as session:
            channel = chat_channel(session, line)
            secret = chat_secret(client)
            message = lines.receive_chat(session, channel, secret, name=client, text=text)
            return session.get_one(LineSession, message.session_id).ticket_id

    def presses(self, agent_id: int, ticket_id: int, action: str, form: Mapping[str, str] | None = None) -> None:
        """A person presses a button of the card, known by its id or label, and fills in the form behind it.

        `form` goes by the fields' keys, catalog values by name or id, moments also as a duration from now; other
        fields stay as the card shows them.
        Raises NotOffered, FormInvalid and whatever the process raises.
        """
        with self.session() as session:
            agent, ticket = session.get_one(Agent, agent_id), session.get_one(Ticket, ticket_id)
            offered = queries.offered_actions(session, ticket, agent)
            chosen = next((each for each in offered if action in (each.id, each.label)), None)
            if chosen is None:
                raise NotOffered(action, [each.label for each in offered])
            asked = queries.form_of(session, ticket, chosen)
            entered = filled(session, asked, bound_values(ticket), form or {}) if asked else {}
            perform_action(session, ticket, chosen.ref, entered, actor=agent, expected_version=None)

    def message(self, name: str, key: str, variables: Mapping[str, Any] | None = None) -> int:
        """Hand a message to the instances of a record; how many nodes waited for it."""
        with self.session() as session:
            return runtime.correlate_message(session, name, business_key=key, variables=variables)

    def signal(self, name: str, variables: Mapping[str, Any] | None = None) -> int:
        """Hand a signal to every instance; how many nodes waited for it."""
        with self.session() as session:
            return runtime.broadcast_signal(session, name, variables)

    def advance_to(self, until: datetime, *, checkpoint: Callable[[], None] = lambda: None) -> None:
        """Move the clock and do what falls due on the way, each at its own time.

        `checkpoint` is called before each moment at which something is due and may stop the run by an exception.
        Raises NeverEnds.
        """
        for _ in range(MOST_ROUNDS):
            at = self.next_due()
            if at is None or at > until:
                self.clock.set(max(until, self.clock.at))
                return
            checkpoint()
            self.clock.set(max(at, self.clock.at))
            self.work()
        raise NeverEnds

    def advance(self, by: timedelta, *, checkpoint: Callable[[], None] = lambda: None) -> None:
        """The same for a span of time."""
        self.advance_to(self.clock.at + by, checkpoint=checkpoint)

    def work(self) -> None:
        """Do what is due now, as the ticker and a worker would; mail stays in its table."""
        for source in self._due():
            with self.session() as session:
                ids = source.claim(session, AUTHOR, jobs.BATCH)
            if ids:
                source.execute(self.database, ids)

    def next_due(self) -> datetime | None:
        """When there is something to do next."""
        with self.look() as session:
            found = [source.next_due(session) for source in self._due()]
        return min((at for at in found if at is not None), default=None)

    def _due(self) -> list[due.DueSource]:
        known = due.sources()
        return [known[name] for name in ("jobs", "starts") if name in known] + list(self._sources.values())


@contextmanager
def opened(*, begin: datetime = BEGIN, reference: Session | Template | None = None) -> Iterator[Desk]:
    """A desk that is gone after the block, with the reference data of `reference` or those of an empty installation.

    Inside the block the clock and the listeners of this thread are those of the desk; nobody else notices.
    """
    template = copied(reference) if isinstance(reference, Session) else reference or default()
    heard = Listeners()
    listening.tell(heard)
    fixed = FixedClock(begin)
    with _borrowed() as database, _apart(fixed, heard):
        _connection(database).deserialize(template.content)
        yield Desk(database, fixed)


def default() -> Template:
    """A desk as it is installed, with the people and catalogs of the demonstration and no process."""
    global _default
    with _making:
        if _default is None:
            _default = _made(_furnish)
        return _default


def copied(live_session: Session, *, bundle: int | None = None) -> Template:
    """A desk like the live one: its people, lines, catalogs, levels and active processes; no client, no ticket.

    `bundle` is a deployment that is to be there too, active or not.
    """
    return _made(lambda session: _copy(live_session, session, bundle))


def with_processes(live_session: Session, *, bundle: int | None = None) -> Template:
    """The default desk with the processes of the live one; for `bundle` see `copied`."""
    return _made(lambda session: _copy_processes(live_session, session, bundle), default())


_default: Template | None = None
_making = Lock()
_idle: list[Database] = []
"""Databases between two desks: an open one keeps its compiled statements."""


@contextmanager
def _apart(fixed: FixedClock, heard: Listeners) -> Iterator[None]:
    with clock.using(fixed), listeners.using(heard), identity.using(_IDENTITY), live.unheard():
        yield


@contextmanager
def _borrowed() -> Iterator[Database]:
    database = _idle.pop() if _idle else Database(IN_MEMORY)
    try:
        yield database
    except BaseException:
        database.dispose()
        raise
    _idle.append(database)


def _connection(database: Database) -> sqlite3.Connection:
    with database.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - narrows the type
    return raw


def _made(fill: Callable[[Session], None], base: Template | None = None) -> Template:
    database = Database(IN_MEMORY)
    try:
        if base is None:
            Base.metadata.create_all(database.engine)
        else:
            _connection(database).deserialize(base.content)
        with _apart(FixedClock(BEGIN), Listeners()), database.transaction() as session:
            fill(session)
        return Template(_connection(database).serialize())
    finally:
        database.dispose()


def _activate_all(session: Session, deployment: Deployment) -> None:
    """Whatever its check said: a rehearsal is there to find out."""
    for definition in deployment.definitions:
        repository.activate(session, definition, by=AUTHOR, override_reason="rehearsed before it is used")


def _furnish(session: Session) -> None:
    settings = Settings.model_construct()
    ensure_reference(session, settings)
    add_catalogs(session, add_staff(session, settings))


def _copy(source: Session, target: Session, bundle: int | None) -> None:
    for table in Base.metadata.sorted_tables:
        if table.name in _REFERENCE:
            _insert(target, table, source.execute(select(table)).mappings().all())
    _copy_processes(source, target, bundle)
    target.add(Counter(name="ticket", value=0))
    for agent in target.scalars(select(Agent)):
        agent.password = None


def _copy_processes(source: Session, target: Session, bundle: int | None) -> None:
    """The active versions with the bundles they came in, one bundle besides, all forms and the starts by events."""
    bundles = select(ProcessDefinition.deployment_id).where(
        (ProcessDefinition.state == "active") | (ProcessDefinition.deployment_id == bundle)
    )
    brought = Deployment.id.in_(bundles) | (Deployment.id == bundle)
    resources = select(Resource.id).where(Resource.deployment_id.in_(select(Deployment.id).where(brought)))
    of_definitions = select(ProcessDefinition.resource_id).where(ProcessDefinition.deployment_id.in_(bundles))
    wanted = Resource.id.in_(resources) | Resource.id.in_(of_definitions) | (Resource.kind == "form")
    kept = Deployment.id.in_(select(Resource.deployment_id).where(wanted))
    watched = StartEvent.definition_id.in_(select(ProcessDefinition.id).where(ProcessDefinition.state == "active"))
    _copy_rows(source, target, Deployment, kept)
    _copy_rows(source, target, Resource, wanted)
    _copy_rows(source, target, ProcessDefinition, ProcessDefinition.deployment_id.in_(bundles))
    _copy_rows(source, target, StartEvent, watched & (StartEvent.kind != "timer"))


def _copy_rows(source: Session, target: Session, model: type[Base], wanted: ColumnElement[bool]) -> None:
    table = _table(model)
    _insert(target, table, source.execute(select(table).where(wanted)).mappings().all())


def _table(model: type[Base]) -> Table:
    assert isinstance(model.__table__, Table)  # noqa: S101 - narrows the type
    return model.__table__


def _insert(target: Session, table: Table, rows: Sequence[RowMapping]) -> None:
    if rows:
        target.execute(insert(table), [dict(row) for row in rows])


def chat_secret(client: str) -> str:
    """What the browser of a rehearsed client of that name carries."""
    return hashlib.sha256(client.encode()).hexdigest()


def filled(session: Session, form: Form, present: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """What the form sends: what was entered, else what the card shows there."""
    shown = {field.key: _as_text(present.get(field.bind)) or field.default for field in form.inputs}
    fields = {field.key: field for field in form.inputs}
    return shown | {key: _entered(session, fields.get(key), value) for key, value in given.items()}


def _entered(session: Session, field: Field | None, value: str) -> str:
    """A name of the catalog as its value, a duration as that moment from now, everything else as it is."""
    if field is None or not value:
        return value
    if field.kind == "datetime" and value.startswith("P"):
        return _as_text(clock.now() + iso8601.parse_duration(value))
    named = {choice.label: choice.value for choice in choices(session, field.catalog)} if field.catalog else {}
    return named.get(value, value)


def _as_text(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value or "")
