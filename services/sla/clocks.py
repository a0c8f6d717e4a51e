"""What a clock shows: due, elapsed, remaining and state, as pure functions of a calendar, a norm and what happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from services.sla.calendar import Calendar, ascending
from services.sla.zones import instant, seconds

State = Literal["running", "paused", "sleeping", "met", "breached"]
Pause = tuple[datetime, datetime | None]
"""[from, until); None = it has not ended."""
_Stretch = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A clock at one instant; all figures are working seconds."""

    due: datetime | None
    """The earliest instant at which the norm is used up; None while that cannot be known."""
    elapsed_sec: int
    remaining_sec: int
    """Negative once the norm is exceeded."""
    state: State
    next_change: datetime | None
    """When the state changes if nobody does anything; None = never, or only a person can change it."""


class Moment(Protocol):
    """One event of a clock: start, pause, resume, stop or retarget."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Course:
    """The life of one clock: when it began, when it stood still, when it stopped."""

    start: datetime
    pauses: tuple[Pause, ...] = ()
    stop: datetime | None = None


def course(moments: Sequence[Moment]) -> Course:
    """The life told by the events of a clock, oldest first; the time between a stop and the next start is a pause."""
    start, stop, standing = moments[0].at, None, None
    pauses: list[Pause] = []
    for moment in moments[1:]:
        if moment.kind == "pause" and standing is None:
            standing = moment.at
        elif standing is not None and moment.kind in ("resume", "stop"):
            pauses.append((standing, moment.at))
            standing = None
        if moment.kind == "stop":
            stop = moment.at
        elif moment.kind == "start" and stop is not None:
            pauses.append((stop, moment.at))
            stop = None
    if standing is not None:
        pauses.append((standing, None))
    return Course(start, tuple(pauses), stop)


def read(calendar: Calendar, life: Course, target_sec: int, now: datetime) -> Reading:
    """The clock at `now`; a stop later than `now` has not happened yet."""
    start, at = seconds(life.start), seconds(now)
    stop = None if life.stop is None or seconds(life.stop) > at else seconds(life.stop)
    pauses = _stretches(life.pauses)
    due = calendar.reach(start, target_sec, pauses)
    elapsed = _elapsed(calendar, start, at if stop is None else stop, pauses, at)
    state = _state(calendar, elapsed, target_sec, pauses, at, stopped=stop is not None)
    change = _next_change(calendar, start, target_sec, pauses, at, state)
    return Reading(_instant(due), elapsed, target_sec - elapsed, state, _instant(change))


def used_up(calendar: Calendar, life: Course, amount_sec: int) -> datetime | None:
    """The earliest instant at which `amount_sec` have elapsed; None while that cannot be known."""
    return _instant(calendar.reach(seconds(life.start), amount_sec, _stretches(life.pauses)))


def exceeded(calendar: Calendar, life: Course, target_sec: int) -> datetime | None:
    """The first whole second at which more than the norm has elapsed.

    One second after due, or after the next opening when due is a closing time: until then the norm is still kept.
    """
    return used_up(calendar, life, target_sec + 1)


def counted(calendar: Calendar, life: Course, now: datetime) -> list[tuple[datetime, datetime]]:
    """The working, unpaused intervals up to the stop or `now`: what the elapsed time is made of."""
    end = now if life.stop is None else min(now, life.stop)
    found: list[tuple[datetime, datetime]] = []
    for begin, until in _running(_stretches(life.pauses), seconds(life.start), seconds(end)):
        found += calendar.intervals(instant(begin), instant(until))
    return found


def _elapsed(calendar: Calendar, start: int, stop: int, pauses: Iterable[_Stretch], now: int) -> int:
    known = [(begin, now if end is None else end) for begin, end in pauses]
    return sum(calendar.between(begin, until) for begin, until in _running(known, start, stop))


def _running(pauses: Iterable[_Stretch], start: int, stop: int) -> Iterable[tuple[int, int]]:
    """The parts of [start, stop) outside the pauses."""
    frontier = start
    for begin, end in pauses:
        if frontier < min(begin, stop):
            yield frontier, min(begin, stop)
        frontier = stop if end is None else max(frontier, end)
    if frontier < stop:
        yield frontier, stop


def _state(
    calendar: Calendar, elapsed: int, target: int, pauses: Iterable[_Stretch], now: int, *, stopped: bool
) -> State:
    if elapsed > target:
        return "breached"
    if stopped:
        return "met"
    if _pause_at(pauses, now):
        return "paused"
    return "running" if calendar.is_working(instant(now)) else "sleeping"


def _next_change(
    calendar: Calendar, start: int, target: int, pauses: Sequence[_Stretch], now: int, state: State
) -> int | None:
    if state == "paused":
        pause = _pause_at(pauses, now)
        return pause[1] if pause else None
    coming = next((begin for begin, _ in pauses if begin > now), None)
    if state == "sleeping":
        return _first(coming, _seconds(calendar.next_opening(instant(now))))
    if state == "running":
        closing = _seconds(calendar.next_closing(instant(now)))
        return _first(coming, closing, calendar.reach(start, target + 1, pauses))
    return None


def _first(*instants: int | None) -> int | None:
    return min((at for at in instants if at is not None), default=None)


def _pause_at(pauses: Iterable[_Stretch], at: int) -> _Stretch | None:
    return next((pause for pause in pauses if pause[0] <= at and (pause[1] is None or at < pause[1])), None)


def _stretches(pauses: Iterable[Pause]) -> list[_Stretch]:
    return ascending((seconds(begin), _seconds(end)) for begin, end in pauses)


def _seconds(at: datetime | None) -> int | None:
    return None if at is None else seconds(at)


def _instant(at: int | None) -> datetime | None:
    return None if at is None else instant(at)
