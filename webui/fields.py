"""A form of a process as the page shows it: its fields with values, choices and mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from services.catalog import queries as catalog
from services.catalog.models import PRIORITIES
from services.forms import Field, Form, FormInvalid, Option
from services.people.models import Agent
from services.tickets.fields import bound_values
from services.tickets.models import Ticket
from webui import moments
from webui.language import spoken

__all__ = ["Agent", "Filled", "FormInvalid", "Shown", "blank", "of_ticket", "refused"]

_RADIO_AT_MOST = 6
"""More choices than this are a list, not buttons."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value to choose, with the priority it brings along."""

    value: str
    label: str
    depth: int = 0
    priority: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One field on the page."""

    field: Field
    value: str
    choices: tuple[Choice, ...]
    error: str

    @property
    def buttons(self) -> bool:
        return self.field.kind == "radio" and len(self.choices) <= _RADIO_AT_MOST

    @property
    def suggests(self) -> bool:
        return self.field.kind == "textfield" and bool(self.choices)


@dataclass(frozen=True, slots=True)
class Filled:
    """A form ready for its template."""

    form: Form
    fields: tuple[Shown, ...]

    @property
    def type_field(self) -> Shown | None:
        """The field that decides the priority."""
        return next((shown for shown in self.fields if shown.field.catalog == "types"), None)

    @property
    def mistakes(self) -> int:
        return sum(1 for shown in self.fields if shown.error)


def blank(session: Session, form: Form) -> Filled:
    """The form with its defaults."""
    return _filled(session, form, {f.key: f.default for f in form.fields}, {})


def of_ticket(session: Session, form: Form, ticket: Ticket) -> Filled:
    """The form with what the ticket already says."""
    bound = bound_values(ticket)
    values = {f.key: _text(bound.get(f.bind)) or f.default for f in form.fields}
    return _filled(session, form, values, {})


def refused(session: Session, form: Form, values: Mapping[str, str], invalid: FormInvalid) -> Filled:
    """The form as it was sent, with what is wrong; nothing that was written is lost."""
    return _filled(session, form, values, invalid.errors)


def _filled(session: Session, form: Form, values: Mapping[str, str], errors: Mapping[str, str]) -> Filled:
    return Filled(
        form,
        tuple(Shown(f, values.get(f.key, ""), _choices(session, f), errors.get(f.key, "")) for f in form.fields),
    )


def _choices(session: Session, f: Field) -> tuple[Choice, ...]:
    if not f.catalog:
        return tuple(Choice(option.value, option.label) for option in _options(f))
    offers = catalog.choices(session, f.catalog, language=spoken())
    priorities = _type_priorities(session) if f.catalog == "types" else {}
    return tuple(
        Choice(o.value, f"{o.label}, {o.hint}" if f.catalog == "clients" and o.hint else o.label, o.depth,
               priorities.get(o.value, ""))
        for o in offers
    )  # fmt: skip


def _options(f: Field) -> tuple[Option, ...]:
    return f.options


def _type_priorities(session: Session) -> dict[str, str]:
    return {str(kind.id): kind.priority for kind in catalog.ticket_types(session) if kind.priority in PRIORITIES}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return moments.local_input(value) if isinstance(value, datetime) else str(value)
