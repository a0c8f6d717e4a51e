"""The difference of two versions in words that a process analyst reads, in Russian and in English."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.difference import Change, Difference, Fact

LONGEST = 200
_THINGS = {
    "userTask": ("Задача", "Task"),
    "manualTask": ("Ручная задача", "Manual task"),
    "serviceTask": ("Действие системы", "Service task"),
    "scriptTask": ("Сценарий", "Script task"),
    "businessRuleTask": ("Решение по таблице", "Business rule task"),
    "sendTask": ("Отправка", "Send task"),
    "receiveTask": ("Приём", "Receive task"),
    "callActivity": ("Вызов процесса", "Call activity"),
    "subProcess": ("Подпроцесс", "Sub-process"),
    "startEvent": ("Начало", "Start event"),
    "endEvent": ("Завершение", "End event"),
    "boundaryEvent": ("Граничное событие", "Boundary event"),
    "intermediateCatchEvent": ("Ожидание", "Catch event"),
    "intermediateThrowEvent": ("Событие", "Throw event"),
    "exclusiveGateway": ("Развилка", "Exclusive gateway"),
    "parallelGateway": ("Параллельный шлюз", "Parallel gateway"),
    "inclusiveGateway": ("Неисключающий шлюз", "Inclusive gateway"),
    "eventBasedGateway": ("Шлюз по событиям", "Event-based gateway"),
    "sequenceFlow": ("Путь", "Flow"),
}
_WHATS = {
    "node": ("Элемент", "Element"),
    "action": ("Кнопка", "Button"),
    "process": ("Процесс", "Process"),
    "form": ("Форма", "Form"),
    "table": ("Таблица решений", "Decision table"),
    "call": ("Вызываемый процесс", "Called process"),
}
_KINDS = {
    "added": ("добавлено", "added"),
    "removed": ("удалено", "removed"),
    "changed": ("изменено", "changed"),
}
_FIELDS = {
    "name": ("название", "о", "name"),
    "label": ("подпись", "а", "label"),
    "form": ("форма", "а", "form"),
    "style": ("вид", "", "style"),
    "confirm": ("вопрос перед нажатием", "", "confirmation"),
    "hotkey": ("клавиша", "а", "key"),
    "roles": ("роли", "ы", "roles"),
    "visible": ("условие показа", "о", "condition of display"),
    "lane": ("дорожка", "а", "lane"),
    "lanes": ("дорожки", "ы", "lanes"),
    "event": ("вид события", "", "kind of event"),
    "type": ("вид элемента", "", "kind of element"),
    "attached_to": ("прикреплено к", "о", "attached to"),
    "within": ("внутри", "о", "within"),
    "called": ("вызываемый процесс", "", "called process"),
    "binding": ("привязка версии", "а", "binding"),
    "connector": ("действие системы", "о", "connector"),
    "status": ("статус обращения", "", "status"),
    "decision": ("таблица решений", "а", "decision table"),
    "result": ("переменная результата", "а", "result variable"),
    "interrupting": ("прерывает", "о", "interrupts"),
    "default": ("путь по умолчанию", "", "default flow"),
    "documentation": ("описание", "о", "documentation"),
    "script": ("строки сценария", "ы", "script"),
    "timer": ("таймер", "", "timer"),
    "condition": ("условие", "о", "condition"),
    "subject": ("сообщение или сигнал", "о", "message or signal"),
    "repetition": ("повторение", "о", "repetition"),
    "source": ("откуда", "о", "from"),
    "target": ("куда", "о", "to"),
    "assignment.assignee": ("исполнитель", "", "assignee"),
    "assignment.group": ("группа", "а", "group"),
    "job.async": ("выполнять в фоне", "о", "in the background"),
    "job.retries": ("число попыток", "о", "attempts"),
    "job.backoff": ("пауза между попытками", "а", "pause between attempts"),
    "new_status.name": ("название статуса", "о", "name of the status"),
    "new_status.name_en": ("английское название статуса", "о", "English name of the status"),
    "new_status.shape": ("фигура статуса", "а", "shape of the status"),
    "new_status.category": ("смысл статуса", "", "category of the status"),
    "title": ("заголовок", "", "title"),
    "rule": ("строка", "а", "rule"),
    "version": ("версия", "я", "version"),
}
_PREFIXES = {
    "parameter": ("параметр {}", "", "parameter {}"),
    "field": ("поле {}", "о", "field {}"),
    "action": ("кнопка «{}»", "а", "button “{}”"),
}
_EVENTS = {
    "timer": ("таймер", "timer"),
    "message": ("сообщение", "message"),
    "signal": ("сигнал", "signal"),
    "error": ("ошибка", "error"),
    "escalation": ("эскалация", "escalation"),
    "terminate": ("прекращение", "termination"),
    "conditional": ("условие", "condition"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One change as a person reads it."""

    change: Change
    title: str
    """«Кнопка «Пауза»»."""
    verdict: str
    """added, removed or changed, in the language."""
    details: tuple[str, ...]


