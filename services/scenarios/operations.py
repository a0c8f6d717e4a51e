"""Running the scenarios of a bundle: a report for every process, stored with its version."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from engine import bundles, clock
from engine.errors import Problem
from engine.models import Deployment, ProcessDefinition
from services import rehearsal
from services.rehearsal import Template
from services.scenarios import checking, coverage, queries, reading
from services.scenarios.checking import Known
from services.scenarios.coverage import Visits
from services.scenarios.reading import Unreadable
from services.scenarios.running import CPU_SECONDS, Difference, Result, run
from services.scenarios.said import Said

BUNDLE_SECONDS = 60.0
"""Of computing for all scenarios of a bundle together; what is left then is told as not run."""
WAITED_SECONDS = 5.0
"""The same where somebody waits for it, and with SQLite everybody who writes."""
MOST_SCENARIOS = 300


@dataclass
class Report:
    """What all scenarios of a bundle said."""

    results: list[Result] = field(default_factory=list)
    visits: dict[str, Visits] = field(default_factory=dict)
    """By process key, all runs together."""

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)

    def coverage(self, definition: ProcessDefinition) -> dict[str, Any]:
        """How much of a process was visited; see `coverage.report`."""
        return coverage.report(self.visits.get(definition.key, Visits()), definition.index)


def run_all(files: Mapping[str, bytes], template: Template, *, seconds: float = BUNDLE_SECONDS) -> Report:
    """Run the scenarios among the files on desks like `template`, which has the processes already."""
    report = Report()
    until = time.thread_time() + seconds
    scenarios = sorted(name for name in files if reading.is_scenario(name))
    for name in scenarios[:MOST_SCENARIOS]:
        result = _run_one(files[name], name, template, until - time.thread_time())
        report.results.append(result)
        for key, seen in result.visits.items():
            report.visits.setdefault(key, Visits()).add(seen)
    report.results.extend(_unrun(name, name) for name in scenarios[MOST_SCENARIOS:])
    return report


def run_for(
    session: Session, *definitions: ProcessDefinition, seconds: float = BUNDLE_SECONDS
) -> list[dict[str, Any] | None]:
    """Run the scenarios of versions; for each what `ProcessDefinition.scenarios` holds, None when there are none.

    They run on the version with the bundle it came in and, for what that lacks, the active versions of the desk;
    versions of one bundle share one run. Nothing is stored. `seconds` of computing are spent on a run at most.
    """
    reports: dict[tuple[int, str], Report] = {}
    found: list[dict[str, Any] | None] = []
    for definition in definitions:
        files = queries.scenarios(session, definition)
        run = (definition.deployment_id, bundles.bundle_digest(files))
        if files and run not in reports:
            reports[run] = run_all(files, _template(session, definition), seconds=seconds)
        found.append(_told(reports[run], definition) if files else None)
    return found


def _told(report: Report, definition: ProcessDefinition) -> dict[str, Any]:
    concerned = [result for result in report.results if _concerns(result, definition.key)]
    return as_data(concerned, report.coverage(definition))


def examine(session: Session, definition: ProcessDefinition) -> None:
    """Bring the report of a draft up to date before it becomes active for the first time.

    What takes too long stays queued and counts as failing until a worker has run it.
    """
    if definition.activated_at is None and not is_told(definition):
        [report] = run_for(session, definition, seconds=WAITED_SECONDS)
        too_long = report is not None and not report["complete"]
        definition.scenarios = {"state": "queued", "failed": report["failed"]} if report and too_long else report
        session.flush()


def queue(session: Session, deployment: Deployment) -> None:
    """Have the scenarios run of the versions this bundle brings, and again of those it brings new ones for.

    A worker does it at once.
    """
    brings_some = any(resource.kind == "scenario" for resource in deployment.resources)
    for definition in queries.versions_of(session, deployment) if brings_some else deployment.definitions:
        if queries.scenarios(session, definition):
            definition.scenarios = {"state": "queued"}
    session.flush()


def save(session: Session, definition: ProcessDefinition, name: str, content: bytes, *, author: str) -> list[Problem]:
    """Add a scenario to a version or change one, and have all of them run again; what is wrong with it is returned.

    Nothing is stored then. The version stays the version it is: nobody's process changes.
    """
    problems = checking.check({name: content}, _known(session, definition))
    if not problems:
        files = {**queries.scenarios(session, definition), name: content}
        bundles.accompany(session, definition, files, author=author, comment=name)
    return problems


def _known(session: Session, definition: ProcessDefinition) -> Known:
    """What scenarios of this version may speak of: it, the rest of its bundle, and what is active."""
    indexes = {each.key: each.index for each in queries.at_hand(session, definition)}
    forms = {each.name: each.content for each in queries.forms(session, definition)}
    return checking.known(forms, indexes)


def is_told(definition: ProcessDefinition) -> bool:
    """Whether the version has a report and waits for no newer one."""
    return definition.scenarios is not None and "results" in definition.scenarios


def _template(session: Session, definition: ProcessDefinition) -> Template:
    copied = rehearsal.with_processes(session, bundle=definition.deployment_id)
    with rehearsal.opened(reference=copied) as desk:
        desk.activate(definition.deployment_id)
        return desk.template()


def _concerns(result: Result, key: str) -> bool:
    """Whether the scenario is of this process, got to it, or cannot be read at all."""
    return result.process in (key, "") or key in result.visits


def as_data(results: Iterable[Result], covered: Mapping[str, Any]) -> dict[str, Any]:
    """The report as it is stored in `ProcessDefinition.scenarios`."""
    listed = list(results)
    return {
        "passed": sum(1 for result in listed if result.passed),
        "failed": sum(1 for result in listed if not result.passed),
        "results": [result_data(result) for result in listed],
        "complete": all(result.was_run for result in listed),
        "coverage": dict(covered),
        "at": clock.now().isoformat(),
    }


def _run_one(content: bytes, file: str, template: Template, seconds: float) -> Result:
    try:
        scenario = reading.read(content, file)
    except Unreadable as error:
        told = [Difference(None, Said(problem.message_ru, problem.message_en)) for problem in error.problems]
        return Result(file, "", file, differences=told)
    if seconds <= 0:
        return _unrun(scenario.scenario, file, scenario.process)
    return run(scenario, template, file=file, seconds=min(CPU_SECONDS, seconds))


def _unrun(name: str, file: str, process: str = "") -> Result:
    said = Said(
        "не выполнен: исчерпано время на все сценарии поставки", "not run: the time for all scenarios is used up"
    )
    return Result(name, process, file, differences=[Difference(None, said)], was_run=False)


def result_data(result: Result) -> dict[str, Any]:
    """What became of one scenario, in both languages."""
    return {
        "name": result.name,
        "process": result.process,
        "file": result.file,
        "passed": result.passed,
        "steps": [{**told.said.as_data(), "at": told.at.isoformat()} for told in result.told],
        "differences": [{"step": each.step, **each.said.as_data()} for each in result.differences],
        "ms": round(result.cpu_sec * 1000),
    }
