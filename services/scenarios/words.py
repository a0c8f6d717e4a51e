"""A step of a scenario told in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine import iso8601
from services.reference import STATUSES
from services.scenarios.language import Clock, Expect, Step
from services.scenarios.said import Said, listed
from services.scenarios.stage import RESPONSIBLE

Names = Mapping[str, str]
"""Id of an element or a button → what it is called; an id that is not there is told as it is."""
_ZONE = ZoneInfo("Europe/Moscow")
_ROLES = {
    RESPONSIBLE: ("ответственный", "the responsible"),
    "operator": ("оператор", "an operator"),
    "supervisor": ("старший", "a supervisor"),
    "analyst": ("аналитик", "an analyst"),
    "admin": ("администратор", "an admin"),
}
_CLOCKS = {"reaction": ("часы реакции", "the reaction clock"), "resolution": ("часы решения", "the resolution clock")}
_STATUSES = {code: (ru, en) for code, ru, en, *_ in STATUSES}
_STATES = {
    "none": ("не заведены", "not set up"),
    "running": ("идут", "running"),
    "paused": ("на паузе", "paused"),
    "stopped": ("остановлены", "stopped"),
}


def told(step: Step, names: Names) -> Said:
    """What happens in the step, as one sentence."""
    return _TELLERS[step.kind](step, names)


def _client_writes(step: Step, _: Names) -> Said:
    text = _short(step.client_writes or "")
    if step.client:
        return Said(f"{step.client} пишет: «{text}»", f"{step.client} writes: «{text}»")
    return Said(f"Клиент пишет: «{text}»", f"The client writes: «{text}»")


def _creates(step: Step, _: Names) -> Said:
    ru, en = _who(step.by, ("Оператор", "An operator"))
    form = _form(step.creates)
    return Said(f"{ru} создаёт обращение{form}", f"{en} creates a ticket{form}")


def _press(step: Step, names: Names) -> Said:
    ru, en = _who(step.by, ("Нажата кнопка", "The button"))
    form = _form(step.form)
    refused = (" – отказ", " – refused") if step.refused else ("", "")
    label = names.get(step.press or "", step.press)
    if step.by is None:
        return Said(f"{ru} «{label}»{form}{refused[0]}", f"{en} «{label}» is pressed{form}{refused[1]}")
    return Said(f"{ru} нажимает «{label}»{form}{refused[0]}", f"{en} presses «{label}»{form}{refused[1]}")


def _replies(step: Step, _: Names) -> Said:
    ru, en = _who(step.by, ("Ответственный", "The responsible"))
    return Said(
        f"{ru} отвечает клиенту: «{_short(step.replies or '')}»", f"{en} answers: «{_short(step.replies or '')}»"
    )


def _changes(step: Step, _: Names) -> Said:
    ru, en = _who(step.by, ("Ответственный", "The responsible"))
    return Said(f"{ru} меняет карточку{_form(step.changes)}", f"{en} changes the card{_form(step.changes)}")


def _wait(step: Step, _: Names) -> Said:
    ru, en = span(iso8601.parse_duration(step.wait or ""))
    return Said(f"Проходит {ru}", f"{en} pass")


def _wait_until(step: Step, _: Names) -> Said:
    at = f"{iso8601.parse_instant(step.wait_until or '').astimezone(_ZONE):%d.%m.%Y %H:%M}"
    return Said(f"Наступает {at} (Москва)", f"It becomes {at} (Moscow)")


def _message(step: Step, _: Names) -> Said:
    return Said(f"Приходит сообщение «{step.message}»", f"The message «{step.message}» arrives")


def _signal(step: Step, _: Names) -> Said:
    return Said(f"Приходит сигнал «{step.signal}»", f"The signal «{step.signal}» arrives")


def _expect(step: Step, names: Names) -> Said:
    expected = step.expect or Expect()
    said = [
        _EXPECTED[name](named(value, names) if name in _OF_THE_DRAWING else value)
        for name in _EXPECTED
        if (value := getattr(expected, name)) is not None
    ]
    ru, en = "; ".join(ru for ru, _ in said), "; ".join(en for _, en in said)
    return Said(f"Ожидаем: {ru or 'сбоев нет'}", f"Expected: {en or 'no incident'}")


def named(value: Any, names: Names) -> Any:
    """Ids of elements and buttons as people read them."""
    if isinstance(value, list):
        return [names.get(each, each) if isinstance(each, str) else each for each in value]
    if isinstance(value, dict):
        return {names.get(each, each): it for each, it in value.items()}
    return value


_OF_THE_DRAWING = frozenset({"path", "exact_path", "not_visited", "timers", "tasks", "actions", "incidents"})

_TELLERS: Mapping[str, Callable[[Step, Names], Said]] = {
    "client_writes": _client_writes,
    "creates": _creates,
    "press": _press,
    "replies": _replies,
    "changes": _changes,
    "wait": _wait,
    "wait_until": _wait_until,
    "message": _message,
    "signal": _signal,
    "expect": _expect,
}


def status(code: str) -> tuple[str, str]:
    """The name of a status that any desk has; the code of others."""
    return _STATUSES.get(code, (code, code))


def moment(at: datetime, now: datetime) -> tuple[str, str]:
    """The instant in Moscow and how far it is from now."""
    ru, en = span(abs(at - now))
    there = f"{at.astimezone(_ZONE):%d.%m.%Y %H:%M:%S}"
    return (
        (f"{there} (через {ru})", f"{there} (in {en})")
        if at >= now
        else (f"{there} ({ru} назад)", f"{there} ({en} ago)")
    )


def span(length: timedelta) -> tuple[str, str]:
    """The length in days, hours, minutes and seconds."""
    seconds = int(length.total_seconds())
    parts = []
    for size, ru, en in ((86_400, "д", "d"), (3600, "ч", "h"), (60, "мин", "min"), (1, "с", "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append((f"{count} {ru}", f"{count} {en}"))
    return " ".join(ru for ru, _ in parts) or "0 с", " ".join(en for _, en in parts) or "0 s"


def _term(term: str | None) -> tuple[str, str]:
    if term is None:
        return "не взведён", "not armed"
    if term.startswith("P"):
        ru, en = span(iso8601.parse_duration(term))
        return f"через {ru}", f"in {en}"
    at = f"{iso8601.parse_instant(term).astimezone(_ZONE):%d.%m.%Y %H:%M}"
    return at, at


def _names(ru: str, en: str) -> Callable[[Any], tuple[str, str]]:
    return lambda names: (f"{ru} {listed(names, 'нет')}", f"{en} {listed(names, 'none')}")


def _value(ru: str, en: str) -> Callable[[Any], tuple[str, str]]:
    return lambda value: (f"{ru} «{value}»" if value else f"{ru}: нет", f"{en} «{value}»" if value else f"no {en}")


def _said_timers(timers: Mapping[str, str | None]) -> tuple[str, str]:
    said = [(name, _term(term)) for name, term in timers.items()]
    return (
        "таймер " + ", ".join(f"«{name}» {ru}" for name, (ru, _) in said),
        "timer " + ", ".join(f"«{name}» {en}" for name, (_, en) in said),
    )


def _said_sla(clocks: Mapping[str, Clock]) -> tuple[str, str]:
    said = [_said_clock(kind, clock) for kind, clock in clocks.items()]
    return ", ".join(ru for ru, _ in said), ", ".join(en for _, en in said)


def _said_clock(kind: str, clock: Clock) -> tuple[str, str]:
    ru, en = _CLOCKS[kind]
    if clock.state is not None:
        ru, en = f"{ru} {_STATES[clock.state][0]}", f"{en} is {_STATES[clock.state][1]}"
    if clock.due is not None:
        ru, en = f"{ru}, срок {_term(clock.due)[0]}", f"{en}, due {_term(clock.due)[1]}"
    if clock.met is not None:
        ru, en = f"{ru}, срок {'выполнен' if clock.met else 'нарушен'}", f"{en}, {'met' if clock.met else 'missed'}"
    if clock.breached is not None:
        breached = ("отмечено нарушение", "breach noted") if clock.breached else ("нарушения нет", "no breach")
        ru, en = f"{ru}, {breached[0]}", f"{en}, {breached[1]}"
    return ru, en


def _said_notices(notices: Any) -> tuple[str, str]:
    said = ", ".join(f"{notice.kind} → {notice.to}" for notice in notices)
    return f"уведомления: {said}", f"notifications: {said}"


def _said_facts(ru: str, en: str) -> Callable[[Any], tuple[str, str]]:
    def said(facts: Mapping[str, Any]) -> tuple[str, str]:
        text = ", ".join(f"{name} = {value}" for name, value in facts.items())
        return f"{ru} {text}", f"{en} {text}"

    return said


_EXPECTED: Mapping[str, Callable[[Any], tuple[str, str]]] = {
    "path": _names("путь через", "path by"),
    "exact_path": _names("путь ровно", "path exactly"),
    "not_visited": _names("не заходя в", "without"),
    "status": lambda code: (f"статус «{status(code)[0]}»", f"status «{status(code)[1]}»"),
    "timers": _said_timers,
    "tasks": _names("открыты задачи", "open tasks"),
    "actions": _names("кнопки", "buttons"),
    "assignee": _value("ответственный", "responsible"),
    "notifications": _said_notices,
    "sla": _said_sla,
    "level": _value("уровень SLA", "service level"),
    "ticket": _said_facts("карточка", "card"),
    "variables": _said_facts("переменные", "variables"),
    "incidents": _names("сбои в", "incidents at"),
    "ended": lambda value: ("процесс завершён", "the process has ended") if value else ("процесс идёт", "it runs"),
}


def _who(by: str | None, default: tuple[str, str]) -> tuple[str, str]:
    if by is None:
        return default
    ru, en = _ROLES.get(by, (by, by))
    return ru[:1].upper() + ru[1:], en[:1].upper() + en[1:]


def _form(values: Mapping[str, str] | None) -> str:
    return " (" + ", ".join(f"{key}: {_short(value)}" for key, value in values.items()) + ")" if values else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"
