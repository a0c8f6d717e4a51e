"""UTC offsets of a time zone as whole periods, so that local hours turn into instants without walking."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_PROBE = 86_400
"""No zone changes its offset and back within one day."""

Period = tuple[int, int, int]
"""From, until (seconds since 1970 UTC) and the offset east of UTC in seconds."""


def seconds(instant: datetime) -> int:
    """Whole seconds since 1970 UTC; a fraction of a second is dropped."""
    return (instant - EPOCH) // _SECOND


def instant(at: int) -> datetime:
    """The instant that lies `at` seconds after 1970 UTC."""
    return EPOCH + timedelta(seconds=at)


@lru_cache(maxsize=512)
def periods(zone: ZoneInfo, start: int, end: int) -> tuple[Period, ...]:
    """The parts of [start, end) with one UTC offset each, in order."""
    found: list[Period] = []
    begin, offset = start, _offset(zone, start)
    for probe in [*range(start + _PROBE, end, _PROBE), end]:
        following = _offset(zone, probe)
        if following != offset:
            change = _change(zone, probe - _PROBE, probe)
            found.append((begin, change, offset))
            begin, offset = change, following
    return (*found, (begin, end, offset))


def _offset(zone: ZoneInfo, at: int) -> int:
    shift = zone.utcoffset(instant(at).astimezone(zone))
    return 0 if shift is None else shift // _SECOND


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The first second with the offset of `after`."""
    new = _offset(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == new:
            after = middle
        else:
            before = middle
    return after
