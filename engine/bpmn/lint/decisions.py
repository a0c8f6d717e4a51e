"""Rules on decision tables: kept and checked as files, executed by nothing yet."""

from __future__ import annotations

import re

from lxml import etree

from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.bpmn.xml import local_name
from engine.errors import ExpressionError
from engine.expressions import compile

HIT_POLICIES = frozenset({"UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER"})
AGGREGATIONS = frozenset({"", "SUM", "MIN", "MAX", "COUNT"})
MOST_CELLS = 5_000

NOT_DMN = Rule(
    "not-dmn",
    "error",
    "Корень файла – {root}, а не definitions из DMN. Сохраните таблицу как DMN 1.3.",
    "The root of the file is {root}, not definitions of DMN. Save the table as DMN 1.3.",
)
NO_DECISION = Rule(
    "no-decision",
    "error",
    "В файле нет ни одной таблицы решений. Добавьте её.",
    "The file holds no decision table. Add one.",
)
HIT_POLICY = Rule(
    "hit-policy",
    "error",
    "Правило выбора {policy} не исполняется. Есть: {known}.",
    "The hit policy {policy} is not executed. There are: {known}.",
)
CELL = Rule(
    "dmn-cell",
    "error",
    'Ячейка «{text}» не годится: {reason.ru}. Пишите значение («"high"»), прочерк или условие со знаком «?»: ? > 5.',
    "The cell “{text}” cannot be used: {reason.en}. Write a value, a dash or a condition with “?”, such as ? > 5.",
)
CELL_COUNT = Rule(
    "dmn-row",
    "error",
    "В строке {found} ячеек, столбцов {expected}. Дополните или сократите строку.",
    "The row has {found} cells, there are {expected} columns. Complete or shorten it.",
)
TOO_MANY_CELLS = Rule(
    "dmn-size",
    "error",
    "В таблице больше {limit} ячеек. Разделите её.",
    "The table has more than {limit} cells. Split it.",
)

_INPUT = "cell_input"
_OUTSIDE_QUOTES = re.compile(r"\"[^\"]*\"|'[^']*'|(\?)")


def check(root: Element, report: Report) -> None:
    """Every decision table of the file."""
    namespace = etree.QName(root).namespace or ""
    if local_name(root) != "definitions" or "DMN" not in namespace.upper():
        report.add(NOT_DMN, root, root=shown(local_name(root)))
        return
    tables = [element for element in root.iter() if local_name(element) == "decisionTable"]
    if not tables:
        report.add(NO_DECISION, root)
    for table in tables:
        _check_table(table, report)


def _check_table(table: Element, report: Report) -> None:
    policy, aggregation = table.get("hitPolicy", "UNIQUE"), table.get("aggregation", "")
    if policy not in HIT_POLICIES or aggregation not in AGGREGATIONS:
        report.add(HIT_POLICY, table, policy=shown(f"{policy} {aggregation}"), known=", ".join(sorted(HIT_POLICIES)))
    inputs, outputs = _children(table, "input"), _children(table, "output")
    rows = _children(table, "rule")
    if len(rows) * (len(inputs) + len(outputs)) > MOST_CELLS:
        report.add(TOO_MANY_CELLS, table, limit=MOST_CELLS)
        return
    for column in inputs:
        for expression in _children(column, "inputExpression"):
            _check_text(expression, expression, report)
    for row in rows:
        entries, results = _children(row, "inputEntry"), _children(row, "outputEntry")
        if (len(entries), len(results)) != (len(inputs), len(outputs)):
            found, expected = len(entries) + len(results), len(inputs) + len(outputs)
            report.add(CELL_COUNT, row, found=found, expected=expected)
        for entry in entries:
            if _text(entry) not in ("", "-"):
                _check_text(entry, row, report)
        for result in results:
            _check_text(result, row, report)


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if local_name(child) == name]


def _text(cell: Element) -> str:
    return "".join(str(child.text or "") for child in cell if local_name(child) == "text").strip()


def _check_text(cell: Element, place: Element, report: Report) -> None:
    text = _text(cell)
    try:
        compile(_OUTSIDE_QUOTES.sub(lambda found: _INPUT if found[1] else found[0], text[:2_100]))
    except ExpressionError as reason:
        report.add(CELL, cell if cell.get("id") else place, text=shown(text), reason=reason)
