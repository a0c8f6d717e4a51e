"""The feed of each person, the outbox, and the stream that keeps screens alive."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, UtcDateTime


class Notification(Base):
    """One line in a person's feed."""

    __tablename__ = "notification"
    __table_args__ = (Index("ix_notification_agent_id_read_at", "agent_id", "read_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[str] = mapped_column(String(40))
    """classification_needed | assigned | reminder | breach | pause_ended | client_replied | …"""
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Values for the text of this kind."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OutboxMessage(Base):
    """A mail to be sent after the commit; `key` makes it recognisable as the same mail for ever."""

    __tablename__ = "outbox_message"
    __table_args__ = (Index("ix_outbox_message_state_next_at", "state", "next_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    recipient: Mapped[str] = mapped_column(String(320))
    sender: Mapped[str] = mapped_column(String(320), default="")
    """Address of the line; empty = the desk's own."""
    sender_name: Mapped[str] = mapped_column(String(200), default="")
    subject: Mapped[str] = mapped_column(String(500))
    text: Mapped[str] = mapped_column(Text)
    headers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """Message-ID, In-Reply-To, References, Reply-To, Auto-Submitted …"""
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    """The talk's message whose delivery this is."""
    state: Mapped[str] = mapped_column(String(10), default="queued")
    """queued | sent | failed"""
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LiveEvent(Base):
    """The word that part X of a page is stale: written with the change, read by open pages; kept for an hour."""

    __tablename__ = "live_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(60), index=True)
    """ticket:42 | tickets | agent:7 | session:5 | processes"""
    part: Mapped[str] = mapped_column(String(40), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
