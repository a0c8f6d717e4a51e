"""The queue carries batches of the desk and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from engine import due, health, queue, worker
from engine.db import Database


@pytest.fixture
def redis(valkey: str) -> Iterator[Redis]:
    connection = Redis.from_url(valkey)
    yield connection
    connection.close()


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, database: Database) -> list[list[int]]:
    """The batches that a worker was given by the source "fake"."""
    batches: list[list[int]] = []
    source = due.DueSource("fake", lambda *_: [], lambda _, ids: batches.append(ids), lambda _: None)
    monkeypatch.setitem(due._sources, "fake", source)
    monkeypatch.setattr(worker, "_database", database)
    return batches


def work_off(redis: Redis, database: Database) -> None:
    worker.BatchWorker(redis, health.Beat(database, "worker-1")).work(burst=True, logging_level="ERROR")


def test_batch_reaches_its_source(redis: Redis, database: Database, done: list[list[int]]) -> None:
    queue.enqueue(redis, "fake", [1, 2, 3])

    work_off(redis, database)

    assert done == [[1, 2, 3]]


def test_finished_batch_leaves_nothing_behind(redis: Redis, database: Database, done: list[list[int]]) -> None:
    queue.enqueue(redis, "fake", [1])

    work_off(redis, database)

    assert not list(redis.scan_iter("rq:job:*"))


def foreign_queue(redis: Redis) -> Queue:
    return Queue(queue.QUEUE, connection=redis, serializer=JSONSerializer)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("os.system", ("echo owned > owned.txt",)),
        ("builtins.print", ("fake", [1])),
        (queue.RUN_BATCH, ("fake", [1], "more")),
        (queue.RUN_BATCH, ("fake", list(range(26)))),
        (queue.RUN_BATCH, ("fake", ["1; drop table ticket"])),
        (queue.RUN_BATCH, ("fake", [True])),
    ],
)
def test_foreign_job_is_dropped_and_the_next_one_done(
    redis: Redis, database: Database, done: list[list[int]], function: str, arguments: tuple[Any, ...]
) -> None:
    foreign_queue(redis).enqueue_call(function, args=arguments)
    queue.enqueue(redis, "fake", [7])

    work_off(redis, database)

    assert done == [[7]]


def test_callbacks_web_hooks_and_retries_are_not_carried_out(
    redis: Redis, database: Database, done: list[list[int]]
) -> None:
    for field, value in {
        "success_callback_name": "os.getcwd",
        "failure_callback_name": "os.getcwd",
        "stopped_callback_name": "os.getcwd",
        "dependency_ids": json.dumps(["other"]),
        "retries_left": "3",
    }.items():
        job = foreign_queue(redis).enqueue_call(queue.RUN_BATCH, args=("fake", [1]))
        redis.hset(job.key, field, value)

    work_off(redis, database)

    assert done == []


@pytest.mark.parametrize("data", [b"not json", b"\x80\x04N.", b"[]", b"{}", b"\xff" * 40])
def test_unreadable_job_is_dropped(redis: Redis, database: Database, done: list[list[int]], data: bytes) -> None:
    job = foreign_queue(redis).enqueue_call(queue.RUN_BATCH, args=("fake", [1]))
    redis.hset(job.key, "data", data)
    queue.enqueue(redis, "fake", [7])

    work_off(redis, database)

    assert done == [[7]]


def test_worker_takes_no_orders_over_redis(redis: Redis, database: Database) -> None:
    worker.BatchWorker(redis, health.Beat(database, "worker-1")).bootstrap(logging_level="ERROR")

    assert redis.pubsub_channels() == []
