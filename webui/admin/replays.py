"""A version over the history: order a replay, watch it, read what would have gone otherwise, ticket by ticket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from engine.errors import NotFound
from engine.models import ProcessDefinition
from services.catalog.queries import status_name, statuses
from services.replay import operations
from services.replay.models import Replay, ReplayOutcome
from services.replay.sums import VERDICTS
from services.tickets.models import Ticket
from webui.admin import definitions
from webui.admin.blueprint import STUDIO, blueprint
from webui.language import gettext
from webui.moments import full, span
from webui.routes import Visit, leave_to, route

WANTED = (100, 300, 1000, 3000)
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One difference in words."""

    kind: str
    text: str
    before: str = ""
    after: str = ""


@route(blueprint, "/replays", roles=STUDIO)
def replays(visit: Visit) -> ResponseReturnValue:
    families = definitions.families(visit.session)
    orders = select(Replay).options(joinedload(Replay.definition)).order_by(Replay.id.desc()).limit(_PAGE)
    return render_template(
        "admin/replays.html",
        orders=visit.session.scalars(orders).all(),
        families=families,
        wanted=WANTED,
        chosen=request.args.get("definition", type=int),
        closed=visit.session.scalar(select(func.count()).select_from(Ticket).where(~Ticket.is_open)) or 0,
    )


@route(blueprint, "/replays", roles=STUDIO, methods=["POST"])
def begin_replay(visit: Visit) -> ResponseReturnValue:
    definition = visit.session.get(ProcessDefinition, request.form.get("definition", type=int) or 0)
    last = request.form.get("last", type=int)
    if definition is None or last not in WANTED:
        raise NotFound
    order = operations.begin(visit.session, definition, last=last, by=visit.agent.ref)
    return leave_to(url_for("admin.one_replay", replay_id=order.id))


@route(blueprint, "/replays/<int:replay_id>", roles=STUDIO)
def one_replay(visit: Visit, replay_id: int) -> ResponseReturnValue:
    order = operations.one(visit.session, replay_id)
    verdict, after = request.args.get("verdict", ""), request.args.get("after", 0, type=int)
    rows = _rows(visit.session, order, verdict, after)
    done, total = operations.progress(visit.session, order)
    return render_template(
        "admin/replay.html",
        order=order,
        done=done,
        total=total,
        verdict=verdict,
        verdicts=VERDICTS,
        words=_verdict_words(),
        of_one=_verdict_of_one(),
        kinds=_kind_words(),
        sums=order.sums,
        facts=_facts(visit.session, order.sums) if order.sums else [],
        rows=rows[:_PAGE],
        following=rows[_PAGE - 1][0].id if len(rows) > _PAGE else None,
    )


@route(blueprint, "/replays/<int:replay_id>/progress", roles=STUDIO)
def replay_progress(visit: Visit, replay_id: int) -> ResponseReturnValue:
    order = operations.one(visit.session, replay_id)
    done, total = operations.progress(visit.session, order)
    part = render_template("admin/replay_progress.html", order=order, done=done, total=total)
    # The end changes the whole page: the sums and the list.
    return part, {} if order.state == "running" else {"HX-Refresh": "true"}


@route(blueprint, "/replays/<int:replay_id>/cancellation", roles=STUDIO, methods=["POST"])
def cancel_replay(visit: Visit, replay_id: int) -> ResponseReturnValue:
    operations.cancel(visit.session, operations.one(visit.session, replay_id))
    return leave_to(url_for("admin.one_replay", replay_id=replay_id))


@route(blueprint, "/replays/<int:replay_id>/tickets/<int:number>", roles=STUDIO)
def replayed_ticket(visit: Visit, replay_id: int, number: int) -> ResponseReturnValue:
    order = operations.one(visit.session, replay_id)
    query = select(ReplayOutcome, Ticket).join(Ticket, Ticket.id == ReplayOutcome.ticket_id)
    found = visit.session.execute(query.where(ReplayOutcome.replay_id == order.id, Ticket.number == number)).first()
    if found is None:
        raise NotFound
    row, ticket = found
    return render_template(
        "admin/replay_ticket.html",
        order=order,
        row=row,
        ticket=ticket,
        of_one=_verdict_of_one(),
        lines=list(_lines(visit.session, row.differences)),
        path=row.differences.get("path", {}),
    )


def _rows(session: Session, order: Replay, verdict: str, after: int) -> Sequence[tuple[ReplayOutcome, Ticket]]:
    """One more than a page holds; the tickets that differ most first would hide the plain order of numbers."""
    query = select(ReplayOutcome, Ticket).join(Ticket, Ticket.id == ReplayOutcome.ticket_id)
    query = query.where(ReplayOutcome.replay_id == order.id, ReplayOutcome.id > after)
    if verdict in VERDICTS:
        query = query.where(ReplayOutcome.verdict == verdict)
    else:
        query = query.where(ReplayOutcome.verdict.not_in(("waiting", "same")))
    found = session.execute(query.order_by(ReplayOutcome.id).limit(_PAGE + 1))
    return [(row, ticket) for row, ticket in found]


def _verdict_words() -> dict[str, str]:
    return {
        "same": gettext("прошли так же"),
        "differs": gettext("прошли иначе"),
        "stuck": gettext("застряли"),
        "failed": gettext("сорвались"),
    }


