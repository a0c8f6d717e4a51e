"""Schedules, service levels and the clocks that run on tickets."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, UtcDateTime

if TYPE_CHECKING:
    from services.tickets.models import Ticket


class Schedule(Base):
    """Working hours of the desk for a category, a company or everybody."""

    __tablename__ = "schedule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    zone: Mapped[str] = mapped_column(String(64))
    """IANA name."""
    week: Mapped[dict[str, list[list[str]]]] = mapped_column(JSON)
    """{"mon": [["09:00", "18:00"]], …}"""
    yearly: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Holidays of every year: ["01-01", …]"""
    category_id: Mapped[int | None] = mapped_column(ForeignKey("client_category.id"))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"))
    archived: Mapped[bool] = mapped_column(default=False)

    exceptions: Mapped[list[ScheduleException]] = relationship(back_populates="schedule", lazy="selectin")


class ScheduleException(Base):
    """A date that differs from its weekday: holiday ([]), short day, extra working day."""

    __tablename__ = "schedule_exception"
    __table_args__ = (UniqueConstraint("schedule_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    day: Mapped[date] = mapped_column(Date)
    intervals: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    name: Mapped[str] = mapped_column(String(200), default="")

    schedule: Mapped[Schedule] = relationship(back_populates="exceptions")


class CalendarSnapshot(Base):
    """A schedule as it was when a clock started, stored once per content."""

    __tablename__ = "calendar_snapshot"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    calendar: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As in docs: tz, week, exceptions, yearly."""


class ServiceLevel(Base):
    """Norms for a client or company on a service."""

    __tablename__ = "service_level"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("client_category.id"))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service_offering.id"))
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    reaction_min: Mapped[int] = mapped_column(default=0)
    """Working minutes until it must be taken; 0 = not measured."""
    resolution_min: Mapped[int] = mapped_column(default=0)
    remind_percent: Mapped[int] = mapped_column(default=80)
    """Reminder when this share of a norm is used up; 0 = none."""
    resolution_starts: Mapped[str] = mapped_column(String(10), default="taken")
    """accepted | taken (ruling G1)"""
    pause_stops_reaction: Mapped[bool] = mapped_column(default=True)
    """Ruling G2."""
    archived: Mapped[bool] = mapped_column(default=False)

    schedule: Mapped[Schedule] = relationship()


class ServiceClock(Base):
    """One norm running on one ticket; the truth is its events, the columns are an index over them."""

    __tablename__ = "service_clock"
    __table_args__ = (
        UniqueConstraint("ticket_id", "kind"),
        Index("ix_service_clock_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[str] = mapped_column(String(16))
    """reaction | resolution"""
    level_id: Mapped[int] = mapped_column(ForeignKey("service_level.id"))
    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendar_snapshot.id"))
    target_sec: Mapped[int]
    remind_percent: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="running")
    """running | paused | stopped"""
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    elapsed_sec: Mapped[int | None]
    """The figure fixed when it stopped."""
    met: Mapped[bool | None]
    """Whether the norm was kept, once stopped."""
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    breached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the breach was recorded by the process; the breach itself is at `due_at`."""

    ticket: Mapped[Ticket] = relationship(back_populates="clocks")
    calendar: Mapped[CalendarSnapshot] = relationship(lazy="joined")
    level: Mapped[ServiceLevel] = relationship()
    events: Mapped[list[ClockEvent]] = relationship(back_populates="clock", order_by="ClockEvent.id", lazy="joined")


class ClockEvent(Base):
    """start | pause | resume | stop | retarget; only ever appended."""

    __tablename__ = "clock_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    clock_id: Mapped[int] = mapped_column(ForeignKey("service_clock.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(300), default="")
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    clock: Mapped[ServiceClock] = relationship(back_populates="events")
