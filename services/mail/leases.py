"""Leases on mails that fall due: taken by one worker, free again once its time is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.db import Database
from services.lines.models import InboundMail
from services.notifications.models import OutboxMessage

Mail = type[InboundMail] | type[OutboxMessage]


def claim(session: Session, mail: Mail, state: str, lease: timedelta, limit: int) -> list[int]:
    """Lease up to `limit` mails of that state that are due, oldest first."""
    now = clock.now()
    due = (
        select(mail.id)
        .where(mail.state == state, mail.next_at <= now)
        .where(or_(mail.lease_until.is_(None), mail.lease_until <= now))
        .order_by(mail.next_at, mail.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(session.scalars(due))
    if ids:
        session.execute(update(mail).where(mail.id.in_(ids)).values(lease_until=now + lease))
    return ids


def next_due(session: Session, mail: Mail, state: str) -> datetime | None:
    """When the next mail of that state is due, or its lease ends."""
    waits_until = func.coalesce(mail.lease_until, mail.next_at)
    return session.scalar(select(func.min(waits_until)).where(mail.state == state))


def give_back(database: Database, mail: Mail, state: str, ids: list[int]) -> None:
    """Free what a batch had no time for."""
    with database.transaction() as session:
        session.execute(update(mail).where(mail.id.in_(ids), mail.state == state).values(lease_until=None))
