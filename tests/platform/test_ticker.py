"""The ticker hands out what is due, once, in batches, cheaply – with Redis and without."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import event

from engine import due, queue
from engine.clock import FixedClock
from engine.db import Database
from engine.ticker import WAITING_BATCHES, Ticker
from tests.platform import chores


@pytest.fixture
def laid(database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Database:
    """60 chores that fall due in an hour."""
    monkeypatch.setattr(due, "_sources", {"chores": chores.SOURCE})
    chores.lay_out(database, 60, clock.at + timedelta(hours=1))
    return database


@pytest.fixture
def redis(valkey: str) -> Iterator[Redis]:
    connection = Redis.from_url(valkey)
    yield connection
    connection.close()


@pytest.fixture
def nowhere(tmp_path: Path) -> str:
    return f"unix://{tmp_path / 'nobody.sock'}"


def batches(redis: Redis) -> list[int]:
    return [len(job.args[1]) for job in queue.queue(redis).jobs]


def test_nothing_is_handed_out_before_its_time(laid: Database, valkey: str, redis: Redis) -> None:
    Ticker(laid, valkey, "ticker").tick()

    assert batches(redis) == []


def test_due_rows_go_to_the_queue_in_batches(laid: Database, clock: FixedClock, valkey: str, redis: Redis) -> None:
    clock.advance(timedelta(hours=1))

    Ticker(laid, valkey, "ticker").tick()

    assert batches(redis) == [25, 25, 10]


def test_leased_rows_are_not_handed_out_twice(laid: Database, clock: FixedClock, valkey: str, redis: Redis) -> None:
    clock.advance(timedelta(hours=1))

    Ticker(laid, valkey, "ticker").tick()
    Ticker(laid, valkey, "second").tick()

    assert sum(batches(redis)) == 60


def test_lost_batches_are_handed_out_again_after_the_lease(
    laid: Database, clock: FixedClock, valkey: str, redis: Redis
) -> None:
    clock.advance(timedelta(hours=1))
    ticker = Ticker(laid, valkey, "ticker")
    ticker.tick()
    redis.flushall()

    clock.advance(chores.LEASE)
    ticker.tick()

    assert sum(batches(redis)) == 60


def test_more_than_the_queue_takes_waits_in_the_database(
    laid: Database, clock: FixedClock, valkey: str, redis: Redis
) -> None:
    chores.lay_out(laid, 1000, clock.at)

    Ticker(laid, valkey, "ticker").tick()

    assert batches(redis) == [25] * WAITING_BATCHES


def test_without_redis_the_ticker_does_the_work(laid: Database, clock: FixedClock, nowhere: str) -> None:
    clock.advance(timedelta(hours=1))

    Ticker(laid, nowhere, "ticker").tick()

    assert chores.effects(laid) == [1] * 60


def test_without_a_worker_the_ticker_does_the_work(
    laid: Database, clock: FixedClock, valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.ticker.STALL_SECONDS", -1)
    clock.advance(timedelta(hours=1))
    ticker = Ticker(laid, valkey, "ticker")
    ticker.tick()

    clock.advance(chores.LEASE)
    ticker.tick()

    assert chores.effects(laid) == [1] * 60


def test_failing_work_does_not_end_the_ticker(
    laid: Database, clock: FixedClock, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_database: Database, _ids: list[int]) -> None:
        raise RuntimeError("broken")

    broken = due.DueSource("broken", chores.claim, fail, chores.next_due)
    monkeypatch.setattr(due, "_sources", {"broken": broken, "chores": chores.SOURCE})
    clock.advance(timedelta(hours=1))

    pause = Ticker(laid, nowhere, "ticker").tick()

    assert pause <= 1.0


def test_idle_tick_reads_no_table(laid: Database, valkey: str) -> None:
    ticker = Ticker(laid, valkey, "ticker")
    ticker.tick()
    statements: list[str] = []
    event.listen(laid.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))

    for _ in range(10):
        ticker.tick()

    assert statements == []


def test_a_row_written_by_somebody_else_is_seen_at_the_next_tick(
    laid: Database, clock: FixedClock, valkey: str, redis: Redis
) -> None:
    ticker = Ticker(laid, valkey, "ticker")
    ticker.tick()

    chores.lay_out(laid, 1, clock.at)
    ticker.tick()

    assert batches(redis) == [1]


def test_ticker_sleeps_no_longer_than_to_the_next_row(laid: Database, clock: FixedClock, valkey: str) -> None:
    clock.advance(timedelta(minutes=59, seconds=59, milliseconds=700))

    pause = Ticker(laid, valkey, "ticker").tick()

    assert pause == pytest.approx(0.3)
