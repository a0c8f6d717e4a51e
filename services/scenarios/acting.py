"""What people, clients and other systems do in a scenario, on its throw-away desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import actions, clock, iso8601, repository
from engine.errors import EngineError, NotFound
from engine.models import ProcessInstance
from services import forms, rehearsal
from services.access.rights import OPERATOR, may_press
from services.catalog.queries import is_choice
from services.forms import FormInvalid
from services.lines import operations as lines
from services.lines.models import LineSession
from services.people.models import Agent
from services.rehearsal import NotOffered
from services.scenarios import stage
from services.scenarios.language import Given, Step
from services.scenarios.reasons import Unexpected
from services.scenarios.said import Said, nothing
from services.tickets import operations, queries
from services.tickets.models import Ticket


class Cast:
    """Everybody who acts, and the ticket and instance that they act on."""

    def __init__(self, desk: rehearsal.Desk, process: str, given: Given, checkpoint: Callable[[], None]) -> None:
        self._desk = desk
        self._process = process
        self._given = given
        self._checkpoint = checkpoint
        self._ticket: int | None = None
        self._instance: int | None = None
        self._verbs: Mapping[str, Callable[[Step], None]] = {
            "client_writes": self._client_writes,
            "creates": self._creates,
            "press": self._press,
            "replies": self._replies,
            "changes": self._changes,
            "wait": lambda step: self._advance(clock.now() + iso8601.parse_duration(step.wait or "PT0S")),
            "wait_until": lambda step: self._advance(iso8601.parse_instant(step.wait_until or "")),
            "message": self._message,
            "signal": self._signal,
        }

    def begin(self) -> None:
        """Set the stage and begin the process, if it begins without a step."""
        stage.prepare(self._desk, self._given, self._process)
        if self._given.begins == "ticket":
            self._ticket = stage.open_ticket(self._desk, self._given)
            key, variables = f"ticket:{self._ticket}", self._given.variables
            self._instance = self._desk.start(self._process, key=key, variables=variables)
        elif self._given.begins == "alone":
            self._instance = self._desk.start(self._process, variables=self._given.variables)
        self._advance(clock.now())

    def act(self, step: Step) -> None:
        """Do what the step says and then what is due at once; raises whatever makes it impossible."""
        self._verbs[step.kind](step)
        self._advance(clock.now())

    def ticket(self, session: Session) -> Ticket | None:
        """The ticket of the story, once there is one."""
        return session.get(Ticket, self._ticket) if self._ticket is not None else None

    def instance(self, session: Session) -> ProcessInstance | None:
        """The instance of the story, once there is one."""
        if self._instance is not None:
            return session.get(ProcessInstance, self._instance)
        ticket = self.ticket(session)
        return queries.instance_of(session, ticket) if ticket is not None else None

    def _advance(self, until: datetime) -> None:
        self._desk.advance_to(until, checkpoint=self._checkpoint)

    def _client_writes(self, step: Step) -> None:
        given = self._given
        with self._desk.look() as session:
            line = stage.line_of(session, given.line).slug
        client = step.client or given.client.name
        reached = self._desk.client_writes(step.client_writes or "", client=client, line=line)
        with self._desk.look() as session:
            failed = session.scalar(select(LineSession.start_error).where(LineSession.start_error != "").limit(1))
        if failed:
            raise EngineError(failed)
        self._ticket = self._ticket or reached

    def _creates(self, step: Step) -> None:
        with self._desk.session() as session:
            form = queries.creation_form(session, self._process)
            entered = rehearsal.filled(session, form, {}, step.creates or {})
            actor = stage.person(session, step.by or OPERATOR, None)
            self._ticket = operations.create_manually(session, entered, actor=actor).id

    def _press(self, step: Step) -> None:
        try:
            self._press_as(step)
        except (NotOffered, FormInvalid) as error:
            if not step.refused:
                raise
            self._compare_refusal(step.refused, error)
            return
        if step.refused:
            raise Unexpected(
                Said("нажатие приняли, ожидали отказ", "the press was accepted, but a refusal was expected")
            )

    def _compare_refusal(self, wanted: bool | list[str], error: NotOffered | FormInvalid) -> None:
        got = sorted(error.errors) if isinstance(error, FormInvalid) else []
        if isinstance(wanted, list) and sorted(wanted) != got:
            (ru, en), (got_ru, got_en) = nothing(wanted), nothing(got)
            raise Unexpected(
                Said(
                    f"не приняли поля: ожидали {ru}, получили {got_ru}", f"refused fields: expected {en}, got {got_en}"
                )
            )

    def _press_as(self, step: Step) -> None:
        action = step.press or ""
        with self._desk.look() as session:
            agent_id = self._person(session, step).id
        if self._ticket is not None:
            self._desk.presses(agent_id, self._ticket, action, step.form or {})
        else:
            self._press_alone(agent_id, action, step.form or {})

    def _press_alone(self, agent_id: int, action: str, values: Mapping[str, str]) -> None:
        with self._desk.session() as session:
            agent = session.get_one(Agent, agent_id)
            for instance in session.scalars(select(ProcessInstance).where(ProcessInstance.state == "active")).all():
                offered = actions.available(session, instance)
                chosen = next((each for each in offered if action in (each.id, each.label)), None)
                if chosen is not None and may_press(agent, chosen.roles, responsible_id=agent_id):
                    variables = _variables(session, instance, chosen.form, values, agent)
                    actions.perform(
                        session, instance.id, chosen.ref, variables=variables, actor=agent.ref, expected_version=None
                    )
                    return
            raise NotOffered(action, [])

    def _person(self, session: Session, step: Step) -> Agent:
        """The person named, else the responsible, else an operator."""
        ticket = self.ticket(session)
        if step.by is not None:
            return stage.person(session, step.by, ticket)
        if ticket is not None and ticket.responsible is not None:
            return ticket.responsible
        return stage.person(session, OPERATOR, None)

    def _replies(self, step: Step) -> None:
        with self._desk.session() as session:
            ticket = self._required(session)
            lines.reply(session, ticket, text=step.replies or "", actor=self._person(session, step))

    def _changes(self, step: Step) -> None:
        with self._desk.session() as session:
            ticket = self._required(session)
            values = {}
            for name, value in (step.changes or {}).items():
                column = f"{name}_id" if name in ("type", "service", "product", "client") else name
                values[column] = stage.catalog_value(session, name, value)
            operations.change_fields(session, ticket, values, actor=self._person(session, step))

    def _message(self, step: Step) -> None:
        with self._desk.look() as session:
            instance = self.instance(session)
            key = instance.business_key if instance else None
        if key is None:
            raise NotFound("Expected a ticket that the message is for, but there is none")
        if not self._desk.message(step.message or "", key, step.variables):
            raise Unexpected(_nobody("сообщение", "message", step.message))

    def _signal(self, step: Step) -> None:
        if not self._desk.signal(step.signal or "", step.variables):
            raise Unexpected(_nobody("сигнал", "signal", step.signal))

    def _required(self, session: Session) -> Ticket:
        ticket = self.ticket(session)
        if ticket is None:
            raise NotFound("Expected a ticket, but there is none yet")
        return ticket


def _variables(
    session: Session, instance: ProcessInstance, form: str | None, values: Mapping[str, str], agent: Agent
) -> dict[str, Any]:
    """What the form of a button gives the process; a button without one gives it what was entered."""
    if form is None:
        return dict(values)
    asked = forms.load(repository.form(session, instance.definition, form))
    entered = rehearsal.filled(session, asked, {}, values)
    cleaned = forms.validate(asked, entered, lambda c, v: is_choice(session, c, v), zone=agent.zone)
    return cleaned.variables


def _nobody(ru: str, en: str, name: str | None) -> Said:
    return Said(f"{ru} «{name}» никто не ждал", f"nobody waited for the {en} «{name}»")
