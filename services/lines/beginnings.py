"""How a conversation gets its process, also when the process cannot start at once: nothing a client wrote is lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import clock, runtime
from engine.db import Database
from engine.due import DueSource
from engine.errors import Busy, NotFound
from services.lines.models import LineSession
from services.notifications.operations import notify_admins

log = structlog.get_logger(__name__)

RETRY_EVERY = timedelta(minutes=1)


def begin(session: Session, conversation: LineSession) -> bool:
    """Start the line's process for a new conversation and tell whether it runs.

    When it fails, what it did is undone, the conversation stays with what was written, the admins are told once, and
    it is tried again every minute and with the client's next message.
    """
    hooks = len(session.info.setdefault("after_commit", []))
    try:
        with session.begin_nested():
            _start(session, conversation)
    except Busy:
        raise
    except Exception as error:
        del session.info["after_commit"][hooks:]
        _put_off(session, conversation, error)
        return False
    return True


def due_source() -> DueSource:
    """The conversations whose process is to be tried again."""
    return DueSource("conversations", _claim, _try_again, _next_due)


def waiting(session: Session) -> list[LineSession]:
    """Conversations without a process, oldest first."""
    query = select(LineSession).where(LineSession.start_at.is_not(None)).order_by(LineSession.id)
    return list(session.scalars(query))


def retry(session: Session, conversation_id: int) -> bool:
    """Try one of them now; tells whether its process runs. Nothing happens when it runs already. Raises NotFound."""
    conversation = session.get(LineSession, conversation_id, with_for_update=True, populate_existing=True)
    if conversation is None:
        raise NotFound(f"Expected the conversation {conversation_id} to exist, but it does not")
    return conversation.start_at is None or begin(session, conversation)


def _start(session: Session, conversation: LineSession) -> None:
    conversation.start_at, conversation.start_error = None, ""
    runtime.start_process(
        session,
        conversation.line.process_key,
        variables={"session_id": conversation.id},
        actor=f"client:{conversation.client_id}",
    )


def _put_off(session: Session, conversation: LineSession, error: Exception) -> None:
    log.warning("the line's process did not start", action="begin", conversation=conversation.id, error=repr(error))
    is_news = not conversation.start_error
    conversation.start_error = str(error)[:1000] or type(error).__name__
    conversation.start_at = clock.now() + RETRY_EVERY
    if is_news:
        data = {"line": conversation.line.name, "error": conversation.start_error[:300]}
        notify_admins(session, None, "line_failed", actor=None, **data)


def _claim(session: Session, _owner: str, limit: int) -> list[int]:
    now = clock.now()
    query = select(LineSession.id).where(LineSession.start_at <= now).order_by(LineSession.start_at).limit(limit)
    ids = list(session.scalars(query.with_for_update(skip_locked=True)))
    session.execute(update(LineSession).where(LineSession.id.in_(ids)).values(start_at=now + RETRY_EVERY))
    return ids


def _try_again(database: Database, ids: list[int]) -> None:
    for conversation_id in ids:
        with database.transaction() as session:
            retry(session, conversation_id)


def _next_due(session: Session) -> datetime | None:
    query = select(LineSession.start_at).where(LineSession.start_at.is_not(None))
    return session.scalar(query.order_by(LineSession.start_at).limit(1))
