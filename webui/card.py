"""The card of a ticket: what its template asks for, loaded part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from engine import user_tasks
from engine.actions import Action
from engine.errors import NotFound, Stale
from engine.models import Job, ProcessDefinition, ProcessInstance, UserTask
from services.access.rights import Right, may
from services.catalog import queries as catalog
from services.lines import queries as lines
from services.lines.models import LineSession, Message
from services.people.models import Agent
from services.people.queries import display_name
from services.tickets import fields, queries
from services.tickets.models import Draft, Ticket, TicketEvent
from webui import deadlines
from webui.errors import stale_words
from webui.language import gettext, spoken
from webui.routes import Visit

TABS = ("main", "extra", "history")
BUTTONS = 3
"""As many buttons are shown; the rest is under "Ещё"."""
KINDS = {
    "status": ("status",),
    "field": ("field",),
    "clock": ("clock", "reminder", "breach", "escalation"),
    "assigned": ("assigned",),
    "message": ("message",),
    "action": ("action", "created"),
}
"""Group of the history → kinds of its entries."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why the process of a ticket stands still."""

    who: str
    at: datetime
    reason: str


class Card:
    """One ticket as this person sees it."""

    def __init__(self, visit: Visit, ticket: Ticket, tab: str) -> None:
        self._session, self._agent = visit.session, visit.agent
        self.ticket, self.tab = ticket, tab

    @cached_property
    def status(self) -> Any:
        return catalog.statuses(self._session).get(self.ticket.status or "")

    @cached_property
    def category(self) -> Any:
        """The client's category, else the company's."""
        client = self.ticket.client
        company = client.company if client else None
        return (client.category if client else None) or (company.category if company else None)

    @cached_property
    def service_path(self) -> str:
        """ "Онлайн-касса › Чеки"."""
        names: list[str] = []
        service = self.ticket.service
        while service is not None and len(names) < 8:
            names.append(service.name)
            service = service.parent
        return " › ".join(reversed(names))

    @cached_property
    def cell(self) -> deadlines.Cell:
        return deadlines.cells(self._session, [self.ticket])[self.ticket.id]

    @cached_property
    def clocks(self) -> list[deadlines.Row]:
        return deadlines.rows(self.ticket)

    @cached_property
    def reasons(self) -> list[deadlines.Why]:
        return deadlines.explained(self.ticket)

    @cached_property
    def instance(self) -> ProcessInstance | None:
        return queries.instance_of(self._session, self.ticket)

    @cached_property
    def actions(self) -> list[Action]:
        return queries.offered_by(self._session, self.instance, self.ticket, self._agent)

    @property
    def buttons(self) -> list[Action]:
        return self._by_weight[:BUTTONS]

    @property
    def more(self) -> list[Action]:
        return self._by_weight[BUTTONS:]

    @cached_property
    def _by_weight(self) -> list[Action]:
        return sorted(self.actions, key=lambda action: action.style != "primary")

    @cached_property
    def pause(self) -> Action | None:
        """The button beside the countdown, while the process offers it."""
        return next((action for action in self.actions if action.id in ("pause", "continue")), None)

    @cached_property
    def definition(self) -> ProcessDefinition | None:
        """The process whose step is open: the called one, else the instance's own."""
        if self.instance is None:
            return None
        called = self.instance.bindings.get(self._open_process(self.instance))
        return self._session.get(ProcessDefinition, called) if called else self.instance.definition

    @cached_property
    def suspension(self) -> Suspension | None:
        """Who suspended the process, when and why; None while it runs."""
        if self.instance is None or self.instance.state != "suspended":
            return None
        found = user_tasks.suspended(self._session, self.instance)
        who = display_name(self._session, found.by, spoken())
        return Suspension(who, found.at or self.instance.started_at, found.reason)

    def _open_process(self, instance: ProcessInstance) -> str:
        offering = next((action.user_task for action in self.actions if action.user_task), None)
        if offering is not None:
            return offering.process_key
        tasks = select(UserTask.process_key).where(UserTask.instance_id == instance.id)
        return self._session.scalar(tasks.order_by(UserTask.state != "open", UserTask.id.desc()).limit(1)) or ""

    @cached_property
    def timers(self) -> Sequence[Job]:
        """What the process will do by itself, soonest first."""
        if self.instance is None:
            return ()
        waiting = select(Job).where(Job.instance_id == self.instance.id, Job.kind == "timer", Job.state == "waiting")
        return self._session.scalars(waiting.order_by(Job.due_at).limit(4)).all()

    @cached_property
    def talk(self) -> Sequence[Message]:
        return lines.talk(self._session, self.ticket)

    @cached_property
    def conversation(self) -> LineSession | None:
        """Where an answer goes."""
        return lines.latest_session(self._session, self.ticket)

    @cached_property
    def files(self) -> list[Any]:
        return [file for message in self.talk for file in message.attachments]

    @cached_property
    def draft(self) -> Draft | None:
        return queries.draft(self._session, self.ticket, self._agent)

    @cached_property
    def earlier(self) -> Sequence[Ticket]:
        return queries.earlier_of_client(self._session, self.ticket, self._agent)

    @cached_property
    def statuses(self) -> dict[str, Any]:
        return dict(catalog.statuses(self._session))

    @cached_property
    def load(self) -> int:
        """Open tickets of the responsible."""
        mine = select(func.count()).where(Ticket.responsible_id == self.ticket.responsible_id, Ticket.is_open)
        return self._session.scalar(mine) or 0

    @cached_property
    def whole_history(self) -> Sequence[TicketEvent]:
        return queries.history(self._session, self.ticket)

    @cached_property
    def history(self) -> list[TicketEvent]:
        kind, actor, field = (request.args.get(name, "") for name in ("kind", "actor", "field"))
        return [
            event
            for event in self.whole_history
            if (not kind or event.kind in KINDS.get(kind, ()))
            and (not actor or event.actor == actor)
            and (not field or event.field == field)
        ]

    def count(self, kind: str) -> int:
        """Entries of one group of the history."""
        return sum(1 for event in self.whole_history if event.kind in KINDS[kind])

    @property
    def actors(self) -> dict[str, str]:
        return {event.actor: event.actor_name for event in self.whole_history}

    @property
    def changed_fields(self) -> dict[str, str]:
        return {event.field: self.field_label(event.field) for event in self.whole_history if event.field}

    def field_label(self, name: str) -> str:
        own = {
            "status": gettext("Статус"),
            "reaction": gettext("Часы реакции"),
            "resolution": gettext("Часы решения"),
            "sla_level": gettext("Уровень SLA"),
            "delivery": gettext("Доставка"),
        }
        return own.get(name) or fields.label(name, spoken())

    @cached_property
    def last_change(self) -> TicketEvent | None:
        """The newest entry of the history, to tell others what changed."""
        newest = select(TicketEvent).where(TicketEvent.ticket_id == self.ticket.id)
        return self._session.scalar(newest.order_by(TicketEvent.id.desc()).limit(1))

    @property
    def may_work(self) -> bool:
        return may(self._agent, Right.WORK)

    @property
    def may_assign(self) -> bool:
        return may(self._agent, Right.ASSIGN)

    def is_me(self, agent: Agent | None) -> bool:
        return agent is not None and agent.id == self._agent.id


def render(visit: Visit, ticket: Ticket, tab: str) -> ResponseReturnValue:
    """The page of one tab; raises NotFound for an unknown tab."""
    if tab not in TABS:
        raise NotFound
    return render_template(f"card/{tab}.html", card=Card(visit, ticket, tab), ticket=ticket, stale="")


def render_stale(visit: Visit, number: int, error: Stale, label: str) -> str:
    """The card as it is now, saying who was first; the draft is still in its field."""
    visit.session.rollback()
    ticket = queries.by_number(visit.session, visit.agent, number)
    shown = Card(visit, ticket, "main")
    return render_template("card/main.html", card=shown, ticket=ticket, stale=stale_words(error), refused=label)
