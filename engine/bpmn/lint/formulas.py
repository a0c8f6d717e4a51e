"""Rules on every place of a drawing that holds an expression, a script or a time."""

from __future__ import annotations

import re
from collections.abc import Callable

from engine import iso8601, retries
from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import Drawing, Node, bpmn_child, bpmn_name, operator
from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.bpmn.xml import DESK, SPIFF, local_name
from engine.errors import ExpressionError, Fix
from engine.expressions import compile, compile_script

EXPRESSION = Rule(
    "expression",
    "error",
    "Выражение «{text}» не годится: {reason.ru}. Исправьте его.",
    "The expression “{text}” cannot be used: {reason.en}. Correct it.",
)
MISSING_EXPRESSION = Rule(
    "expression-missing",
    "error",
    "Здесь нужно выражение, а его нет. Напишите его.",
    "An expression is needed here. Write one.",
)
SCRIPT = Rule(
    "script",
    "error",
    "Сценарий не годится: {reason.ru}. Допустимы только строки «имя = выражение».",
    "The script cannot be used: {reason.en}. Only lines `name = expression` are allowed.",
)
LANGUAGE = Rule(
    "expression-language",
    "error",
    "Язык {language} здесь не исполняется. Перепишите на языке выражений и уберите указание языка.",
    "The language {language} is not executed here. Rewrite it in the expression language and remove the attribute.",
)
FOREIGN_EXPRESSION = Rule(
    "foreign-expression",
    "error",
    'Выражение «{text}» записано для другого движка. Напишите его без ${{…}}: например, action == "take".',
    'The expression “{text}” is written for another engine. Write it without ${{…}}, e.g. action == "take".',
)
IGNORED_CODE = Rule(
    "ignored-extension",
    "error",
    "Расширение {kind} здесь не исполняется. Перенесите его содержимое в сценарий или параметры задачи.",
    "The extension {kind} is not executed here. Move its content to a script task or to parameters.",
)
DATA_ASSOCIATION = Rule(
    "data-association",
    "error",
    "Передача данных по связям с объектами данных не исполняется. Удалите связь: данные живут в переменных и карточке.",
    "Data associations are not executed. Remove it: data live in variables and in the record.",
)
TIMER_COUNT = Rule(
    "timer-count",
    "error",
    "У таймера должно быть ровно одно время: дата, длительность или цикл. Задайте его.",
    "A timer needs exactly one time: a date, a duration or a cycle. Set it.",
)
TIMER_VALUE = Rule(
    "timer-value",
    "error",
    "Время таймера «{text}» не читается: {reason.ru}. Выражение начинайте со знака «=».",
    "The time “{text}” cannot be read: {reason.en}. Begin an expression with “=”.",
)
CYCLE_PLACE = Rule(
    "timer-cycle-place",
    "error",
    "Цикл работает на начальном и на непрерывающем событии. Здесь задайте дату или длительность.",
    "A cycle works on a start event and on an event that does not interrupt. Set a date or a duration here.",
)
ENDLESS_CYCLE = Rule(
    "endless-cycle",
    "error",
    "У цикла «{text}» нет предела. Укажите число повторений: R3/PT10M.",
    "The cycle “{text}” has no bound. Say how often: R3/PT10M.",
)
CALENDAR_UNITS = Rule(
    "timer-calendar-units",
    "warning",
    "В «{text}» год считается за 365 дней, месяц – за 30. Укажите дни, если это важно.",
    "In “{text}” a year counts 365 days and a month 30. Write days where it matters.",
)

_FOREIGN = re.compile(r"\s*[$#]\{")
_BRACED = re.compile(r"\s*[$#]\{([^{}]*)\}\s*")
_LANGUAGES = frozenset({"", "python", "text/x-python", "bpmdesk", "urn:bpmdesk:1"})
_EXPRESSIONS = frozenset(
    [
        "conditionExpression",
        "loopCardinality",
        "completionCondition",
        "loopCondition",
        "condition",
        "messagePath",
        "dataPath",
        "from",
        "to",
        "transformation",
        "formalExpression",
        "expression",
        "activationCondition",
    ]
)
_CODE_OF_THE_LIBRARY = frozenset(
    [
        "preScript",
        "postScript",
        "scriptsOnInstances",
        "messagePayload",
        "messageVariable",
        "payloadExpression",
        "variableName",
        "calledDecisionId",
        "conditionExpression",
    ]
)


def _is_code_of_the_library(element: Element) -> bool:
    if not element.tag.startswith(f"{{{SPIFF}}}") or local_name(element) not in _CODE_OF_THE_LIBRARY:
        return False
    asks = local_name(element) == "calledDecisionId"
    return not asks or not any(bpmn_name(above) == "businessRuleTask" for above in element.iterancestors())


