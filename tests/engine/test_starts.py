"""Starts by events: a message, a signal or a time begins an instance at the start event that is meant for it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, incidents, listeners, runtime, start_timers, starts, suspension
from engine.errors import EngineError, ExpressionError, StepFailed
from engine.expressions import Namespace
from engine.models import History, Incident, ProcessDefinition, ProcessInstance, StartEvent
from tests.engine.conftest import Driver
from tests.engine.drawings import (
    call,
    chain,
    drawing,
    end,
    event,
    flows,
    node,
    service,
    start,
    throw,
    timer,
    user,
)


def begun_by(definition: str, key: str = "p", *work: str) -> bytes:
    """A process that begins only by this event."""
    inner = work or (user("work", "go"),)
    return drawing(
        node("startEvent", "begin", definition), *inner, end(), flows("begin>work", "work>end"), key=key, name=key
    )


def several() -> bytes:
    """A process with a blank start, a message start and a timer start, each with a task of its own."""
    starts_ = (
        start("by_hand"),
        node("startEvent", "by_message", event("message", "order")),
        node("startEvent", "by_time", timer("R/PT1H", "timeCycle")),
    )
    tasks = (user("a", "go"), user("b", "go"), user("c", "go"))
    ways = flows("by_hand>a", "by_message>b", "by_time>c", "a>end", "b>end", "c>end")
    return drawing(*starts_, *tasks, end(), ways)


def publish(driver: Driver, name: str, business_key: str | None = None, **variables: Any) -> int:
    with driver.database.transaction() as session:
        return runtime.publish_message(session, name, business_key=business_key, variables=variables, actor="agent:1")


def broadcast(driver: Driver, name: str, **variables: Any) -> int:
    with driver.database.transaction() as session:
        return runtime.broadcast_signal(session, name, variables, "agent:1")


def work(driver: Driver) -> None:
    """Do what start events are due for now."""
    with driver.database.transaction() as session:
        ids = starts.claim(session, "worker", 100)
    start_timers.execute(driver.database, ids)


def live(driver: Driver, duration: str) -> None:
    """Let time pass, with every timer start at its own instant."""
    until = driver.clock.at + timedelta(hours=float(duration))
    while (at := next_due(driver)) is not None and at <= until:
        driver.clock.set(max(at, driver.clock.at))
        work(driver)
    driver.clock.set(until)


def next_due(driver: Driver) -> datetime | None:
    with driver.database.reading() as session:
        return starts.next_due(session)


def begun(driver: Driver) -> list[tuple[str, str | None]]:
    """Process and business key of every instance, oldest first."""
    with driver.database.reading() as session:
        rows = session.scalars(select(ProcessInstance).order_by(ProcessInstance.id))
        return [(row.definition.key, row.business_key) for row in rows]


def watched(driver: Driver) -> list[StartEvent]:
    with driver.database.reading() as session:
        rows = list(session.scalars(select(StartEvent).order_by(StartEvent.id)))
        session.expunge_all()
        return rows


# messages


def test_message_starts_the_process_that_it_begins(driver: Driver) -> None:
    driver.deploy(begun_by(event("message", "order")))

    count = publish(driver, "order", "record:7", amount=3)

    assert count == 1
    assert begun(driver) == [("p", "record:7")]
    assert driver.data(1) == {"amount": 3}
    assert driver.open_tasks(1) == ["work"]


def test_message_goes_to_who_waits_for_it_before_it_starts_anything(driver: Driver) -> None:
    waiting = drawing(
        start(), node("receiveTask", "work", messageRef="message_order"), end(), chain("start", "work", "end")
    )
    driver.deploy(waiting, begun_by(event("message", "order"), "q"))
    waits = driver.start()

    assert publish(driver, "order", "record:1") == 1
    assert driver.state(waits) == "completed"
    assert begun(driver) == [("p", "record:1")]

    assert publish(driver, "order", "record:2") == 1
    assert begun(driver)[1:] == [("q", "record:2")]


def test_message_to_a_suspended_instance_is_held_and_starts_nothing(driver: Driver) -> None:
    wait = node("receiveTask", "work", messageRef="message_order")
    driver.deploy(
        drawing(start(), wait, end(), chain("start", "work", "end")), begun_by(event("message", "order"), "q")
    )
    waits = driver.start()
    with driver.database.transaction() as session:
        suspension.suspend(session, waits, reason="Ждём поставщика", by="agent:9")

    assert publish(driver, "order", "record:1") == 1

    assert begun(driver) == [("p", "record:1")]


def test_message_starts_one_instance_of_each_process_that_it_begins(driver: Driver) -> None:
    driver.deploy(begun_by(event("message", "order"), "q"), begun_by(event("message", "order"), "p"))

    assert publish(driver, "order") == 2
    assert begun(driver) == [("p", None), ("q", None)]


def test_message_that_nobody_wants_does_nothing(driver: Driver) -> None:
    driver.deploy(begun_by(event("message", "order")))

    assert publish(driver, "complaint") == 0
    assert begun(driver) == []


def test_correlating_a_message_starts_nothing(driver: Driver) -> None:
    driver.deploy(begun_by(event("message", "order")))

    assert driver.send("order") == 0
    assert begun(driver) == []


def test_only_the_active_version_is_started(driver: Driver) -> None:
    driver.deploy(begun_by(event("message", "order")))
    driver.deploy(begun_by(event("message", "complaint")))

    assert publish(driver, "order") == 0
    assert publish(driver, "complaint") == 1
    assert [row.name for row in watched(driver)] == ["complaint"]


def test_thrown_message_starts_a_process_for_the_same_record(driver: Driver) -> None:
    driver.deploy(
        drawing(start(), throw("tell", event("message", "order")), end(), chain("start", "tell", "end")),
        begun_by(event("message", "order"), "q"),
    )

    driver.start()

    assert begun(driver) == [("p", "record:1"), ("q", "record:1")]


# signals


def test_signal_starts_one_instance_of_each_process_and_reaches_those_that_wait(driver: Driver) -> None:
    waiting = drawing(
        start(), node("intermediateCatchEvent", "work", event("signal", "alarm")), end(), chain("start", "work", "end")
    )
    driver.deploy(waiting, begun_by(event("signal", "alarm"), "q"), begun_by(event("signal", "alarm"), "r"))
    waits = driver.start()

    assert broadcast(driver, "alarm", level=2) == 3
    assert driver.state(waits) == "completed"
    assert begun(driver)[1:] == [("q", None), ("r", None)]
    assert driver.data(2) == {"level": 2}


def test_thrown_signal_starts_a_process(driver: Driver) -> None:
    driver.deploy(
        drawing(start(), throw("tell", event("signal", "alarm")), end(), chain("start", "tell", "end")),
        begun_by(event("signal", "alarm"), "q"),
    )

    driver.start()

    assert begun(driver) == [("p", "record:1"), ("q", None)]


def test_processes_that_start_each_other_for_ever_are_stopped_and_leave_nothing(driver: Driver) -> None:
    driver.deploy(begun_by(event("signal", "alarm"), "p", throw("work", event("signal", "alarm"))))

    with pytest.raises(EngineError, match="chain"):
        broadcast(driver, "alarm")

    assert begun(driver) == []


# which start event


@pytest.mark.parametrize(
    ("begin", "task"),
    [(lambda d: d.start(), "a"), (lambda d: publish(d, "order"), "b"), (lambda d: live(d, "1"), "c")],
    ids=["by hand", "message", "timer"],
)
def test_only_the_start_event_that_happened_runs(driver: Driver, begin: Any, task: str) -> None:
    driver.deploy(several())

    begin(driver)

    assert driver.open_tasks(1) == [task]
    driver.press(1, "go")
    assert driver.state(1) == "completed"


def test_process_with_several_starts_but_no_blank_one_is_not_started_by_its_key(driver: Driver) -> None:
    driver.deploy(
        drawing(
            node("startEvent", "one", event("message", "order")),
            node("startEvent", "two", event("message", "complaint")),
            user("work", "go"),
            end(),
            flows("one>work", "two>work", "work>end"),
        )
    )

    with pytest.raises(StepFailed, match="blank start"):
        driver.start()

    assert publish(driver, "complaint") == 1


def test_process_with_one_start_event_may_be_started_by_its_key(driver: Driver) -> None:
    driver.deploy(begun_by(event("message", "order")))

    assert driver.open_tasks(driver.start()) == ["work"]


def test_called_process_begins_at_its_blank_start(driver: Driver) -> None:
    caller = drawing(start(), call("call", "p"), end(), chain("start", "call", "end"), key="caller")
    driver.deploy(several(), caller)

    instance = driver.start("caller")

    assert driver.open_tasks(instance) == ["a"]


# times


def test_cycle_starts_an_instance_every_period_as_often_as_it_says(driver: Driver) -> None:
    driver.deploy(begun_by(timer("R3/PT1H", "timeCycle")))

    live(driver, "0.9")
    assert begun(driver) == []
    live(driver, "1.2")
    assert len(begun(driver)) == 2
    live(driver, "20")

    assert len(begun(driver)) == 3
    assert next_due(driver) is None


def test_periods_that_were_missed_collapse_into_one_instance(driver: Driver) -> None:
    driver.deploy(begun_by(timer("R/PT1H", "timeCycle")))
    armed = driver.clock.at

    driver.clock.advance(timedelta(hours=5, minutes=30))
    work(driver)

    assert len(begun(driver)) == 1
    assert next_due(driver) == armed + timedelta(hours=6)


def test_missed_periods_count_for_a_bounded_cycle(driver: Driver) -> None:
    driver.deploy(begun_by(timer("R3/PT1H", "timeCycle")))

    driver.clock.advance(timedelta(hours=2, minutes=30))
    work(driver)

    assert [row.left for row in watched(driver)] == [1]


def test_duration_and_date_start_one_instance(driver: Driver) -> None:
    date = (driver.clock.at + timedelta(hours=3)).isoformat()
    driver.deploy(begun_by(timer("PT2H"), "p"), begun_by(timer(date, "timeDate"), "q"))

    live(driver, "2.5")
    assert begun(driver) == [("p", None)]
    live(driver, "100")

    assert begun(driver) == [("p", None), ("q", None)]


def test_date_that_has_passed_starts_nothing(driver: Driver) -> None:
    driver.deploy(begun_by(timer((driver.clock.at - timedelta(days=1)).isoformat(), "timeDate")))

    live(driver, "100")

    assert begun(driver) == []


def with_schedule(driver: Driver, answer: Any) -> None:
    """The host knows `schedule.next(time)`."""

    def context(_session: Session, _definition: ProcessDefinition) -> Mapping[str, Any]:
        return {"schedule": Namespace("schedule", {}, {"next": answer})}

    listeners.listeners().start_context = context


def daily(at: str) -> datetime:
    hour = int(at.partition(":")[0])
    today = clock.now().replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > clock.now() else today + timedelta(days=1)


def test_computed_time_is_asked_again_after_every_firing(driver: Driver) -> None:
    with_schedule(driver, daily)
    driver.deploy(begun_by(timer('=schedule.next("18:00")', "timeDate")))

    live(driver, "72")

    with driver.database.reading() as session:
        hours = {(row.started_at.day, row.started_at.hour) for row in session.scalars(select(ProcessInstance))}
    assert len(hours) == 3
    assert {hour for _, hour in hours} == {18}


def test_computed_time_that_is_nothing_or_past_never_comes(driver: Driver) -> None:
    driver.deploy(begun_by(timer("=None", "timeDate"), "p"), begun_by(timer("=now", "timeDate"), "q"))

    assert [row.due_at for row in watched(driver)] == [None, None]


def test_version_whose_time_cannot_be_computed_does_not_become_active(driver: Driver) -> None:
    with pytest.raises(ExpressionError):
        driver.deploy(begun_by(timer('=schedule.next("18:00")', "timeDate")))

    assert watched(driver) == []


def test_activating_another_version_arms_its_timers_anew(driver: Driver) -> None:
    driver.deploy(begun_by(timer("R/PT1H", "timeCycle")))
    driver.clock.advance(timedelta(minutes=50))

    driver.deploy(begun_by(timer("R/PT1H", "timeCycle"), "p", user("work", "other")))

    assert next_due(driver) == driver.clock.at + timedelta(hours=1)
    assert len(watched(driver)) == 1


def test_two_workers_do_not_start_twice(driver: Driver) -> None:
    driver.deploy(begun_by(timer("R/PT1H", "timeCycle")))
    driver.clock.advance(timedelta(hours=1))
    with driver.database.transaction() as session:
        ids = starts.claim(session, "one", 10)
        assert starts.claim(session, "two", 10) == []

    start_timers.execute(driver.database, ids)
    start_timers.execute(driver.database, ids)

    assert len(begun(driver)) == 1


def test_start_that_a_worker_took_to_its_grave_is_claimed_again(driver: Driver) -> None:
    driver.deploy(begun_by(timer("R/PT1H", "timeCycle")))
    driver.clock.advance(timedelta(hours=1))
    with driver.database.transaction() as session:
        starts.claim(session, "dead", 10)

    driver.clock.advance(timedelta(seconds=11))
    work(driver)

    assert len(begun(driver)) == 1


def failing(driver: Driver) -> bytes:
    driver.calls.failures["test.note"] = [RuntimeError("no paper")] * 3
    return begun_by(timer("R/PT1H", "timeCycle"), "p", service("work", "test.note"))


def test_start_that_fails_is_tried_again_and_then_becomes_an_incident(driver: Driver) -> None:
    driver.deploy(failing(driver))

    live(driver, "1")
    assert (begun(driver), driver.incidents()) == ([], [])
    live(driver, "0.5")

    [incident] = driver.incidents()
    assert (incident.instance_id, incident.element_id) == (None, "begin")
    assert "no paper" in incident.message
    assert begun(driver) == []
    assert next_due(driver) is None


def test_start_that_failed_for_good_is_claimed_by_nobody(driver: Driver) -> None:
    driver.deploy(failing(driver))
    live(driver, "1.5")

    with driver.database.transaction() as session:
        assert starts.claim(session, "worker", 10) == []


def test_incident_of_a_start_is_repeated_and_the_cycle_keeps_its_beat(driver: Driver) -> None:
    armed = driver.clock.at
    driver.deploy(failing(driver))
    live(driver, "1.5")

    driver.retry(driver.incidents()[0].id)
    work(driver)

    assert driver.incidents() == []
    assert begun(driver) == [("p", None)]
    assert next_due(driver) == armed + timedelta(hours=2)


def test_incident_of_a_start_is_over_when_another_version_takes_its_place(driver: Driver) -> None:
    driver.deploy(failing(driver))
    live(driver, "1.5")

    driver.deploy(begun_by(event("message", "order")))

    assert driver.incidents() == []
    with driver.database.reading() as session:
        assert session.scalars(select(Incident.start_event_id)).all() == [None]


def test_start_that_fails_while_another_version_takes_its_place_is_in_nobodys_way(driver: Driver) -> None:
    driver.deploy(failing(driver))
    live(driver, "1")

    with ThreadPoolExecutor(1) as other:
        with driver.database.transaction() as session:
            row = session.scalars(select(StartEvent).with_for_update()).one()
            incidents.open_for_start(session, row, RuntimeError("no paper"))
            late = other.submit(driver.deploy, begun_by(event("message", "order")))
            wait([late], timeout=0.5)
        late.result()

    assert driver.incidents() == []


def test_host_hears_of_a_start_that_failed(driver: Driver) -> None:
    heard: list[Any] = []
    listeners.listeners().incident_opened.append(lambda _s, instance, incident: heard.append((instance, incident.id)))
    driver.deploy(failing(driver))

    live(driver, "1.5")

    assert heard == [(None, driver.incidents()[0].id)]


def test_history_says_what_began_the_instance(driver: Driver) -> None:
    driver.deploy(begun_by(event("message", "order")))
    publish(driver, "order", amount=3)

    [row] = driver.all(History, 1)
    assert (row.move, row.element_id, row.actor) == ("start", "begin", "agent:1")
    assert row.data["variables"] == {"amount": 3}
    assert (row.data["start"], row.data["name"]) == ("message", "order")


def test_retry_of_an_incident_that_is_over_is_refused(driver: Driver) -> None:
    driver.deploy(failing(driver))
    live(driver, "1.5")
    number = driver.incidents()[0].id
    driver.retry(number)

    with driver.database.transaction() as session, pytest.raises(EngineError):
        incidents.retry(session, number, "agent:1")
