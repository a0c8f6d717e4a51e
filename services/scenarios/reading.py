"""Reading scenario files: bytes into a scenario, or findings that name the place in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from engine.errors import EngineError, Problem
from services.scenarios.language import KINDS, Scenario

MOST_BYTES = 256 * 1024
RULE = "scenario-format"


class Unreadable(EngineError):
    """Expected a scenario file, but this is none."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message_en for problem in problems[:5]))
        self.problems = problems


def read(content: bytes, file: str) -> Scenario:
    """The scenario of a file; raises Unreadable with a finding for every place that is wrong."""
    if len(content) > MOST_BYTES:
        limit = MOST_BYTES // 1024
        raise Unreadable(
            [_problem(file, f"Файл больше {limit} КиБ", f"Expected a file of at most {limit} KiB, but it is larger")]
        )
    try:
        loaded = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Unreadable(
            [_problem(file, f"Это не JSON: {error}", f"Expected JSON, but {error}", error.lineno)]
        ) from error
    try:
        return Scenario.model_validate(loaded)
    except ValidationError as error:
        raise Unreadable([_of_place(file, each) for each in error.errors(include_url=False)[:50]]) from error


def is_scenario(name: str) -> bool:
    """Whether a file of a bundle is a scenario."""
    return name.endswith(".json") and not name.endswith(".form.json")


def is_told(file: Path, content: bytes) -> bool:
    """Whether a file found in a folder is a scenario: by its own folder, or by what it holds."""
    return is_scenario(file.name) and (file.parent.name == "scenarios" or b'"scenario"' in content)


def _of_place(file: str, error: Mapping[str, Any]) -> Problem:
    place = _place(error["loc"])
    ru, en = _WORDS.get(error["type"], _WORDS["other"])
    facts = {**error.get("ctx", {}), "msg": error["msg"], "kinds": ", ".join(KINDS)}
    facts["input"] = _shown(error.get("input"))
    ru = _filled(ru, facts).replace(" or '", " или '")
    return _problem(file, f"{place}: {ru}", f"{place}: {_filled(en, facts)}")


def _shown(value: Any) -> str:
    return type(value).__name__ if isinstance(value, dict | list) else repr(value)[:80]


_WORDS = {
    "missing": ("этого поля не хватает", "Expected this field, but it is missing"),
    "extra_forbidden": ("такого поля нет", "Expected a known field, but there is none of this name"),
    "string_type": ("ожидался текст, получено {input}", "Expected a text, but got {input}"),
    "bool_type": ("ожидалось true или false, получено {input}", "Expected true or false, but got {input}"),
    "dict_type": ("ожидался объект, получено {input}", "Expected an object, but got {input}"),
    "model_type": ("ожидался объект, получено {input}", "Expected an object, but got {input}"),
    "list_type": ("ожидался список, получено {input}", "Expected a list, but got {input}"),
    "literal_error": ("ожидалось одно из {expected}, получено {input}", "Expected one of {expected}, but got {input}"),
    "string_too_short": ("текст не должен быть пустым", "Expected a text, but it is empty"),
    "string_too_long": (
        "текст длиннее {max_length} знаков",
        "Expected at most {max_length} characters, but there are more",
    ),
    "too_long": ("больше {max_length} записей", "Expected at most {max_length} entries, but there are more"),
    "duration": ("{ru}", "{en}"),
    "instant": ("{ru}", "{en}"),
    "one_kind": (
        "у шага ровно одно действие ({kinds}), а их {got}",
        "Expected exactly one kind of step ({kinds}), but there are {got}",
    ),
    "beside": ("рядом с {kind} не пишут {extra}", "Expected no {extra} beside {kind}"),
    "other": ("{msg}", "{msg}"),
}


def _filled(words: str, facts: Mapping[str, Any]) -> str:
    return words.format_map({key: str(value) for key, value in facts.items()})


def _place(location: Sequence[str | int]) -> str:
    """`steps[2].expect.timers`: steps are counted from one, as people count."""
    place = ""
    for part in location:
        place += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return place.removeprefix(".") or "scenario"


def _problem(file: str, ru: str, en: str, line: int | None = None) -> Problem:
    return Problem(RULE, "error", ru, en, line=line, file=file)
