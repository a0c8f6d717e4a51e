"""The fixtures keep their promises: own database, standing clock, real Valkey, no way out of the machine."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest
import redis
from sqlalchemy import inspect

from engine import clock as engine_clock
from engine.clock import FixedClock
from engine.config import Settings
from engine.db import Base, Database


def test_database_has_every_table(database: Database) -> None:
    assert set(Base.metadata.tables) <= set(inspect(database.engine).get_table_names())


def test_settings_point_to_the_database(settings: Settings, database: Database) -> None:
    assert settings.database == database.url


def test_clock_stands_until_moved(clock: FixedClock) -> None:
    before = engine_clock.now()

    clock.advance(timedelta(hours=4))

    assert before == datetime(2026, 3, 16, 9, tzinfo=UTC)
    assert engine_clock.now() - before == timedelta(hours=4)


def test_valkey_answers(valkey: str) -> None:
    with redis.from_url(valkey) as client:
        assert client.dbsize() == 0
        assert client.ping()


@pytest.mark.filterwarnings("ignore:A test tried")
def test_outside_world_is_out_of_reach() -> None:
    with socket.socket() as outside, pytest.raises(RuntimeError, match="allowed"):
        outside.connect(("192.0.2.1", 80))
