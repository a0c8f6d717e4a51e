"""The red line over the administrator's pages: nothing fires, so deadlines pass unseen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import g
from sqlalchemy import func, select

from engine import clock, due
from engine.health import SILENCE
from engine.models import Heartbeat
from webui.routes import may

_TOLERATED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why nothing fires."""

    last_tick: datetime | None
    """When the ticker was seen last; None = never."""
    late: timedelta
    """How long the oldest due timer has been waiting."""


def current() -> Alarm | None:
    """The alarm for those who can do something about it, None for others and while all is well."""
    if not g.get("agent") or not may(g.agent, ("analyst", "admin")):
        return None
    last = g.session.scalar(select(func.max(Heartbeat.at)).where(Heartbeat.name.like("ticker%")))
    now = clock.now()
    late = _lateness(now)
    if last and now - last < SILENCE and late < _TOLERATED:
        return None
    return Alarm(last, late)


def _lateness(now: datetime) -> timedelta:
    timers = due.sources().get("jobs")
    at = timers.next_due(g.session) if timers else None
    return now - at if at and at < now else timedelta()
