"""The command `bpmdesk sla solve` and the tester of the admin's pages: SLA questions written as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from services.sla.calendar import EARLIEST, LATEST, Calendar
from services.sla.clocks import Course, Pause, read
from services.sla.errors import CalendarError
from services.sla.zones import seconds

MAX_TARGET_MIN = 10 * 366 * 24 * 60
MAX_PAUSES = 10_000


def command(path: Path, out: TextIO) -> int:
    """Answer every item of the file as a JSON list; 0 when all could be answered, else 1."""
    answers = _answers(path)
    json.dump(answers, out, indent=2)
    out.write("\n")
    return int(any("error" in answer for answer in answers))


def solve(item: Any, *, language: str = "en") -> dict[str, Any]:
    """One item's due (with the offset of its calendar's zone), elapsed, remaining and state – or its error."""
    name = item.get("id") if isinstance(item, Mapping) else None
    try:
        return {"id": name, **_solved(item)}
    except CalendarError as error:
        return {"id": name, "error": error.message(language)}


def _answers(path: Path) -> list[dict[str, Any]]:
    try:
        items = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        return [{"id": None, "error": f"The file cannot be read: {error.strerror}"}]
    except (ValueError, RecursionError) as error:
        return [{"id": None, "error": f"The file is not JSON: {str(error)[:200]}"}]
    if not isinstance(items, list):
        return [{"id": None, "error": "The file must hold a list of items"}]
    return [solve(item) for item in items]


def _solved(item: Any) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        raise CalendarError("Каждый элемент должен быть объектом", "Every item must be an object")
    calendar = Calendar.parse(item.get("calendar"))
    event = item.get("event")
    life = Course(
        start=_instant(item.get("start"), "start"),
        pauses=_pauses(item.get("pauses")),
        stop=None if event is None else _instant(event, "event"),
    )
    reading = read(calendar, life, _target(item.get("target_min")), _instant(item.get("now"), "now"))
    return {
        "due": None if reading.due is None else reading.due.astimezone(calendar.zone).isoformat(),
        "elapsed_sec": reading.elapsed_sec,
        "remaining_sec": reading.remaining_sec,
        "state": reading.state,
    }


def _target(minutes: Any) -> int:
    """The norm in seconds."""
    if isinstance(minutes, (int, float)) and not isinstance(minutes, bool) and 0 <= minutes <= MAX_TARGET_MIN:
        return round(minutes * 60)
    raise CalendarError(
        f"«target_min» – число минут от 0 до {MAX_TARGET_MIN}",
        f"'target_min' must be a number of minutes from 0 to {MAX_TARGET_MIN}",
    )


def _pauses(data: Any) -> tuple[Pause, ...]:
    if data is None:
        return ()
    if not isinstance(data, list) or len(data) > MAX_PAUSES:
        raise CalendarError("«pauses» – список пар [от, до]", "'pauses' must be a list of pairs [from, to]")
    return tuple(_pause(pair) for pair in data)


def _pause(pair: Any) -> Pause:
    if not isinstance(pair, list) or len(pair) != 2:
        raise CalendarError("Пауза – пара [от, до], до может быть null", "A pause is a pair [from, to]; to may be null")
    begin, end = _instant(pair[0], "pauses"), None if pair[1] is None else _instant(pair[1], "pauses")
    if end is not None and end < begin:
        raise CalendarError("Пауза кончается раньше, чем начинается", "A pause ends before it begins")
    return begin, end


def _instant(text: Any, where: str) -> datetime:
    """The instant written in ISO 8601 with an offset."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and EARLIEST <= seconds(found) < LATEST:
            return found
    except (TypeError, ValueError, OverflowError):
        pass
    shown = str(text)[:40]
    raise CalendarError(
        f"«{where}»: ожидался момент ISO 8601 со смещением от 1900 до 2199 года, а не «{shown}»",
        f"'{where}': expected an ISO 8601 instant with an offset, from 1900 to 2199, got '{shown}'",
    )
