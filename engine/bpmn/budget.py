"""What one run to the wait states may use up, so that one bad instance cannot harm the others."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson

from engine.errors import StepBudgetExceeded

MOST_STEPS = 2_000
MOST_SECONDS = 5.0
"""Processor time of this thread: a busy machine is no fault of the process."""
MOST_TASKS = 20_000
"""Tasks in the tree at once: repeated activities within each other multiply."""
MOST_HAPPENINGS = 20_000
"""Rows that one step adds to the log."""
MOST_VARIABLES = 256 * 1024
"""Bytes of the variables of one token."""
MOST_COPIED = 64 * 1024 * 1024
"""Bytes of variables that the nodes of one run hand on, all together."""
MOST_STATE = 4 * 1024 * 1024
"""Bytes of a stored state before it is compressed."""


class Budget:
    """Counts what a run uses up; every check raises StepBudgetExceeded."""

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds = MOST_SECONDS if seconds is None else seconds
        self._until = time.thread_time() + seconds
        self.steps = 0
        self._copied = 0

    def step(self, tasks: int, happenings: int) -> None:
        """One more node is about to run."""
        self.steps += 1
        _hold(self.steps, MOST_STEPS, "steps before the process waits", "is it a loop without an end?")
        _hold(tasks, MOST_TASKS, "tokens and nodes at once", "does a repeated activity multiply?")
        _hold(happenings, MOST_HAPPENINGS, "events in one step", "does a repeated activity multiply?")
        if time.thread_time() > self._until:
            message = (
                f"Expected at most {self._seconds:g} s of computing in one step, but there was more: split the process"
            )
            raise StepBudgetExceeded(message)

    def weigh(self, variables: Mapping[str, Any]) -> None:
        """A node has left these variables."""
        size = len(orjson.dumps(variables, default=str)) if variables else 0
        self._copied += size
        _hold(size, MOST_VARIABLES, "bytes of variables", "keep ids in variables, not contents")
        _hold(
            self._copied, MOST_COPIED, "bytes of variables handed on in a step", "keep ids in variables, not contents"
        )


def _hold(found: int, most: int, what: str, advice: str) -> None:
    if found > most:
        raise StepBudgetExceeded(f"Expected at most {most} {what}, but there were more: {advice}")
