"""Decisions: DMN tables and literal expressions, read from a file and evaluated by the closed language."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lxml import etree

from engine.bpmn import xml
from engine.bpmn.cells import Names, Test, compile_test, compile_value, same
from engine.bpmn.xml import local_name
from engine.errors import ExpressionError, XmlRefused
from engine.expressions import Expression

Element = etree._Element

HIT_POLICIES = ("UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
AGGREGATIONS = ("", "SUM", "MIN", "MAX", "COUNT")
ORDERED = frozenset({"PRIORITY", "OUTPUT ORDER"})
"""Policies that go by the order of the output's allowed values."""
_LISTS = frozenset({"COLLECT", "RULE ORDER", "OUTPUT ORDER"})


@dataclass(frozen=True, slots=True)
class Input:
    """One column of conditions."""

    label: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Output:
    """One column of results."""

    name: str
    values: Expression | None
    """The allowed values, the most important first."""
    default: Expression | None


@dataclass(frozen=True, slots=True)
class Row:
    """One rule of a table."""

    tests: tuple[Test, ...]
    results: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The logic of a decision as rules."""

    policy: str
    aggregation: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a file."""

    id: str
    label: str
    variable: str
    """The name of its result for decisions that build on it, and of a single unnamed output."""
    required: tuple[str, ...]
    """Ids of the decisions whose results it reads."""
    logic: Table | Expression = field(repr=False)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision gave, and by which rules."""

    decision: str
    rules: tuple[int, ...]
    """Numbers of the rules that held, from 1."""
    value: Any
    """A value, a mapping of several outputs, a list of either, or None when no rule held."""
    variables: Mapping[str, Any]
    """The same as variables of a process: one for each output."""


@lru_cache(maxsize=256)
def decisions(content: bytes) -> dict[str, Decision]:
    """The decisions of a DMN file by id; the same bytes are read once. Raises XmlRefused or ExpressionError."""
    return {decision.id: decision for decision in map(_decision, decision_elements(xml.read(content, "dmn")))}


def known_ids(content: bytes) -> set[str]:
    """The ids of the decisions in a file; none when it cannot be read."""
    try:
        return set(decisions(content))
    except (XmlRefused, ExpressionError):
        return set()


def decision_elements(root: Element) -> list[Element]:
    """The decisions of a file, in its order."""
    return [element for element in root if local_name(element) == "decision"]


def required_ids(decision: Element) -> tuple[str, ...]:
    """The ids of the decisions that this one builds on."""
    return tuple(
        required.get("href", "").removeprefix("#")
        for requirement in children(decision, "informationRequirement")
        for required in children(requirement, "requiredDecision")
    )


def children(element: Element, name: str) -> list[Element]:
    """The direct children of that name, whatever version of DMN their namespace is of."""
    return [child for child in element if local_name(child) == name]


def text_of(element: Element | None) -> str:
    """The text of a cell or expression."""
    if element is None:
        return ""
    return "".join(str(child.text or "") for child in children(element, "text")).strip()


def decide(decision_id: str, known: Mapping[str, Decision], names: Names) -> Decided:
    """Evaluate a decision and those it builds on; raises ExpressionError for what is not defined."""
    return _Evaluation(known, names).decide(decision_id, ())


def _decision(element: Element) -> Decision:
    key = element.get("id", "")
    variable = next(iter(children(element, "variable")), None)
    name = variable.get("name") if variable is not None else None
    return Decision(
        key,
        element.get("name") or key,
        name or key,
        required_ids(element),
        _logic(element),
    )


def _logic(element: Element) -> Table | Expression:
    for table in children(element, "decisionTable"):
        return _table(table)
    for literal in children(element, "literalExpression"):
        return compile_value(text_of(literal))
    raise ExpressionError(
        f"Expected the decision {element.get('id')} to hold a table or an expression, but it is empty",
        f"В решении {element.get('id')} нет ни таблицы, ни выражения",
    )


def _table(table: Element) -> Table:
    return Table(
        table.get("hitPolicy", "UNIQUE"),
        table.get("aggregation", ""),
        tuple(_input(column) for column in children(table, "input")),
        tuple(_output(column) for column in children(table, "output")),
        tuple(_row(row) for row in children(table, "rule")),
    )


def _input(column: Element) -> Input:
    text = text_of(next(iter(children(column, "inputExpression")), None))
    return Input(column.get("label") or text, compile_value(text))


def _output(column: Element) -> Output:
    allowed = text_of(next(iter(children(column, "outputValues")), None))
    default = text_of(next(iter(children(column, "defaultOutputEntry")), None))
    return Output(
        column.get("name", ""),
        compile_value(f"[{allowed}]") if allowed else None,
        compile_value(default) if default else None,
    )


def _row(row: Element) -> Row:
    return Row(
        tuple(compile_test(text_of(cell)) for cell in children(row, "inputEntry")),
        tuple(compile_value(text_of(cell) or "None") for cell in children(row, "outputEntry")),
    )


class _Evaluation:
    """One question with everything that was worked out for it so far."""

    def __init__(self, known: Mapping[str, Decision], names: Names) -> None:
        self._known = known
        self._results: dict[str, Any] = {}
        self._names: Names = ChainMap(self._results, names)  # type: ignore[arg-type]

    def decide(self, decision_id: str, above: tuple[str, ...]) -> Decided:
        decision = self._known.get(decision_id)
        if decision is None or decision_id in above:
            raise ExpressionError(
                f"Expected a decision {decision_id} that does not need itself, but there is none",
                f"Решения {decision_id} нет, или оно требует само себя",
            )
        for required in decision.required:
            name = self._known[required].variable if required in self._known else required
            if name not in self._results:
                self._results[name] = self.decide(required, (*above, decision_id)).value
        if isinstance(decision.logic, Expression):
            value = decision.logic.evaluate(self._names)
            return Decided(decision.id, (), value, {decision.variable: value})
        return self._by_table(decision, decision.logic)

    def _by_table(self, decision: Decision, table: Table) -> Decided:
        chosen = self._held(decision, table)
        if table.policy in ORDERED:
            chosen = self._by_importance(table, chosen)
        _refuse_contradiction(decision, table, chosen)
        if table.policy in ("ANY", "PRIORITY"):
            chosen = chosen[:1]
        hits = [results for _, results in chosen] or self._defaults(table)
        value = _value(table, hits)
        return Decided(decision.id, tuple(number for number, _ in chosen), value, _variables(decision, table, value))

    def _held(self, decision: Decision, table: Table) -> list[_Hit]:
        values = [column.expression.evaluate(self._names) for column in table.inputs]
        held: list[_Hit] = []
        for number, row in enumerate(table.rows, start=1):
            if self._holds(decision, table, number, row, values):
                held.append((number, [result.evaluate(self._names) for result in row.results]))
                if table.policy == "FIRST":
                    break
        return held

    def _holds(self, decision: Decision, table: Table, number: int, row: Row, values: Sequence[Any]) -> bool:
        for column, test, value in zip(table.inputs, row.tests, values, strict=True):
            try:
                if not test(value, self._names):
                    return False
            except ExpressionError as error:
                raise ExpressionError(
                    f"{decision.label}, rule {number}, column {column.label}: {error.en}",
                    f"{decision.label}, правило {number}, столбец {column.label}: {error.ru}",
                ) from error
        return True

    def _by_importance(self, table: Table, held: list[_Hit]) -> list[_Hit]:
        orders = [column.values.evaluate(self._names) if column.values else [] for column in table.outputs]

        def importance(hit: _Hit) -> list[int]:
            return [_place(result, order) for result, order in zip(hit[1], orders, strict=True)]

        return sorted(held, key=importance)

    def _defaults(self, table: Table) -> list[list[Any]]:
        if not any(column.default for column in table.outputs):
            return []
        return [[column.default.evaluate(self._names) if column.default else None for column in table.outputs]]


_Hit = tuple[int, list[Any]]
"""The number of a rule and its results."""


def _place(result: Any, order: Sequence[Any]) -> int:
    return next((place for place, value in enumerate(order) if same(result, value)), len(order))


def _refuse_contradiction(decision: Decision, table: Table, chosen: list[_Hit]) -> None:
    numbers = ", ".join(str(number) for number, _ in chosen)
    if table.policy == "UNIQUE" and len(chosen) > 1:
        raise ExpressionError(
            f"{decision.label}: expected one rule to hold, but rules {numbers} do",
            f"{decision.label}: подойти должно одно правило, а подошли {numbers}",
        )
    if table.policy == "ANY" and any(results != chosen[0][1] for _, results in chosen):
        raise ExpressionError(
            f"{decision.label}: expected the rules {numbers} to agree, but their results differ",
            f"{decision.label}: правила {numbers} подошли вместе, но дают разное",
        )


def _value(table: Table, hits: list[list[Any]]) -> Any:
    shaped = [_shaped(table, results) for results in hits]
    if table.aggregation:
        return _aggregated(table.aggregation, shaped)
    if table.policy in _LISTS:
        return shaped
    return shaped[0] if shaped else None


def _shaped(table: Table, results: list[Any]) -> Any:
    if len(table.outputs) == 1:
        return results[0]
    return {
        _name(column, position): result
        for position, (column, result) in enumerate(zip(table.outputs, results, strict=True))
    }


def _name(column: Output, position: int) -> str:
    return column.name or f"output_{position + 1}"


def _aggregated(aggregation: str, values: Iterable[Any]) -> Any:
    numbers = list(values)
    if aggregation == "COUNT":
        return len(numbers)
    if not numbers:
        return None
    return compile_value(f"{aggregation.lower()}(hits)").evaluate({"hits": numbers})


def _variables(decision: Decision, table: Table, value: Any) -> dict[str, Any]:
    if len(table.outputs) == 1:
        return {table.outputs[0].name or decision.variable: value}
    names = [_name(column, position) for position, column in enumerate(table.outputs)]
    if isinstance(value, list):
        return {name: [each[name] for each in value] for name in names}
    return {name: value[name] if value else None for name in names}
