"""Queued mails leave the desk: outside of every transaction, at least once, always as the same mail."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.config import Settings
from engine.db import Database
from engine.due import DueSource
from engine.errors import NotFound
from services.lines import attachments
from services.lines.models import Attachment, Message
from services.mail import leases
from services.mail.composing import compose
from services.mail.smtp import Connection, MailRefused, ServerUnavailable
from services.mail.wording import say
from services.notifications import live
from services.notifications.models import OutboxMessage
from services.tickets import history
from services.tickets.models import Ticket

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=1)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""Waiting times after the first failures; the last one repeats."""
MAX_ATTEMPTS = 10
BATCH_SECONDS = 15.0
"""After that the rest of a batch is given back: the worker has other things to do."""


@dataclass(frozen=True, slots=True)
class _Begun:
    id: int
    mail: EmailMessage
    sender: str
    recipient: str


def source(settings: Settings) -> DueSource:
    """The due source "outbox" of a desk with these settings."""
    return DueSource("outbox", claim, partial(execute, settings), next_due)


def claim(session: Session, owner: str, limit: int) -> list[int]:
    """Lease up to `limit` mails that are due, oldest first."""
    return leases.claim(session, OutboxMessage, "queued", LEASE, limit)


def execute(settings: Settings, database: Database, ids: list[int]) -> None:
    """Send these mails over one connection; what fails is tried later, and never stops the others."""
    stop_at = time.monotonic() + BATCH_SECONDS
    with Connection(settings) as connection:
        for position, identifier in enumerate(ids):
            if time.monotonic() > stop_at:
                leases.give_back(database, OutboxMessage, "queued", ids[position:])
                return
            try:
                _send(settings, database, connection, identifier)
            except ServerUnavailable as error:
                _postpone_all(database, ids[position + 1 :], str(error))
                return


def next_due(session: Session) -> datetime | None:
    """When the next mail is due, or its lease ends."""
    return leases.next_due(session, OutboxMessage, "queued")


def retry(session: Session, outbox_id: int) -> None:
    """Queue a mail again that was given up."""
    row = session.get(OutboxMessage, outbox_id)
    if row is None or row.state != "failed":
        raise NotFound("Expected a mail that was given up, but there is none of that number")
    row.state, row.attempts, row.error = "queued", 0, ""
    row.next_at, row.lease_until = clock.now(), None
    _set_delivery(session, row, "queued")


def _send(settings: Settings, database: Database, connection: Connection, identifier: int) -> None:
    begun = _begin(settings, database, identifier)
    if begun is None:
        return
    try:
        connection.send(begun.mail, begun.sender, begun.recipient)
    except MailRefused as refusal:
        _refuse(database, begun.id, str(refusal))
    except ServerUnavailable as error:
        _postpone(database, begun.id, str(error))
        raise
    except Exception as error:
        log.warning("mail not sent", action="outbox", outbox_id=begun.id, error=str(error))
        _postpone(database, begun.id, f"{type(error).__name__}: {error}")
    else:
        _finish(database, begun.id)


def _begin(settings: Settings, database: Database, identifier: int) -> _Begun | None:
    """Count the attempt and build the mail; a mail that cannot be built is given up by itself."""
    with database.transaction() as session:
        row = _locked(session, identifier)
        if row is None:
            return None
        row.attempts += 1
        row.lease_until = clock.now() + LEASE
        try:
            mail = compose(row, _files(session, settings, row))
        except Exception as error:
            log.exception("mail cannot be built", action="outbox", outbox_id=row.id)
            _give_up(session, row, f"{type(error).__name__}: {error}")
            return None
        return _Begun(row.id, mail, row.sender, row.recipient)


def _files(session: Session, settings: Settings, row: OutboxMessage) -> list[tuple[str, bytes]]:
    if row.message_id is None:
        return []
    wanted = select(Attachment).where(Attachment.message_id == row.message_id).order_by(Attachment.id)
    found = []
    for attachment in session.scalars(wanted):
        with attachments.open(settings, attachment) as file:
            found.append((attachment.name, file.read()))
    return found


def _finish(database: Database, identifier: int) -> None:
    with database.transaction() as session:
        row = _locked(session, identifier)
        if row is not None:
            row.state, row.error, row.lease_until = "sent", "", None
            row.sent_at = clock.now()
            _set_delivery(session, row, "sent")


def _postpone(database: Database, identifier: int, error: str) -> None:
    with database.transaction() as session:
        row = _locked(session, identifier)
        if row is None:
            return
        if row.attempts >= MAX_ATTEMPTS:
            _give_up(session, row, error)
            return
        row.error = error[:2000]
        row.next_at = clock.now() + BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
        row.lease_until = None


def _refuse(database: Database, identifier: int, error: str) -> None:
    with database.transaction() as session:
        row = _locked(session, identifier)
        if row is not None:
            _give_up(session, row, error)


def _give_up(session: Session, row: OutboxMessage, error: str) -> None:
    row.state, row.error, row.lease_until = "failed", error[:2000], None
    log.warning("mail given up", action="outbox", outbox_id=row.id, error=error[:500])
    message = _set_delivery(session, row, "failed")
    ticket = session.get(Ticket, row.ticket_id) if message is not None and row.ticket_id else None
    if ticket is not None:
        reason = say("delivery_failed", detail=error[:500])
        history.record(session, ticket, "message", actor="system", field="delivery", new="failed", reason=reason)


def _set_delivery(session: Session, row: OutboxMessage, delivery: str) -> Message | None:
    message = session.get(Message, row.message_id) if row.message_id else None
    if message is not None:
        message.delivery = delivery
        if message.ticket_id is not None:
            live.publish(session, f"ticket:{message.ticket_id}", "messages")
        if message.session_id is not None:
            live.publish(session, f"session:{message.session_id}", "messages")
    return message


def _locked(session: Session, identifier: int) -> OutboxMessage | None:
    wanted = select(OutboxMessage).where(OutboxMessage.id == identifier, OutboxMessage.state == "queued")
    return session.scalar(wanted.with_for_update())


def _postpone_all(database: Database, ids: list[int], error: str) -> None:
    """A server that cannot be reached is asked again in a minute, not once for every waiting mail."""
    now = clock.now()
    with database.transaction() as session:
        waiting = update(OutboxMessage).where(OutboxMessage.state == "queued", OutboxMessage.next_at <= now)
        session.execute(waiting.values(next_at=now + BACKOFF[0], error=error[:2000]))
        given = update(OutboxMessage).where(OutboxMessage.id.in_(ids), OutboxMessage.state == "queued")
        session.execute(given.values(lease_until=None))
