"""Reading one's feed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.notifications import texts
from services.notifications.models import Notification
from services.people.models import Agent


def feed(session: Session, agent: Agent, limit: int = 50) -> Sequence[Notification]:
    """The person's notifications, newest first."""
    own = select(Notification).where(Notification.agent_id == agent.id)
    return session.scalars(own.order_by(Notification.created_at.desc(), Notification.id.desc()).limit(limit)).all()


def unread_count(session: Session, agent: Agent) -> int:
    """How many of them have not been read."""
    unread = select(func.count()).where(Notification.agent_id == agent.id, Notification.read_at.is_(None))
    return session.scalar(unread) or 0


def text(notification: Notification, language: str = "ru") -> str:
    """What one notification says."""
    return texts.line(notification.kind, notification.data, language)
