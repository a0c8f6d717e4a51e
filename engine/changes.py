"""A cheap question to the database: has anybody written since I asked last?"""

from __future__ import annotations

from engine.db import Database


class ChangeMark:
    """One trivial query that reads no table; its answer differs once another connection has committed a change.

    Holds one connection of its own, because SQLite counts changes by connection.
    """

    def __init__(self, database: Database) -> None:
        self._connection = database.engine.raw_connection()
        self._question = "PRAGMA data_version" if database.is_sqlite else "SELECT pg_current_snapshot()::text"

    def read(self) -> str:
        cursor = self._connection.cursor()
        try:
            cursor.execute(self._question)
            row = cursor.fetchone()
        finally:
            cursor.close()
            self._connection.rollback()
        return str(row and row[0])

    def close(self) -> None:
        self._connection.close()
