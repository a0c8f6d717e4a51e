"""Reading is of one moment: what others commit meanwhile is not seen half."""

from __future__ import annotations

from sqlalchemy import func, select

from engine import clock
from engine.db import Database
from engine.models import Heartbeat


def test_a_reader_sees_one_moment_however_long_it_reads(database: Database) -> None:
    counted = select(func.count()).select_from(Heartbeat)

    with database.reading() as reader:
        before = reader.scalar(counted)
        with database.transaction() as writer:
            writer.add(Heartbeat(name="ticker", at=clock.now()))
        meanwhile = reader.scalar(counted)

    with database.reading() as later:
        assert (before, meanwhile, later.scalar(counted)) == (0, 0, 1)
