"""Events that wait for a condition: they happen when it becomes true, and again only after it was false."""

from __future__ import annotations

import pytest

from engine import rebuild, runtime, suspension
from engine.errors import ExpressionError
from engine.expressions import Namespace
from engine.listeners import listeners
from engine.models import ProcessInstance, Subscription
from tests.engine.conftest import KEY, Driver
from tests.engine.drawings import (
    boundary,
    catch,
    chain,
    drawing,
    end,
    event,
    gateway,
    script,
    service,
    start,
    subprocess,
    user,
)
from tests.engine.twins import Twins


def condition(text: str) -> str:
    return f"<bpmn:conditionalEventDefinition><bpmn:condition>{text}</bpmn:condition></bpmn:conditionalEventDefinition>"


def ticket(priority: str) -> Namespace:
    return Namespace("ticket", {"priority": lambda: priority}, {})


def watched(*, interrupting: bool) -> bytes:
    return drawing(
        start(),
        user("work", "done"),
        boundary("urgent", "work", condition("ticket.priority == 'high'"), interrupting=interrupting),
        service("tell", "test.note"),
        user("hurry", "ok"),
        end(),
        end("e2"),
        chain("start", "work", "end"),
        chain("urgent", "tell", "hurry", "e2"),
    )


def test_condition_is_a_wait_of_its_own_kind_and_interrupts_when_it_holds() -> None:
    twins = Twins(watched(interrupting=True), context={"ticket": ticket("low")})
    assert (twins.waits, twins.kind("urgent")) == (["urgent", "work"], "condition")

    twins.reconsider()
    assert twins.waits == ["urgent", "work"]
    twins.context["ticket"] = ticket("high")
    twins.reconsider()

    assert twins.waits == ["hurry"]
    assert "work cancelled" in twins.trace


def test_condition_that_holds_at_once_happens_at_once() -> None:
    twins = Twins(watched(interrupting=True), context={"ticket": ticket("high")})

    assert twins.waits == ["hurry"]
    assert twins.trace.count("work entered") == 1


def test_event_that_does_not_interrupt_happens_again_only_after_the_condition_was_false() -> None:
    twins = Twins(watched(interrupting=False), context={"ticket": ticket("high")})
    assert twins.called == ["tell"]

    for _ in range(3):
        twins.reconsider()
    assert twins.called == ["tell"]
    twins.context["ticket"] = ticket("low")
    twins.reconsider()
    twins.context["ticket"] = ticket("high")
    twins.reconsider()
    twins.reconsider()

    assert twins.called == ["tell", "tell"]
    assert sorted(twins.waits) == ["hurry", "hurry", "urgent", "work"]


def test_token_waits_at_a_condition_until_it_holds() -> None:
    twins = Twins(
        drawing(start(), catch("wait", condition("=ready.now")), end(), chain("start", "wait", "end")),
        context={"ready": Namespace("ready", {"now": lambda: False}, {})},
    )
    assert twins.waits == ["wait"]

    twins.context["ready"] = Namespace("ready", {"now": lambda: True}, {})
    twins.reconsider()

    assert twins.completed


def test_condition_behind_a_gateway_races_with_a_message() -> None:
    content = drawing(
        start(),
        gateway("first", "eventBased"),
        catch("answer", event("message", "answer")),
        catch("urgent", condition("ticket.priority == 'high'")),
        user("a", "ok"),
        user("b", "ok"),
        end(),
        chain("start", "first", "answer", "a", "end"),
        chain("first", "urgent", "b", "end"),
    )
    twins = Twins(content, context={"ticket": ticket("low")})
    assert twins.waits == ["first", "first"]

    twins.context["ticket"] = ticket("high")
    twins.reconsider()

    assert twins.waits == ["b"]


