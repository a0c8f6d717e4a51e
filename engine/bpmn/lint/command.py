"""The command `bpmdesk check`: files and folders in, findings out, as text or JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engine.bpmn import dmn
from engine.bpmn.lint import FORM_SUFFIX, check_files, form_name, limits
from engine.bpmn.rule import Rule
from engine.bpmn.xml import MOST_BYTES
from engine.connectors import Connector
from engine.errors import Problem

UNREADABLE = Rule(
    "file-unreadable",
    "error",
    "Файл не открывается ({reason}). Проверьте путь и права.",
    "The file cannot be opened ({reason}). Check the path and the rights.",
)
SUFFIXES = (".bpmn", ".dmn", FORM_SUFFIX)
_MARKS = {"error": "✗", "warning": "!", "info": "·"}
_WORDS = {"ru": {"error": "ошибка", "warning": "внимание", "info": "заметка"}, "en": {}}


def command(
    paths: Sequence[str | Path],
    fmt: str,
    *,
    connectors: Mapping[str, Connector] | None = None,
    statuses: Collection[str] | None = None,
) -> int:
    """Check the files and the folders' files and print the findings; 1 when there is an error, 0 otherwise.

    Forms are resolved among the files, beside them and in the folder `forms` next to theirs; decisions among the files,
    beside them and in the folder `decisions` there.
    """
    language = "en" if os.environ.get("BPMDESK_LANGUAGE", "ru").lower().startswith("en") else "ru"
    files = {file: _content(file) for path in paths for file in _walk(Path(path))}
    readable = {str(file): content for file, content in files.items() if isinstance(content, bytes)}
    problems = [content for content in files.values() if isinstance(content, Problem)]
    found = check_files(
        readable,
        connectors=connectors,
        statuses=statuses,
        forms=_forms_near(files),
        decision_ids=_decisions_near(files),
    )
    problems += [_as_looked_at(problem) for problem in found]
    by_file = {str(file): [problem for problem in problems if problem.file == str(file)] for file in files}
    print(_as_json(by_file, language) if fmt == "json" else _as_text(by_file, language))
    return int(any(problem.severity == "error" for problem in problems))


def _walk(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.name.lower().endswith(SUFFIXES) and file.is_file():
            yield file


def _content(file: Path) -> bytes | Problem:
    """What the file holds, cut off just past the limit; a problem when it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return UNREADABLE.problem(str(file), reason=reason)


def _as_looked_at(problem: Problem) -> Problem:
    """Two versions of a process may lie side by side in a folder; only a deployment must not hold both."""
    return replace(problem, severity="warning") if problem.rule == limits.DUPLICATE_PROCESS.name else problem


def _forms_near(files: Collection[Path]) -> set[str]:
    folders = {file.parent for file in files} | {file.parent.parent / "forms" for file in files}
    folders |= {file.parent / "forms" for file in files}
    return {form_name(form.name) for folder in folders if folder.is_dir() for form in folder.glob(f"*{FORM_SUFFIX}")}


def _decisions_near(files: Collection[Path]) -> set[str]:
    folders = {file.parent for file in files} | {file.parent / "decisions" for file in files}
    tables = [table for folder in folders if folder.is_dir() for table in folder.glob("*.dmn")]
    contents = [content for table in tables if isinstance(content := _content(table), bytes)]
    return {key for content in contents for key in dmn.known_ids(content)}


def _as_json(by_file: Mapping[str, list[Problem]], language: str) -> str:
    rows = [{"file": file, "problems": [_row(p, language) for p in found]} for file, found in by_file.items()]
    return json.dumps({"files": rows}, ensure_ascii=not _prints_cyrillic(), indent=2)


def _row(problem: Problem, language: str) -> dict[str, object]:
    return {
        "rule": problem.rule,
        "severity": problem.severity,
        "element_id": problem.element_id,
        "element_name": problem.element_name,
        "line": problem.line,
        "message": problem.message(language),
    }


def _prints_cyrillic() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "cp1251", "koi8r")


def _as_text(by_file: Mapping[str, list[Problem]], language: str) -> str:
    lines: list[str] = []
    for file, problems in by_file.items():
        if problems:
            lines += ["", file, *(_line(problem, language) for problem in problems)]
    lines += ["", _summary(by_file, language)]
    text = "\n".join(lines).lstrip("\n")
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _line(problem: Problem, language: str) -> str:
    word = _WORDS[language].get(problem.severity, problem.severity)
    where = f"{problem.line or '–':>5}"
    name = f" «{problem.element_name}»" if problem.element_name else ""
    element = f" {problem.element_id}{name}:" if problem.element_id else ""
    return f"{where} {_MARKS[problem.severity]} {word}{element} {problem.message(language)} [{problem.rule}]"


def _summary(by_file: Mapping[str, list[Problem]], language: str) -> str:
    found = [problem.severity for problems in by_file.values() for problem in problems]
    errors, warnings = found.count("error"), found.count("warning")
    if language == "en":
        return f"Files: {len(by_file)}, errors: {errors}, warnings: {warnings}."
    return f"Файлов: {len(by_file)}, ошибок: {errors}, предупреждений: {warnings}."
