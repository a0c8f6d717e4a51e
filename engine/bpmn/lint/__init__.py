"""The check of diagrams, forms and decision tables: everything that is wrong, at once, with what to do."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.bpmn import dmn, xml
from engine.bpmn.lint import (
    area,
    conditions,
    decisions,
    desk,
    foreign,
    formulas,
    limits,
    pools,
    references,
    semantics,
    soundness,
    standard,
    structure,
    wiring,
)
from engine.bpmn.lint import (
    connectors as calls,
)
from engine.bpmn.lint import (
    forms as form_rules,
)
from engine.bpmn.lint.drawing import Drawing, Scope, draw
from engine.bpmn.lint.rules import Report
from engine.connectors import Connector
from engine.errors import Problem

__all__ = ["check_files", "form_name"]

FORM_SUFFIX = ".form.json"


def check_files(
    files: Mapping[str, bytes],
    *,
    connectors: Mapping[str, Connector] | None,
    statuses: Collection[str] | None,
    forms: Collection[str] | None,
    decision_ids: Collection[str] | None = None,
    processes: Collection[str] = (),
) -> list[Problem]:
    """All findings in the files of one bundle, in the order of files and lines; never raises.

    A catalogue that is None is not checked against; statuses may be a mapping to their categories.
    Forms, decisions and processes that are among the files are known as well.
    """
    reports = {name: Report(name) for name in files}
    drawings: dict[str, tuple[Drawing, Report]] = {}
    for name, content in files.items():
        drawing = _read(name, content, reports[name])
        if drawing is not None:
            drawings[name] = drawing, reports[name]
    known_forms = None if forms is None else {*forms, *(form_name(name) for name in files if _is_form(name))}
    known_decisions = None if decision_ids is None else {*decision_ids, *_decisions_in(files)}
    waiting = _Waiting(drawings)
    for drawing, report in drawings.values():
        decisions.check_tasks(drawing, report, known_decisions)
        _check(drawing, report, waiting, connectors, statuses, known_forms)
    limits.check_bundle(drawings)
    calls.check_calls(drawings, processes)
    return [problem for report in reports.values() for problem in _sorted(report)]


def form_name(file: str) -> str:
    """The name that buttons know a form by: the file's name without folders and `.form.json`."""
    return file.replace("\\", "/").rpartition("/")[2].removesuffix(FORM_SUFFIX)


def _decisions_in(files: Mapping[str, bytes]) -> set[str]:
    return {key for name, content in files.items() if name.lower().endswith(".dmn") for key in dmn.known_ids(content)}


def _is_form(file: str) -> bool:
    return file.lower().endswith(FORM_SUFFIX)


def _read(name: str, content: bytes, report: Report) -> Drawing | None:
    """The drawing of a BPMN file; other kinds are checked at once and give None."""
    if _is_form(name):
        form_rules.check(content, report)
        return None
    if name.lower().endswith(".json"):
        return None
    try:
        root = xml.read(content, name)
    except xml.XmlRefused as refusal:
        report.problems.append(refusal.problem)
        return None
    if name.lower().endswith(".dmn"):
        decisions.check(root, report)
        return None
    return draw(root) if limits.is_bpmn(root, report) else None


def _check(
    drawing: Drawing,
    report: Report,
    waiting: _Waiting,
    connectors: Mapping[str, Connector] | None,
    statuses: Collection[str] | None,
    forms: Collection[str] | None,
) -> None:
    limits.check(drawing, report)
    foreign.check(drawing, report)
    formulas.check(drawing, report)
    if limits.is_huge(drawing):
        return
    standard.check(drawing, report)
    references.check(drawing, report)
    structure.check(drawing, report)
    wiring.check(drawing, report)
    pools.check(drawing, report)
    semantics.check(drawing, report)
    calls.check(drawing, report, connectors)
    desk.check(drawing, report, forms=forms, statuses=statuses)
    soundness.check(drawing, report, waiting)
    conditions.check(drawing, report)
    area.check(drawing, report)


class _Waiting:
    """Whether a called process has a wait; one that is not among the files is taken to have."""

    def __init__(self, drawings: Mapping[str, tuple[Drawing, Report]]) -> None:
        self._scopes: dict[str, Scope] = {p.id: p for drawing, _ in drawings.values() for p in drawing.processes}
        self._known: dict[str, bool] = {}

    def __call__(self, key: str) -> bool:
        if key not in self._scopes:
            return True
        if key not in self._known:
            self._known[key] = False
            self._known[key] = soundness.has_wait(self._scopes[key], self)
        return self._known[key]


def _sorted(report: Report) -> list[Problem]:
    return sorted(report.problems, key=lambda problem: problem.line or 0)
