"""Housekeeping: events of open pages go every hour, files without a row every day; daily the history is signed."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from engine import anchors, clock, migration
from engine.config import Settings
from engine.db import Database
from engine.due import DueSource
from services.access import tokens
from services.lines import attachments
from services.notifications import live

log = structlog.get_logger(__name__)

PRUNE_AFTER = live.KEPT + timedelta(minutes=10)
SWEEP_EVERY = timedelta(days=1)
_EVENTS, _FILES, _ANCHOR = 1, 2, 3


def source(settings: Settings) -> DueSource:
    """The chores as due work; files are swept when the process starts and then daily, for a crash leaves orphans."""
    house = _House(settings)
    return DueSource("housekeeping", house.claim, house.keep, house.next_due)


class _House:
    """The chores, and when this process has swept last: nothing is lost when two processes both sweep."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sweep_at: datetime | None = None
        self._anchor_at: datetime | None = None

    def next_due(self, session: Session) -> datetime:
        """When the next chore falls due."""
        return min(self._due(session).values())

    def claim(self, session: Session, _owner: str, _limit: int) -> list[int]:
        """The chores that are due now."""
        now = clock.now()
        chores = [chore for chore, at in self._due(session).items() if at <= now]
        if _FILES in chores:
            self._sweep_at = now + SWEEP_EVERY
        if _ANCHOR in chores:
            self._anchor_at = now + anchors.EVERY
        return chores

    def keep(self, database: Database, chores: list[int]) -> None:
        """Do them."""
        if _EVENTS in chores:
            with database.transaction() as session:
                live.prune(session)
                migration.forget_expired(session)
                tokens.forget_answers(session)
        if _FILES in chores:
            with database.reading() as session:
                removed = attachments.remove_orphans(session, self._settings)
            log.info("files without a row removed", action="housekeeping", removed=removed)

        if _ANCHOR in chores:
            with database.transaction() as session:
                anchors.write(session)

    def _due(self, session: Session) -> dict[int, datetime]:
        self._sweep_at = self._sweep_at or clock.now()
        self._anchor_at = self._anchor_at or anchors.next_at(session)
        oldest = live.oldest_at(session)
        return {_FILES: self._sweep_at, _ANCHOR: self._anchor_at} | ({_EVENTS: oldest + PRUNE_AFTER} if oldest else {})
