"""The one source of "now": always an aware UTC instant, settable in tests and demonstrations."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path

_Source = Callable[[], datetime]


def _system() -> datetime:
    return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime) -> None:
        self.at = aware(start)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> datetime:
        self.at += by
        return self.at

    def set(self, at: datetime) -> None:
        self.at = aware(at)


class OffsetFileClock:
    """The system clock plus the seconds written in a file, shared by all processes of one desk.

    A missing or unreadable file means no offset. The file is read again when it changes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: int | None = None
        self._offset = timedelta()

    def __call__(self) -> datetime:
        try:
            changed = os.stat(self._path).st_mtime_ns
            if changed != self._seen:
                self._offset = timedelta(seconds=float(self._path.read_text()))
                self._seen = changed
        except (OSError, ValueError):
            self._offset = timedelta()
        return _system() + self._offset


_source: _Source = _system
_here: ContextVar[_Source | None] = ContextVar("clock", default=None)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return (_here.get() or _source)()


def aware(value: datetime) -> datetime:
    """The same instant in UTC; a naive value is refused with ValueError."""
    if value.tzinfo is None:
        raise ValueError(f"Expected an instant with a time zone, got {value.isoformat()}")
    return value.astimezone(UTC)


def install(source: _Source | None) -> None:
    """Make `source` the clock of this process; None returns to the system clock."""
    global _source
    _source = source or _system


@contextmanager
def using(source: _Source) -> Iterator[_Source]:
    """Use `source` inside the block, in this thread only: others go on by the clock of the process."""
    token = _here.set(source)
    try:
        yield source
    finally:
        _here.reset(token)
