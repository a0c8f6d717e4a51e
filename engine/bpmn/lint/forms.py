"""Rules on forms: form-js JSON within the subset that the desk renders and checks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from engine.bpmn.lint.rules import Report, Rule, shown
from engine.bpmn.xml import MOST_BYTES
from engine.errors import ExpressionError
from engine.expressions import compile

INPUTS = frozenset({"textfield", "textarea", "select", "radio", "checkbox", "datetime", "number"})
TYPES = INPUTS | {"text"}
MOST_FIELDS = 100
LONGEST_PATTERN = 200

UNREADABLE = Rule(
    "form-json",
    "error",
    "Форма не читается: {reason}. Сохраните её в редакторе форм заново.",
    "The form cannot be read: {reason_en}. Save it again in the form editor.",
)
COMPONENT_TYPE = Rule(
    "form-component",
    "error",
    "Поле «{label}» вида {kind} здесь не показывается. Есть: {known}.",
    "The field “{label}” of the kind {kind} is not shown here. There are: {known}.",
)
KEY = Rule(
    "form-key",
    "error",
    "У поля «{label}» негодный ключ {key}. Нужны латинские буквы, цифры и «_», первая – буква; ключи не повторяются.",
    "The field “{label}” has the unusable key {key}. It takes letters, digits and “_”, a letter first, each key once.",
)
LABEL = Rule(
    "form-label",
    "warning",
    "У поля {key} нет подписи. Подпишите его.",
    "The field {key} has no label. Write one.",
)
CHOICES = Rule(
    "form-choices",
    "error",
    "Полю «{label}» не из чего выбирать. Задайте values или свойство catalog.",
    "The field “{label}” has nothing to choose from. Set values or the property catalog.",
)
VALIDATION = Rule(
    "form-validation",
    "error",
    "Проверка {name} поля «{label}» задана неверно. Исправьте или уберите её.",
    "The validation {name} of the field “{label}” is not as it should be. Correct or remove it.",
)
CONDITION = Rule(
    "form-condition",
    "error",
    "Условие поля «{label}» не годится: {reason.ru}. Исправьте выражение.",
    "The condition of the field “{label}” cannot be used: {reason.en}. Correct the expression.",
)

_KEY = re.compile(r"[A-Za-z]\w{0,63}", re.ASCII)
_NESTED_QUANTIFIER = re.compile(r"[+*}]\)?[+*{]|\([^)]*[+*][^)]*\)[+*{]|\([^)]*\|[^)]*\)[+*{]")


def check(content: bytes, report: Report) -> None:
    """One form file; whatever it holds, nothing is raised."""
    form = _loaded(content, report)
    if form is None:
        return
    components = form.get("components")
    if not isinstance(components, list) or len(components) > MOST_FIELDS:
        _unreadable(report, f"нужен список components, не больше {MOST_FIELDS}", f"it needs ≤ {MOST_FIELDS} components")
        return
    keys: set[str] = set()
    for component in components:
        if isinstance(component, dict):
            _check_component(component, keys, report)
        else:
            _unreadable(report, "поле не является объектом", "a component is not an object")


def _loaded(content: bytes, report: Report) -> dict[str, Any] | None:
    if len(content) > MOST_BYTES:
        _unreadable(report, "файл больше 1 МиБ", "the file is larger than 1 MiB")
        return None
    try:
        form = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        _unreadable(report, "это не JSON в UTF-8", "it is not JSON in UTF-8")
        return None
    if not isinstance(form, dict):
        _unreadable(report, "нужен объект JSON", "it has to be a JSON object")
        return None
    return form


def _unreadable(report: Report, ru: str, en: str) -> None:
    report.add(UNREADABLE, reason=ru, reason_en=en)


def _check_component(component: Mapping[str, Any], keys: set[str], report: Report) -> None:
    kind, key = component.get("type"), component.get("key")
    label = shown(component.get("label") or component.get("dateLabel") or key or component.get("id") or "–")
    if not isinstance(kind, str) or kind not in TYPES:
        report.add(COMPONENT_TYPE, label=label, kind=shown(kind), known=", ".join(sorted(TYPES)))
        return
    _check_condition(component, label, report)
    if kind not in INPUTS:
        return
    if not isinstance(key, str) or not _KEY.fullmatch(key) or key in keys:
        report.add(KEY, label=label, key=shown(key))
    else:
        keys.add(key)
        if not (component.get("label") or component.get("dateLabel")):
            report.add(LABEL, key=shown(key))
    if kind in ("select", "radio") and not _has_choices(component):
        report.add(CHOICES, label=label)
    _check_validation(component, label, report)


def _has_choices(component: Mapping[str, Any]) -> bool:
    properties = component.get("properties")
    if isinstance(properties, dict) and isinstance(properties.get("catalog"), str):
        return True
    values = component.get("values")
    return isinstance(values, list) and bool(values) and all(isinstance(v, dict) and "value" in v for v in values)


def _check_condition(component: Mapping[str, Any], label: str, report: Report) -> None:
    conditional = component.get("conditional")
    hide = conditional.get("hide") if isinstance(conditional, dict) else None
    if hide:
        try:
            compile(str(hide).removeprefix("="))
        except ExpressionError as reason:
            report.add(CONDITION, label=label, reason=reason)


def _check_validation(component: Mapping[str, Any], label: str, report: Report) -> None:
    rules = component.get("validate") or {}
    if not isinstance(rules, dict):
        report.add(VALIDATION, label=label, name="validate")
        return
    for name in ("minLength", "maxLength", "min", "max"):
        value = rules.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            report.add(VALIDATION, label=label, name=name)
    pattern = rules.get("pattern")
    if pattern is not None and not _is_safe_pattern(pattern):
        report.add(VALIDATION, label=label, name="pattern")


def _is_safe_pattern(pattern: object) -> bool:
    """Compiles, is short and repeats nothing that is itself repeated: such patterns can run for hours."""
    if not isinstance(pattern, str) or len(pattern) > LONGEST_PATTERN or _NESTED_QUANTIFIER.search(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True
