"""Start events that wait for something outside: what they wait for, and when a timer among them is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine import iso8601
from engine.bpmn import events
from engine.bpmn.parser import compiled
from engine.bpmn.scopes import start_events
from engine.bpmn.script_engine import Context, Names, compile_expression
from engine.bpmn.specs import StartEvent


@dataclass(frozen=True, slots=True)
class Trigger:
    """One start event that begins instances by itself."""

    element_id: str
    element_name: str
    kind: str
    """message | signal | timer"""
    name: str = ""
    """Of the message or signal."""
    text: str = ""
    """Of the timer."""


@dataclass(frozen=True, slots=True)
class Due:
    """When a timer begins the next instance, and how often it still does."""

    at: datetime | None
    """None = never again."""
    left: int | None = None
    """None = without an end."""


def triggers(content: bytes, key: str) -> list[Trigger]:
    """The start events of the process `key` of this file that a message, a signal or a timer begins."""
    found = (_trigger(node) for node in start_events(compiled(content, key).specs, key))
    return [trigger for trigger in found if trigger is not None]


def first(trigger: Trigger, now: datetime, context: Context) -> Due:
    """When a timer that is armed now is due; an instant that has passed never is. Raises ExpressionError."""
    if not trigger.text.startswith("="):
        schedule = events.scheduled(trigger.text, now)
        return Due(_ahead(schedule["due"], now), schedule.get("left"))
    return Due(_computed(trigger, now, context))


def following(trigger: Trigger, due: Due, now: datetime, context: Context) -> Due:
    """The firing after the one that was due; missed periods collapse into one. Raises ExpressionError."""
    if trigger.text.startswith("="):
        at = _computed(trigger, now, context)
        return Due(at and max(at, now + iso8601.SHORTEST_PERIOD))
    if not trigger.text.startswith("R") or due.at is None:
        return Due(None)
    period = iso8601.parse_cycle(trigger.text).period
    passed = max((now - due.at) // period, 0) + 1
    if due.left is not None and due.left <= passed:
        return Due(None, 0)
    return Due(due.at + period * passed, None if due.left is None else due.left - passed)


def _trigger(node: StartEvent) -> Trigger | None:
    definition, name = node.trigger, node.bpmn_name or ""
    if isinstance(definition, events.Named):
        return Trigger(node.bpmn_id, name, definition.kind, definition.name)
    if isinstance(definition, events.Timer):
        return Trigger(node.bpmn_id, name, "timer", text=definition.text)
    return None


def _computed(trigger: Trigger, now: datetime, context: Context) -> datetime | None:
    value = compile_expression(trigger.text[1:]).evaluate(Names(now, context, {}))
    return _ahead(events.scheduled(value, now)["due"], now)


def _ahead(due: str | None, now: datetime) -> datetime | None:
    at = datetime.fromisoformat(due) if due else None
    return at if at is not None and at > now else None
