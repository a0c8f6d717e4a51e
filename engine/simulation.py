"""The command `bpmdesk try`: a file and what people would do, run on a clock that jumps, told as text or JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from engine import iso8601
from engine.bpmn import xml
from engine.bpmn.extensions import processes, read_index
from engine.errors import DeploymentRefused, EngineError, NotFound
from engine.trial import Answer, Outcome, Sending, run

__all__ = ["command", "run"]

_WORDS = {
    "entered": "вошёл",
    "completed": "завершён",
    "cancelled": "прерван",
    "armed": "таймер взведён",
    "fired": "сработал",
    "called": "вызов",
}
_STATES = {"completed": "завершён", "waiting": "ждёт", "incident": "сбой"}


def command(
    path: str | Path,
    process: str | None = None,
    data: str | Mapping[str, Any] | None = None,
    answers: Sequence[str] = (),
    sends: Sequence[str] = (),
    duration: str | None = None,
    fmt: str = "text",
) -> int:
    """Print the outcome; returns the exit code: 1 and a message when there is nothing that can be run.

    `answers` are ELEMENT=ACTION[:JSON], `sends` MESSAGE[:JSON], `data` a JSON object. Names of the context that
    `data` does not give are empty; `sla.due(…)` is four hours and `sla.remind(…)` 3 h 12 min after it is first asked.
    """
    try:
        files, key = read_folder(Path(path), process)
        outcome = run(
            files,
            key,
            data=_object(data, "--data"),
            answers=[_answer(text) for text in answers],
            sends=[_sending(text) for text in sends],
            duration=iso8601.parse_duration(duration) if duration else None,
        )
    except DeploymentRefused as refused:
        for problem in refused.problems:
            click.echo(f"{path}:{problem.line or 1}: {problem.message()}", err=True)
        return 1
    except (EngineError, OSError) as error:
        click.echo(str(error), err=True)
        return 1
    click.echo(_as_json(outcome) if fmt == "json" else "\n".join(_as_text(outcome)))
    return 0


def read_folder(path: Path, process: str | None) -> tuple[dict[str, bytes], str]:
    """The file and its neighbours that it calls, by name, and the process to run; raises EngineError."""
    content = path.read_bytes()
    keys = [found.get("id", "") for found in processes(xml.read(content, path.name))]
    if not keys:
        raise NotFound(f"Expected an executable process in {path.name}, but there is none")
    if process is not None and process not in keys:
        raise NotFound(f"Expected the process {process} in {path.name}, it holds {', '.join(keys)}")
    files = {path.name: content, **_tables(path)}
    wanted = _calls(content, path.name)
    neighbours = dict(_neighbours(path))
    while missing := sorted(key for key in wanted if key in neighbours):
        name, found = neighbours.pop(missing[0])
        files[name] = found
        wanted |= _calls(found, name)
    return files, process or keys[0]


def _neighbours(path: Path) -> Iterator[tuple[str, tuple[str, bytes]]]:
    for other in sorted(path.parent.glob("*.bpmn")):
        if other.name == path.name:
            continue
        try:
            content = other.read_bytes()
            for found in processes(xml.read(content, other.name)):
                yield found.get("id", ""), (other.name, content)
        except (EngineError, OSError):
            continue  # a broken neighbour matters only to whoever calls it


def _tables(path: Path) -> dict[str, bytes]:
    found = [*path.parent.glob("*.dmn"), *(path.parent / "decisions").glob("*.dmn")]
    return {table.name: table.read_bytes() for table in sorted(found)}


def _calls(content: bytes, name: str) -> set[str]:
    return {key for found in processes(xml.read(content, name)) for key in read_index(found)["calls"]}


def _answer(text: str) -> Answer:
    target, variables = _split(text, "--answer")
    element, _, action = target.partition("=")
    if not element or not action:
        raise EngineError(f"Expected --answer ELEMENT=ACTION[:JSON], got {text}")
    return Answer(element, action, variables)


def _sending(text: str) -> Sending:
    message, variables = _split(text, "--send")
    return Sending(message, variables)


def _split(text: str, option: str) -> tuple[str, dict[str, Any]]:
    target, _, tail = text.partition(":")
    return target.strip(), _object(tail, option)


def _object(given: str | Mapping[str, Any] | None, option: str) -> dict[str, Any]:
    if not isinstance(given, str):
        return dict(given or {})
    if not given.strip():
        return {}
    try:
        loaded = orjson.loads(given)
    except orjson.JSONDecodeError as error:
        raise EngineError(f"Expected JSON in {option}, but {error}") from error
    if not isinstance(loaded, dict):
        raise EngineError(f"Expected a JSON object in {option}, got {given[:60]}")
    return loaded


def _as_json(outcome: Outcome) -> str:
    return orjson.dumps(dataclasses.asdict(outcome), option=orjson.OPT_INDENT_2, default=str).decode()


def _as_text(outcome: Outcome) -> Iterator[str]:
    for entry in outcome.trace:
        what = entry["name"] or entry["element"]
        more = f" {entry['connector']} {entry['arguments'] or ''}".rstrip() if entry["event"] == "called" else ""
        yield f"{entry['at']}  {_WORDS[entry['event']]:<15} {what} [{entry['element']}]{more}"
    yield f"Состояние: {_STATES[outcome.state]}" + (f", статус {outcome.status}" if outcome.status else "")
    for wait in outcome.waiting:
        details = ", ".join(wait.get("actions") or [wait.get("due", "")]).strip()
        yield f"Ждёт ({wait['kind']}): {wait['name'] or wait['element']} [{wait['element']}] {details}".rstrip()
    for incident in outcome.incidents:
        yield f"Сбой [{incident['element']}]: {incident['message']}"
    for unused in outcome.unused:
        yield f"Не понадобилось: {unused}"
