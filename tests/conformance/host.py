"""The host of the cases: connectors that note what they were told, facts that expressions may ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from engine import connectors
from engine.connectors import Execution, connector
from engine.errors import BpmnError


@dataclass
class Host:
    """What the connectors of one run were told, and what the host knows."""

    told: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=lambda: {"x": 0})

    def context(self) -> dict[str, Any]:
        return {"fact": dict(self.facts)}

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        if name == "test.note":
            self.told.append(str(arguments.get("text", "")))
            return None
        if name == "test.refuse":
            raise BpmnError(str(arguments.get("code", "refused")))
        if name == "test.break":
            raise RuntimeError("out of order")
        return arguments.get("value")


@contextmanager
def connected() -> Iterator[None]:
    """The connectors of the cases are the only ones inside the block."""
    before, connectors._registry = connectors._registry, {}
    try:
        _register()
        yield
    finally:
        connectors._registry = before


def _register() -> None:
    @connector("test.note")
    def note(execution: Execution, text: Any = "") -> Any:
        """Notes a text."""

    @connector("test.answer")
    def answer(execution: Execution, value: Any = None) -> Any:
        """Answers with the value it is given."""

    @connector("test.refuse")
    def refuse(execution: Execution, code: str = "refused") -> None:
        """Fails with a code."""

    @connector("test.break")
    def break_down(execution: Execution) -> None:
        """Fails without a code."""
