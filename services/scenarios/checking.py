"""What can be said of a scenario without running it: names that the diagrams do not know."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.bpmn import xml
from engine.bpmn.extensions import processes, read_index
from engine.bundles import FORM_SUFFIX, form_name
from engine.errors import EngineError, Problem
from services import forms
from services.scenarios.language import Expect, Scenario, Step
from services.scenarios.reading import Unreadable, is_scenario, read

Indexes = Mapping[str, Mapping[str, Any]]
"""Process key → its index."""


@dataclass(frozen=True, slots=True)
class Known:
    """What scenarios may speak of."""

    indexes: Indexes
    fields: Mapping[str, frozenset[str]]
    """Form → keys of its fields."""


def known(files: Mapping[str, bytes], indexes: Indexes | None = None) -> Known:
    """What these files hold, on top of `indexes` of processes that are there already."""
    found = dict(indexes or {})
    fields = {}
    for name, content in files.items():
        if name.endswith(".bpmn"):
            found |= {process.get("id", ""): read_index(process) for process in _processes(content, name)}
        elif name.endswith(FORM_SUFFIX):
            fields[form_name(name)] = _keys(content)
    return Known(found, fields)


def check(files: Mapping[str, bytes], what: Known | None = None) -> list[Problem]:
    """Everything that is wrong with the scenarios among the files, without running one."""
    what = what or known(files)
    found: list[Problem] = []
    for name, content in sorted(files.items()):
        if is_scenario(name):
            try:
                found.extend(findings(read(content, name), name, what))
            except Unreadable as error:
                found.extend(error.problems)
    return found


def findings(scenario: Scenario, file: str, what: Known) -> Iterator[Problem]:
    """What is wrong with one scenario."""
    if scenario.process not in what.indexes:
        near_ru, near_en = _near(scenario.process, what.indexes)
        ru = f"процесса «{scenario.process}» здесь нет{near_ru}"
        yield _problem("process", file, ru, f"Expected a known process, but there is no {scenario.process}{near_en}")
        return
    yield from _beginning(scenario, file)
    scope = _Scope(what, scenario.process)
    for number, step in enumerate(scenario.steps, 1):
        for problem in (*scope.of_step(step), *(scope.of_expectation(step.expect) if step.expect else ())):
            yield _placed(problem, file, f"шаг {number}", f"step {number}")
    for problem in scope.of_expectation(scenario.expect) if scenario.expect else ():
        yield _placed(problem, file, "в конце", "at the end")


def _processes(content: bytes, name: str) -> Iterable[Any]:
    try:
        return processes(xml.read(content, name))
    except EngineError:
        return []  # the check of the diagrams says what is wrong with it


def _keys(content: bytes) -> frozenset[str]:
    try:
        return frozenset(field.key for field in forms.load(json.loads(content)).inputs)
    except (ValueError, TypeError, AttributeError, EngineError):
        return frozenset()


def _beginning(scenario: Scenario, file: str) -> Iterator[Problem]:
    first = scenario.steps[0].kind if scenario.steps else ""
    needed = {"line": "client_writes", "card": "creates"}.get(scenario.given.begins)
    if needed and first != needed:
        ru = f"начало «{scenario.given.begins}» требует первого шага {needed}"
        yield _problem("begin", file, ru, f"Expected the first step {needed}, because it begins by {needed}")


@dataclass(frozen=True, slots=True)
class _Finding:
    rule: str
    ru: str
    en: str


class _Scope:
    """The processes that one scenario may get to, and what they offer."""

    def __init__(self, what: Known, process: str) -> None:
        keys = _reached(what.indexes, process)
        self._complete = keys <= set(what.indexes)
        """Otherwise a called process is not at hand, and nothing can be said to be unknown."""
        nodes = [
            (key, node) for key in sorted(keys & set(what.indexes)) for node in what.indexes[key]["nodes"].values()
        ]
        self._elements = {text for key, node in nodes for text in (node["id"], f"{key}/{node['id']}", node.get("name"))}
        self._statuses = {node["status"] for _, node in nodes if node.get("status")}
        self._actions = [action for _, node in nodes for action in node.get("actions", ())]
        self._fields = what.fields

    def of_step(self, step: Step) -> Iterator[_Finding]:
        if step.press is None:
            return
        pressed = [each for each in self._actions if step.press in (each["id"], each.get("label"))]
        if not pressed:
            yield from self._unknown("action", step.press, self._labels(), "кнопки", "button")
        allowed = [self._fields[each["form"]] for each in pressed if each.get("form") in self._fields]
        if len(allowed) == len(pressed) and allowed:
            for key in sorted(set(step.form or {}) - frozenset().union(*allowed)):
                yield from self._unknown("field", key, frozenset().union(*allowed), "поля формы", "field of the form")

    def of_expectation(self, expected: Expect) -> Iterator[_Finding]:
        named = [*(expected.path or ()), *(expected.exact_path or ()), *(expected.not_visited or ())]
        named += [*(expected.timers or ()), *(expected.tasks or ()), *(expected.incidents or ())]
        for name in dict.fromkeys(named):
            if name not in self._elements:
                yield from self._unknown("element", name, self._elements, "элемента", "element")
        for name in expected.actions or ():
            if name not in self._labels():
                yield from self._unknown("action", name, self._labels(), "кнопки", "button")
        if expected.status and expected.status not in self._statuses:
            yield from self._unknown("status", expected.status, self._statuses, "статуса", "status")

    def _labels(self) -> set[str]:
        return {text for each in self._actions for text in (each["id"], each.get("label", each["id"]))}

    def _unknown(self, rule: str, name: str, names: Iterable[str | None], ru: str, en: str) -> Iterator[_Finding]:
        if self._complete:
            near_ru, near_en = _near(name, names)
            yield _Finding(
                rule, f"{ru} «{name}» на схеме нет{near_ru}", f"Expected a known {en}, but there is no {name}{near_en}"
            )


def _reached(indexes: Indexes, process: str) -> set[str]:
    """The process, what it calls, and whatever begins by an event."""
    reached = {process} | {key for key, index in indexes.items() if _begins_by_event(index)}
    while True:
        called = {call for key in reached if key in indexes for call in indexes[key]["calls"]}
        if called <= reached:
            return reached
        reached |= called


def _begins_by_event(index: Mapping[str, Any]) -> bool:
    starts = (node for node in index["nodes"].values() if node["type"] == "startEvent")
    return any(node.get("event") and not node.get("within") for node in starts)


def _near(name: str, names: Iterable[str | None]) -> tuple[str, str]:
    close = difflib.get_close_matches(name, [each for each in names if each], 1)
    return (f"; похоже на «{close[0]}»", f", similar is {close[0]}") if close else ("", "")


def _placed(found: _Finding, file: str, ru: str, en: str) -> Problem:
    return _problem(found.rule, file, f"{ru}: {found.ru}", f"{en}: {found.en}")


def _problem(rule: str, file: str, ru: str, en: str) -> Problem:
    return Problem(f"scenario-{rule}", "error", ru, en, file=file)
