"""Rules on decision tables and on the tasks that ask them."""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree

from engine.bpmn import dmn
from engine.bpmn.cells import compile_test, compile_value
from engine.bpmn.dmn import AGGREGATIONS, HIT_POLICIES, ORDERED, children, required_ids, text_of
from engine.bpmn.extensions import called_decision
from engine.bpmn.lint.drawing import Drawing
from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.bpmn.xml import local_name
from engine.errors import ExpressionError

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
    "В файле нет ни одного решения. Добавьте таблицу.",
    "The file holds no decision. Add a table.",
)
NO_LOGIC = Rule(
    "decision-logic",
    "error",
    "У решения нет ни таблицы, ни выражения. Добавьте таблицу или удалите решение.",
    "The decision has neither a table nor an expression. Add a table or delete the decision.",
)
SAME_DECISION = Rule(
    "duplicate-decision",
    "error",
    "Решение {id} есть дважды. Дайте решениям разные id.",
    "There are two decisions {id}. Give them different ids.",
)
REQUIREMENT = Rule(
    "decision-requirement",
    "error",
    "Решение опирается на {id}, которого в файле нет или которое опирается на него само. Исправьте связь.",
    "The decision builds on {id}, which is not in the file or builds on it in turn. Correct the requirement.",
)
HIT_POLICY = Rule(
    "hit-policy",
    "error",
    "Правило выбора {policy} не исполняется. Есть: {known}; агрегат возможен при COLLECT и одном столбце результата.",
    "The hit policy {policy} is not executed. There are: {known}; an aggregation goes with COLLECT and one output.",
)
ALLOWED_VALUES = Rule(
    "dmn-allowed-values",
    "error",
    "При {policy} порядок задают допустимые значения столбца результата. Перечислите их, важные первыми.",
    "With {policy} the allowed values of the output give the order. List them, the most important first.",
)
OUTPUT_NAME = Rule(
    "dmn-output-name",
    "error",
    "Столбец результата назван «{name}»: это имя переменной, буквы, цифры и _, у каждого столбца своё. Переименуйте.",
    "The output is called “{name}”: it names a variable, letters, digits and _, each its own. Rename it.",
)
CELL = Rule(
    "dmn-cell",
    "error",
    'Ячейка «{text}» не годится: {reason.ru}. Пишите значения ("a","b"), прочерк, > 5, [1..5], not(…) или условие с '
    "«?».",
    'The cell “{text}” cannot be used: {reason.en}. Write values ("a","b"), a dash, > 5, [1..5], not(…) or a condition '
    "with “?”.",
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
DECISION_REQUIRED = Rule(
    "decision-required",
    "error",
    "Задаче-правилу не задано решение. Укажите его id: spiffworkflow:calledDecisionId.",
    "The business rule task names no decision. Set its id: spiffworkflow:calledDecisionId.",
)
DECISION_UNKNOWN = Rule(
    "decision-unknown",
    "error",
    "Решения {id} нет ни среди файлов, ни среди установленных. Добавьте таблицу .dmn или выберите другое решение.",
    "There is no decision {id} among the files or the deployed ones. Add the .dmn table or choose another decision.",
)


def check(root: Element, report: Report) -> None:
    """Every decision of the file."""
    namespace = etree.QName(root).namespace or ""
    if local_name(root) != "definitions" or "DMN" not in namespace.upper():
        report.add(NOT_DMN, root, root=shown(local_name(root)))
        return
    found = dmn.decision_elements(root)
    if not found:
        report.add(NO_DECISION, root)
    _check_ids(found, report)
    for decision in found:
        _check_logic(decision, report)


def check_tasks(drawing: Drawing, report: Report, known: Collection[str] | None) -> None:
    """Every business rule task names a decision; `known` are the ids there are, None when that is not known."""
    for node in drawing.nodes:
        if node.kind != "businessRuleTask":
            continue
        decision = called_decision(node.element)
        if not decision:
            report.add(DECISION_REQUIRED, node.element)
        elif known is not None and decision not in known:
            report.add(DECISION_UNKNOWN, node.element, id=shown(decision))


def _check_ids(found: list[Element], report: Report) -> None:
    needs = {decision.get("id", ""): required_ids(decision) for decision in found}
    seen: set[str] = set()
    for decision in found:
        key = decision.get("id", "")
        if key in seen:
            report.add(SAME_DECISION, decision, id=shown(key))
        seen.add(key)
        for required in needs[key]:
            if required not in needs or key in _beneath(required, needs):
                report.add(REQUIREMENT, decision, id=shown(required))


def _beneath(key: str, needs: dict[str, tuple[str, ...]]) -> set[str]:
    """The decision itself and all that it builds on."""
    found, pending = {key}, [key]
    while pending:
        for required in needs.get(pending.pop(), ()):
            if required not in found:
                found.add(required)
                pending.append(required)
    return found


def _check_logic(decision: Element, report: Report) -> None:
    tables = children(decision, "decisionTable")
    literals = children(decision, "literalExpression")
    if not tables and not literals:
        report.add(NO_LOGIC, decision)
    for table in tables[:1]:
        _check_table(table, report)
    for literal in literals[:1] if not tables else []:
        _check_value(text_of(literal), decision, report)


def _check_table(table: Element, report: Report) -> None:
    inputs, outputs, rows = (children(table, name) for name in ("input", "output", "rule"))
    if len(rows) * (len(inputs) + len(outputs)) > MOST_CELLS:
        report.add(TOO_MANY_CELLS, table, limit=MOST_CELLS)
        return
    _check_policy(table, outputs, report)
    _check_names(outputs, report)
    for column in inputs:
        for expression in children(column, "inputExpression") or [column]:
            _check_value(text_of(expression), column, report)
    for column in outputs:
        for place in ("outputValues", "defaultOutputEntry"):
            for values in children(column, place):
                _check_value(f"[{text_of(values)}]", column, report)
    for row in rows:
        _check_row(row, len(inputs), len(outputs), report)


def _check_policy(table: Element, outputs: list[Element], report: Report) -> None:
    policy, aggregation = table.get("hitPolicy", "UNIQUE"), table.get("aggregation", "")
    aggregates = aggregation in AGGREGATIONS and (not aggregation or (policy == "COLLECT" and len(outputs) == 1))
    if policy not in HIT_POLICIES or not aggregates:
        report.add(HIT_POLICY, table, policy=shown(f"{policy} {aggregation}".strip()), known=", ".join(HIT_POLICIES))
    if policy in ORDERED and not all(children(column, "outputValues") for column in outputs):
        report.add(ALLOWED_VALUES, table, policy=policy)


def _check_names(outputs: list[Element], report: Report) -> None:
    names: set[str] = set()
    for column in outputs:
        name = column.get("name", "")
        missing = not name and len(outputs) > 1
        if missing or name in names or (name and (not name.isidentifier() or name.startswith("_"))):
            report.add(OUTPUT_NAME, column, name=shown(name))
        names.add(name)


def _check_row(row: Element, inputs: int, outputs: int, report: Report) -> None:
    tests, results = children(row, "inputEntry"), children(row, "outputEntry")
    if (len(tests), len(results)) != (inputs, outputs):
        report.add(CELL_COUNT, row, found=len(tests) + len(results), expected=inputs + outputs)
    for cell in tests:
        text = text_of(cell)
        try:
            compile_test(text)
        except ExpressionError as reason:
            report.add(CELL, _place(cell, row), text=shown(text), reason=reason)
    for cell in results:
        if text_of(cell):
            _check_value(text_of(cell), _place(cell, row), report)


def _place(cell: Element, row: Element) -> Element:
    return cell if cell.get("id") else row


def _check_value(text: str, place: Element, report: Report) -> None:
    try:
        compile_value(text)
    except ExpressionError as reason:
        report.add(CELL, place, text=shown(text), reason=reason)
