"""The checked subset of ISO 8601 that timers and expressions accept: durations, cycles, instants, dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from engine.errors import ExpressionError

LONGEST_DURATION = timedelta(days=3660)
"""Ten years."""
SHORTEST_PERIOD = timedelta(minutes=1)
MOST_REPEATS = 10_000

_DURATION = re.compile(
    r"P(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?P<time>T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)
_CYCLE = re.compile(r"R(?P<repeat>\d{0,9})/(?P<period>P.+)", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A period that passes `repeat` times; None means for as long as the node waits."""

    repeat: int | None
    period: timedelta


def parse_duration(text: str) -> timedelta:
    """`PT4H`, `P1DT30M`, `P2W`: a length of time of at most ten years.

    A year counts 365 days and a month 30 days. Raises ExpressionError.
    """
    found = _DURATION.fullmatch(_trimmed(text))
    parts = {k: float(v) for k, v in found.groupdict().items() if v and k != "time"} if found else {}
    if found is None or not parts or found["time"] == "T":
        raise _not_a_duration(text)
    days = parts.pop("years", 0) * 365 + parts.pop("months", 0) * 30 + parts.pop("days", 0)
    try:
        length = timedelta(days=days, **parts)
    except OverflowError:
        raise _too_long(text) from None
    if length > LONGEST_DURATION:
        raise _too_long(text)
    return length


def has_calendar_units(text: str) -> bool:
    """Whether the duration names years or months, which we count as 365 and 30 days."""
    found = _DURATION.fullmatch(_trimmed(text))
    return found is not None and bool(found["years"] or found["months"])


def parse_cycle(text: str) -> Cycle:
    """`R3/PT10M`: three times, every ten minutes; `R/PT1H` without an end. Raises ExpressionError."""
    found = _CYCLE.fullmatch(_trimmed(text))
    if found is None:
        raise ExpressionError(
            f"Expected a cycle such as R3/PT10M, got {_shown(text)}",
            f"Ожидался цикл вида R3/PT10M, получено {_shown(text)}",
        )
    repeat = int(found["repeat"]) if found["repeat"] else None
    period = parse_duration(found["period"])
    if repeat is not None and not 1 <= repeat <= MOST_REPEATS:
        raise ExpressionError(
            f"Expected a cycle of 1 to {MOST_REPEATS} repetitions, got {_shown(text)}",
            f"Ожидался цикл от 1 до {MOST_REPEATS} повторов, получено {_shown(text)}",
        )
    if period < SHORTEST_PERIOD:
        raise ExpressionError(
            f"Expected a cycle with a period of one minute or more, got {_shown(text)}",
            f"Ожидался цикл с периодом не короче минуты, получено {_shown(text)}",
        )
    return Cycle(repeat, period)


def parse_instant(text: str) -> datetime:
    """`2026-05-01T10:00:00+03:00` as an aware UTC instant; a text without a zone raises ExpressionError."""
    trimmed = _trimmed(text)
    try:
        if _INSTANT.fullmatch(trimmed):
            return datetime.fromisoformat(trimmed).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ExpressionError(
        f"Expected an instant with a zone such as 2026-05-01T10:00:00Z, got {_shown(text)}",
        f"Ожидался момент с часовым поясом вида 2026-05-01T10:00:00Z, получено {_shown(text)}",
    )


def parse_date(text: str) -> date:
    """`2026-05-01`; anything else raises ExpressionError."""
    trimmed = _trimmed(text)
    try:
        if _DATE.fullmatch(trimmed):
            return date.fromisoformat(trimmed)
    except ValueError:
        pass
    raise ExpressionError(
        f"Expected a date such as 2026-05-01, got {_shown(text)}",
        f"Ожидалась дата вида 2026-05-01, получено {_shown(text)}",
    )


def format_duration(length: timedelta) -> str:
    """The length as ISO text, e.g. `PT14400S`; `parse_duration` reads it back."""
    seconds = length.total_seconds()
    return f"PT{int(seconds)}S" if seconds == int(seconds) else f"PT{seconds:.6f}S"


def _trimmed(text: object) -> str:
    return text.strip() if isinstance(text, str) else ""


def _shown(text: object) -> str:
    return repr(text)[:60]


def _not_a_duration(text: object) -> ExpressionError:
    return ExpressionError(
        f"Expected a duration such as PT4H or P1DT30M, got {_shown(text)}",
        f"Ожидалась длительность вида PT4H или P1DT30M, получено {_shown(text)}",
    )


def _too_long(text: object) -> ExpressionError:
    return ExpressionError(
        f"Expected a duration of at most ten years, got {_shown(text)}",
        f"Ожидалась длительность не больше десяти лет, получено {_shown(text)}",
    )