def _verdict_of_one() -> dict[str, str]:
    return {
        "same": gettext("так же"),
        "differs": gettext("иначе"),
        "stuck": gettext("застряло"),
        "failed": gettext("сорвалось"),
        "waiting": gettext("ждёт очереди"),
    }


def _kind_words() -> dict[str, str]:
    return {
        "path": gettext("путь"),
        "statuses": gettext("статусы"),
        "assignments": gettext("ответственные"),
        "sla": gettext("сроки"),
        "notifications": gettext("уведомления"),
        "ended": gettext("время закрытия"),
        "refused": gettext("не было кнопки"),
        "waiting": gettext("ждёт"),
        "failed": gettext("сбой"),
    }


def _facts(session: Session, sums: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, int]]]]:
    """The sums under headings, each sentence with its number of tickets; empty headings are left out."""
    facts = [
        (gettext("Появились шаги"), [(name or element, count) for _, element, name, count in sums["new"]]),
        (gettext("Исчезли шаги"), [(name or element, count) for _, element, name, count in sums["gone"]]),
        (gettext("Статусы"), [(_status_fact(session, code, how), count) for code, how, count in sums["statuses"]]),
        (gettext("Сроки"), [(_term_fact(kind, how), count) for kind, how, count in sums["terms"]]),
        (gettext("Уведомления"), [(_notice_fact(kind, how), count) for kind, how, count in sums["notices"]]),
        (gettext("Кнопки, которых не было бы"), [(label, count) for label, count in sums["refused"]]),
        (gettext("Где застряли"), [(place, count) for place, count in sums["waiting"]]),
        (gettext("Сбои"), [(message, count) for message, count in sums["failures"]]),
    ]
    return [(heading, rows) for heading, rows in facts if rows]


def _status_fact(session: Session, code: str, how: str) -> str:
    name = status_name(statuses(session).get(code)) or code
    if how == "order":
        return gettext("те же статусы в другом порядке")
    return gettext("«%(name)s» появился", name=name) if how == "new" else gettext("«%(name)s» исчез", name=name)


def _clock(kind: str) -> str:
    return gettext("реакция") if kind == "reaction" else gettext("решение")


def _term_fact(kind: str, how: str) -> str:
    words = {
        "breached": gettext("норма была соблюдена, стала бы нарушена"),
        "kept": gettext("норма была нарушена, стала бы соблюдена"),
        "begun": gettext("часы пошли бы"),
        "never": gettext("часы не пошли бы"),
        "open": gettext("часы не остановились бы"),
        "slower": gettext("дольше, итог тот же"),
        "faster": gettext("быстрее, итог тот же"),
    }
    return f"{_clock(kind)}: {words[how]}"


def _notice_words() -> dict[str, str]:
    return {
        "classification_needed": gettext("нужна классификация"),
        "unassigned": gettext("некому назначить"),
        "reminder": gettext("напоминание о сроке"),
        "breach": gettext("нарушение срока"),
        "pause_ended": gettext("пауза кончилась"),
    }


def _notice_fact(kind: str, how: str) -> str:
    name = _notice_words().get(kind, kind)
    return gettext("%(name)s: больше", name=name) if how == "more" else gettext("%(name)s: меньше", name=name)


def _lines(session: Session, differences: Mapping[str, Any]) -> Iterator[Line]:
    """The differences of one ticket in words."""
    known = statuses(session)
    for refused in differences.get("refused", ()):
        offered = ", ".join(f"«{label}»" for label in refused["offered"]) or gettext("ничего")
        said = gettext("Кнопки «%(label)s» не было, были: %(offered)s", label=refused["label"], offered=offered)
        yield Line("refused", said)
    if "failed" in differences:
        yield Line("failed", differences["failed"]["message"])
    for place in differences.get("waiting", ()):
        yield Line("waiting", gettext("Осталось ждать на «%(place)s»", place=place))
    if change := differences.get("statuses"):
        before, after = (
            _arrows(status_name(known.get(code)) or code for code in change[s]) for s in ("before", "after")
        )
        yield Line("statuses", gettext("Статусы"), before, after)
    if change := differences.get("assignments"):
        yield Line("assignments", gettext("Ответственные"), _arrows(change["before"]), _arrows(change["after"]))
    for kind, change in differences.get("sla", {}).items():
        yield Line(
            "sla", gettext("Норма: %(clock)s", clock=_clock(kind)), _term(change["before"]), _term(change["after"])
        )
    for kind, change in differences.get("notifications", {}).items():
        before, after = (_times(change[side]) for side in ("before", "after"))
        yield Line("notifications", _notice_words().get(kind, kind), before, after)
    if change := differences.get("ended"):
        yield Line("ended", gettext("Закрыто"), _moment(change["before"]), _moment(change["after"]))


def _arrows(names: Any) -> str:
    return " → ".join(name or gettext("никто") for name in names) or "–"


def _times(count: int) -> str:
    return str(ngettext("%(num)d раз", "%(num)d раз", count))


def _term(term: Mapping[str, Any] | None) -> str:
    if term is None:
        return gettext("часы не шли")
    met = {True: gettext("в срок"), False: gettext("нарушена"), None: gettext("не закончена")}[term["met"]]
    return f"{met}, {span(term['seconds'])}" if term["seconds"] is not None else met


def _moment(text: str | None) -> str:
    return full(datetime.fromisoformat(text)) if text else gettext("не закрыто")
