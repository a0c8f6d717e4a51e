"""Catalogs the administrator keeps: categories, types, services, products, statuses, counters."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base

PRIORITIES = ("low", "medium", "high", "critical")


class ClientCategory(Base):
    """Стандарт, VIP …"""

    __tablename__ = "client_category"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    badge: Mapped[str] = mapped_column(String(12), default="")
    """Short mark shown beside the client, e.g. "VIP"; empty = none."""
    archived: Mapped[bool] = mapped_column(default=False)


class TicketType(Base):
    """Вопрос, Инцидент …; gives the ticket its priority."""

    __tablename__ = "ticket_type"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    priority: Mapped[str] = mapped_column(String(16), default="medium")
    position: Mapped[int] = mapped_column(default=0)
    archived: Mapped[bool] = mapped_column(default=False)


class TicketStatus(Base):
    """A status that processes may declare on their nodes."""

    __tablename__ = "ticket_status"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name_ru: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    shape: Mapped[str] = mapped_column(String(12), default="open")
    """class (dashed) | open (empty) | work (half) | wait (paused) | done (filled)"""
    category: Mapped[str] = mapped_column(String(12), default="open")
    """new | open | paused | done"""
    position: Mapped[int] = mapped_column(default=0)


class ServiceOffering(Base):
    """A node of the service tree."""

    __tablename__ = "service_offering"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("service_offering.id"))
    strategy: Mapped[str] = mapped_column(String(24), default="least_loaded")
    position: Mapped[int] = mapped_column(default=0)
    archived: Mapped[bool] = mapped_column(default=False)

    parent: Mapped[ServiceOffering | None] = relationship(remote_side=[id])
    responsibles: Mapped[list[ServiceResponsible]] = relationship(back_populates="service")


class ServiceResponsible(Base):
    """One person or one group responsible for a service."""

    __tablename__ = "service_responsible"
    __table_args__ = (CheckConstraint("(agent_id IS NULL) <> (group_id IS NULL)", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service_offering.id"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("group.id"))

    service: Mapped[ServiceOffering] = relationship(back_populates="responsibles")


class Product(Base):
    """What a request may be about."""

    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    archived: Mapped[bool] = mapped_column(default=False)


class Counter(Base):
    """A gap-free counter; the row is locked by the transaction that takes a number."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(default=0)
