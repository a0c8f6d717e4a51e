"""Files of a process as the browser sends them: named, measured, refused in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import closing
from pathlib import PurePosixPath

from werkzeug.datastructures import FileStorage

from engine.errors import Problem

MAX_FILE = 1024 * 1024
MAX_FILES = 40
_ENDINGS = (".bpmn", ".dmn", ".json")
_NAME = re.compile(r"[\w][\w.\- ]{0,120}")


def collect(uploads: Iterable[FileStorage]) -> tuple[dict[str, bytes], list[Problem]]:
    """The files by name, and what forbids to take them; a browser sends one nameless part when none was chosen."""
    chosen = [upload for upload in uploads if upload.filename]
    if not chosen:
        return {}, [_problem("no-file", "Выберите файл .bpmn.", "Choose a .bpmn file.")]
    if len(chosen) > MAX_FILES:
        return {}, [_too_many(len(chosen))]
    files: dict[str, bytes] = {}
    problems = []
    for upload in chosen:
        name = PurePosixPath((upload.filename or "").replace("\\", "/")).name
        with closing(upload):
            content = upload.stream.read(MAX_FILE + 1)
        problem = _refusal(name, content, files)
        if problem:
            problems.append(problem)
        else:
            files[name] = content
    return files, problems


def _refusal(name: str, content: bytes, files: dict[str, bytes]) -> Problem | None:
    if not _NAME.fullmatch(name) or not name.lower().endswith(_ENDINGS):
        return _problem(
            "file-name",
            "Нужен файл .bpmn, .dmn или .form.json с именем из букв, цифр, точек, пробелов и дефисов.",
            "Send a .bpmn, .dmn or .form.json file whose name has letters, digits, dots, spaces and hyphens.",
            name,
        )
    if len(content) > MAX_FILE:
        return _problem(
            "file-size",
            "Файл больше 1 МБ. Разделите процесс на части или уберите вложенные картинки.",
            "The file is larger than 1 MB. Split the process or remove embedded pictures.",
            name,
        )
    if name in files:
        return _problem("file-twice", "Файл с таким именем выбран дважды.", "Two files have this name.", name)
    return None


def _too_many(count: int) -> Problem:
    return _problem(
        "file-count",
        f"Файлов {count}, за один раз можно не больше {MAX_FILES}.",
        f"{count} files were sent, {MAX_FILES} at most are taken at once.",
    )


def _problem(rule: str, russian: str, english: str, file: str | None = None) -> Problem:
    return Problem(rule=rule, severity="error", message_ru=russian, message_en=english, file=file)
