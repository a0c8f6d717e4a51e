"""What can be seen of an instance after a move, in the terms of the standard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

_PASSED = ("completed", "fired")


@dataclass(frozen=True, slots=True)
class Seen:
    """Nodes that were passed (`a`) or cancelled (`!a`) by the move, and everything that is waited for after it."""

    trace: tuple[str, ...]
    waits: tuple[str, ...]
    dues: tuple[str, ...]
    """The same as `waits`, timers with the time that is left: `late@3600`."""
    is_end: bool

    @classmethod
    def of(
        cls,
        news: Iterable[tuple[str, str]],
        waits: Iterable[tuple[str, datetime | None]],
        now: datetime,
        *,
        is_end: bool,
    ) -> Seen:
        trace = [element if event in _PASSED else f"!{element}" for event, element in news if event in _TOLD]
        listed = list(waits)
        dues = [e if due is None else f"{e}@{(due - now).total_seconds():.0f}" for e, due in listed]
        return cls(tuple(trace), tuple(sorted(e for e, _ in listed)), tuple(sorted(dues)), is_end)

    def without(self, hidden: frozenset[str]) -> Seen:
        """The same without what is no event of its own: the passing of a gateway, the end of waiting for an event."""
        trace = tuple(each for each in self.trace if each not in hidden)
        return Seen(trace, self.waits, self.dues, self.is_end)

    @property
    def in_order(self) -> tuple[object, ...]:
        """What must be the same in every run: cancellations of one move have no order among each other."""
        passed = [each for each in self.trace if not each.startswith("!")]
        cancelled = sorted(each for each in self.trace if each.startswith("!"))
        return passed, cancelled, self.dues, self.is_end

    def __str__(self) -> str:
        return f"{' '.join(self.trace)} | {'done' if self.is_end else ' '.join(self.waits)}"


_TOLD = frozenset({*_PASSED, "cancelled"})
