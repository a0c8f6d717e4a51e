"""The tape of a step: what the world answered, in the order it was asked, so that the step can be made again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

from engine.errors import BpmnError
from engine.values import Namespace, stored

NOTHING: Final = object()
"""The tape holds no answer: it is computed from the variables."""
REFUSED = "refused"


class Tape:
    """Counts the questions of a step and keeps the answers that no variable can give again; or plays them back."""

    def __init__(self, played: Iterable[list[Any]] | None = None) -> None:
        self.kept: list[list[Any]] = []
        """Number of the question, answer, and the kind of the answer if it is not plain JSON."""
        self.plays = played is not None
        """Whether it is played back: then the world is not asked."""
        self._played = {entry[0]: entry[1:] for entry in played or ()}
        self._asked = 0

    @property
    def unplayed(self) -> int:
        """How many answers nobody asked for; another number than 0 means that the step took another way."""
        return len(self._played)

    def ask(self) -> Any:
        """The answer of the next question, or NOTHING; raises the BpmnError that was kept."""
        self._asked += 1
        answer = self._played.pop(self._asked, None)
        return NOTHING if answer is None else _unpacked(*answer)

    def keep(self, answer: Any) -> None:
        """Keep the answer of the last question."""
        self.kept.append([self._asked, *_packed(answer)])

    def keep_refusal(self, error: BpmnError) -> None:
        self.kept.append([self._asked, [error.code, str(error)], REFUSED])


def _packed(answer: Any) -> list[Any]:
    match answer:
        case datetime():
            return [answer.isoformat(), "instant"]
        case date():
            return [answer.isoformat(), "date"]
        case timedelta():
            return [answer.total_seconds(), "duration"]
        case Namespace():
            return [True]  # a part of the context is only ever asked whether it is there
    return [stored(answer)]


def _unpacked(answer: Any, kind: str = "") -> Any:
    match kind:
        case "instant":
            return datetime.fromisoformat(answer)
        case "date":
            return date.fromisoformat(answer)
        case "duration":
            return timedelta(seconds=answer)
        case "refused":
            raise BpmnError(*answer)
    return answer
