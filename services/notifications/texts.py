"""What each kind of notification says, in Russian and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXTS: Mapping[str, tuple[str, str]] = {
    "classification_needed": (
        "Нужна классификация: № {number} «{topic}»",
        "Classification needed: no. {number} “{topic}”",
    ),
    "assigned": ("Вам назначено обращение № {number} «{topic}»", "You are responsible for no. {number} “{topic}”"),
    "reminder": (
        "Скоро истечёт срок{clock_ru}: № {number} «{topic}»",
        "The{clock_en} norm is nearly used up: no. {number} “{topic}”",
    ),
    "breach": (
        "Срок{clock_ru} нарушен: № {number} «{topic}»",
        "The{clock_en} norm is broken: no. {number} “{topic}”",
    ),
    "pause_ended": ("Пауза закончилась: № {number} «{topic}»", "The pause is over: no. {number} “{topic}”"),
    "client_replied": ("Клиент написал: № {number} «{topic}»", "The client wrote: no. {number} “{topic}”"),
    "reopened": (
        "Клиент вернулся, обращение снова в работе: № {number} «{topic}»",
        "The client came back, in work again: no. {number} “{topic}”",
    ),
    "unassigned": (
        "Некому назначить: № {number} «{topic}»{reason_ru}",
        "Nobody to assign: no. {number} “{topic}”{reason_en}",
    ),
    "line_failed": (
        "Линия «{line}»: клиент написал, но процесс не запустился: {error}",
        "Line “{line}”: a client wrote, but the process did not start: {error}",
    ),
    "incident": (
        "Процесс остановился на шаге «{element}»: {error}",
        "The process stopped at “{element}”: {error}",
    ),
}
KINDS = tuple(_TEXTS)

_CLOCKS = {
    "reaction": (" реакции", " reaction"),
    "resolution": (" решения", " resolution"),
}


def line(kind: str, data: Mapping[str, Any], language: str = "ru") -> str:
    """One line for the feed and the subject of the mail; a kind that an analyst made up shows its own name."""
    russian = language == "ru"
    template = _TEXTS.get(kind, (kind + ": № {number} «{topic}»", kind + ": no. {number} “{topic}”"))[not russian]
    said = template.format_map(_Values(data))
    count = int(data.get("count", 1))
    return f"{said} ({count})" if count > 1 else said


def mail(kind: str, data: Mapping[str, Any], url: str, language: str = "ru") -> str:
    """The text of the mail: the same line, what was written, and the way to the card."""
    parts = [line(kind, data, language), str(data.get("text", "")), url]
    return "\n\n".join(part for part in parts if part)


class _Values(dict[str, Any]):
    """The data of a notification with the words derived from it; nothing is ever missing."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self["clock_ru"], self["clock_en"] = _CLOCKS.get(str(data.get("clock")), ("", ""))
        reason = data.get("reason")
        self["reason_ru"] = f" – {reason}" if reason else ""
        self["reason_en"] = f" – {reason}" if reason else ""

    def __missing__(self, key: str) -> str:
        return ""
