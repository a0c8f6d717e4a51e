"""The command `bpmdesk check --scenarios`: run them, say what differed and what nobody visits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from engine.bpmn import xml
from engine.bpmn.extensions import processes
from engine.errors import DeploymentRefused, EngineError, Problem
from engine.models import ProcessDefinition
from engine.repository import check
from services import rehearsal
from services.scenarios import checking, operations, reading
from services.scenarios.operations import Report
from services.scenarios.running import Result
from webui import builtin
from webui.wording import both

_SUFFIXES = (".bpmn", ".dmn", ".form.json")
_LONGEST_LIST = 40


@dataclass(frozen=True, slots=True)
class _Told:
    """Everything the command has to say."""

    problems: Sequence[Problem]
    report: Report
    coverage: Mapping[str, Mapping[str, Any]]
    """By process key, with its name."""

    @property
    def well(self) -> bool:
        return self.report.passed and not self.problems


def command(paths: Sequence[Path], style: str) -> int:
    """Run the scenarios of files and folders on their processes; 1 when one fails or cannot be read.

    Without paths: the built-in ones. What the files call or fill in and is not among them is looked for beside them
    and among the built-in files.
    """
    given = gathered(paths) if paths else {**builtin.files(), **builtin.scenarios()}
    told = _tell(given, _completed(given, paths))
    click.echo(_as_json(told) if style == "json" else "\n".join(_as_text(told)))
    return int(not told.well)


def gathered(paths: Iterable[Path]) -> dict[str, bytes]:
    """The files by name, and of folders whatever belongs to a bundle: drawings, tables, forms, scenarios."""
    return {file.name: content for path in paths for file, content in _walk(path)}


def _walk(path: Path) -> Iterator[tuple[Path, bytes]]:
    if not path.is_dir():
        yield path, path.read_bytes()
        return
    for file in sorted(path.rglob("*")):
        if file.name.endswith((*_SUFFIXES, ".json")) and file.is_file():
            content = file.read_bytes()
            if file.name.endswith(_SUFFIXES) or reading.is_told(file, content):
                yield file, content


def _completed(given: Mapping[str, bytes], paths: Iterable[Path]) -> dict[str, bytes]:
    """The processes and forms with what they need besides: their neighbours win over the built-in files."""
    near: dict[str, bytes] = {}
    for folder in {(path if path.is_dir() else path.parent).resolve() for path in paths}:
        near |= gathered(
            [each for each in (folder / "forms", folder.parent / "forms", folder / "decisions") if each.is_dir()]
        )
    own = {name: content for name, content in given.items() if not reading.is_scenario(name)}
    defined = _keys(own)
    others = {name: content for name, content in builtin.files().items() if not defined & _keys({name: content})}
    return {**others, **near, **own}


def _keys(files: Mapping[str, bytes]) -> set[str]:
    found = set()
    for name, content in files.items():
        if name.endswith(".bpmn"):
            try:
                found |= {process.get("id", "") for process in processes(xml.read(content, name))}
            except EngineError:
                continue  # the check says what is wrong with it
    return found


def _tell(given: Mapping[str, bytes], files: Mapping[str, bytes]) -> _Told:
    scenarios = {name: content for name, content in given.items() if reading.is_scenario(name)}
    problems = [problem for problem in check(files) if problem.severity == "error"]
    problems += checking.check({**files, **scenarios})
    if problems:
        return _Told(problems, Report(), {})
    try:
        with rehearsal.opened() as desk:
            desk.deploy(files)
            template = desk.template()
    except DeploymentRefused as refused:
        return _Told(refused.problems, Report(), {})
    report = operations.run_all(scenarios, template)
    with rehearsal.opened(reference=template) as desk, desk.look() as session:
        defined = session.scalars(select(ProcessDefinition).where(ProcessDefinition.key.in_(_keys(given))))
        covered = {each.key: {"name": each.name, **report.coverage(each)} for each in defined}
    return _Told([], report, covered)


def _as_text(told: _Told) -> Iterator[str]:
    for problem in told.problems:
        yield f"{problem.file}: {both(problem.message_ru, problem.message_en)} [{problem.rule}]"
    for result in told.report.results:
        yield from _result_lines(result)
    if told.problems:
        yield both("Сценарии не запускались: сначала исправьте ошибки.", "No scenario was run: mend the errors first.")
        return
    failed = sum(1 for result in told.report.results if not result.passed)
    count = len(told.report.results)
    yield both(f"Сценариев: {count}, не прошли: {failed}.", f"Scenarios: {count}, failed: {failed}.")
    for key, covered in told.coverage.items():
        yield from _coverage_lines(key, covered)


def _result_lines(result: Result) -> Iterator[str]:
    yield f"{'✓' if result.passed else '✗'} {result.file}  {result.name}  ({result.cpu_sec * 1000:.0f} ms)"
    for each in result.differences:
        step = "" if each.step is None else both(f"шаг {each.step}", f"step {each.step}")
        told = result.told[each.step - 1].said if each.step else None
        if told is not None:
            yield f"    {step}. {both(told.ru, told.en)}"
        yield f"      {both(each.said.ru, each.said.en)}"


def _coverage_lines(key: str, covered: Mapping[str, Any]) -> Iterator[str]:
    nodes, flows = covered["nodes"], covered["flows"]
    yield both(
        f"Покрытие {key} «{covered['name']}»: узлы {nodes} %, потоки {flows} %",
        f"Coverage of {key} «{covered['name']}»: nodes {nodes} %, flows {flows} %",
    )
    for place in covered["unvisited"][:_LONGEST_LIST]:
        yield both("    не посещено: ", "    not visited: ") + f"{place['name'] or place['id']} [{place['id']}]"
    if len(covered["unvisited"]) > _LONGEST_LIST:
        left = len(covered["unvisited"]) - _LONGEST_LIST
        yield both(f"    и ещё {left}", f"    and {left} more")


def _as_json(told: _Told) -> str:
    rows = [
        {
            "file": problem.file,
            "rule": problem.rule,
            "line": problem.line,
            "message": both(problem.message_ru, problem.message_en),
        }
        for problem in told.problems
    ]
    return json.dumps(
        {
            "problems": rows,
            "scenarios": [operations.result_data(result) for result in told.report.results],
            "coverage": told.coverage,
        },
        ensure_ascii=False,
        indent=2,
    )
