"""A desk for measuring: the shipped processes, staff without an audience, a counter of what the database is asked."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from engine import clock
from engine.clock import FixedClock
from engine.config import Settings
from engine.db import Base, Database
from tests.desk import Desk

MONDAY = datetime(2026, 3, 16, 7, 0, tzinfo=UTC)


@dataclass
class Cost:
    """What one operation cost."""

    cpu_ms: list[float] = field(default_factory=list)
    sql: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)

    @contextmanager
    def of(self, engine: Engine) -> Iterator[None]:
        """Add the cost of the block to the samples."""
        statements, commits = 0, 0

        def executed(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            nonlocal statements
            statements += not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE"))

        def committed(_conn: Any) -> None:
            nonlocal commits
            commits += 1

        event.listen(engine, "before_cursor_execute", executed)
        event.listen(engine, "commit", committed)
        before = time.process_time()
        try:
            yield
        finally:
            self.cpu_ms.append((time.process_time() - before) * 1000)
            event.remove(engine, "before_cursor_execute", executed)
            event.remove(engine, "commit", committed)
        self.sql.append(statements)
        self.commits.append(commits)


@contextmanager
def workplace() -> Iterator[Desk]:
    """A desk on an SQLite file of its own, its clock at a Monday morning."""
    with tempfile.TemporaryDirectory() as folder, clock.using(FixedClock(MONDAY)) as fixed:
        assert isinstance(fixed, FixedClock)
        settings = Settings(data_dir=Path(folder), secret_key="a-key-for-benchmarks", demo=False)  # noqa: S106
        created = Database(settings.database)
        Base.metadata.create_all(created.engine)
        created.dispose()
        desk = Desk(settings, fixed)
        try:
            yield desk
        finally:
            desk.close()
