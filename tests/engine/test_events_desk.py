"""Event sub-processes on the desk: their buttons, their rows, their history."""

from __future__ import annotations

from engine import rebuild
from engine.bpmn.diagram import is_boundary, trail
from engine.models import ElementLog, History, ProcessInstance, Subscription
from tests.engine.conftest import Driver
from tests.engine.drawings import (
    boundary,
    button,
    catch,
    chain,
    drawing,
    end,
    event,
    flows,
    gateway,
    node,
    service,
    start,
    subprocess,
    throw,
    timer,
    user,
)


def handler(id: str, definition: str, *inside: str, interrupting: bool = True, extension: str = "") -> str:
    begin = node("startEvent", f"on_{id}", definition, extension, isInterrupting=str(interrupting).lower())
    return node("subProcess", id, begin + "".join(inside) + end(f"end_{id}"), triggeredByEvent="true")


PHASE = drawing(
    start(),
    subprocess(
        "phase",
        start("s"),
        user("a", "next"),
        user("b", "done"),
        end("e"),
        chain("s", "a", "b", "e"),
        handler(
            "call",
            event("signal", "call"),
            service("tell", "test.note"),
            chain("on_call", "tell", "end_call"),
            interrupting=False,
            extension=button("call", "Позвонить"),
        ),
        handler(
            "reject",
            event("signal", "reject"),
            user("why", "ok"),
            chain("on_reject", "why", "end_reject"),
            extension='<desk:status code="rejected"/>' + button("reject", "Отклонить", form="classify"),
        ),
        handler(
            "late",
            timer("PT1H"),
            service("shout", "test.note"),
            chain("on_late", "shout", "end_late"),
            interrupting=False,
        ),
    ),
    user("after", "ok"),
    end(),
    chain("start", "phase", "after", "end"),
)


def test_button_of_an_event_sub_process_is_offered_through_the_whole_phase(driver: Driver) -> None:
    instance = driver.run(PHASE)
    assert driver.buttons(instance) == ["next", "call", "reject"]

    driver.press(instance, "call", note="x")
    driver.press(instance, "next")
    driver.press(instance, "call")
    assert len(driver.calls.made) == 2
    assert driver.buttons(instance) == ["done", "call", "reject"]
    driver.press(instance, "reject", why="spam")

    assert driver.buttons(instance) == ["ok"]
    assert driver.statuses == ["rejected"]
    assert driver.subscriptions(instance) == []
    driver.press(instance, "ok")
    assert driver.open_tasks(instance) == ["after"]
    assert driver.data(instance)["why"] == "spam"


def test_rows_and_log_name_what_is_drawn_and_nothing_else(driver: Driver) -> None:
    instance = driver.run(PHASE)
    drawn = {row.element_id for row in driver.all(Subscription, instance)}
    assert drawn == {"on_call", "on_reject"}
    assert driver.open_jobs(instance) == ["on_late"]

    driver.advance("PT2H")
    driver.press(instance, "next")
    driver.press(instance, "done")
    driver.press(instance, "ok")

    assert driver.state(instance) == "completed"
    assert driver.open_jobs(instance) == []
    passed = dict.fromkeys(each.split()[0] for each in driver.trace(instance))
    assert list(passed) == [
        *("start", "phase", "on_late", "s", "a", "late", "shout", "end_late", "b", "e", "after", "end"),
    ]


def test_history_leads_to_the_same_state_again(driver: Driver) -> None:
    instance = driver.run(PHASE)
    driver.press(instance, "call")
    driver.advance("PT2H")
    driver.press(instance, "next")
    driver.press(instance, "reject")

    with driver.database.reading() as session:
        assert rebuild.compare(session, session.get_one(ProcessInstance, instance)) == ""


def test_many_laps_leave_the_state_as_small_as_it_was(driver: Driver) -> None:
    again = drawing(
        start(),
        subprocess(
            "phase",
            start("s"),
            user("a", "go", "stop"),
            end("e"),
            chain("s", "a", "e"),
            handler(
                "call",
                event("signal", "call"),
                service("tell", "test.note"),
                chain("on_call", "tell", "end_call"),
                interrupting=False,
                extension=button("call"),
            ),
        ),
        gateway("choice", default="choice_phase"),
        end(),
        chain("start", "phase", "choice", "phase"),
        flows("choice>end: action == 'stop'"),
    )
    instance = driver.run(again)
    sizes = []
    for _ in range(30):
        for _ in range(3):
            driver.press(instance, "call")
        driver.press(instance, "go")
        sizes.append(len(driver.instance(instance).data or b""))

    assert max(sizes) <= min(sizes) + 60
    driver.press(instance, "stop")
    assert driver.state(instance) == "completed"


def test_thrown_message_is_not_caught_by_a_node_of_its_own_instance_that_waits_only_later(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("work", "go"),
            throw("say", event("message", "ready")),
            catch("hear", event("message", "ready")),
            end(),
            chain("start", "work", "say", "hear", "end"),
        )
    )

    driver.press(instance, "go")

    assert driver.subscriptions(instance) == ["ready"]
    assert driver.send("ready") == 1
    assert driver.state(instance) == "completed"


def test_error_that_nobody_catches_is_an_incident_at_its_node(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            subprocess(
                "sub",
                start("s"),
                catch("wait", timer("PT1H")),
                end("fail", event("error", "no")),
                chain("s", "wait", "fail"),
            ),
            boundary("other", "sub", event("error", "other")),
            end(),
            end("e2"),
            chain("start", "sub", "end"),
            chain("other", "e2"),
        )
    )

    driver.advance("P1D")

    [incident] = driver.incidents()
    assert (incident.instance_id, incident.element_id, incident.element_name) == (instance, "fail", "Fail")
    assert driver.state(instance) == "active"


def test_escalation_that_nobody_catches_is_kept_in_the_history(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            throw("say", event("escalation", "late")),
            user("work", "go"),
            end(),
            chain("start", "say", "work", "end"),
        )
    )

    [step] = driver.all(History, instance)
    assert step.data["thrown"] == [["escalation", "late"]]
    assert driver.open_tasks(instance) == ["work"]


def test_handler_that_waits_holds_no_token_on_the_drawing(driver: Driver) -> None:
    instance = driver.run(PHASE)
    driver.advance("PT2H")
    with driver.database.reading() as session:
        index = session.get_one(ProcessInstance, instance).definition.index

    way = trail(driver.all(ElementLog, instance), index)

    assert set(way.since) == {"phase", "a"}
    assert {"on_late", "late", "shout", "on_late_shout"} <= way.passed
    assert is_boundary(index, "on_call")
