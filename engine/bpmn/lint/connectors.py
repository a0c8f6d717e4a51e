"""Rules on calls out of the drawing: service tasks, their connectors and parameters, called processes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import Drawing, Node, Scope, desk, operator
from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.bpmn.xml import DESK, SPIFF
from engine.connectors import Connector
from engine.expressions import RESERVED

DEEPEST_CALLS = 10

OPERATOR_MISSING = Rule(
    "connector-missing",
    "error",
    "У сервисной задачи не выбрано действие системы. Задайте spiffworkflow:serviceTaskOperator, например notify.line.",
    "The service task names no connector. Set spiffworkflow:serviceTaskOperator, e.g. notify.line.",
)
OPERATOR_UNKNOWN = Rule(
    "connector-unknown",
    "error",
    "Действия {name} нет. Выберите одно из: {known}.",
    "There is no connector {name}. Choose one of: {known}.",
)
OPERATOR_PLACE = Rule(
    "connector-place",
    "error",
    "Действие системы вызывает только сервисная задача. Смените тип задачи или уберите действие.",
    "Only a service task calls a connector. Change the type of the task or remove the connector.",
)
PARAMETER_UNKNOWN = Rule(
    "parameter-unknown",
    "error",
    "У действия {name} нет параметра {parameter}. Есть: {known}.",
    "The connector {name} has no parameter {parameter}. It has: {known}.",
)
PARAMETER_MISSING = Rule(
    "parameter-missing",
    "error",
    "Действию {name} нужен параметр {parameter}. Задайте его.",
    "The connector {name} needs the parameter {parameter}. Set it.",
)
PARAMETER_TWICE = Rule(
    "parameter-twice",
    "error",
    "Параметр {parameter} задан дважды. Оставьте один.",
    "The parameter {parameter} is given twice. Keep one.",
)
RESULT_NAME = Rule(
    "result-name",
    "error",
    "Переменная результата «{name}» не годится. Нужно имя из букв, цифр и «_», не занятое языком выражений.",
    "The result variable “{name}” cannot be used. It takes letters, digits, “_” and no name of the language.",
)
JOB_PLACE = Rule(
    "job-place",
    "warning",
    "desk:job действует только на сервисной задаче. Уберите его отсюда.",
    "desk:job works on service tasks only. Remove it here.",
)
CALL_MISSING = Rule(
    "call-missing",
    "error",
    "Не сказано, какой процесс вызвать. Задайте calledElement.",
    "It is not said which process is called. Set calledElement.",
)
CALL_COMPUTED = Rule(
    "call-computed",
    "error",
    "Ключ вызываемого процесса {key} – не имя. Впишите идентификатор процесса.",
    "The key {key} of the called process is not a name. Write the id of the process.",
)
CALL_UNKNOWN = Rule(
    "call-unknown",
    "warning",
    "Процесса {key} среди этих файлов нет. Проверьте, что он уже выпущен, или добавьте его файл.",
    "The process {key} is not among these files. Make sure that it is deployed or add its file.",
)
CALL_BEGIN = Rule(
    "call-without-start",
    "error",
    "Процесс {key} начинается только событиями, вызвать его нельзя. Добавьте ему простое начало.",
    "The process {key} begins by events only and cannot be called. Give it a blank start event.",
)
CALL_BINDING = Rule(
    "call-binding",
    "error",
    "Привязка {binding} у вызова не годится: нужна latest или deployment, и только у вызова процесса. Исправьте её.",
    "The binding {binding} cannot be used: it is latest or deployment, and on a call activity only. Correct it.",
)
CALL_BUNDLE = Rule(
    "call-binding-bundle",
    "error",
    "Вызов привязан к своему набору, а процесса {key} в нём нет. Добавьте его файл или поставьте привязку latest.",
    "The call is bound to its own bundle, and {key} is not in it. Add its file or use the binding latest.",
)
CALL_CYCLE = Rule(
    "call-cycle",
    "error",
    "Процесс вызывает сам себя: {path}. Разорвите круг.",
    "The process calls itself: {path}. Break the circle.",
)
CALL_DEPTH = Rule(
    "call-depth",
    "error",
    "Вызовы вложены глубже {limit}: {path}. Сократите цепочку.",
    "Calls are nested deeper than {limit}: {path}. Shorten the chain.",
)

_NAME = re.compile(r"[^\W\d_]\w{0,99}")
_KEY = re.compile(r"[^\W\d][\w.-]*")


def check(drawing: Drawing, report: Report, connectors: Mapping[str, Connector] | None) -> None:
    """Service tasks against the catalogue; without a catalogue only their form."""
    for node in drawing.nodes:
        call = operator(node.element)
        if node.kind == "serviceTask":
            if call is None or not call.get("id"):
                report.add(OPERATOR_MISSING, node.element)
            else:
                _check_call(call, report, connectors)
        else:
            if call is not None:
                report.add(OPERATOR_PLACE, call)
            for job in desk(node.element, "job"):
                report.add(JOB_PLACE, job, fix=fixes.without(job))


def _check_call(call: Element, report: Report, connectors: Mapping[str, Connector] | None) -> None:
    _check_result(call, report)
    given = [parameter.get("id", "") for parameter in call.iter(f"{{{SPIFF}}}parameter")]
    for twice in sorted(name for name, count in Counter(given).items() if count > 1):
        report.add(PARAMETER_TWICE, call, parameter=shown(twice))
    if connectors is None:
        return
    name = call.get("id", "")
    connector = connectors.get(name)
    if connector is None:
        report.add(OPERATOR_UNKNOWN, call, name=shown(name), known=", ".join(sorted(connectors)) or "–")
        return
    parameters = {parameter.name: parameter for parameter in connector.parameters}
    for unknown in [each for each in given if each not in parameters]:
        known = ", ".join(parameters) or "–"
        report.add(PARAMETER_UNKNOWN, call, name=name, parameter=shown(unknown), known=known)
    for parameter in connector.parameters:
        if parameter.required and parameter.name not in given:
            report.add(PARAMETER_MISSING, call, name=name, parameter=parameter.name)


def _check_result(call: Element, report: Report) -> None:
    name = call.get("resultVariable")
    if name and (not _NAME.fullmatch(name) or name in RESERVED):
        report.add(RESULT_NAME, call, name=shown(name))


_Calls = dict[str, dict[str, tuple[Node, Report]]]
"""Calling process → called process → the first call activity that does it."""


def check_calls(drawings: dict[str, tuple[Drawing, Report]], deployed: Collection[str] = ()) -> None:
    """Call activities over all files of a bundle; what it calls may be `deployed` already."""
    calls: _Calls = {}
    unblank = {process.id for drawing, _ in drawings.values() for process in drawing.processes if _only_events(process)}
    for drawing, report in drawings.values():
        for process in drawing.processes:
            calls.setdefault(process.id, {})
        for node in drawing.nodes:
            _check_binding(node, report)
            if node.kind == "callActivity":
                _collect(node, report, calls)
    for key, made in calls.items():
        for called, (node, report) in made.items():
            if called not in calls and _binding(node) == "deployment":
                report.add(CALL_BUNDLE, node.element, key=shown(called))
            elif called not in calls and called not in deployed:
                report.add(CALL_UNKNOWN, node.element, key=shown(called))
            elif called in unblank:
                report.add(CALL_BEGIN, node.element, key=shown(called))
            _check_chain(key, called, node, report, calls)


def _binding(node: Node) -> str:
    return node.element.get(f"{{{DESK}}}binding", "latest")


def _check_binding(node: Node, report: Report) -> None:
    binding = _binding(node)
    if binding not in ("latest", "deployment") or (binding != "latest" and node.kind != "callActivity"):
        report.add(CALL_BINDING, node.element, binding=shown(binding))


def _only_events(process: Scope) -> bool:
    """Whether a call would find no place to begin: several start events, none of them blank."""
    starts = [node for node in process.nodes if node.kind == "startEvent"]
    return len(starts) > 1 and all(node.definitions for node in starts)


def _collect(node: Node, report: Report, calls: _Calls) -> None:
    key = node.element.get("calledElement", "").strip()
    if not key:
        report.add(CALL_MISSING, node.element)
    elif not _KEY.fullmatch(key):
        report.add(CALL_COMPUTED, node.element, key=shown(key))
    else:
        scope = node.scope
        while scope.parent is not None:
            scope = scope.parent
        calls.setdefault(scope.id, {}).setdefault(key, (node, report))


def _check_chain(key: str, called: str, node: Node, report: Report, calls: _Calls) -> None:
    """Breadth first from one call: does it come back to its own process, does it go too deep."""
    paths, seen = [[key, called]], {called}
    while paths:
        path = paths.pop(0)
        if path[-1] == key:
            report.add(CALL_CYCLE, node.element, path=" → ".join(map(shown, path)))
            return
        if len(path) - 1 > DEEPEST_CALLS:
            report.add(CALL_DEPTH, node.element, limit=DEEPEST_CALLS, path=" → ".join(map(shown, path)))
            return
        for following in calls.get(path[-1], {}):
            if following not in seen or following == key:
                seen.add(following)
                paths.append([*path, following])
