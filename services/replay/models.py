"""The tables of replays: one row for the question, one for each ticket's answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, UtcDateTime
from engine.models import ProcessDefinition


class Replay(Base):
    """A version that is run over the newest closed tickets."""

    __tablename__ = "replay"

    id: Mapped[int] = mapped_column(primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"), index=True)
    wanted: Mapped[int]
    """How many tickets were asked for."""
    state: Mapped[str] = mapped_column(String(16), default="running", index=True)
    """running | done | cancelled"""
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sums: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    definition: Mapped[ProcessDefinition] = relationship()


class ReplayOutcome(Base):
    """What the version would have made of one ticket."""

    __tablename__ = "replay_outcome"
    __table_args__ = (
        UniqueConstraint("replay_id", "ticket_id"),
        Index("ix_replay_outcome_replay_id_verdict", "replay_id", "verdict"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    replay_id: Mapped[int] = mapped_column(ForeignKey("replay.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    verdict: Mapped[str] = mapped_column(String(16), default="waiting")
    """waiting | same | differs | stuck | failed"""
    differences: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """By kind: path, statuses, assignments, sla, notifications, ended, refused, waiting, failed."""
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
