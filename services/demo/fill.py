"""Filling an empty desk with the demonstration, on a clock that walks from then to now."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import clock, jobs
from engine.clock import FixedClock
from engine.config import Settings
from engine.db import Database
from services.demo.catalogs import add_catalogs
from services.demo.people import PASSWORD, add_staff
from services.demo.story import Cast, moments
from services.notifications.models import Notification, OutboxMessage
from services.people.models import Agent

__all__ = ["PASSWORD", "fill"]


def fill(database: Database, settings: Settings) -> bool:
    """Add people, catalogs and requests to a desk without people; False when somebody is there already.

    The built-in processes must be active. Timers that fall due on the way fire at their own time.
    """
    now = clock.now()
    with database.transaction() as session:
        if session.scalar(select(Agent.id).limit(1)) is not None:
            return False
        staff = add_staff(session, settings)
        add_catalogs(session, staff)
    cast = Cast(staff)
    walking = FixedClock(now)
    with clock.using(walking):
        for moment in moments(cast, now):
            _fire_until(database, walking, moment.at)
            walking.set(moment.at)
            with database.transaction() as session:
                moment.happens(session)
        _fire_until(database, walking, now)
    with database.transaction() as session:
        _settle(session)
    return True


def _settle(session: Session) -> None:
    """What was told to the staff long ago has been read, and its mails have been sent."""
    now = clock.now()
    long_ago = Notification.created_at < now - timedelta(days=1)
    session.execute(update(Notification).where(long_ago).values(read_at=Notification.created_at))
    to_staff = OutboxMessage.key.startswith("notify:", autoescape=True)
    session.execute(update(OutboxMessage).where(to_staff).values(state="sent", sent_at=OutboxMessage.created_at))


def _fire_until(database: Database, walking: FixedClock, until: datetime) -> None:
    """Let every timer that falls due before `until` fire at its own instant."""
    while True:
        with database.transaction() as session:
            due_at = jobs.next_due(session)
            if due_at is None or due_at > until:
                return
            walking.set(max(due_at, walking.at))
            ids = jobs.claim(session, owner="demo", limit=100, now=walking.at)
        if not ids:
            return
        jobs.execute(database, ids)
