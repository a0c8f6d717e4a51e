"""Lines: where clients write, through which channels, and what was said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, UtcDateTime
from services.clients.models import Client

line_member = Table(
    "line_member",
    Base.metadata,
    Column("line_id", ForeignKey("line.id"), primary_key=True),
    Column("agent_id", ForeignKey("agent.id"), primary_key=True),
)


class Line(Base):
    """A queue of clients with its members, its channels and its process for the event "new session"."""

    __tablename__ = "line"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    """Address of its web chat: /chat/<slug>."""
    active: Mapped[bool] = mapped_column(default=True)
    process_key: Mapped[str] = mapped_column(String(100), default="create_request_from_line")
    reopen_days: Mapped[int] = mapped_column(default=7)
    greeting: Mapped[str] = mapped_column(Text, default="")

    channels: Mapped[list[Channel]] = relationship(back_populates="line")


class Channel(Base):
    """One way into a line."""

    __tablename__ = "channel"
    __table_args__ = (UniqueConstraint("kind", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("line.id"))
    kind: Mapped[str] = mapped_column(String(16))
    """chat | email"""
    address: Mapped[str] = mapped_column(String(255))
    """Mail address, or the slug of the chat."""
    active: Mapped[bool] = mapped_column(default=True)

    line: Mapped[Line] = relationship(back_populates="channels")


class LineSession(Base):
    """One conversation of one client with a line; belongs to one ticket once that exists."""

    __tablename__ = "line_session"
    __table_args__ = (Index("ix_line_session_client_id_state", "client_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("line.id"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    continues_id: Mapped[int | None] = mapped_column(ForeignKey("line_session.id"))
    """The closed conversation that this one takes up again."""
    state: Mapped[str] = mapped_column(String(16), default="open")
    """open | closed"""
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256 of the chat visitor's secret."""
    subject: Mapped[str] = mapped_column(String(500), default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_message_at: Mapped[datetime] = mapped_column(UtcDateTime)
    start_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """When its process is to be tried again; None = it has started."""
    start_error: Mapped[str] = mapped_column(Text, default="")
    """Why the process could not start."""

    line: Mapped[Line] = relationship()
    channel: Mapped[Channel] = relationship()
    client: Mapped[Client] = relationship()


class Message(Base):
    """One message of a conversation, an internal note, or a line of the system in the talk."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_ticket_id_id", "ticket_id", "id"),
        Index("ix_message_session_id_id", "session_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int | None] = mapped_column(ForeignKey("line_session.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[str] = mapped_column(String(8))
    """in | out | note | event"""
    channel: Mapped[str] = mapped_column(String(16), default="")
    """chat | email; how it came or goes"""
    author_agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    author_client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    author_name: Mapped[str] = mapped_column(String(200), default="")
    automatic: Mapped[bool] = mapped_column(default=False)
    """Written by a machine: an auto-reply never counts as an answer."""
    text: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(String(255), index=True)
    """Message-ID of the mail."""
    delivery: Mapped[str] = mapped_column(String(16), default="")
    """out: queued | sent | failed; in: empty"""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    attachments: Mapped[list[Attachment]] = relationship(back_populates="message", lazy="selectin")


class Attachment(Base):
    """A file of a message; the bytes lie in data_dir/attachments under a random id."""

    __tablename__ = "attachment"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100), default="application/octet-stream")
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))

    message: Mapped[Message] = relationship(back_populates="attachments")


class InboundMail(Base):
    """A mail as it came in, stored before anything is read from it."""

    __tablename__ = "inbound_mail"
    __table_args__ = (Index("ix_inbound_mail_state_next_at", "state", "next_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    envelope_from: Mapped[str] = mapped_column(String(320), default="")
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16), default="stored")
    """stored | done | ignored (a machine wrote it; reason in `error`) | quarantine"""
    error: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    subject: Mapped[str] = mapped_column(String(500), default="")


class MailboxMessage(Base):
    """A mail that the built-in mailbox took for an address outside the desk; shown on the mailbox page."""

    __tablename__ = "mailbox_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    sender: Mapped[str] = mapped_column(String(320), default="")
    recipients: Mapped[list[str]] = mapped_column(JSON)
    subject: Mapped[str] = mapped_column(String(500), default="")
    headers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
