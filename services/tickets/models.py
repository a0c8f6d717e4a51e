"""The ticket, its history and the drafts of those who answer it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, UtcDateTime
from services.catalog.models import Product, ServiceOffering, TicketType
from services.clients.models import Client, Company
from services.lines.models import Line
from services.people.models import Agent
from services.sla.models import ServiceClock

_FOLDERS = (
    *("is_open", "status", "priority_rank", "responsible_id", "line_id"),
    *("due_at", "created_at", "updated_at", "number"),
)
"""What folders ask and sort by: they are counted and sorted without touching a row of the table."""


class Ticket(Base):
    """A request of a client. `status` has one writer: the projection in tickets/projection.py."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_responsible_id_status", "responsible_id", "status"),
        Index("ix_ticket_status_due_at", "status", "due_at"),
        Index("ix_ticket_open_due_at", "is_open", "due_at", "id"),
        Index("ix_ticket_due_at_id", "due_at", "id"),
        Index("ix_ticket_created_at_id", "created_at", "id"),
        Index("ix_ticket_updated_at_id", "updated_at", "id"),
        Index("ix_ticket_priority_rank_id", "priority_rank", "id"),
        Index("ix_ticket_folders", *_FOLDERS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    topic: Mapped[str] = mapped_column(String(500))
    text: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(16))
    """line | manual | portal | bot"""
    status: Mapped[str | None] = mapped_column(ForeignKey("ticket_status.code"))
    is_open: Mapped[bool] = mapped_column(default=True)
    """False once the status belongs to the category "done"; written with the status."""
    priority: Mapped[str] = mapped_column(String(16), default="medium")
    priority_rank: Mapped[int] = mapped_column(default=1)
    """Position of the priority in PRIORITIES, for sorting."""
    priority_manual: Mapped[bool] = mapped_column(default=False)
    type_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_type.id"))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service_offering.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"), index=True)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"))
    line_id: Mapped[int | None] = mapped_column(ForeignKey("line.id"))
    responsible_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    assignment_reason: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_reply_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    wait_reason: Mapped[str] = mapped_column(String(300), default="")
    wait_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    wait_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Nearest due instant of the running clocks: an index for sorting, never the truth."""
    sla_rule: Mapped[str] = mapped_column(String(300), default="")
    """Which level was picked and why, or why none."""
    sla_terms: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The norms promised when the level was picked (services/sla/terms.py); later edits of the level change nothing."""
    resolution_note: Mapped[str] = mapped_column(Text, default="")
    unread: Mapped[int] = mapped_column(default=0)
    """Client messages since the last answer."""
    search: Mapped[str] = mapped_column(Text, default="")
    """Lower-case topic, text, client, company with ё→е, for the search line; the number is compared exactly."""

    type: Mapped[TicketType | None] = relationship()
    service: Mapped[ServiceOffering | None] = relationship()
    product: Mapped[Product | None] = relationship()
    client: Mapped[Client | None] = relationship()
    company: Mapped[Company | None] = relationship()
    line: Mapped[Line | None] = relationship()
    responsible: Mapped[Agent | None] = relationship()
    clocks: Mapped[list[ServiceClock]] = relationship(back_populates="ticket", order_by=ServiceClock.id)

    @property
    def business_key(self) -> str:
        """What its process instance carries."""
        return f"ticket:{self.id}"


class TicketEvent(Base):
    """One entry of the ticket's history: a field, old → new, who or what, why; never changed."""

    __tablename__ = "ticket_event"
    __table_args__ = (Index("ix_ticket_event_ticket_id_id", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(200))
    """agent:7 | client:3 | timer | system"""
    actor_name: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(24))
    """created | status | field | assigned | action | message | clock | reminder | breach | escalation"""
    field: Mapped[str] = mapped_column(String(60), default="")
    old: Mapped[str] = mapped_column(Text, default="")
    new: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    step: Mapped[str] = mapped_column(String(255), default="")
    """Name of the process step."""
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Draft(Base):
    """What a person has written and not sent, per ticket."""

    __tablename__ = "draft"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    mode: Mapped[str] = mapped_column(String(8), default="out")
    """out | note"""
    text: Mapped[str] = mapped_column(Text, default="")
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