def lines(difference: Difference, language: str = "ru") -> list[Line]:
    """Every change, in the order of the drawing."""
    english = int(language != "ru")
    return [
        Line(each, _title(each, english), _KINDS[each.kind][english], tuple(_details(each, english)))
        for each in difference.changes
    ]


def _title(change: Change, english: int) -> str:
    kind = _THINGS.get(change.type) if change.what in ("node", "flow") else _WHATS.get(change.what)
    word = (kind or _WHATS["node"])[english]
    return f"{word} {_quoted(change.name, english)}" if change.name else word


def _details(change: Change, english: int) -> Iterator[str]:
    for fact in change.facts:
        if change.what == "flow" and change.kind != "changed" and fact.field in ("source", "target"):
            continue
        yield _detail(fact, english)


def _detail(fact: Fact, english: int) -> str:
    if fact.field == "other":
        return ("свойства, о которых здесь не рассказать словами", "properties that cannot be told in words here")[
            english
        ]
    word, ending = _word(fact.field, english)
    if fact.field.startswith("field."):
        verb = "added" if fact.before is None else "removed" if fact.after is None else "changed"
        return f"{word} {verb}" if english else f"{_verb(verb, ending)} {word}"
    if fact.before in (None, "") and fact.after in (None, ""):
        verb = "removed" if fact.after is None else "added"
        return f"{word} {verb}" if english else f"{_verb(verb, ending)} {word}"
    if fact.before is None:
        return (
            f"{word} added: {_value(fact, fact.after, 1)}"
            if english
            else _whole("added", ending, word, fact, fact.after)
        )
    if fact.after is None:
        gone = _value(fact, fact.before, english)
        return f"{word} removed: {gone}" if english else _whole("removed", ending, word, fact, fact.before)
    return f"{word}: {_value(fact, fact.before, english)} → {_value(fact, fact.after, english)}"


def _whole(verb: str, ending: str, word: str, fact: Fact, value: Any) -> str:
    return f"{_verb(verb, ending)} {word} {_value(fact, value, 0)}"


def _verb(verb: str, ending: str) -> str:
    if verb == "changed":
        return {"": "изменён", "а": "изменена", "я": "изменена", "о": "изменено", "ы": "изменены"}[ending]
    stem = {"added": "добавлен", "removed": "убран"}[verb]
    return stem + {"я": "а"}.get(ending, ending)


def _word(field: str, english: int) -> tuple[str, str]:
    if field in _FIELDS:
        russian, ending, other = _FIELDS[field]
        return (other if english else russian), ending
    prefix, _, rest = field.partition(".")
    russian, ending, other = _PREFIXES.get(prefix, ("{}", "о", "{}"))
    return (other if english else russian).format(_short(rest or field)), ending


def _value(fact: Fact, value: Any, english: int) -> str:
    if isinstance(value, bool):
        return (("нет", "да"), ("no", "yes"))[english][value]
    if fact.field == "event" and value in _EVENTS:
        return _EVENTS[value][english]
    if fact.field == "type" and value in _THINGS:
        return _THINGS[value][english].lower()
    if fact.field in ("name", "label", "confirm", "source", "target", "documentation", "title", "lane"):
        return _quoted(str(value), english)
    return _short(str(value))


def _quoted(text: str, english: int) -> str:
    return f"“{_short(text)}”" if english else f"«{_short(text)}»"


def _short(text: str) -> str:
    plain = " ".join(str(text).split())
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
