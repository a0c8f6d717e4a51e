"""How often a background step or a timer is tried, and how long it rests in between: `desk:job`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engine import iso8601
from engine.circumstances import causes
from engine.errors import BpmnError, ExpressionError, StepBudgetExceeded

DEFAULT_RETRIES = 3
DEFAULT_BACKOFF = "PT1M"
MOST_PAUSES = 10
SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=7)
_FINAL = (BpmnError, ExpressionError, StepBudgetExceeded)


@dataclass(frozen=True, slots=True)
class Policy:
    """The attempts of one element and the pauses between them."""

    attempts: int
    pauses: tuple[timedelta, ...]

    def pause(self, failed: int) -> timedelta:
        """How long to rest after so many failures; the last pause repeats."""
        return self.pauses[min(max(failed, 1), len(self.pauses)) - 1]


def policy(settings: Mapping[str, Any]) -> Policy:
    """The policy that `desk:job` sets for an element, the usual one where it sets nothing; pauses within the limits."""
    found = _durations(settings.get("backoff", DEFAULT_BACKOFF)) or _durations(DEFAULT_BACKOFF)
    pauses = tuple(min(max(each, SHORTEST), LONGEST) for each in found[:MOST_PAUSES])
    return Policy(settings.get("retries", DEFAULT_RETRIES), pauses)


def checked(text: str) -> tuple[timedelta, ...]:
    """`PT10S PT1M PT10M` as durations; raises ExpressionError for anything but 1 to 10 of them, each 1 s to 7 days."""
    found = _durations(text)
    if not 1 <= len(found) <= MOST_PAUSES or not all(SHORTEST <= each <= LONGEST for each in found):
        raise ExpressionError(
            f"Expected 1 to {MOST_PAUSES} pauses of 1 second to {LONGEST.days} days, e.g. PT10S PT1M PT10M",
            f"Ожидалось от 1 до {MOST_PAUSES} пауз от 1 секунды до {LONGEST.days} дней, например PT10S PT1M PT10M",
        )
    return found


def _durations(text: str) -> tuple[timedelta, ...]:
    return tuple(iso8601.parse_duration(part) for part in text.split())


def is_final(error: BaseException) -> bool:
    """Whether another attempt would end the same way: a formula, a budget, an error that the diagram does not catch."""
    return any(isinstance(each, _FINAL) for each in causes(error))
