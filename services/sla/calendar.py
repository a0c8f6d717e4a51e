"""Working time of a calendar, exact to the second: the amount between two instants, and the end of an amount."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.sla.errors import CalendarError
from services.sla.week import DAY, Hours, merged, read_exceptions, read_week, read_yearly, read_zone
from services.sla.zones import EPOCH, instant, periods, seconds

HORIZON = 3 * 366 * DAY
"""Without working time for so long a due instant is unknown."""
EARLIEST, LATEST = -2_208_988_800, 7_258_118_400
"""1900 and 2200: instants outside are refused."""
_BLOCK = 400 * DAY
_KEYS = frozenset(("tz", "week", "exceptions", "yearly"))

Interval = tuple[datetime, datetime]
"""[from, until)"""


class _Block(NamedTuple):
    """The working intervals of one stretch of 400 days, with the working seconds before each of them."""

    starts: list[int]
    ends: list[int]
    before: list[int]
    total: int


@dataclass(frozen=True)
class Calendar:
    """Working hours in one time zone; immutable, with the intervals of each 400 days worked out once."""

    zone: ZoneInfo
    week: tuple[Hours, ...]
    exceptions: Mapping[date, Hours]
    yearly: frozenset[tuple[int, int]]
    _blocks: dict[int, _Block] = field(default_factory=dict, init=False, repr=False, compare=False)

    @staticmethod
    def parse(data: Any) -> Calendar:
        """The calendar written as {"tz", "week", "exceptions", "yearly"}; raises CalendarError."""
        if not isinstance(data, Mapping):
            raise CalendarError("Календарь должен быть объектом", "A calendar must be an object")
        unknown = sorted(str(key)[:40] for key in data if key not in _KEYS)
        if unknown:
            raise CalendarError(f"Лишнее в календаре: {', '.join(unknown)}", f"Unknown keys: {', '.join(unknown)}")
        try:
            canonical = json.dumps(data, sort_keys=True)
        except (TypeError, ValueError, RecursionError):
            raise CalendarError("Календарь должен быть записан как JSON", "A calendar must be JSON data") from None
        return _parsed(canonical)

    def working_seconds(self, start: datetime, end: datetime) -> int:
        """Working seconds in [start, end); 0 when it is empty."""
        return self.between(seconds(start), seconds(end))

    def add_working(
        self, start: datetime, amount: int, pauses: Iterable[tuple[datetime, datetime | None]] = ()
    ) -> datetime | None:
        """The earliest instant at which `amount` working seconds outside the pauses have passed since `start`.

        None when a pause without an end comes first, or when there is no working time for about three years.
        """
        due = self.reach(seconds(start), amount, _stretches(pauses))
        return None if due is None else instant(due)

    def is_working(self, at: datetime) -> bool:
        """Whether `at` lies in working time."""
        opening = self.next_opening(at)
        return opening is not None and seconds(opening) == seconds(at)

    def next_opening(self, at: datetime) -> datetime | None:
        """The first working second at or after `at`; None when there is none for about three years."""
        found = next(self._from(seconds(at)), None)
        return None if found is None else instant(found[0])

    def next_closing(self, at: datetime) -> datetime | None:
        """The end of the working interval that holds or follows `at`; None when it never ends or never comes."""
        found = next(self._joined(seconds(at)), None)
        return None if found is None or found[1] - found[0] > HORIZON else instant(found[1])

    def intervals(self, start: datetime, end: datetime) -> list[Interval]:
        """The working intervals inside [start, end)."""
        last = seconds(end)
        found: list[Interval] = []
        for opening, closing in self._joined(seconds(start), last):
            found.append((instant(opening), instant(min(closing, last))))
        return found

    def between(self, start: int, end: int) -> int:
        """Working seconds between two counts of seconds since 1970."""
        if end <= start:
            return 0
        first, last = start // _BLOCK, end // _BLOCK
        if first == last:
            block = self._block(first)
            return _worked(block, end) - _worked(block, start)
        whole = sum(self._block(number).total for number in range(first, last))
        return whole - _worked(self._block(first), start) + _worked(self._block(last), end)

    def reach(self, start: int, amount: int, pauses: Iterable[tuple[int, int | None]]) -> int | None:
        """As `add_working`, in seconds since 1970; the pauses must be ascending and disjoint."""
        if amount <= 0:
            return start
        frontier, left = start, amount
        for begin, end in pauses:
            if end is not None and end <= frontier:
                continue
            due = self._forward(frontier, left)
            if due is None or due <= begin:
                return due
            if end is None:
                return None
            left -= self.between(frontier, begin)
            frontier = end
        return self._forward(frontier, left)

    def hours(self, day: date) -> Hours:
        """Working hours of a local date, in seconds from its midnight."""
        found = self.exceptions.get(day)
        if found is not None:
            return found
        return () if (day.month, day.day) in self.yearly else self.week[day.weekday()]

    def _forward(self, start: int, amount: int) -> int | None:
        number, last = start // _BLOCK, start
        left = amount + _worked(self._block(number), start)
        while True:
            block = self._block(number)
            if left <= block.total:
                at = bisect_right(block.before, left - 1) - 1
                return None if block.starts[0] - last > HORIZON else block.starts[at] + left - block.before[at]
            left -= block.total
            last = max(last, block.ends[-1]) if block.ends else last
            number += 1
            if number * _BLOCK - last > HORIZON or number * _BLOCK > LATEST + HORIZON:
                return None

    def _from(self, start: int, end: int | None = None) -> Iterator[tuple[int, int]]:
        """Working intervals at or after `start`, cut at block borders; without an `end` until HORIZON has none."""
        number, last = start // _BLOCK, start
        while number * _BLOCK < (last + HORIZON if end is None else end):
            block = self._block(number)
            for at in range(bisect_right(block.ends, start), len(block.starts)):
                opening = max(block.starts[at], start)
                if opening >= (last + HORIZON if end is None else end):
                    return
                last = block.ends[at]
                yield opening, last
            number += 1

    def _joined(self, start: int, end: int | None = None) -> Iterator[tuple[int, int]]:
        """As `_from`, with intervals that touch at a block border made one, up to the length of HORIZON."""
        held: tuple[int, int] | None = None
        for opening, closing in self._from(start, end):
            if held and held[1] == opening and (end is not None or held[1] - held[0] <= HORIZON):
                held = held[0], closing
                continue
            if held:
                yield held
            held = opening, closing
        if held:
            yield held

    def _block(self, number: int) -> _Block:
        found = self._blocks.get(number)
        if found is None:
            found = self._blocks[number] = self._worked_out(number * _BLOCK, (number + 1) * _BLOCK)
        return found

    def _worked_out(self, start: int, end: int) -> _Block:
        found: list[tuple[int, int]] = []
        for begin, until, offset in periods(self.zone, start, end):
            found += self._instants(begin, until, offset)
        starts, ends, before, total = [], [], [], 0
        for opening, closing in merged(found):
            starts.append(opening)
            ends.append(closing)
            before.append(total)
            total += closing - opening
        return _Block(starts, ends, before, total)

    def _instants(self, begin: int, until: int, offset: int) -> Iterator[tuple[int, int]]:
        """Working intervals of a period with one UTC offset: every second whose local time is a working one."""
        local_begin, local_until = begin + offset, until + offset
        first = local_begin // DAY - 1  # the night shift of the day before reaches into the first date
        day = EPOCH.date() + timedelta(days=first)
        for midnight in range(first * DAY, local_until, DAY):
            for opening, closing in self.hours(day):
                low, high = max(midnight + opening, local_begin), min(midnight + closing, local_until)
                if low < high:
                    yield low - offset, high - offset
            day += timedelta(days=1)


def ascending(pauses: Iterable[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """The same pauses ascending and disjoint; one without an end swallows all that follows."""
    joined: list[tuple[int, int | None]] = []
    for begin, end in sorted(pauses, key=lambda pause: pause[0]):
        if joined and (joined[-1][1] is None or begin <= joined[-1][1]):
            former = joined[-1][1]
            joined[-1] = joined[-1][0], None if former is None or end is None else max(former, end)
        elif end is None or end > begin:
            joined.append((begin, end))
    return joined


def _stretches(pauses: Iterable[tuple[datetime, datetime | None]]) -> list[tuple[int, int | None]]:
    return ascending((seconds(begin), None if end is None else seconds(end)) for begin, end in pauses)


def _worked(block: _Block, at: int) -> int:
    """Working seconds of the block before `at`."""
    found = bisect_right(block.starts, at) - 1
    if found < 0:
        return 0
    return block.before[found] + min(at, block.ends[found]) - block.starts[found]


@lru_cache(maxsize=64)
def _parsed(canonical: str) -> Calendar:
    data = json.loads(canonical)
    return Calendar(
        zone=read_zone(data.get("tz")),
        week=read_week(data.get("week")),
        exceptions=read_exceptions(_or(data.get("exceptions"), {})),
        yearly=read_yearly(_or(data.get("yearly"), [])),
    )


def _or(value: Any, absent: Any) -> Any:
    return absent if value is None else value
