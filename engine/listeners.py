"""What the host of the engine wants to hear, and what expressions may read; filled once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from engine.models import Deployment, Incident, ProcessDefinition, ProcessInstance


@dataclass(frozen=True, slots=True)
class StatusEntered:
    """A node that declares a status was entered."""

    code: str
    element_id: str
    element_name: str
    actor: str | None


StatusListener = Callable[[Session, ProcessInstance, StatusEntered], None]
InstanceListener = Callable[[Session, ProcessInstance], None]
IncidentListener = Callable[[Session, ProcessInstance | None, Incident], None]
"""Without an instance when none could begin."""
DefinitionListener = Callable[[Session, ProcessDefinition], None]
DeploymentListener = Callable[[Session, Deployment], None]
ContextProvider = Callable[[Session, ProcessInstance], Mapping[str, Any]]
StartContextProvider = Callable[[Session, ProcessDefinition], Mapping[str, Any]]


@dataclass
class Listeners:
    """Callbacks run inside the step's own transaction; an exception rolls the step back."""

    status_entered: list[StatusListener] = field(default_factory=list)
    stepped: list[InstanceListener] = field(default_factory=list)
    """After every saved step (live updates)."""
    ended: list[InstanceListener] = field(default_factory=list)
    incident_opened: list[IncidentListener] = field(default_factory=list)
    deployed: list[DeploymentListener] = field(default_factory=list)
    """A bundle was stored."""
    examine: list[DefinitionListener] = field(default_factory=list)
    """A draft is about to become active: what is asked of it is brought up to date."""
    activated: list[DefinitionListener] = field(default_factory=list)
    """A version became the one that new instances start with."""
    context: list[ContextProvider] = field(default_factory=list)
    """Each returns names for expressions: data or `expressions.Namespace`, resolved lazily."""
    start_context: StartContextProvider | None = None
    """The names that timers of start events may read: there is no instance yet."""
    statuses: Callable[[Session], Collection[str]] | None = None
    """The codes a diagram may declare, best as a mapping to their categories; None = not known and not compared."""


_listeners = Listeners()
_here: ContextVar[Listeners | None] = ContextVar("listeners", default=None)


def listeners() -> Listeners:
    """The listeners of this process, or those of the throw-away run that this thread is in."""
    return _here.get() or _listeners


@contextmanager
def using(others: Listeners) -> Iterator[Listeners]:
    """These listeners inside the block (a throw-away run), in this thread only."""
    token = _here.set(others)
    try:
        yield others
    finally:
        _here.reset(token)


def reset() -> None:
    """Forget all listeners (a fresh composition root, tests)."""
    global _listeners
    _listeners = Listeners()
