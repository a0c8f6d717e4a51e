"""Rules on what the desk adds: buttons, forms, statuses, assignment – the `desk:` namespace."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from lxml import etree

from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import HUMAN, Drawing, Node, bpmn_name, desk
from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.bpmn.xml import DESK, local_name
from engine.errors import Fix

SCHEMA = Path(__file__).parent.parent / "desk.xsd"

EXTENSION = Rule(
    "desk-extension",
    "error",
    "Расширение desk:{kind} задано неверно: {reason}. Исправьте по справочнику desk.xsd.",
    "The extension desk:{kind} is not as it should be: {reason}. Correct it by desk.xsd.",
)
EXTENSION_PLACE = Rule(
    "desk-extension-place",
    "error",
    "desk:{kind} стоит не там: нужен раздел bpmn:extensionElements узла. Перенесите его.",
    "desk:{kind} is in the wrong place: it belongs in bpmn:extensionElements of a node. Move it.",
)
ACTION_REQUIRED = Rule(
    "user-task-action",
    "error",
    "У задачи нет ни одной кнопки, её нельзя завершить. Добавьте desk:action.",
    "The task has no button, nobody can finish it. Add a desk:action.",
)
ACTION_PLACE = Rule(
    "action-place",
    "error",
    "Кнопка здесь не появится. Её место – пользовательская задача, граничный сигнал или сигнал на старте событийного "
    "подпроцесса.",
    "No button appears here. Its place is a user task, a signal boundary event or a signal that starts an event "
    "sub-process.",
)
ACTION_TWICE = Rule(
    "action-twice",
    "error",
    "Кнопка {id} есть у этой задачи дважды. Дайте кнопкам разные id.",
    "The task has the button {id} twice. Give the buttons different ids.",
)
HOTKEY_TWICE = Rule(
    "hotkey-twice",
    "warning",
    "Клавиша {key} назначена двум кнопкам одной задачи. Назначьте разные.",
    "The key {key} belongs to two buttons of one task. Choose different ones.",
)
FORM_UNKNOWN = Rule(
    "form-unknown",
    "error",
    "Формы {form} нет. Положите рядом файл {form}.form.json или выберите другую форму.",
    "There is no form {form}. Add the file {form}.form.json or choose another form.",
)
STATUS_UNKNOWN = Rule(
    "status-unknown",
    "error",
    "Статуса {code} нет в справочнике. Есть: {known}. Выберите из них или задайте новому название: name.",
    "The status {code} is not in the directory. There are: {known}. Choose one of them or give the new one a name.",
)
STATUS_TWICE = Rule(
    "status-twice",
    "error",
    "У узла два статуса. Оставьте один.",
    "The node has two statuses. Keep one.",
)
ACTION_UNKNOWN = Rule(
    "action-unknown",
    "warning",
    "Условие сравнивает action с «{id}», но такой кнопки в файле нет. Есть: {known}.",
    "The condition compares action with “{id}”, but the file has no such button. There are: {known}.",
)
ASSIGNMENT_PLACE = Rule(
    "assignment-place",
    "warning",
    "desk:assignment действует только на пользовательской задаче. Уберите его отсюда.",
    "desk:assignment works on user tasks only. Remove it here.",
)

CLOCK_STOPS = Rule(
    "sla-timer-paused",
    "warning",
    "Таймер ждёт срока SLA, а в статусе {code} часы стоят: он не сработает, пока статус не сменится. Перенесите его "
    "на узел, где время идёт.",
    "The timer waits for an SLA date, but in the status {code} the clock stands still: it fires only after a change of "
    "status. Move it to a node where time counts.",
)

_SLA_DATE = re.compile(r"\bsla\s*\.\s*(?:due|remind)\s*\(")
_PRESSED = re.compile(r"(?<![\w.])action\s*(?:==|!=)\s*(?:\"([^\"]*)\"|'([^']*)')")
_REASON = re.compile(r"^Element '[^']*'[:,]\s*(?:\[[^\]]*\]\s*)?")

_one_at_a_time = Lock()
"""A schema object keeps the errors of its last validation, so threads take turns."""


@cache
def schema() -> etree.XMLSchema:
    """The schema of the `desk:` namespace."""
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


def check(drawing: Drawing, report: Report, *, forms: Collection[str] | None, statuses: Collection[str] | None) -> None:
    """Extensions against the schema, then what they name against the catalogues."""
    for element in drawing.elements():
        if element.tag.startswith(f"{{{DESK}}}"):
            _check_extension(element, report)
    actions = [action for node in drawing.nodes for action in desk(node.element, "action")]
    for node in drawing.nodes:
        _check_actions(node, report)
        _check_statuses(node, report, statuses)
        if node.kind not in HUMAN:
            for assignment in desk(node.element, "assignment"):
                report.add(ASSIGNMENT_PLACE, assignment, fix=fixes.without(assignment))
    for action in actions:
        form = action.get("form")
        if form and forms is not None and form not in forms:
            report.add(FORM_UNKNOWN, action, form=shown(form))
    categories = _categories(drawing, statuses)
    for node in drawing.nodes:
        _check_clock(node, categories, report)
    _check_pressed(drawing, {action.get("id", "") for action in actions}, report)


def _check_extension(element: Element, report: Report) -> None:
    kind = local_name(element)
    parent = element.getparent()
    if parent is not None and parent.tag.startswith(f"{{{DESK}}}"):
        return
    if parent is None or bpmn_name(parent) != "extensionElements":
        report.add(EXTENSION_PLACE, element, kind=shown(kind))
    for reason in _schema_errors(element):
        report.add(EXTENSION, element, kind=shown(kind), reason=reason)


def _schema_errors(element: Element) -> list[str]:
    with _one_at_a_time:
        if schema().validate(element):
            return []
        entries: Iterable[Any] = schema().error_log  # type: ignore[assignment] # the stubs know no iteration
        messages = {str(entry.message) for entry in entries}
    return [_REASON.sub("", message).rstrip(".")[:200] for message in sorted(messages)[:10]]


def _check_actions(node: Node, report: Report) -> None:
    actions = desk(node.element, "action")
    watches = node.kind == "boundaryEvent" or (node.kind == "startEvent" and node.scope.is_event_sub_process)
    button = watches and node.trigger == "signal"
    if node.kind in HUMAN and not actions:
        report.add(ACTION_REQUIRED, node.element)
    if actions and node.kind not in HUMAN and not button:
        report.add(ACTION_PLACE, actions[0])
    for id in _twice(actions, "id"):
        report.add(ACTION_TWICE, actions[0], id=shown(id))
    for key in _twice(actions, "hotkey"):
        second = [action for action in actions if action.get("hotkey") == key][1]
        fix = Fix(
            f"Убрать клавишу {key} у второй кнопки.",
            f"Take the key {key} from the second button.",
            (fixes.unset(second, "hotkey"),),
        )
        report.add(HOTKEY_TWICE, second, fix=fix, key=shown(key))


def _twice(actions: list[Element], attribute: str) -> list[str]:
    counted = Counter(action.get(attribute, "") for action in actions)
    return sorted(value for value, count in counted.items() if value and count > 1)


def _check_statuses(node: Node, report: Report, statuses: Collection[str] | None) -> None:
    declared = desk(node.element, "status")
    if len(declared) > 1:
        report.add(STATUS_TWICE, declared[1])
    for status in declared:
        code = status.get("code", "")
        if statuses is not None and code and code not in statuses and not status.get("name"):
            report.add(STATUS_UNKNOWN, status, code=shown(code), known=", ".join(sorted(statuses)))


def _categories(drawing: Drawing, statuses: Collection[str] | None) -> dict[str, str]:
    """Status → category, of the directory and of what the file brings along."""
    known = dict(statuses) if isinstance(statuses, Mapping) else {}
    brought = [status for node in drawing.nodes for status in desk(node.element, "status") if status.get("category")]
    return {status.get("code", ""): status.get("category", "") for status in brought} | known


def _check_clock(node: Node, categories: Mapping[str, str], report: Report) -> None:
    if node.kind != "boundaryEvent" or node.trigger != "timer" or node.host is None:
        return
    text = " ".join(str(part) for definition in node.definitions for part in definition.itertext())
    for status in desk(node.host.element, "status") if _SLA_DATE.search(text) else ():
        code = status.get("code", "")
        if categories.get(code) in ("paused", "done"):
            report.add(CLOCK_STOPS, node.element, code=shown(code))


def _check_pressed(drawing: Drawing, known: set[str], report: Report) -> None:
    """A condition on a button that no task of the file has: almost always a slip of the pen."""
    if not known:
        return
    for scope in drawing.scopes:
        for flow in scope.flows:
            text = flow.condition.text or "" if flow.condition is not None else ""
            for double, single in _PRESSED.findall(text[:2000]):
                if (double or single) not in known:
                    report.add(ACTION_UNKNOWN, flow.element, id=shown(double or single), known=", ".join(sorted(known)))
