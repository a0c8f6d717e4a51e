"""A cell of the clocks in a few words, in Russian and in English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.sla.queries import SlaCell

_WEEKDAYS = {
    "ru": ("пн", "вт", "ср", "чт", "пт", "сб", "вс"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_UNITS = {"ru": ("ч", "м"), "en": ("h", "m")}
_A_DAY, _A_WEEK = timedelta(days=1), timedelta(days=6)


def words(cell: SlaCell, language: str, zone: ZoneInfo, now: datetime) -> str:
    """«осталось 1 ч 20 м», «ещё 12 м», «просрочено 35 м», «пауза до 14:00», «спит до 09:00», «в срок» …"""
    chosen = "ru" if language == "ru" else "en"
    return _SENTENCES[chosen][cell.state](cell, zone, now)


def duration(seconds: int, language: str = "ru") -> str:
    """Working time in hours and minutes, such as «1 ч 20 м»; a part of a minute does not count."""
    hours, minutes = divmod(abs(seconds) // 60, 60)
    hour, minute = _UNITS["ru" if language == "ru" else "en"]
    parts = [f"{hours} {hour}"] if hours else []
    parts += [f"{minutes} {minute}"] if minutes else []
    return " ".join(parts) or f"< 1 {minute}"


def moment(at: datetime, language: str, zone: ZoneInfo, now: datetime) -> str:
    """The time alone within a day, with the weekday within a week, else with the date."""
    local = at.astimezone(zone)
    clock = local.strftime("%H:%M")
    if at - now < _A_DAY:
        return clock
    if at - now < _A_WEEK:
        return f"{_WEEKDAYS['ru' if language == 'ru' else 'en'][local.weekday()]} {clock}"
    same_year = local.year == now.astimezone(zone).year
    return f"{local.strftime('%d.%m' if same_year else '%d.%m.%Y')} {clock}"


def _until(word: str, before: str, language: str) -> Callable[[SlaCell, ZoneInfo, datetime], str]:
    def said(cell: SlaCell, zone: ZoneInfo, now: datetime) -> str:
        return word if cell.until is None else f"{word} {before} {moment(cell.until, language, zone, now)}"

    return said


def _amount(pattern: str, language: str) -> Callable[[SlaCell, ZoneInfo, datetime], str]:
    return lambda cell, _zone, _now: pattern.format(duration(cell.remaining_sec, language))


def _fixed(text: str) -> Callable[[SlaCell, ZoneInfo, datetime], str]:
    return lambda _cell, _zone, _now: text


_SENTENCES: Mapping[str, Mapping[str, Callable[[SlaCell, ZoneInfo, datetime], str]]] = {
    "ru": {
        "left": _amount("осталось {}", "ru"),
        "soon": _amount("ещё {}", "ru"),
        "over": _amount("просрочено {}", "ru"),
        "pause": _until("пауза", "до", "ru"),
        "sleep": _until("спит", "до", "ru"),
        "done": _fixed("в срок"),
        "late": _amount("позже на {}", "ru"),
        "none": _fixed("не задан"),
        "idle": _fixed("не идёт"),
    },
    "en": {
        "left": _amount("{} left", "en"),
        "soon": _amount("only {} left", "en"),
        "over": _amount("{} overdue", "en"),
        "pause": _until("paused", "until", "en"),
        "sleep": _until("asleep", "until", "en"),
        "done": _fixed("in time"),
        "late": _amount("{} late", "en"),
        "none": _fixed("not set"),
        "idle": _fixed("not running"),
    },
}
