"""Signs of life: who beats, whether database and Redis answer, and how late the due work is."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis import RedisError
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from engine import clock, due, queue
from engine.config import Settings
from engine.db import Database
from engine.errors import EngineError
from engine.models import Heartbeat

BEAT_SECONDS = 10.0
SILENCE = timedelta(seconds=45)
"""A process that has not beaten for so long counts as gone."""
FORGET = timedelta(hours=1)


class Beat:
    """The heartbeat of one process: a row that is renewed every few seconds."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._last = float("-inf")

    def strike(self) -> None:
        """Renew the row when it is time to."""
        if time.monotonic() - self._last < BEAT_SECONDS:
            return
        with self._database.transaction() as session:
            session.merge(Heartbeat(name=self._name, at=clock.now(), data={}))
        self._last = time.monotonic()

    def try_to_strike(self) -> None:
        """As strike(), for a process that has more important work than to be seen."""
        with suppress(SQLAlchemyError, EngineError):
            self.strike()


@dataclass(frozen=True, slots=True)
class Pulse:
    """One process that has beaten within the last hour."""

    name: str
    at: datetime
    alive: bool


@dataclass(frozen=True, slots=True)
class Health:
    """How the desk is at one moment."""

    at: datetime
    database: str
    """Empty when it answers, else what is wrong."""
    redis: str
    """Empty when it answers, else what is wrong; the desk works without it, a little later."""
    queued: int
    """Batches that wait for a worker."""
    pulses: tuple[Pulse, ...]
    late: dict[str, timedelta]
    """By source of due work: how long its oldest row has been due; only what is late at all."""
    free_bytes: int

    @property
    def ticker_alive(self) -> bool:
        return any(pulse.alive and pulse.name.startswith("ticker") for pulse in self.pulses)

    @property
    def workers_alive(self) -> int:
        return sum(pulse.alive and pulse.name.startswith("worker") for pulse in self.pulses)

    @property
    def well(self) -> bool:
        return not self.database and not self.redis and self.ticker_alive and self.workers_alive > 0


def snapshot(database: Database, settings: Settings) -> Health:
    """Look at everything once; never raises."""
    redis, queued = _redis(settings.redis)
    try:
        pulses, late = _beats(database), _lateness(database)
        trouble = ""
    except (SQLAlchemyError, EngineError) as error:
        pulses, late, trouble = (), {}, str(error).splitlines()[0][:200]
    free = shutil.disk_usage(settings.data_dir).free if settings.data_dir.exists() else 0
    return Health(clock.now(), trouble, redis, queued, pulses, late, free)


def _redis(url: str) -> tuple[str, int]:
    connection = queue.connect(url)
    try:
        return "", queue.queue(connection).count
    except RedisError as error:
        return str(error)[:200] or type(error).__name__, 0
    finally:
        connection.close()


def _beats(database: Database) -> tuple[Pulse, ...]:
    now = clock.now()
    with database.reading() as session:
        session.execute(text("SELECT 1"))
        rows = session.scalars(select(Heartbeat).where(Heartbeat.at > now - FORGET).order_by(Heartbeat.name))
        return tuple(Pulse(row.name, row.at, now - row.at < SILENCE) for row in rows)


def _lateness(database: Database) -> dict[str, timedelta]:
    now = clock.now()
    with database.reading() as session:
        waiting = {name: source.next_due(session) for name, source in due.sources().items()}
    return {name: now - at for name, at in waiting.items() if at and at < now}
