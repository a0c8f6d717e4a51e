"""Whether it stands as expected: each field of an expectation against the desk, the difference in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import actions, clock, iso8601, stepper
from engine.models import ElementLog, Incident, Job, ProcessInstance, UserTask
from services.lines.models import Message
from services.notifications.models import Notification
from services.people.models import Agent
from services.people.queries import display_name
from services.scenarios import words
from services.scenarios.language import Clock, Expect, Notice
from services.scenarios.said import Said, nothing
from services.scenarios.stage import RESPONSIBLE, ROLES, person
from services.sla.terms import terms_of
from services.tickets import queries
from services.tickets.models import Ticket

TOLERANCE = timedelta(seconds=1)
"""A reminder or a breach is due one second after its term."""
_CATALOGS = {"type": "type", "service": "service", "product": "product", "client": "client", "company": "company"}


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to which rows something has been looked at."""

    log: int = 0
    notifications: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Now:
    """What is compared with."""

    session: Session
    instance: ProcessInstance | None
    ticket: Ticket | None
    since: Mark
    names: words.Names = field(default_factory=dict)

    def called(self, name: str) -> str:
        """An element or button as people call it."""
        return self.names.get(name, name)

    @property
    def entered(self) -> Sequence[ElementLog]:
        """Nodes that were reached since the mark, of every process, in their order."""
        reached = ElementLog.event.in_(("entered", "fired"))
        found = select(ElementLog).where(ElementLog.id > self.since.log, reached)
        return self.session.scalars(found.order_by(ElementLog.id)).all()

    def instances(self) -> Sequence[ProcessInstance]:
        return self.session.scalars(select(ProcessInstance).order_by(ProcessInstance.id)).all()


def compare(expected: Expect, now: Now) -> Iterator[Said]:
    """One sentence for everything that is not as expected. Raises NotFound for people that are not there."""
    for name, differences in _CHECKS.items():
        value = getattr(expected, name)
        if value is not None:
            yield from differences(value, now, expected)
    if expected.incidents is None:
        yield from _incidents([], now, expected)


def names(row: Any, wanted: str) -> bool:
    """Whether a node of the log, a task or a job is called so: by id, by name or as process/id."""
    return wanted in (row.element_id, row.name, f"{row.process_key}/{row.element_id}")


def _path(wanted: Sequence[str], now: Now, _: Expect) -> Iterator[Said]:
    entered = now.entered
    position = 0
    for count, name in enumerate(wanted):
        while position < len(entered) and not names(entered[position], name):
            position += 1
        if position == len(entered):
            after = f"«{now.called(wanted[count - 1])}»" if count else ""
            ru, en = nothing(_shown(row) for row in entered[-12:])
            yield Said(
                f"путь: {'после ' + after if after else 'сначала'} ожидали «{now.called(name)}», прошли: {ru}",
                f"path: {'after ' + after if after else 'first'} expected «{now.called(name)}», but passed: {en}",
            )
            return
        position += 1


def _exact_path(wanted: Sequence[str], now: Now, _: Expect) -> Iterator[Said]:
    entered = now.entered
    for position in range(max(len(wanted), len(entered))):
        want = wanted[position] if position < len(wanted) else None
        got = entered[position] if position < len(entered) else None
        if want is None or got is None or not names(got, want):
            (want_ru, want_en), (got_ru, got_en) = (
                nothing([now.called(want)] if want else []),
                nothing([_shown(got)] if got else []),
            )
            yield Said(
                f"путь: на месте {position + 1} ожидали {want_ru}, а пришли в {got_ru}",
                f"path: at place {position + 1} expected {want_en}, but got to {got_en}",
            )
            return


def _not_visited(wanted: Sequence[str], now: Now, _: Expect) -> Iterator[Said]:
    for name in wanted:
        if any(names(row, name) for row in now.entered):
            called = now.called(name)
            yield Said(f"путь: «{called}» не ожидали, но там были", f"path: «{called}» was not expected, but visited")


def _status(wanted: str, now: Now, _: Expect) -> Iterator[Said]:
    got = (now.ticket.status if now.ticket else None) or ""
    if got != wanted:
        yield from _differs("статус", "status", _status_name(wanted), _status_name(got))


def _status_name(code: str) -> tuple[str, str]:
    if not code:
        return _both(None)
    ru, en = words.status(code)
    return f"«{ru}»", f"«{en}»"


