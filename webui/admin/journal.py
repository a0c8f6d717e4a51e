"""The log of one instance as the inspector lists it: one line a step, under it what the process did by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.models import ElementLog, History, Incident, ProcessInstance
from webui.admin.words import who
from webui.failures import failure
from webui.moments import moment, span

_MOST = 300
_MOVES = {
    "start": lazy_gettext("Процесс начат"),
    "complete": lazy_gettext("Шаг выполнен"),
    "trigger": lazy_gettext("Нажата кнопка"),
    "message": lazy_gettext("Пришло сообщение"),
    "signal": lazy_gettext("Пришёл сигнал"),
    "timer": lazy_gettext("Таймер сработал"),
    "async": lazy_gettext("Отложенный шаг выполнен"),
    "cancel": lazy_gettext("Экземпляр отменён"),
    "rearm": lazy_gettext("Таймеры пересчитаны"),
    "reconsider": lazy_gettext("Условия проверены"),
    "move-token": lazy_gettext("Токен перенесён"),
    "repeat": lazy_gettext("Шаг начат заново"),
    "skip": lazy_gettext("Шаг пропущен"),
    "set-variable": lazy_gettext("Переменная изменена"),
    "set-due": lazy_gettext("Срок таймера изменён"),
    "suspend": lazy_gettext("Приостановлен"),
    "resume": lazy_gettext("Продолжен"),
    "migrate": lazy_gettext("Перенесён на другую версию"),
    "migrate-undo": lazy_gettext("Возвращён на прежнюю версию"),
}
_REPAIRS = frozenset({"move-token", "repeat", "skip", "set-variable", "set-due", "suspend", "resume"})
_EVENTS = {
    "completed": lazy_gettext("Выполнено"),
    "fired": lazy_gettext("Сработало"),
    "cancelled": lazy_gettext("Прервано"),
}
"""What is told of the automatic nodes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    at: datetime
    step: str
    words: str
    who: str
    lasted: timedelta | None = None
    element_id: str | None = None
    automatic: bool = False
    failed: bool = False


def lines(session: Session, instance: ProcessInstance) -> list[Line]:
    """The latest lines, newest first."""
    steps = session.scalars(
        select(History).where(History.instance_id == instance.id).order_by(History.n.desc()).limit(_MOST)
    ).all()
    since = min((step.n for step in steps), default=0)
    of_steps = select(ElementLog).where(ElementLog.instance_id == instance.id, ElementLog.n >= since)
    entries = session.scalars(of_steps.order_by(ElementLog.id)).all()
    lasted, by_step = _durations(entries), defaultdict[int, list[ElementLog]](list)
    names = {entry.element_id: entry.name or entry.element_id for entry in entries}
    for entry in entries:
        by_step[entry.n].append(entry)
    told = [line for step in steps for line in _step(step, by_step[step.n], names, lasted)]
    return sorted([*told, *_failures(session, instance)], key=lambda line: line.at, reverse=True)


def _step(
    step: History, entries: Sequence[ElementLog], names: dict[str, str], lasted: dict[int, timedelta]
) -> list[Line]:
    own = next((entry for entry in entries if entry.element_id == step.element_id and entry.id in lasted), None)
    head = Line(
        at=step.at,
        step=names.get(step.element_id or "", step.element_id or ""),
        words=words(step),
        who=who(step.actor),
        lasted=lasted.get(own.id) if own else None,
        element_id=step.element_id,
    )
    automatic = [
        Line(
            at=entry.at,
            step=entry.name or entry.element_id,
            words=str(_EVENTS.get(entry.event, entry.event)),
            who=gettext("процесс"),
            lasted=lasted.get(entry.id),
            element_id=entry.element_id,
            automatic=True,
        )
        for entry in entries
        if entry.event in _EVENTS and entry is not own and not _is_cause(entry, step)
    ]
    return [*reversed(automatic), head]


def _is_cause(entry: ElementLog, step: History) -> bool:
    """Whether the entry says again what the line of the step itself says."""
    return entry.event == "fired" and entry.element_id == step.element_id


def words(step: History) -> str:
    """What happened, with the reason of whoever did it by hand."""
    data = step.data or {}
    if step.move in _REPAIRS and data.get("reason"):
        return f"{_by_hand(step)}: {data['reason']}"
    if step.move in ("migrate", "migrate-undo"):
        return f"{_MOVES[step.move]}: {data.get('from')} → {data.get('to')}"
    if step.move in ("complete", "trigger") and data.get("label"):
        return str(gettext("Кнопка «%(label)s»", label=data["label"]))
    if step.move == "message" and data.get("message"):
        return str(gettext("Сообщение «%(name)s»", name=data["message"]))
    if step.move == "cancel" and data.get("reason"):
        return str(gettext("Экземпляр отменён: %(reason)s", reason=data["reason"]))
    if step.move == "timer" and data.get("due"):
        return _fired((step.at - datetime.fromisoformat(data["due"])).total_seconds())
    return str(_MOVES.get(step.move, step.move))


def _by_hand(step: History) -> str:
    said, data = str(_MOVES[step.move]), step.data
    if step.move == "move-token":
        return f"{said} → {data.get('to')}"
    if step.move == "set-variable":
        return f"{said} ({data.get('variable')})"
    if step.move == "set-due" and data.get("after"):
        return f"{said} ({data.get('timer')} → {moment(datetime.fromisoformat(data['after']))})"
    return said


def _fired(late: float) -> str:
    if late < 1:
        return str(_MOVES["timer"])
    return str(gettext("Таймер сработал, опоздание %(span)s", span=span(late)))


def _durations(entries: Sequence[ElementLog]) -> dict[int, timedelta]:
    """Id of the entry that left a node → how long the node was held."""
    entered: dict[tuple[str, str], datetime] = {}
    lasted = {}
    for entry in entries:
        place = (entry.process_key, entry.element_id)
        if entry.event == "entered":
            entered[place] = entry.at
        elif entry.event in ("completed", "cancelled") and place in entered:
            lasted[entry.id] = entry.at - entered.pop(place)
    return lasted


def _failures(session: Session, instance: ProcessInstance) -> list[Line]:
    rows = session.scalars(select(Incident).where(Incident.instance_id == instance.id))
    return [
        Line(
            at=incident.created_at,
            step=incident.element_name or incident.element_id or "",
            words=failure(incident.message),
            who=gettext("исполнитель"),
            element_id=incident.element_id,
            failed=True,
        )
        for incident in rows
    ]
