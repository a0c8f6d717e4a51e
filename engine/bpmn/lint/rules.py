"""The report that findings are gathered in, and how an element is told to a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.bpmn.rule import Rule
from engine.bpmn.xml import BPMN, local_name
from engine.errors import Fix, Problem

__all__ = ["Element", "Report", "Rule", "shown"]

Element = etree._Element

MOST_FINDINGS = 300
"""A file: more would hide the first ones."""


MORE_FINDINGS = Rule(
    "more-findings",
    "error",
    "Показаны первые {count} замечаний. Исправьте их и проверьте файл снова.",
    "Only the first {count} findings are shown. Correct them and check the file again.",
)


@dataclass(slots=True)
class Report:
    """The findings of one file, in the order they were met."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, rule: Rule, place: Element | None = None, /, *, fix: Fix | None = None, **values: Any) -> None:
        """Note that `rule` is broken at `place`; `values` fill the sentences, `fix` would remove the finding."""
        if len(self.problems) > MOST_FINDINGS:
            return
        if len(self.problems) == MOST_FINDINGS:
            rule, place, fix, values = MORE_FINDINGS, None, None, {"count": MOST_FINDINGS}
        named = None if place is None else _named(place)
        problem = rule.problem(
            self.file,
            line=None if place is None else _line(place),
            element_id=None if named is None else _short(named.get("id")),
            element_name=None if named is None else _short(named.get("name")),
            fix=fix,
            **values,
        )
        self.problems.append(problem)


def _line(place: Element) -> int | None:
    line = place.sourceline
    return line if isinstance(line, int) else None


def shown(text: object) -> str:
    """A text of the file as it is quoted in a sentence: one line, not long."""
    line = " ".join(str(text).split())
    return line if len(line) <= 80 else line[:79] + "…"


def _short(text: str | None) -> str | None:
    return shown(text) if text else None


def _named(place: Element) -> Element:
    """The nearest element a person can find on the drawing."""
    nearest: Element | None = place
    while nearest is not None:
        if nearest.get("id") and not _is_detail(nearest):
            return nearest
        nearest = nearest.getparent()
    return place


def _is_detail(element: Element) -> bool:
    name = local_name(element)
    if etree.QName(element).namespace != BPMN:
        return any(local_name(parent) == "extensionElements" for parent in element.iterancestors())
    return name.endswith(("EventDefinition", "Expression", "Characteristics")) or name.startswith("time")
