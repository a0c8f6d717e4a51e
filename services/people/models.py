"""People who work at the desk: agents, their roles and groups, their presence."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, UtcDateTime

agent_role = Table(
    "agent_role",
    Base.metadata,
    Column("agent_id", ForeignKey("agent.id"), primary_key=True),
    Column("role_id", ForeignKey("role.id"), primary_key=True),
)
agent_group = Table(
    "agent_group",
    Base.metadata,
    Column("agent_id", ForeignKey("agent.id"), primary_key=True),
    Column("group_id", ForeignKey("group.id"), primary_key=True),
)


class Role(Base):
    """What somebody may do: operator, supervisor, analyst, admin."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    description: Mapped[str] = mapped_column(String(255), default="")


class Group(Base):
    """People who can be made responsible together."""

    __tablename__ = "group"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)

    members: Mapped[list[Agent]] = relationship(secondary=agent_group, back_populates="groups")


class Agent(Base):
    """A member of staff who logs in."""

    __tablename__ = "agent"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    position: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    """Changing it ends all sessions of the person."""
    language: Mapped[str] = mapped_column(String(5), default="ru")
    theme: Mapped[str] = mapped_column(String(8), default="system")
    zone: Mapped[str] = mapped_column(String(64), default="Europe/Moscow")
    presence: Mapped[str] = mapped_column(String(16), default="free")
    """free | away | busy | dnd | offline"""
    presence_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_assigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    roles: Mapped[list[Role]] = relationship(secondary=agent_role)
    groups: Mapped[list[Group]] = relationship(secondary=agent_group, back_populates="members")

    @property
    def ref(self) -> str:
        """The actor reference "agent:7"."""
        return f"agent:{self.id}"
