"""Reading talks: for the staff with notes, for the client without anything internal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, lazyload

from engine.errors import NotFound
from services.lines.models import Channel, Line, LineSession, Message
from services.tickets.models import Ticket


def chat_channel(session: Session, slug: str) -> Channel:
    """The open web chat of a line by its address; raises NotFound."""
    wanted = select(Channel).join(Line).where(Channel.kind == "chat", Channel.address == slug)
    channel = session.scalar(wanted.where(Channel.active, Line.active).options(joinedload(Channel.line)))
    if channel is None:
        raise NotFound
    return channel


def token_hash(token: str) -> str:
    """What is stored of a visitor's secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def chat_session(session: Session, channel: Channel, token: str) -> LineSession | None:
    """The visitor's present conversation, known by the secret in his browser."""
    own = select(LineSession).where(LineSession.token_hash == token_hash(token))
    return session.scalar(own.where(LineSession.channel_id == channel.id))


def chat_messages(session: Session, line_session: LineSession, after_id: int = 0) -> Sequence[Message]:
    """What the client sees: what was written to and by him, never notes or lines of the system."""
    said = select(Message).where(Message.session_id == line_session.id, Message.kind.in_(("in", "out")))
    return session.scalars(said.where(Message.id > after_id).order_by(Message.id).limit(500)).all()


def talk(session: Session, ticket: Ticket, after_id: int = 0, limit: int = 500) -> Sequence[Message]:
    """The last messages of a ticket with notes and landmarks, oldest first."""
    said = select(Message).where(Message.ticket_id == ticket.id, Message.id > after_id)
    return session.scalars(said.order_by(Message.id.desc()).limit(limit)).all()[::-1]


def latest_session(session: Session, ticket: Ticket) -> LineSession | None:
    """The conversation in which the ticket's client is answered."""
    own = select(LineSession).where(LineSession.ticket_id == ticket.id).options(joinedload(LineSession.channel))
    return session.scalar(own.order_by(LineSession.last_message_at.desc(), LineSession.id.desc()).limit(1))


def first_message(session: Session, line_session_id: int) -> Message | None:
    """What the client wrote first."""
    said = select(Message).where(Message.session_id == line_session_id, Message.kind == "in")
    return session.scalar(said.options(lazyload(Message.attachments)).order_by(Message.id).limit(1))


def lines(session: Session) -> Sequence[Line]:
    """All lines in use."""
    return session.scalars(select(Line).where(Line.active).order_by(Line.name)).all()
