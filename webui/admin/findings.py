"""Findings of the check as the pages list them: errors first, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import get_locale

from engine.errors import Fix, Problem

_ORDER = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the list."""

    rule: str
    severity: str
    message: str
    element_id: str | None
    element_name: str | None
    line: int | None
    file: str | None
    fix: str | None = None
    """What would remove it without a decision by a person."""


def from_problems(problems: Iterable[Problem]) -> list[Finding]:
    """Findings of files that were just checked."""
    language = str(get_locale() or "ru")
    return _sorted(
        Finding(
            p.rule, p.severity, p.message(language), p.element_id, p.element_name, p.line, p.file, _fix(p, language)
        )
        for p in problems
    )


def from_stored(stored: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Findings kept with a version."""
    return from_problems(_problem(row) for row in stored or ())


def count(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each severity."""
    totals = {"error": 0, "warning": 0, "info": 0}
    for finding in findings:
        totals[finding.severity] += 1
    return totals


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (_ORDER[finding.severity], finding.file or "", finding.line or 0))


def _fix(problem: Problem, language: str) -> str | None:
    if problem.fix is None:
        return None
    return problem.fix.ru if language == "ru" else problem.fix.en


def _problem(row: Mapping[str, Any]) -> Problem:
    return Problem(
        rule=row["rule"],
        severity=row["severity"],
        message_ru=row["message_ru"],
        message_en=row["message_en"],
        element_id=row.get("element_id"),
        element_name=row.get("element_name"),
        line=row.get("line"),
        file=row.get("file"),
        fix=Fix(fix["ru"], fix["en"], ()) if (fix := row.get("fix")) else None,
    )
