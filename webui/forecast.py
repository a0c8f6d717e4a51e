"""What will happen when the form of a button is sent: who gets the ticket, which deadline becomes which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engine import clock
from services.catalog.queries import is_choice
from services.people import assignment
from services.people.models import Agent
from services.sla import levels
from services.sla import queries as sla
from services.sla.calendar import Calendar
from services.sla.schedules import calendar_of
from services.tickets.models import Ticket
from webui.language import gettext, spoken
from webui.moments import moment, span
from webui.routes import Visit


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of a forecast."""

    text: str
    strong: str = ""
    hint: str = ""
    icon: str = "clock"
    agent: Agent | None = None


def of(visit: Visit, ticket: Ticket, values: Mapping[str, str]) -> list[Line]:
    """The forecast for the values entered so far; nothing is kept of it."""
    if values.get("service"):
        return _classified(visit, ticket, values["service"])
    if values.get("resume_at"):
        return _paused(visit, ticket, values["resume_at"])
    return []


def _classified(visit: Visit, ticket: Ticket, service: str) -> list[Line]:
    if not is_choice(visit.session, "services", service):
        return []
    trial = Ticket(id=ticket.id, service_id=int(service), client_id=ticket.client_id, company_id=ticket.company_id)
    return [*_who(visit, trial), *_norms(visit, trial)]


def _who(visit: Visit, trial: Ticket) -> list[Line]:
    choice = assignment.choose(visit.session, trial)
    if choice.agent is None:
        return [Line(gettext("Назначать некого, узнают старшие"), hint=choice.reason, icon="user-off")]
    return [Line(gettext("Ответственный:"), choice.agent.name, choice.reason, agent=choice.agent)]


def _norms(visit: Visit, trial: Ticket) -> list[Line]:
    choice = levels.pick(visit.session, trial)
    rule = choice.rule(spoken())
    level = choice.level
    if level is None:
        return [Line(gettext("Сроки не заданы"), hint=rule, icon="minus")]
    calendar = Calendar.parse(calendar_of(level.schedule))
    lines = []
    if level.reaction_min:
        due = calendar.add_working(clock.now(), level.reaction_min * 60)
        lines.append(Line(gettext("Реакция до"), moment(due) if due else "–", rule))
    if level.resolution_min:
        begins = gettext("от взятия в работу") if level.resolution_starts == "taken" else gettext("от принятия")
        lines.append(Line(gettext("Решение за %(t)s", t=span(level.resolution_min * 60)), begins, icon="flag"))
    return lines


def _paused(visit: Visit, ticket: Ticket, until: str) -> list[Line]:
    try:
        end = datetime.fromisoformat(until).replace(tzinfo=ZoneInfo(visit.agent.zone))
    except ValueError:
        return []
    if end <= clock.now():
        return [Line(gettext("Выберите время в будущем"), icon="alert-triangle")]
    back = Line(gettext("Обращение само вернётся в работу"), moment(end), icon="player-play")
    cell = sla.cell(visit.session, ticket, clock.now())
    if cell.due is None:
        return [back]
    return [back, Line(gettext("Часы решения на это время встанут, сейчас срок"), moment(cell.due))]