def _timers(wanted: Mapping[str, str | None], now: Now, _: Expect) -> Iterator[Said]:
    armed = now.session.scalars(select(Job).where(Job.state == "waiting", Job.kind == "timer")).all()
    for name, term in wanted.items():
        due = [job.due_at for job in armed if names(job, name)]
        called = now.called(name)
        yield from _due(f"таймер «{called}»", f"timer «{called}»", term, due[0] if due else None)


def _due(ru: str, en: str, term: str | None, got: datetime | None) -> Iterator[Said]:
    want = _moment(term) if term else None
    if want is None or got is None:
        if want is not got:
            yield from _differs(ru, en, _said_moment(want), _said_moment(got))
    elif abs(want - got) > TOLERANCE:
        yield from _differs(ru, en, _said_moment(want), _said_moment(got))


def _tasks(wanted: Sequence[str], now: Now, _: Expect) -> Iterator[Said]:
    tasks = now.session.scalars(select(UserTask).where(UserTask.state == "open").order_by(UserTask.id)).all()
    yield from _lists("открытые задачи", "open tasks", wanted, now, [(t.name, t.element_id) for t in tasks])


def _actions(wanted: Sequence[str], now: Now, expected: Expect) -> Iterator[Said]:
    if expected.by is not None and now.ticket is not None:
        who = person(now.session, expected.by, now.ticket)
        offered = queries.offered_actions(now.session, now.ticket, who)
    else:
        offered = [each for one in now.instances() for each in actions.available(now.session, one)]
    yield from _lists("кнопки", "buttons", wanted, now, [(each.label, each.id) for each in offered])


def _assignee(wanted: str, now: Now, _: Expect) -> Iterator[Said]:
    got = now.ticket.responsible if now.ticket else None
    task = now.session.scalars(select(UserTask).where(UserTask.state == "open").order_by(UserTask.id)).first()
    if now.ticket is None and task is not None:
        got_name = display_name(now.session, task.assignee) if task.assignee else task.candidate_group or ""
    else:
        got_name = got.name if got else ""
    if not (got_name == wanted or (wanted and got_name.startswith(wanted + " "))):
        yield from _differs("ответственный", "responsible", wanted, got_name)


def _notifications(wanted: Sequence[Notice], now: Now, _: Expect) -> Iterator[Said]:
    fresh = select(Notification).where(Notification.id > now.since.notifications).order_by(Notification.id)
    sent = now.session.scalars(fresh).all()
    for notice in wanted:
        if notice.to == "client":
            yield from _written(notice.kind, now)
            continue
        recipients = _recipients(notice.to, now)
        if not any(row.kind == notice.kind and row.agent_id in recipients for row in sent):
            told = [f"{row.kind}: {now.session.get_one(Agent, row.agent_id).name}" for row in sent]
            ru, en = nothing(told)
            yield Said(
                f"уведомление {notice.kind} для «{notice.to}» не пришло; были: {ru}",
                f"notification {notice.kind} for «{notice.to}» was not sent, but these were: {en}",
            )


def _recipients(to: str, now: Now) -> set[int]:
    if to in ROLES:
        everybody = now.session.scalars(select(Agent)).all()
        return {agent.id for agent in everybody if to in {role.name for role in agent.roles}}
    if to == RESPONSIBLE and (now.ticket is None or now.ticket.responsible_id is None):
        return set()
    return {person(now.session, to, now.ticket).id}


def _written(part: str, now: Now) -> Iterator[Said]:
    fresh = select(Message.text).where(Message.id > now.since.messages, Message.kind == "out")
    texts = now.session.scalars(fresh.order_by(Message.id)).all()
    if not any(part in text for text in texts):
        ru, en = nothing(text[:80] for text in texts)
        yield Said(f"клиенту не написали «{part}»; писали: {ru}", f"the client was not written «{part}», but: {en}")


def _sla(wanted: Mapping[str, Clock], now: Now, _: Expect) -> Iterator[Said]:
    clocks = {each.kind: each for each in now.ticket.clocks} if now.ticket else {}
    for kind, want in wanted.items():
        ru, en = f"часы {_CLOCKS[kind]}", f"{kind} clock"
        got = clocks.get(kind)
        if want.state is not None:
            yield from _differs(ru, en, want.state, got.state if got else "none")
        if want.due is not None:
            yield from _due(f"{ru}, срок", f"{en}, due", want.due, got.due_at if got else None)
        if want.met is not None:
            yield from _differs(f"{ru}, выполнен срок", f"{en}, met", want.met, got.met if got else None)
        if want.breached is not None:
            yield from _differs(f"{ru}, нарушение", f"{en}, breached", want.breached, bool(got and got.breached_at))