def test_event_on_a_sub_process_reads_what_is_set_inside() -> None:
    inside = subprocess("sub", start("s"), user("a", "go"), user("b", "go"), end("e"), chain("s", "a", "b", "e"))
    content = drawing(
        start(),
        inside,
        boundary("much", "sub", condition("n &gt; 2")),
        user("after", "ok"),
        end(),
        end("e2"),
        chain("start", "sub", "end"),
        chain("much", "after", "e2"),
    )
    twins = Twins(content, n=0)

    twins.complete("a", n=3)

    assert twins.waits == ["after"]
    assert twins.data("after")["n"] == 3


def test_condition_is_looked_at_where_the_process_rests_and_not_on_the_way() -> None:
    content = drawing(
        start(),
        user("work", "go"),
        script("up", "n = 5"),
        script("down", "n = 0"),
        user("rest", "ok"),
        end(),
        chain("start", "work", "up", "down", "rest", "end"),
    )
    inside = content.decode().split('isExecutable="true">')[1].split("</bpmn:process>")[0]
    whole = drawing(
        start("s0"),
        subprocess("sub", inside),
        boundary("much", "sub", condition("n &gt; 2")),
        end("e0"),
        chain("s0", "sub", "e0"),
        user("after", "ok"),
        end("e9"),
        chain("much", "after", "e9"),
    )
    twins = Twins(whole, n=0)

    twins.complete("work")

    assert twins.waits == ["much", "rest"]


def test_condition_that_cannot_be_evaluated_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="ticket"):
        Twins(watched(interrupting=True))


def test_condition_in_one_branch_hears_what_another_one_sets() -> None:
    content = drawing(
        start(),
        gateway("split", "parallel"),
        catch("wait", condition("ready")),
        user("a", "go"),
        user("b", "ok"),
        end(),
        end("e2"),
        chain("start", "split", "wait", "b", "end"),
        chain("split", "a", "e2"),
    )
    twins = Twins(content, ready=False)

    twins.complete("a", ready=True)

    assert twins.waits == ["b"]


def test_host_has_conditions_looked_at_and_a_look_that_sees_nothing_new_leaves_no_step(driver: Driver) -> None:
    seen = {"priority": "low"}
    listeners().context.append(
        lambda _session, _instance: {"ticket": Namespace("ticket", {"priority": lambda: seen["priority"]}, {})}
    )
    instance = driver.run(watched(interrupting=False))
    assert [(row.kind, row.name) for row in driver.all(Subscription, instance)] == [
        ("condition", "ticket.priority == 'high'")
    ]

    reconsider(driver, instance)
    assert driver.moves(instance) == ["start"]
    for priority in ("high", "high", "low", "high"):
        seen["priority"] = priority
        reconsider(driver, instance)

    assert driver.moves(instance) == ["start", *["reconsider"] * 3]
    assert driver.open_tasks(instance) == ["work", "hurry", "hurry"]
    with driver.database.reading() as session:
        assert runtime.watching(session, KEY) == [instance]
        assert runtime.watching(session, "record:2") == []
        assert rebuild.compare(session, session.get_one(ProcessInstance, instance)) == ""


def test_suspended_instance_looks_when_it_is_resumed(driver: Driver) -> None:
    seen = {"priority": "low"}
    listeners().context.append(
        lambda _session, _instance: {"ticket": Namespace("ticket", {"priority": lambda: seen["priority"]}, {})}
    )
    instance = driver.run(watched(interrupting=True))
    seen["priority"] = "high"

    with driver.database.transaction() as session:
        suspension.suspend(session, instance, reason="-", by="agent:1")
    reconsider(driver, instance)
    assert driver.moves(instance) == ["start", "suspend"]
    assert driver.open_tasks(instance) == ["work"]
    with driver.database.transaction() as session:
        suspension.resume(session, instance, reason="-", by="agent:1")

    assert driver.open_tasks(instance) == ["hurry"]
    with driver.database.reading() as session:
        assert rebuild.compare(session, session.get_one(ProcessInstance, instance)) == ""


def reconsider(driver: Driver, instance: int) -> None:
    with driver.database.transaction() as session:
        runtime.reconsider(session, instance)
