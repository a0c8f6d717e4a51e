"""The migrations lead from nothing to exactly the tables that the models describe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Integer, inspect

from engine import migrations
from engine.db import Base, Database


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    database = Database(empty_database_url)
    yield database
    database.dispose()


def test_upgrade_creates_what_the_models_say(empty: Database) -> None:
    assert migrations.upgrade(empty)

    assert migrations.differences(empty) == []
    assert set(Base.metadata.tables) <= set(inspect(empty.engine).get_table_names())


def test_second_upgrade_does_nothing(empty: Database) -> None:
    migrations.upgrade(empty)

    assert not migrations.upgrade(empty)
    assert migrations.is_current(empty)


def test_a_forgotten_migration_is_noticed(empty: Database) -> None:
    migrations.upgrade(empty)
    ticket = Base.metadata.tables["ticket"]
    column = Column("forgotten", Integer)

    ticket.append_column(column)
    try:
        found = migrations.differences(empty)
    finally:
        ticket._columns.remove(column)  # type: ignore[attr-defined]

    assert any("forgotten" in str(difference) for difference in found)
