"""The queue in Redis: it carries names and ids, may lose or double them, and runs nothing but our own batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from redis import Redis, RedisError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from engine import db, listeners
from engine.models import ProcessInstance

log = structlog.get_logger(__name__)

QUEUE = "bpmdesk"
RUN_BATCH = "engine.worker.run_batch"
BATCH = 25
JOB_SECONDS = 30
_WAKE = "bpmdesk:wake"
_PATIENCE = 1.0
"""Seconds to wait for Redis before going on without it."""
_SULK = 5.0
"""Seconds in which a Redis that failed is not asked again by a web process."""


class BatchJob(Job):
    """A job that names one allowed function and a batch of ids; anything else counts as not there.

    Whoever can write to Redis can put a job into the queue. Such a job is logged and dropped before
    anything of it is looked up, imported or called – its callbacks, web hooks and dependencies included.
    """

    def restore(self, raw_data: Any) -> None:
        try:
            super().restore(raw_data)
            self._refuse_foreign()
        except NoSuchJobError:
            raise
        except Exception as error:
            self._drop(f"unreadable: {type(error).__name__}")

    def _refuse_foreign(self) -> None:
        if self._extras():
            self._drop("asks for more than a batch")
        if self.func_name != RUN_BATCH or self.instance is not None or self.kwargs:
            self._drop("calls another function")
        if not _is_batch(self.args):
            self._drop("has other arguments")

    def _extras(self) -> bool:
        return any(
            (
                self._success_callback_name,
                self._failure_callback_name,
                self._stopped_callback_name,
                self.webhooks,
                self._dependency_ids,
                self.repeats_left,
                self.retries_left,
            )
        )

    def _drop(self, reason: str) -> None:
        log.warning("foreign job dropped", action="queue.drop", job=self.id, reason=reason)
        raise NoSuchJobError(f"Expected a batch of the desk: {reason}")


def _is_batch(arguments: Any) -> bool:
    if not isinstance(arguments, list | tuple) or len(arguments) != 2:
        return False
    source, ids = arguments
    return (
        isinstance(source, str)
        and isinstance(ids, list)
        and len(ids) <= BATCH
        and all(type(identity) is int for identity in ids)
    )


def connect(url: str, *, patience: float | None = _PATIENCE) -> Redis:
    """A lazy connection; each answer is waited for `patience` seconds, None = as long as the caller says."""
    return Redis.from_url(url, socket_connect_timeout=_PATIENCE, socket_timeout=patience)


def queue(connection: Redis) -> Queue:
    """The one queue of the desk."""
    return Queue(QUEUE, connection=connection, job_class=BatchJob, serializer=JSONSerializer, is_async=True)


def enqueue(connection: Redis, source: str, ids: Sequence[int]) -> None:
    """Hand one batch to the workers; raises RedisError when Redis is away."""
    queue(connection).enqueue_call(
        RUN_BATCH, args=(source, list(ids)), timeout=JOB_SECONDS, result_ttl=0, failure_ttl=3600, description=source
    )


def wake(connection: Redis) -> None:
    """Tell the ticker that something may be due sooner than it thinks."""
    connection.publish(_WAKE, "1")


class Waker:
    """What the ticker waits on: the next wake-up call, or the end of its patience."""

    def __init__(self, connection: Redis) -> None:
        self._pubsub = connection.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self._pubsub.subscribe(_WAKE)

    def wait(self, seconds: float) -> None:
        """Return at a wake-up call or after `seconds`; raises RedisError when Redis is away."""
        if self._pubsub.get_message(timeout=seconds):
            while self._pubsub.get_message(timeout=0):
                pass

    def close(self) -> None:
        self._pubsub.close()


def wake_after_steps(url: str) -> None:
    """From now on every committed step of this process wakes the ticker; a Redis that is away costs next to nothing."""
    call = _Call(connect(url, patience=0.2))

    def on_step(session: Session, _instance: ProcessInstance) -> None:
        if "wakes_ticker" not in session.info:
            session.info["wakes_ticker"] = True
            db.after_commit(session, call)

    listeners.listeners().stepped.append(on_step)


class _Call:
    """A wake-up call that, after a failure, keeps silent for a while."""

    def __init__(self, connection: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._silent_until = 0.0

    def __call__(self) -> None:
        if self._clock() < self._silent_until:
            return
        try:
            wake(self._connection)
        except RedisError:
            self._silent_until = self._clock() + _SULK
