"""Live updates: one reader of the event rows per process, and a stream to every open page."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from time import monotonic

import structlog
from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.db import Database
from engine.errors import EngineError
from services.notifications import live as events
from services.notifications.models import LiveEvent
from services.people.models import Agent
from services.tickets.models import Ticket
from services.tickets.queries import visible_to
from webui.routes import STAFF, Visit, current_desk, may, route

blueprint = Blueprint("live", __name__)
log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
PING_SECONDS = 15.0
STREAM_SECONDS = 110.0
"""A stream ends after this long and the browser opens the next: a server that stops never waits for it."""
_MOST_TOPICS = 20
_TICKET = re.compile(r"ticket:(\d{1,15})\Z")

Heard = tuple[int, str, str]
"""Id, topic, part."""


@route(blueprint, "/live", roles=STAFF)
def listen(visit: Visit) -> ResponseReturnValue:
    return stream(_allowed(visit), seen(visit.session))


@route(blueprint, "/live/poll", roles=STAFF)
def ask(visit: Visit) -> ResponseReturnValue:
    return since(visit.session, _allowed(visit))


def stream(topics: Sequence[str], last: int) -> Response:
    """Server-sent events of the topics after `last`."""
    broadcaster = _broadcaster()
    response = Response(_told(broadcaster, current_desk().database, topics, last), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def since(session: Session, topics: Sequence[str]) -> Response:
    """The same as one JSON answer, for pages that no stream reaches."""
    last = seen(session)
    rows = events.since(session, last, topics)
    newest = rows[-1].id if rows else last
    return jsonify(events=[{"id": row.id, "topic": row.topic, "part": row.part} for row in rows], last=newest)


def seen(session: Session) -> int:
    """The last event the page knows: what the browser repeats, what the page says, or the newest."""
    for value in (request.headers.get("Last-Event-ID", ""), request.args.get("from", "")):
        if value.isdecimal() and len(value) < 16:
            return int(value)
    return events.latest_id(session)


def _allowed(visit: Visit) -> list[str]:
    """Of the topics asked for, those this person may hear; a foreign ticket is as silent as one that is not there."""
    asked = request.args.get("topics", "").split(",")[:_MOST_TOPICS]
    return [topic for topic in asked if _may_hear(visit.session, visit.agent, topic)]


def _may_hear(session: Session, agent: Agent, topic: str) -> bool:
    if topic in ("tickets", f"agent:{agent.id}"):
        return True
    if topic == "processes":
        return may(agent, ("analyst",))
    ticket = _TICKET.match(topic)
    wanted = visible_to(agent).where(Ticket.id == int(ticket[1])).with_only_columns(Ticket.id) if ticket else None
    return wanted is not None and session.scalar(wanted) is not None


def _told(broadcaster: Broadcaster, database: Database, topics: Sequence[str], last: int) -> Iterator[str]:
    ends = monotonic() + STREAM_SECONDS
    inbox = broadcaster.subscribe(topics)
    try:
        yield "retry: 1500\n\n"
        for heard in _missed(database, topics, last):
            last = heard[0]
            yield _line(heard)
        while monotonic() < ends:
            try:
                heard = inbox.get(timeout=PING_SECONDS)
            except queue.Empty:
                yield ": still here\n\n"
                continue
            if heard[0] > last:
                last = heard[0]
                yield _line(heard)
    finally:
        broadcaster.leave(inbox)


def _missed(database: Database, topics: Sequence[str], last: int) -> list[Heard]:
    if not topics:
        return []
    with database.reading() as session:
        return [(row.id, row.topic, row.part) for row in events.since(session, last, topics)]


def _line(heard: Heard) -> str:
    number, topic, part = heard
    return f'id: {number}\ndata: {{"id":{number},"topic":"{topic}","part":"{part}"}}\n\n'


class Broadcaster:
    """Reads new event rows once a second while anybody listens, and hands them to the open streams."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: dict[queue.SimpleQueue[Heard], frozenset[str]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._last = 0

    def subscribe(self, topics: Collection[str]) -> queue.SimpleQueue[Heard]:
        """An inbox for the events of the topics from now on."""
        inbox: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        with self._lock:
            self._listeners[inbox] = frozenset(topics)
            if self._thread is None:
                self._last = self._newest()
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
        return inbox

    def leave(self, inbox: queue.SimpleQueue[Heard]) -> None:
        """Forget an inbox."""
        with self._lock:
            self._listeners.pop(inbox, None)

    def wake(self, _topics: Collection[str] = ()) -> None:
        """Look at once: something was committed in this process."""
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            with self._lock:
                if not self._listeners:
                    self._thread = None
                    return
            try:
                self._pass_on()
            except (SQLAlchemyError, EngineError):
                log.exception("live events could not be read", action="live")

    def _pass_on(self) -> None:
        newer = select(LiveEvent).where(LiveEvent.id > self._last).order_by(LiveEvent.id).limit(1000)
        with self._database.reading() as session:
            heard = [(row.id, row.topic, row.part) for row in session.scalars(newer)]
        if not heard:
            return
        self._last = heard[-1][0]
        with self._lock:
            listeners = list(self._listeners.items())
        for inbox, topics in listeners:
            for event in heard:
                if event[1] in topics:
                    inbox.put(event)

    def _newest(self) -> int:
        with suppress(SQLAlchemyError, EngineError), self._database.reading() as session:
            return events.latest_id(session)
        return 0


def _broadcaster() -> Broadcaster:
    known: Broadcaster | None = current_app.extensions.get("broadcaster")
    if known is None:
        known = current_app.extensions["broadcaster"] = Broadcaster(current_desk().database)
        events.set_notifier(known.wake)
    return known
