"""The language of scenario files: what may stand in them, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from engine import iso8601
from engine.errors import ExpressionError

MOST_STEPS = 200
MOST_LISTED = 500


def _duration(text: str) -> str:
    try:
        iso8601.parse_duration(text)
    except ExpressionError as error:
        raise _wrong("duration", error) from error
    return text


def _instant(text: str) -> str:
    try:
        iso8601.parse_instant(text)
    except ExpressionError as error:
        raise _wrong("instant", error) from error
    return text


def _either(text: str) -> str:
    return _duration(text) if text.startswith("P") else _instant(text)


def _wrong(kind: str, error: ExpressionError) -> PydanticCustomError:
    return PydanticCustomError(kind, "{en}", {"en": error.en, "ru": error.ru})


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _stated(value: Any) -> Any:
    return {"state": value} if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(max_length=20_000)]
Scalar = bool | int | float | str | None
Variables = Annotated[dict[Name, Scalar | list[Scalar]], Field(max_length=100)]
Duration = Annotated[str, AfterValidator(_duration)]
Instant = Annotated[str, AfterValidator(_instant)]
Due = Annotated[str, AfterValidator(_either)]
Names = Annotated[list[Name], Field(max_length=MOST_LISTED)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ClientGiven(_Strict):
    """Who writes: a name alone, or with the category or the company that decides the service level."""

    name: Name = "Ольга"
    category: str = ""
    company: str = ""


class TicketGiven(_Strict):
    """What the card says when the process begins; names of the catalogs, empty = not filled in."""

    topic: Text = ""
    text: Text = ""
    type: str = ""
    service: str = ""
    product: str = ""
    priority: Literal["", "low", "medium", "high", "critical"] = ""
    responsible: str = ""


class Given(_Strict):
    """How it stands before the first step."""

    clock: Instant = "2026-03-16T09:00:00+03:00"
    begins: Literal["ticket", "line", "alone", "card"] = "ticket"
    """ticket = the process begins for a ticket; line = with a client's first message; card = with the step
    `creates`; alone = without any ticket."""
    client: Annotated[ClientGiven, BeforeValidator(_named)] = ClientGiven()
    line: str = ""
    """Name of the line; empty = the first one."""
    ticket: TicketGiven = TicketGiven()
    presence: Annotated[
        dict[Name, Literal["free", "away", "busy", "dnd", "offline"]], Field(max_length=MOST_LISTED)
    ] = {}
    """Person → present or not; who is not named is free."""
    variables: Variables = {}


class Notice(_Strict):
    """Somebody was told something."""

    to: Name
    """A role, "responsible", a person's name or "client"."""
    kind: Name
    """Kind of the notification; for a client a part of the text that was written to him."""


class Clock(_Strict):
    """How a clock of the service level stands."""

    state: Literal["none", "running", "paused", "stopped"] | None = None
    due: Due | None = None
    """A duration from now or an instant."""
    met: bool | None = None
    breached: bool | None = None


class Expect(_Strict):
    """What must be true now; what is not named is not asked."""

    path: Names | None = None
    """Nodes that were entered since the last expectation, in this order; others may lie between."""
    exact_path: Names | None = None
    """The same without anything between."""
    not_visited: Names | None = None
    status: str | None = None
    timers: Annotated[dict[Name, Due | None], Field(max_length=MOST_LISTED)] | None = None
    """Node → when it fires: a duration from now or an instant; null = it is not armed."""
    tasks: Names | None = None
    """All open user tasks."""
    actions: Names | None = None
    """All buttons, for `by` or for everybody together."""
    by: Name | None = None
    assignee: str | None = None
    """Who is responsible; empty = nobody."""
    notifications: Annotated[list[Notice], Field(max_length=MOST_LISTED)] | None = None
    """Each was sent since the last expectation."""
    sla: (
        Annotated[
            dict[Literal["reaction", "resolution"], Annotated[Clock, BeforeValidator(_stated)]], Field(max_length=2)
        ]
        | None
    ) = None
    level: str | None = None
    """Name of the service level; empty = none."""
    ticket: Annotated[dict[Name, Scalar], Field(max_length=20)] | None = None
    """Fields of the card; catalog values by name."""
    variables: Variables | None = None
    incidents: Names | None = None
    """Nodes with an open incident; without this none is expected."""
    ended: bool | None = None


KINDS = (
    *("client_writes", "creates", "press", "replies", "changes", "wait", "wait_until"),
    *("message", "signal", "expect"),
)
_MORE: Mapping[str, frozenset[str]] = {
    "client_writes": frozenset({"client"}),
    "creates": frozenset({"by"}),
    "press": frozenset({"by", "form", "refused"}),
    "replies": frozenset({"by"}),
    "changes": frozenset({"by"}),
    "message": frozenset({"variables"}),
    "signal": frozenset({"variables"}),
}
"""What may stand beside the kind of a step."""


class Step(_Strict):
    """One thing that happens, or an expectation between two of them; exactly one kind."""

    client_writes: Text | None = None
    creates: Annotated[dict[Name, str], Field(max_length=100)] | None = None
    """A person fills in the form behind "+ Обращение": field key → value."""
    press: Name | None = None
    """Id or label of a button."""
    replies: Text | None = None
    changes: Annotated[dict[Name, str], Field(max_length=20)] | None = None
    """A person changes fields of the card: type, service, product, topic, text."""
    wait: Duration | None = None
    wait_until: Instant | None = None
    message: Name | None = None
    signal: Name | None = None
    expect: Expect | None = None

    client: Name | None = None
    by: Name | None = None
    """A role, "responsible" or a person's name; without it the responsible, else an operator."""
    form: Annotated[dict[Name, str], Field(max_length=100)] | None = None
    refused: bool | Names | None = None
    """The press is refused: true, or the keys of the fields that are not accepted."""
    variables: Variables | None = None
    note: Text | None = None
    """For the reader."""

    @property
    def kind(self) -> str:
        return next(name for name in KINDS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> Step:
        kinds = [name for name in KINDS if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise PydanticCustomError("one_kind", "Expected exactly one kind of step, got {got}", {"got": len(kinds)})
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        strange = sorted(given - {kinds[0], "note"} - _MORE.get(kinds[0], frozenset()))
        if strange:
            raise PydanticCustomError(
                "beside", "Expected no {extra} beside {kind}", {"extra": ", ".join(strange), "kind": kinds[0]}
            )
        return self


class Scenario(_Strict):
    """One story of one process."""

    scenario: Name
    """Its name, as the analyst tells it."""
    process: Name
    given: Given = Given()
    steps: Annotated[list[Step], Field(max_length=MOST_STEPS)]
    expect: Expect | None = None
    """At the end; its path is that of the whole story."""

    def expectations(self) -> Iterator[Expect]:
        """All of them, in their order."""
        yield from (step.expect for step in self.steps if step.expect is not None)
        if self.expect is not None:
            yield self.expect


def schema() -> dict[str, Any]:
    """The JSON schema of a scenario file."""
    return Scenario.model_json_schema()
