"""docs/reference/lint-rules.md says exactly what the code checks."""

from __future__ import annotations

from pathlib import Path

from engine.bpmn.lint.catalogue import catalogue
from engine.bpmn.lint.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "lint-rules.md"


def test_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_page_lists_every_rule_once() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("| `")]

    assert sorted(rows) == sorted(f"`{name}`" for name in catalogue())
