"""The worker: takes batches of due ids from the queue and has their source do the work."""

from __future__ import annotations

import signal
import threading
import uuid
from types import FrameType
from typing import Any

import structlog
from redis import Redis, RedisError
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from engine import due, health, queue
from engine.db import Database

log = structlog.get_logger(__name__)

_database: Database | None = None


def bind(database: Database) -> None:
    """The database that the batches of this process work on."""
    global _database
    _database = database


def run_batch(source: str, ids: list[int]) -> None:
    """Do one batch; the only function that the queue may call."""
    found = due.sources().get(source)
    if found is None or _database is None:
        log.warning("batch of an unknown source", action="worker.batch", source=source)
        return
    found.execute(_database, ids)


class BatchWorker(SimpleWorker):
    """rq's worker without its back door: it takes batches and no orders over Redis, and never waits long for it."""

    max_connection_wait_time = 1.0

    def __init__(self, connection: Redis, beat: health.Beat) -> None:
        super().__init__(
            [queue.queue(connection)],
            name=uuid.uuid4().hex,
            connection=connection,
            job_class=queue.BatchJob,
            serializer=JSONSerializer,
            worker_ttl=20,
            log_job_description=False,
        )
        self._beat = beat
        self.stopped = False

    def subscribe(self) -> None:
        """No commands over Redis."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def procline(self, message: str) -> None:
        """The process keeps its name."""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopped = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        self._beat.try_to_strike()
        super().heartbeat(timeout, pipeline)


def run(database: Database, redis_url: str, name: str) -> None:
    """Work until SIGTERM or SIGINT; when Redis is away, wait for it."""
    bind(database)
    beat = health.Beat(database, name)
    stop = threading.Event()
    while not stop.is_set():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            worker = BatchWorker(queue.connect(redis_url, patience=None), beat)
            worker.work(logging_level="WARNING")
            if worker.stopped:
                return
        except RedisError as error:
            log.warning("Redis is away, waiting for it", action="worker.redis", error=str(error)[:200])
        beat.try_to_strike()
        stop.wait(1.0)
