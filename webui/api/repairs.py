"""Mending one instance by hand: every operation needs a reason and tells where the instance stands then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from engine import repair
from engine.repair import Standing
from webui.api.instances import instance
from webui.api.operation import Call, operation
from webui.api.pages import Given, Shown


class PlaceShown(Shown):
    """One node at which the instance stands."""

    key: str = Field(description="What the operations on a token are given.")
    process_key: str
    element_id: str
    name: str


class TimerShown(Shown):
    """One timer that runs."""

    name: str
    due_at: datetime


class StandingShown(Shown):
    """Where the instance stands."""

    state: str
    version: int
    places: list[PlaceShown]
    opened: list[str] = Field(description="Names of the user tasks that are new.")
    timers: list[TimerShown]
    problem: str = Field(description="What went wrong when something was tried again.")


class Reason(Given):
    """Why it is done; it stays in the history."""

    reason: str = Field(max_length=500)


class OfToken(Reason):
    """One token of the instance."""

    key: str = Field(max_length=100)


class MoveToken(OfToken):
    """Where the token goes."""

    to: str = Field(max_length=100, description="Element id in the same scope.")


class Variable(Reason):
    """A new value, at one node or everywhere."""

    value: Any
    key: str | None = Field(None, max_length=100)


@operation("GET", "/instances/<int:instance_id>/standing", scope="instances:read", answer=StandingShown)
def get_standing(call: Call, instance_id: int) -> StandingShown:
    """Where the instance stands, with the keys of its tokens."""
    return standing(repair.standing(call.session, instance(call.session, instance_id), since=-1))


@operation(
    "POST", "/instances/<int:instance_id>/move-token", scope="instances:write", answer=StandingShown, body=MoveToken
)
def move_token(call: Call, instance_id: int) -> StandingShown:
    """Take a token away from its node and let it enter another one of the same scope."""
    given: MoveToken = call.body
    by = call.agent.ref
    return standing(repair.move_token(call.session, instance_id, given.key, given.to, reason=given.reason, by=by))


@operation("POST", "/instances/<int:instance_id>/repeat", scope="instances:write", answer=StandingShown, body=OfToken)
def repeat_node(call: Call, instance_id: int) -> StandingShown:
    """Leave a node and enter it anew."""
    given: OfToken = call.body
    return standing(repair.repeat(call.session, instance_id, given.key, reason=given.reason, by=call.agent.ref))


@operation("POST", "/instances/<int:instance_id>/skip", scope="instances:write", answer=StandingShown, body=OfToken)
def skip_node(call: Call, instance_id: int) -> StandingShown:
    """Let a token go on as if its node were done."""
    given: OfToken = call.body
    return standing(repair.skip(call.session, instance_id, given.key, reason=given.reason, by=call.agent.ref))


@operation(
    "PUT", "/instances/<int:instance_id>/variables/<name>", scope="instances:write", answer=StandingShown, body=Variable
)
def set_variable(call: Call, instance_id: int, name: str) -> StandingShown:
    """Set a variable to a JSON value."""
    given: Variable = call.body
    by = call.agent.ref
    found = repair.set_variable(call.session, instance_id, name, given.value, key=given.key, reason=given.reason, by=by)
    return standing(found)


@operation("POST", "/instances/<int:instance_id>/suspend", scope="instances:write", answer=StandingShown, body=Reason)
def suspend_instance(call: Call, instance_id: int) -> StandingShown:
    """Stop the instance where it stands; its timers keep what they have left."""
    return standing(repair.suspend(call.session, instance_id, reason=call.body.reason, by=call.agent.ref))


@operation("POST", "/instances/<int:instance_id>/resume", scope="instances:write", answer=StandingShown, body=Reason)
def resume_instance(call: Call, instance_id: int) -> StandingShown:
    """Let a suspended instance go on."""
    return standing(repair.resume(call.session, instance_id, reason=call.body.reason, by=call.agent.ref))


@operation("POST", "/instances/<int:instance_id>/cancel", scope="instances:write", answer=StandingShown, body=Reason)
def cancel_instance(call: Call, instance_id: int) -> StandingShown:
    """End the instance without its process."""
    return standing(repair.cancel(call.session, instance_id, reason=call.body.reason, by=call.agent.ref))


def standing(found: Standing) -> StandingShown:
    """Where an instance stands, as the API tells it."""
    return StandingShown(
        state=found.state,
        version=found.version,
        places=[PlaceShown.model_validate(place) for place in found.places],
        opened=list(found.opened),
        timers=[TimerShown(name=name, due_at=due) for name, due in found.timers],
        problem=found.problem,
    )
