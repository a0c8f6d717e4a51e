"""Forms as form-js JSON: the subset the desk renders, and its validation on the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine import clock, expressions
from engine.errors import EngineError
from services.texts import without_controls

INPUTS = ("textfield", "textarea", "select", "radio", "checkbox", "datetime", "number")
CHOOSING = ("select", "radio")
DEFAULT_LENGTH = {"textfield": 500, "textarea": 20_000}

IsChoice = Callable[[str, str], bool]
"""(catalog, value) → whether the value may be chosen."""


class FormInvalid(EngineError):
    """Expected every field to be filled in as its form says, but some are not."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {message}" for key, message in errors.items()))
        self.errors = dict(errors)
        """Field key → what to do about it."""


@dataclass(frozen=True, slots=True)
class Option:
    """One fixed choice of a select or radio."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One component of a form."""

    key: str
    kind: str
    label: str
    required: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    syntax: str = ""
    """email | phone | empty = any text."""
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[Option, ...] = ()
    bind: str = ""
    """ "ticket.type_id": the value is written there; empty = it becomes a process variable."""
    catalog: str = ""
    """types, services, products, agents, clients, pause_reasons …"""
    hide: expressions.Expression | None = None
    description: str = ""
    default: str = ""
    future: bool = False
    """A moment that must lie ahead."""
    date_only: bool = False
    disabled: bool = False
    text: str = ""
    """What a component of the kind "text" says."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form ready to be rendered and checked."""

    name: str
    title: str
    fields: tuple[Field, ...]

    @property
    def inputs(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if f.kind in INPUTS)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was entered, with types: what is written to records, and what the process gets."""

    bound: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)


def load(schema: Mapping[str, Any]) -> Form:
    """Read a form-js schema; components outside the subset are left out."""
    return Form(
        name=str(schema.get("id", "")),
        title=str(schema.get("title", "")),
        fields=tuple(
            _field(component)
            for component in schema.get("components", ())
            if component.get("type") == "text" or (component.get("type") in INPUTS and component.get("key"))
        ),
    )


def _field(component: Mapping[str, Any]) -> Field:
    rules, properties = component.get("validate") or {}, component.get("properties") or {}
    hide = (component.get("conditional") or {}).get("hide")
    kind = str(component["type"])
    return Field(
        key=str(component.get("key", "")),
        kind=kind,
        label=str(component.get("label") or component.get("dateLabel") or ""),
        required=bool(rules.get("required")),
        min_length=rules.get("minLength"),
        max_length=rules.get("maxLength", DEFAULT_LENGTH.get(kind)),
        pattern=rules.get("pattern"),
        minimum=rules.get("min"),
        maximum=rules.get("max"),
        options=tuple(Option(str(v["value"]), str(v.get("label", v["value"]))) for v in component.get("values") or ()),
        bind=str(properties.get("bind", "")),
        catalog=str(properties.get("catalog", "")),
        hide=expressions.compile(str(hide).removeprefix("=")) if hide else None,
        description=str(component.get("description", "")),
        default=str(component.get("defaultValue", "")),
        syntax=str(rules.get("validationType", "")),
        future=bool(component.get("disallowPassedDates")),
        date_only=component.get("subtype") == "date",
        disabled=bool(component.get("disabled")),
        text=str(component.get("text", "")),
    )


def validate(
    form: Form,
    values: Mapping[str, str],
    is_choice: IsChoice,
    *,
    names: Mapping[str, Any] | None = None,
    zone: str = "UTC",
    language: str = "ru",
) -> Cleaned:
    """Check what was entered and give it types; raises FormInvalid with a message per field.

    `names` is what conditions may read besides the form's own values; a moment without an offset is local to `zone`.
    A hidden or disabled field counts as empty, whatever was sent for it.
    """
    context = {**(names or {}), **{f.key: values.get(f.key) or None for f in form.inputs}}
    cleaned, errors = Cleaned(), {}
    for f in form.inputs:
        hidden = f.disabled or (f.hide is not None and bool(f.hide.evaluate(context)))
        try:
            value = None if hidden else _value(f, values.get(f.key, ""), is_choice, zone)
        except _Wrong as wrong:
            errors[f.key] = _message(wrong, language)
            continue
        if f.bind and not hidden:
            cleaned.bound[f.bind] = value
        elif not f.bind:
            cleaned.variables[f.key] = value.isoformat() if isinstance(value, datetime) else value
    if errors:
        raise FormInvalid(errors)
    return cleaned


class _Wrong(Exception):
    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


_MESSAGES = {
    "required": ("Заполните это поле", "Fill in this field"),
    "short": ("Не короче {limit} знаков", "At least {limit} characters"),
    "long": ("Не длиннее {limit} знаков", "At most {limit} characters"),
    "pattern": ("Не подходит по образцу", "Does not have the expected form"),
    "email": ("Введите адрес почты", "Enter an e-mail address"),
    "phone": ("Введите номер телефона", "Enter a phone number"),
    "choice": ("Выберите значение из списка", "Choose a value from the list"),
    "number": ("Введите число", "Enter a number"),
    "min": ("Не меньше {limit:g}", "At least {limit:g}"),
    "max": ("Не больше {limit:g}", "At most {limit:g}"),
    "moment": ("Введите дату и время", "Enter a date and a time"),
    "future": ("Выберите время в будущем", "Choose a time in the future"),
}


def _message(wrong: _Wrong, language: str) -> str:
    return _MESSAGES[wrong.code][0 if language == "ru" else 1].format(**wrong.values)


def _value(f: Field, raw: str, is_choice: IsChoice, zone: str) -> Any:
    raw = without_controls(raw).strip()
    if f.kind == "checkbox":
        checked = raw.lower() in ("on", "true", "1", "yes")
        if f.required and not checked:
            raise _Wrong("required")
        return checked
    if not raw:
        if f.required:
            raise _Wrong("required")
        return None
    return _READERS[f.kind](f, raw, is_choice, zone)


def _read_text(f: Field, raw: str, _is_choice: IsChoice, _zone: str) -> str:
    if f.min_length is not None and len(raw) < f.min_length:
        raise _Wrong("short", limit=f.min_length)
    if f.max_length is not None and len(raw) > f.max_length:
        raise _Wrong("long", limit=f.max_length)
    if f.pattern and not re.fullmatch(f.pattern, raw[: DEFAULT_LENGTH["textfield"]]):
        raise _Wrong("pattern")
    if f.syntax in _SYNTAX and not _SYNTAX[f.syntax].fullmatch(raw):
        raise _Wrong(f.syntax)
    return raw


_SYNTAX = {
    "email": re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,190}"),
    "phone": re.compile(r"\+?[\d\s().-]{5,40}"),
}


def _read_choice(f: Field, raw: str, is_choice: IsChoice, _zone: str) -> str | int:
    if not f.catalog:
        if raw not in {option.value for option in f.options}:
            raise _Wrong("choice")
        return raw
    if not is_choice(f.catalog, raw):
        raise _Wrong("choice")
    return int(raw) if raw.isdigit() else raw


def _read_number(f: Field, raw: str, _is_choice: IsChoice, _zone: str) -> int | float:
    try:
        number = float(raw.replace(",", ".").replace(" ", ""))
    except ValueError:
        raise _Wrong("number") from None
    if not abs(number) < 1e15:
        raise _Wrong("number")
    if f.minimum is not None and number < f.minimum:
        raise _Wrong("min", limit=f.minimum)
    if f.maximum is not None and number > f.maximum:
        raise _Wrong("max", limit=f.maximum)
    return int(number) if number.is_integer() else number


def _read_moment(f: Field, raw: str, _is_choice: IsChoice, zone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(raw)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong("moment") from None
    if f.future and moment <= clock.now():
        raise _Wrong("future")
    return moment


_READERS: dict[str, Callable[[Field, str, IsChoice, str], Any]] = {
    "textfield": _read_text,
    "textarea": _read_text,
    "select": _read_choice,
    "radio": _read_choice,
    "number": _read_number,
    "datetime": _read_moment,
}
