"""Connectors: typed functions of the host that service tasks call by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from engine.errors import NotFound, StepFailed
from engine.models import ProcessInstance

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Execution:
    """What a connector receives first: where in which instance it is called, by whom, when."""

    session: Session
    instance: ProcessInstance
    element_id: str
    element_name: str
    actor: str | None
    """"agent:7", "client:3", "timer", "system"."""
    now: datetime
    variables: Mapping[str, Any]
    """Read-only view of the task's data."""

    @property
    def business_key(self) -> str | None:
        return self.instance.business_key

    def set_business_key(self, key: str) -> None:
        """Bind the instance to a record of the host, e.g. "ticket:42"; it can be set once."""
        if self.instance.business_key not in (None, key):
            raise ValueError(f"Expected an instance without a business key, it has {self.instance.business_key}")
        self.instance.business_key = key


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a connector as the analyst sees it."""

    name: str
    annotation: str
    required: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Connector:
    """A registered connector."""

    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    doc: str

    @property
    def summary(self) -> str:
        """The first paragraph of its description, on one line: what the analyst reads."""
        return " ".join(self.doc.partition("\n\n")[0].split())


_registry: dict[str, Connector] = {}


def connector(name: str) -> Callable[[_Function], _Function]:
    """Register the decorated function as the connector `name` (area.verb).

    Its first parameter is the Execution, the others are the BPMN parameters; the result, if any, goes to
    the service task's result variable and must be flat JSON data. An expected failure raises BpmnError.
    """

    def register(function: _Function) -> _Function:
        if name in _registry and _registry[name].function.__qualname__ != function.__qualname__:
            raise ValueError(f"Expected one connector of the name {name}, there are two")
        parameters = list(inspect.signature(function).parameters.values())[1:]
        described = tuple(
            Parameter(p.name, str(p.annotation), p.default is p.empty, None if p.default is p.empty else p.default)
            for p in parameters
        )
        _registry[name] = Connector(name, function, described, inspect.getdoc(function) or "")
        return function

    return register


Call = Callable[[str, Execution, Mapping[str, Any]], Any]
_substitute: ContextVar[Call | None] = ContextVar("substitute", default=None)


def call(name: str, execution: Execution, arguments: Mapping[str, Any]) -> Any:
    """Call the connector `name`, or what stands in for it; raises what `carry_out` raises."""
    substitute = _substitute.get() or carry_out
    return substitute(name, execution, arguments)


def carry_out(name: str, execution: Execution, arguments: Mapping[str, Any]) -> Any:
    """Call the connector itself; raises NotFound, StepFailed for an argument that it does not know."""
    connector = get(name)
    unknown = sorted(set(arguments) - {parameter.name for parameter in connector.parameters})
    if unknown:
        message = f"Expected parameters of {name}, but it has none of the name {', '.join(unknown)}"
        raise StepFailed(message, execution.element_id, execution.element_name)
    return connector.function(execution, **arguments)


@contextmanager
def substituted(substitute: Call) -> Iterator[None]:
    """Inside the block nothing is called, `substitute` answers (a throw-away run)."""
    token = _substitute.set(substitute)
    try:
        yield
    finally:
        _substitute.reset(token)


def get(name: str) -> Connector:
    """The connector of that name; raises NotFound."""
    try:
        return _registry[name]
    except KeyError:
        raise NotFound(f"Expected a registered connector, there is none of the name {name}") from None


def catalogue() -> dict[str, Connector]:
    """All connectors by name, sorted."""
    return dict(sorted(_registry.items()))
