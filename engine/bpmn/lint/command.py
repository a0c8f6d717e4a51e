"""The command `bpmdesk check`: files and folders in, findings out, as text or JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.bpmn import dmn
from engine.bpmn.lint import FORM_SUFFIX, check_files, fixes, foreign, form_name, limits
from engine.bpmn.rule import Rule
from engine.bpmn.xml import MOST_BYTES
from engine.connectors import Connector
from engine.errors import Fix, Problem

UNREADABLE = Rule(
    "file-unreadable",
    "error",
    "Файл не открывается ({reason}). Проверьте путь и права.",
    "The file cannot be opened ({reason}). Check the path and the rights.",
)
UNWRITABLE = Rule(
    "file-unwritable",
    "error",
    "Исправления не записаны ({reason}). Проверьте права на файл.",
    "The corrections were not written ({reason}). Check the rights of the file.",
)
SUFFIXES = (".bpmn", ".dmn", FORM_SUFFIX)
_MARKS = {"error": "✗", "warning": "!", "info": "·"}
MOST_ROUNDS = 10
"""A correction may make room for another one."""
_WORDS = {"ru": {"error": "ошибка", "warning": "внимание", "info": "заметка"}, "en": {}}


@dataclass(slots=True)
class Result:
    """What is told of one file."""

    file: str
    problems: list[Problem]
    corrected: list[Fix]
    to_run: list[str] = field(default_factory=list)
    """What is missing to run a drawing that was made for something else."""


def command(
    paths: Sequence[str | Path],
    fmt: str,
    *,
    connectors: Mapping[str, Connector] | None = None,
    statuses: Collection[str] | None = None,
    correct: bool = False,
) -> int:
    """Check the files and the folders' files and print the findings; 1 when there is an error, 0 otherwise.

    Forms are resolved among the files, beside them and in the folder `forms` next to theirs; decisions among the files,
    beside them and in the folder `decisions` there. With `correct` the offered corrections are written into the files.
    """
    language = "en" if os.environ.get("BPMDESK_LANGUAGE", "ru").lower().startswith("en") else "ru"
    files = {file: _content(file) for path in paths for file in _walk(Path(path))}
    readable = {str(file): content for file, content in files.items() if isinstance(content, bytes)}
    forms, tables = _forms_near(files), _decisions_near(files)

    def found() -> list[Problem]:
        return check_files(readable, connectors=connectors, statuses=statuses, forms=forms, decision_ids=tables)

    problems = [content for content in files.values() if isinstance(content, Problem)]
    done = _correct(readable, found, problems) if correct else {}
    problems += [_as_looked_at(problem) for problem in found()]
    results = [
        Result(str(file), [problem for problem in problems if problem.file == str(file)], done.get(str(file), []))
        for file in files
    ]
    for result in results:
        if foreign.is_foreign(readable.get(result.file, b""), result.problems):
            result.to_run = foreign.needs(result.problems, language)
    print(_as_json(results, language) if fmt == "json" else _as_text(results, language))
    return int(any(problem.severity == "error" for problem in problems))


def _correct(
    readable: dict[str, bytes], found: Callable[[], list[Problem]], problems: list[Problem]
) -> dict[str, list[Fix]]:
    """Write the offered corrections, round by round, and tell which; what cannot be written is a problem."""
    done: dict[str, list[Fix]] = {}
    locked: set[str] = set()
    for _ in range(MOST_ROUNDS):
        offered: dict[str, list[Fix]] = {}
        for problem in found():
            if problem.fix is not None and problem.file is not None and problem.file not in locked:
                offered.setdefault(problem.file, []).append(problem.fix)
        if not offered:
            break
        for file, all_fixes in offered.items():
            content = fixes.apply_all(readable[file], all_fixes)
            try:
                Path(file).write_bytes(content)
            except OSError as error:
                locked.add(file)
                problems.append(UNWRITABLE.problem(file, reason=error.strerror or type(error).__name__))
                continue
            readable[file] = content
            done.setdefault(file, []).extend(fix for fix in all_fixes if fix not in done.get(file, []))
    return done


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


def _as_json(results: Sequence[Result], language: str) -> str:
    rows: list[dict[str, object]] = []
    for result in results:
        row: dict[str, object] = {"file": result.file, "problems": [_row(p, language) for p in result.problems]}
        if result.corrected:
            row["corrected"] = [fix.ru if language == "ru" else fix.en for fix in result.corrected]
        if result.to_run:
            row["to_run"] = result.to_run
        rows.append(row)
    return json.dumps({"files": rows}, ensure_ascii=not _prints_cyrillic(), indent=2)


def _row(problem: Problem, language: str) -> dict[str, object]:
    return {
        "rule": problem.rule,
        "severity": problem.severity,
        "element_id": problem.element_id,
        "element_name": problem.element_name,
        "line": problem.line,
        "message": problem.message(language),
        "fix": None if problem.fix is None else problem.fix.ru if language == "ru" else problem.fix.en,
    }


def _prints_cyrillic() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "cp1251", "koi8r")


def _as_text(results: Sequence[Result], language: str) -> str:
    lines: list[str] = []
    for result in results:
        if result.problems or result.corrected:
            lines += [
                "",
                result.file,
                *(f"      ✓ {fix.ru if language == 'ru' else fix.en}" for fix in result.corrected),
            ]
            lines += [_line(problem, language) for problem in result.problems]
        if result.to_run:
            lines += ["", "  Чтобы исполнять этот рисунок:" if language == "ru" else "  To run this drawing:"]
            lines += [f"    – {need}" for need in result.to_run]
    lines += ["", _summary(results, language)]
    text = "\n".join(lines).lstrip("\n")
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _line(problem: Problem, language: str) -> str:
    word = _WORDS[language].get(problem.severity, problem.severity)
    where = f"{problem.line or '–':>5}"
    name = f" «{problem.element_name}»" if problem.element_name else ""
    element = f" {problem.element_id}{name}:" if problem.element_id else ""
    return f"{where} {_MARKS[problem.severity]} {word}{element} {problem.message(language)} [{problem.rule}]"


def _summary(results: Sequence[Result], language: str) -> str:
    found = [problem for result in results for problem in result.problems]
    errors, warnings = (sum(problem.severity == weight for problem in found) for weight in ("error", "warning"))
    offered = sum(problem.fix is not None for problem in found)
    if language == "en":
        more = f" Can be corrected by --fix: {offered}." if offered else ""
        return f"Files: {len(results)}, errors: {errors}, warnings: {warnings}.{more}"
    more = f" Исправит --fix: {offered}." if offered else ""
    return f"Файлов: {len(results)}, ошибок: {errors}, предупреждений: {warnings}.{more}"
