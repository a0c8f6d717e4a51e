"""The sweeper: finds what is due, leases it, hands it to the workers – or does it itself when nobody else can."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import structlog
from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from engine import clock, due, health, queue
from engine.changes import ChangeMark
from engine.db import Database
from engine.due import DueSource
from engine.errors import EngineError

log = structlog.get_logger(__name__)

LONGEST_SLEEP = 1.0
"""Seconds between two looks at the database when nobody calls."""
CROWDED_SLEEP = 0.05
WAITING_BATCHES = 8
"""More batches than this are not put into the queue: what waits in the database cannot be lost."""
STALL_SECONDS = 3.0
"""A queue that does not move for so long has no worker behind it."""
WITHOUT_REDIS_SECONDS = 2.0


class Ticker:
    """One sweeper; several may run, a lease keeps them apart."""

    def __init__(self, database: Database, redis_url: str, owner: str) -> None:
        self._database = database
        self._owner = owner
        self._lane = _Lane(queue.connect(redis_url))
        self._mark: ChangeMark | None = None
        self._seen = ""
        self._next: datetime | None = None
        self._beat = health.Beat(database, owner)

    def run(self, stop: threading.Event) -> None:
        """Sweep until `stop` is set. Neither a lost database nor a lost Redis ends it."""
        while not stop.is_set():
            try:
                self._beat.strike()
                pause = self.tick()
            except (SQLAlchemyError, EngineError) as error:
                log.warning("database is away", action="ticker.tick", error=str(error)[:200])
                self._forget()
                pause = LONGEST_SLEEP
            self._lane.wait(pause, stop)
        self._forget()
        self._lane.close()

    def tick(self) -> float:
        """Hand out everything that is due now; returns the seconds after which to look again."""
        mark = self._read_mark()
        if mark == self._seen and not self._is_due(self._next):
            return self._pause()
        waiting = self._next_by_source()
        crowded = [name for name, at in waiting.items() if self._is_due(at) and not self._hand_out(due.sources()[name])]
        self._seen = "" if crowded else mark
        self._next = self._earliest(waiting)
        return CROWDED_SLEEP if crowded else self._pause()

    def _next_by_source(self) -> dict[str, datetime | None]:
        with self._database.reading() as session:
            return {name: source.next_due(session) for name, source in due.sources().items()}

    def _hand_out(self, source: DueSource) -> bool:
        """Lease and pass on what is due; False when the queue was full before everything was passed on."""
        while room := self._lane.room():
            ids = self._claim(source, room * queue.BATCH)
            for start in range(0, len(ids), queue.BATCH):
                self._pass_on(source, ids[start : start + queue.BATCH])
            if len(ids) < room * queue.BATCH:
                return True
        return False

    def _claim(self, source: DueSource, limit: int) -> list[int]:
        with self._database.transaction() as session:
            return source.claim(session, self._owner, limit)

    def _pass_on(self, source: DueSource, ids: list[int]) -> None:
        if self._lane.send(source.name, ids):
            return
        try:
            source.execute(self._database, ids)
        except Exception:
            log.exception("due work failed", action="ticker.execute", source=source.name, ids=ids)

    def _is_due(self, at: datetime | None) -> bool:
        return at is not None and at <= clock.now()

    def _earliest(self, waiting: dict[str, datetime | None]) -> datetime | None:
        """The next instant to act on; what is due already but leased to somebody is looked at again soon."""
        soon = clock.now() + timedelta(seconds=LONGEST_SLEEP)
        return min((max(at, soon) if self._is_due(at) else at for at in waiting.values() if at), default=None)

    def _pause(self) -> float:
        if self._next is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(0.001, (self._next - clock.now()).total_seconds()))

    def _read_mark(self) -> str:
        self._mark = self._mark or ChangeMark(self._database)
        return self._mark.read()

    def _forget(self) -> None:
        mark, self._mark, self._seen = self._mark, None, ""
        if mark:
            mark.close()


class _Lane:
    """The way to the workers; it says by itself when it leads nowhere."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._waker: queue.Waker | None = None
        self._closed_until = 0.0
        self._length = 0
        self._moved_at = time.monotonic()

    def room(self) -> int:
        """How many batches may be claimed now: as many as the queue takes, or one to be done here."""
        if not self._is_open():
            return 1
        try:
            length = queue.queue(self._connection).count
        except RedisError as error:
            self._close(error)
            return 1
        if length == 0 or length != self._length:
            self._length, self._moved_at = length, time.monotonic()
        return 1 if self._is_stalled() else max(0, WAITING_BATCHES - length)

    def send(self, source: str, ids: list[int]) -> bool:
        """True when the workers have the batch; False when the caller must do the work himself."""
        if not self._is_open() or self._is_stalled():
            return False
        try:
            queue.enqueue(self._connection, source, ids)
        except RedisError as error:
            self._close(error)
            return False
        self._length += 1
        return True

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Sleep until somebody calls, at most so many seconds."""
        try:
            if self._is_open():
                self._waker = self._waker or queue.Waker(self._connection)
                self._waker.wait(seconds)
                return
        except RedisError as error:
            self._close(error)
        stop.wait(seconds)

    def close(self) -> None:
        if self._waker:
            self._waker.close()
        self._connection.close()

    def _is_open(self) -> bool:
        return time.monotonic() >= self._closed_until

    def _is_stalled(self) -> bool:
        return self._length > 0 and time.monotonic() - self._moved_at > STALL_SECONDS

    def _close(self, error: RedisError) -> None:
        log.warning("Redis is away, working without it", action="ticker.redis", error=str(error)[:200])
        self._closed_until = time.monotonic() + WITHOUT_REDIS_SECONDS
        self._length = 0
        waker, self._waker = self._waker, None
        if waker:
            waker.close()
