"""Messages and signals from outside."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from engine import runtime
from webui.api.operation import Call, operation
from webui.api.pages import Given, Shown


class MessageSent(Given):
    """A message for one record's instances, or for the process that it starts."""

    name: str = Field(min_length=1, max_length=200)
    business_key: str | None = Field(None, max_length=100)
    variables: dict[str, Any] = Field(default_factory=dict)


class SignalSent(Given):
    """A signal for everybody who waits for it."""

    name: str = Field(min_length=1, max_length=200)
    variables: dict[str, Any] = Field(default_factory=dict)


class Caught(Shown):
    """How many nodes caught it, or instances began by it; 0 is no error."""

    caught: int


@operation("POST", "/messages", scope="events:write", answer=Caught, body=MessageSent)
def send_message(call: Call) -> Caught:
    """Hand a message to the instances of the business key that wait for it, else begin the processes it starts."""
    given: MessageSent = call.body
    caught = runtime.publish_message(
        call.session, given.name, business_key=given.business_key, variables=given.variables, actor=call.agent.ref
    )
    return Caught(caught=caught)


@operation("POST", "/signals", scope="events:write", answer=Caught, body=SignalSent)
def send_signal(call: Call) -> Caught:
    """Hand a signal to every instance that waits for it, and begin every process that it starts."""
    given: SignalSent = call.body
    return Caught(caught=runtime.broadcast_signal(call.session, given.name, given.variables, call.agent.ref))
