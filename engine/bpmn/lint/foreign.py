"""Drawings of other tools: recognised as such, with what is missing to run them here."""

from __future__ import annotations

from collections.abc import Iterable

from engine.bpmn.lint import fixes, semantics
from engine.bpmn.lint.drawing import Drawing, is_executable
from engine.bpmn.lint.rules import Report, Rule, shown
from engine.bpmn.xml import DESK
from engine.errors import Fix, Problem

NOT_EXECUTABLE = Rule(
    "not-executable-drawing",
    "error",
    'Это рисунок ({tool}): ни один процесс не отмечен исполняемым. Поставьте isExecutable="true" («Executable» в '
    "свойствах процесса) и исправьте остальные замечания.",
    'This is a drawing ({tool}): no process is marked as executable. Set isExecutable="true" (“Executable” in the '
    "properties of the process) and correct the other findings.",
)
EXECUTABLE_UNSAID = Rule(
    "executable-unsaid",
    "info",
    "Не сказано, исполняемый ли процесс; здесь это считается за «да». Запишите isExecutable явно.",
    "It is not said whether the process is executable; here that counts as yes. Write isExecutable.",
)

_TOOLS = {
    "camunda.org/schema/zeebe": "Camunda 8",
    "camunda.org/schema": "Camunda 7",
    "flowable.org": "Flowable",
    "activiti.org": "Activiti",
    "signavio.com": "Signavio",
    "bizagi": "Bizagi",
    "boc-": "ADONIS",
    "visio": "Visio",
    "bpmn.io": "bpmn.io",
}
_NEEDS: tuple[tuple[frozenset[str], str, str], ...] = (
    (
        frozenset({"not-executable-drawing"}),
        "отметить процесс исполняемым (isExecutable)",
        "mark the process as executable (isExecutable)",
    ),
    (frozenset({"untyped-task"}), "задать задачам тип", "give the tasks a type"),
    (frozenset({"user-task-action"}), "добавить задачам людей кнопки", "give the tasks of people buttons"),
    (
        frozenset({"connector-missing", "connector-unknown"}),
        "выбрать сервисным задачам действие системы",
        "choose the connectors of the service tasks",
    ),
    (
        frozenset({"foreign-expression", "expression-language", "expression", "expression-missing"}),
        "переписать условия и выражения на язык стола",
        "write conditions and expressions in the language of the desk",
    ),
    (
        frozenset({"script", "ignored-extension", "data-association"}),
        "переписать сценарии и передачу данных",
        "rewrite scripts and the handing over of data",
    ),
    (
        frozenset({"missing-reference", "unknown-reference", "thrown-code", "global"}),
        "назвать сообщения, сигналы и ошибки",
        "name messages, signals and errors",
    ),
    (
        frozenset({"timer-count", "timer-value", "timer-cycle-place", "endless-cycle"}),
        "исправить таймеры",
        "correct the timers",
    ),
    (
        frozenset({"call-missing", "call-computed", "decision-required", "decision-unknown"}),
        "указать вызываемые процессы и решения",
        "name the called processes and decisions",
    ),
)


def check(drawing: Drawing, report: Report) -> None:
    """Whether anything in the file says that it runs."""
    processes = [process.element for process in drawing.processes]
    if processes and not any(map(is_executable, processes)):
        report.add(NOT_EXECUTABLE, processes[0], tool=tool(drawing))
    for process in processes:
        if process.get("isExecutable") is None:
            edit = fixes.set_attribute(process, "isExecutable", "true")
            fix = Fix("Записать isExecutable = true.", "Write isExecutable = true.", (edit,))
            report.add(EXECUTABLE_UNSAID, process, fix=fix)


def tool(drawing: Drawing) -> str:
    """The modeler that saved the file, as far as it tells."""
    exporter = shown(drawing.root.get("exporter", ""))
    signs = " ".join([*drawing.root.nsmap.values(), drawing.root.get("targetNamespace", ""), exporter]).lower()
    known = next((name for sign, name in _TOOLS.items() if sign in signs), "")
    return exporter or known or "BPMN 2.0"


def is_foreign(content: bytes, problems: Iterable[Problem]) -> bool:
    """Whether the file was made for something else: it is no executable process, or none of this desk."""
    found = {problem.rule for problem in problems if problem.severity == "error"}
    needed = found & frozenset().union(*(rules for rules, _, _ in _NEEDS))
    return NOT_EXECUTABLE.name in found or bool(needed and DESK.encode() not in content)


def needs(problems: Iterable[Problem], language: str) -> list[str]:
    """What is missing to run the drawing, most basic first, with the elements that lack it."""
    errors = [problem for problem in problems if problem.severity == "error" or problem.rule == semantics.UNTYPED.name]
    lines = []
    for rules, ru, en in _NEEDS:
        places = [problem for problem in errors if problem.rule in rules]
        if places:
            lines.append((ru if language == "ru" else en) + _where(places))
    named = frozenset().union(*(rules for rules, _, _ in _NEEDS))
    others = sum(problem.rule not in named for problem in errors)
    if others:
        lines.append(f"исправить остальные ошибки: {others}" if language == "ru" else f"correct other errors: {others}")
    return lines


def _where(places: list[Problem]) -> str:
    names = list(dict.fromkeys(place.element_name or place.element_id or "–" for place in places))
    more = f" + {len(names) - 5}" if len(names) > 5 else ""
    return f": {', '.join(names[:5])}{more}"