def check(drawing: Drawing, report: Report) -> None:
    """Every expression place, found in the parsed file whatever element it hangs on."""
    for element in drawing.elements():
        name = bpmn_name(element)
        if name in _EXPRESSIONS:
            check_expression(element.text, element, report)
        elif name == "script":
            _check_script(element, report)
        elif name == "scriptTask" and bpmn_child(element, "script") is None:
            report.add(MISSING_EXPRESSION, element)
        elif name in ("dataInputAssociation", "dataOutputAssociation"):
            report.add(DATA_ASSOCIATION, element)
        elif _is_code_of_the_library(element):
            report.add(IGNORED_CODE, element, kind=shown(local_name(element)))
        elif element.tag.startswith(f"{{{DESK}}}"):
            _check_attributes(element, report)
        _check_language(element, name, report)
    for node in drawing.nodes:
        _check_parameters(node, report)
        _check_timer(node, report)


def check_expression(text: str | None, place: Element, report: Report) -> None:
    """One expression as it stands in the file; a leading "=" is allowed everywhere."""
    if not text or not text.strip():
        report.add(MISSING_EXPRESSION, place)
    elif _FOREIGN.match(text):
        report.add(FOREIGN_EXPRESSION, place, fix=_translated(text, place), text=shown(text))
    else:
        source = text.strip()
        try:
            compile(source[1:] if source.startswith("=") and not source.startswith("==") else source)
        except ExpressionError as reason:
            report.add(EXPRESSION, place, text=shown(text), reason=reason)


def _translated(text: str, place: Element) -> Fix | None:
    """The same without the foreign braces, where it means the same in the language of the desk."""
    inner = _BRACED.fullmatch(text)
    if inner is None or local_name(place) == "parameter":
        return None
    source = inner[1].strip()
    try:
        compile(source)
    except ExpressionError:
        return None
    return Fix(f"Записать {shown(source)}.", f"Write {shown(source)}.", (fixes.set_text(place, source),))


def _check_script(element: Element, report: Report) -> None:
    try:
        compile_script(element.text or "")
    except ExpressionError as reason:
        report.add(SCRIPT, element, reason=reason)


def _check_language(element: Element, name: str, report: Report) -> None:
    attribute = "scriptFormat" if name == "scriptTask" else "language"
    language = element.get(attribute, "") if name in _EXPRESSIONS | {"scriptTask"} else ""
    if language.strip().lower() not in _LANGUAGES:
        report.add(LANGUAGE, element, language=shown(language))


def _check_attributes(element: Element, report: Report) -> None:
    for attribute in ("assignee", "group", "visible"):
        text = element.get(attribute, "")
        if text.startswith("="):
            check_expression(text[1:], element, report)
    backoff = element.get("backoff")
    if local_name(element) == "job" and backoff is not None:
        _check_time(backoff, retries.checked, element, report)


def _check_parameters(node: Node, report: Report) -> None:
    call = operator(node.element)
    if call is not None:
        for parameter in call.iter(f"{{{SPIFF}}}parameter"):
            check_expression(parameter.get("value"), parameter, report)


def _check_timer(node: Node, report: Report) -> None:
    for definition in node.definitions:
        if bpmn_name(definition) != "timerEventDefinition":
            continue
        times = [child for child in definition if bpmn_name(child).startswith("time")]
        if len(times) != 1 or not (times[0].text or "").strip():
            report.add(TIMER_COUNT, definition)
        for time in times:
            _check_timer_text(node, time, (time.text or "").strip(), report)


def _check_timer_text(node: Node, time: Element, text: str, report: Report) -> None:
    if not text:
        return
    if _FOREIGN.match(text):
        report.add(FOREIGN_EXPRESSION, time, text=shown(text))
    elif text.startswith("="):
        check_expression(text[1:], time, report)
    elif bpmn_name(time) == "timeCycle":
        _check_cycle(node, time, text, report)
    elif bpmn_name(time) == "timeDuration":
        _check_time(text, iso8601.parse_duration, time, report)
    else:
        _check_time(text, _parse_date, time, report)


def _parse_date(text: str) -> object:
    """What a `timeDate` may say: an instant, a day, or how long from now."""
    if text.startswith("P"):
        return iso8601.parse_duration(text)
    return iso8601.parse_instant(text) if "T" in text else iso8601.parse_date(text)


def _check_cycle(node: Node, time: Element, text: str, report: Report) -> None:
    begins = node.kind == "startEvent" and node.scope.parent is None
    watches = node.kind == "boundaryEvent" or (node.kind == "startEvent" and node.scope.is_event_sub_process)
    if not begins and (not watches or node.interrupts):
        report.add(CYCLE_PLACE, time)
    try:
        cycle = iso8601.parse_cycle(text)
    except ExpressionError as reason:
        report.add(TIMER_VALUE, time, text=shown(text), reason=reason)
        return
    if cycle.repeat is None and not begins:
        report.add(ENDLESS_CYCLE, time, text=shown(text))


def _check_time(text: str, parse: Callable[[str], object], place: Element, report: Report) -> None:
    try:
        parse(text)
    except ExpressionError as reason:
        report.add(TIMER_VALUE, place, text=shown(text), reason=reason)
        return
    if iso8601.has_calendar_units(text):
        report.add(CALENDAR_UNITS, place, text=shown(text))
