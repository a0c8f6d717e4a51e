"""Who has work that becomes due: the sources that the ticker asks, registered by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from engine.db import Database


@dataclass(frozen=True)
class DueSource:
    """One kind of due rows and the four things the ticker and the workers do with them."""

    name: str
    claim: Callable[[Session, str, int], list[int]]
    """Session, owner, limit → the ids that are this owner's until its lease runs out."""
    execute: Callable[[Database, list[int]], None]
    """Does the work in transactions of its own; ids that are no longer due are passed over."""
    next_due: Callable[[Session], datetime | None]


_sources: dict[str, DueSource] = {}


def register(source: DueSource) -> None:
    """Make the source known in this process; the last one of a name stays."""
    _sources[source.name] = source


def sources() -> dict[str, DueSource]:
    """All sources by name; the engine's own jobs are always among them."""
    import engine.jobs
    import engine.migrating
    import engine.start_timers  # noqa: F401 - all register themselves; they are built on this module

    return dict(_sources)
