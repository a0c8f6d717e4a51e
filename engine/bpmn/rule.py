"""What a rule of the check is: its name, its weight and its two sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.errors import Fix, Problem, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing the check looks for; both sentences say what is wrong and what to do."""

    name: str
    severity: Severity
    ru: str
    en: str

    def problem(
        self,
        file: str,
        *,
        line: int | None = None,
        element_id: str | None = None,
        element_name: str | None = None,
        fix: Fix | None = None,
        **values: Any,
    ) -> Problem:
        """A finding of this rule; `values` fill the sentences."""
        ru, en = self.ru.format(**values), self.en.format(**values)
        return Problem(self.name, self.severity, ru, en, element_id, element_name, line, file, fix)
