"""Stored mails become messages: each once, each accounted for, none answered to a machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from engine import clock
from engine.config import Settings
from engine.db import Database
from engine.due import DueSource
from engine.errors import Busy, NotFound
from services.lines.models import InboundMail
from services.mail import leases
from services.mail.delivery import accept
from services.mail.parsing import ParsedMail, Unparsable
from services.mail.sandbox import ParsingFailed, Sandbox
from services.mail.wording import say

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
BACKOFF = (timedelta(minutes=1), timedelta(minutes=5))
MAX_ATTEMPTS = len(BACKOFF) + 1
MAX_BEGINNINGS = 10
"""More than the attempts: a worker that is killed while it holds a mail is seldom the mail's fault."""
BUSY_WAIT = timedelta(seconds=5)
BATCH_SECONDS = 15.0
"""After that the rest of a batch is given back: the worker has other things to do."""


@dataclass(frozen=True, slots=True)
class _Begun:
    raw: bytes
    attempts: int


def source(settings: Settings) -> DueSource:
    """The due source "inbound_mail" of a desk with these settings."""
    return DueSource("inbound_mail", claim, partial(execute, settings), next_due)


def claim(session: Session, owner: str, limit: int) -> list[int]:
    """Lease up to `limit` stored mails that are due, oldest first."""
    return leases.claim(session, InboundMail, "stored", LEASE, limit)


def execute(settings: Settings, database: Database, ids: list[int]) -> None:
    """Turn these mails into messages, each in its own transaction; one that fails does not stop the others."""
    stop_at = time.monotonic() + BATCH_SECONDS
    with Sandbox() as sandbox:
        for position, identifier in enumerate(ids):
            if time.monotonic() > stop_at:
                leases.give_back(database, InboundMail, "stored", ids[position:])
                return
            _process(settings, database, sandbox, identifier)


def next_due(session: Session) -> datetime | None:
    """When the next stored mail is due, or its lease ends."""
    return leases.next_due(session, InboundMail, "stored")


def retry(session: Session, inbound_id: int) -> None:
    """Take a mail out of quarantine – or back from the ignored ones – for three new attempts."""
    row = session.get(InboundMail, inbound_id)
    if row is None or row.state not in ("quarantine", "ignored"):
        raise NotFound("Expected a mail in quarantine, but there is none of that number")
    row.state, row.error, row.attempts = "stored", "", 0
    row.next_at, row.lease_until = clock.now(), None
    session.flush()


def _process(settings: Settings, database: Database, sandbox: Sandbox, identifier: int) -> None:
    begun = _begin(database, identifier)
    if begun is None:
        return
    try:
        # a second attempt leaves the quotations in: searching for them is what can take too long
        mail = sandbox.parse(begun.raw, cut_quotes=begun.attempts == 1)
        _accept(settings, database, identifier, mail)
    except Unparsable as refusal:
        _refuse(database, identifier, say(str(refusal)))
    except Busy:
        _put_off(database, identifier)
    except ParsingFailed as failure:
        _postpone(database, identifier, say(str(failure)))
    except Exception as error:
        log.exception("mail not processed", action="inbound_mail", inbound_id=identifier)
        _postpone(database, identifier, say("failed", detail=f"{type(error).__name__}: {error}"[:500]))


def _begin(database: Database, identifier: int) -> _Begun | None:
    """Count the attempt before it is made, so that a mail that kills its worker is not tried for ever."""
    with database.transaction() as session:
        row = _locked(session, identifier)
        if row is None:
            return None
        row.attempts += 1
        row.lease_until = clock.now() + LEASE
        if row.attempts > MAX_BEGINNINGS:
            _quarantine(row, say("crash"))
            return None
        return _Begun(row.raw, row.attempts)


def _accept(settings: Settings, database: Database, identifier: int, mail: ParsedMail) -> None:
    with database.transaction() as session:
        row = _locked(session, identifier)
        if row is not None:
            accept(session, row, mail, settings)
            row.lease_until = None


def _locked(session: Session, identifier: int) -> InboundMail | None:
    """The row while it waits for its turn; the raw mail is read when it is asked for."""
    waiting = select(InboundMail).where(InboundMail.id == identifier, InboundMail.state == "stored")
    return session.scalar(waiting.options(defer(InboundMail.raw)).with_for_update())


def _postpone(database: Database, identifier: int, reason: str) -> None:
    with database.transaction() as session:
        row = _locked(session, identifier)
        if row is None:
            return
        if row.attempts >= MAX_ATTEMPTS:
            _quarantine(row, reason)
            return
        row.error = reason
        row.next_at = clock.now() + BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
        row.lease_until = None


def _refuse(database: Database, identifier: int, reason: str) -> None:
    with database.transaction() as session:
        row = _locked(session, identifier)
        if row is not None:
            _quarantine(row, reason)


def _quarantine(row: InboundMail, reason: str) -> None:
    row.state, row.error, row.lease_until = "quarantine", reason, None
    log.warning("mail put into quarantine", action="inbound_mail", inbound_id=row.id, reason=reason)


def _put_off(database: Database, identifier: int) -> None:
    """A locked database is not the mail's fault: the attempt does not count."""
    with database.transaction() as session:
        row = _locked(session, identifier)
        if row is not None:
            row.attempts -= 1
            row.next_at, row.lease_until = clock.now() + BUSY_WAIT, None
