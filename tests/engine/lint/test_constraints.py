"""docs/reference/bpmn-constraints.md says which rule stands for which constraint, and every rule it names exists."""

from __future__ import annotations

from pathlib import Path

from engine.bpmn.lint.catalogue import catalogue
from engine.bpmn.lint.constraints import EXTENDED, MODELERS, POINTERS, page, tables

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "bpmn-constraints.md"
ROWS = (*EXTENDED, *POINTERS, *MODELERS, *tables())


def test_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_row_has_rules_that_exist_or_a_reason() -> None:
    assert all(bool(row.rules) != bool(row.reason) for row in ROWS)
    assert {rule for row in ROWS for rule in row.rules} <= set(catalogue())


def test_each_number_stands_once() -> None:
    numbers = [row.number for row in (*EXTENDED, *POINTERS, *MODELERS)]

    assert len(numbers) == len(set(numbers))
    assert sum(number.startswith("EXT.") for number in numbers) >= 110
    assert sum(number.startswith("REF.") for number in numbers) >= 80


def test_most_are_asked() -> None:
    asked = [row for row in (*EXTENDED, *POINTERS, *MODELERS) if row.rules]

    assert len(asked) > 0.85 * len((*EXTENDED, *POINTERS, *MODELERS))
