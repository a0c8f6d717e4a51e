"""Clients, their contacts and companies."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, UtcDateTime
from services.catalog.models import ClientCategory


class Company(Base):
    """An organisation whose people write to the desk."""

    __tablename__ = "company"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("client_category.id"))

    category: Mapped[ClientCategory | None] = relationship(lazy="joined")


class Client(Base):
    """A person who asks."""

    __tablename__ = "client"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    position: Mapped[str] = mapped_column(String(200), default="")
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("client_category.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    company: Mapped[Company | None] = relationship(lazy="joined")
    category: Mapped[ClientCategory | None] = relationship(lazy="joined")
    contacts: Mapped[list[ClientContact]] = relationship(back_populates="client")


class ClientContact(Base):
    """One address of a client, normalised; the same address never belongs to two clients."""

    __tablename__ = "client_contact"
    __table_args__ = (UniqueConstraint("kind", "value"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """email | phone | chat"""
    value: Mapped[str] = mapped_column(String(255))

    client: Mapped[Client] = relationship(back_populates="contacts")
