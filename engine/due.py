"""Sources of due work: rows that somebody must act on at a certain time, claimed by the ticker, done by a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from engine.db import Database


@dataclass(frozen=True, slots=True)
class DueSource:
    """Rows of one kind; a claim is a lease that ends by itself, so whatever is lost on the way is claimed again."""

    name: str
    claim: Callable[[Session, str, int], list[int]]
    """(session, owner, limit) → ids of due rows, leased to the owner."""
    execute: Callable[[Database, list[int]], None]
    """Do the work; an id that is no longer due is passed over."""
    next_due: Callable[[Session], datetime | None]
    """When the next row falls due (or its lease ends); None when nothing waits."""


_sources: dict[str, DueSource] = {}


def register(source: DueSource) -> None:
    """Add a source, or replace the one of the same name."""
    _sources[source.name] = source


def sources() -> dict[str, DueSource]:
    """The registered sources by name."""
    return dict(_sources)