_CLOCKS = {"reaction": "реакции", "resolution": "решения"}


def _level(wanted: str, now: Now, _: Expect) -> Iterator[Said]:
    terms = terms_of(now.ticket) if now.ticket else None
    yield from _differs("уровень SLA", "service level", wanted, terms.level if terms else "")


def _ticket(wanted: Mapping[str, Any], now: Now, _: Expect) -> Iterator[Said]:
    for name, want in wanted.items():
        got = getattr(now.ticket, name, None)
        got = (got.name if got else "") if name in _CATALOGS else got
        got = got.isoformat() if isinstance(got, datetime) else got
        yield from _differs(f"поле карточки {name}", f"field {name}", want, got)


def _variables(wanted: Mapping[str, Any], now: Now, _: Expect) -> Iterator[Said]:
    got: Mapping[str, Any] = {}
    if now.instance is not None and now.instance.data is not None:
        machine = stepper.load(now.session, now.instance, None)
        got = {name: value for wait in machine.waits() for name, value in machine.data_of(wait.key).items()}
    for name, want in wanted.items():
        yield from _differs(f"переменная {name}", f"variable {name}", want, got.get(name))


def _incidents(wanted: Sequence[str], now: Now, _: Expect) -> Iterator[Said]:
    found = now.session.scalars(select(Incident).where(Incident.state == "open").order_by(Incident.id)).all()
    unexpected = [each for each in found if not {each.element_id, each.element_name} & set(wanted)]
    for each in unexpected:
        step = each.element_name or each.element_id
        yield Said(f"сбой в «{step}»: {each.message[:300]}", f"incident at «{step}»: {each.message[:300]}")
    for name in wanted:
        if not any(name in (each.element_id, each.element_name) for each in found):
            yield Said(f"ожидали сбой в «{name}», его нет", f"expected an incident at «{name}», but there is none")


def _ended(wanted: bool, now: Now, _: Expect) -> Iterator[Said]:
    got = now.instance is not None and now.instance.state in ("completed", "cancelled")
    if got is not wanted:
        ru, en = ("завершён", "ended") if got else ("ещё идёт", "still runs")
        yield Said(f"процесс {ru}, ожидали иного", f"the process {en}, which was not expected")


_CHECKS: Mapping[str, Callable[[Any, Now, Expect], Iterator[Said]]] = {
    "path": _path,
    "exact_path": _exact_path,
    "not_visited": _not_visited,
    "status": _status,
    "timers": _timers,
    "tasks": _tasks,
    "actions": _actions,
    "assignee": _assignee,
    "notifications": _notifications,
    "sla": _sla,
    "level": _level,
    "ticket": _ticket,
    "variables": _variables,
    "incidents": _incidents,
    "ended": _ended,
}


def _lists(ru: str, en: str, wanted: Sequence[str], now: Now, got: Sequence[tuple[str, str]]) -> Iterator[Said]:
    """The same things in any order, each known by its name or id."""
    left = list(got)
    missing = []
    for name in wanted:
        found = next((each for each in left if name in each), None)
        if found is None:
            missing.append(name)
        else:
            left.remove(found)
    if missing or left:
        yield from _differs(ru, en, nothing(map(now.called, wanted)), nothing(label or number for label, number in got))


def _differs(ru: str, en: str, want: Any, got: Any) -> Iterator[Said]:
    if want != got:
        (want_ru, want_en), (got_ru, got_en) = _both(want), _both(got)
        yield Said(f"{ru}: ожидали {want_ru}, получили {got_ru}", f"{en}: expected {want_en}, got {got_en}")


def _both(value: Any) -> tuple[str, str]:
    if isinstance(value, tuple):
        ru, en = value
        return ru, en
    if value is None or value == "":
        return "ничего", "nothing"
    if isinstance(value, bool):
        return ("да", "yes") if value else ("нет", "no")
    return f"«{value}»", f"«{value}»"


def _shown(row: ElementLog) -> str:
    return row.name or row.element_id


def _moment(term: str) -> datetime:
    return clock.now() + iso8601.parse_duration(term) if term.startswith("P") else iso8601.parse_instant(term)


def _said_moment(at: datetime | None) -> tuple[str, str]:
    if at is None:
        return "не взведён", "not armed"
    return words.moment(at, clock.now())
