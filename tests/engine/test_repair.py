"""Repair by hand: tokens, variables and timers change in a step with a reason, and the instance goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import repair, runtime, verify
from engine.errors import Refused, Suspended
from engine.models import HeldEvent, History, Incident, Job, ProcessInstance, UserTask
from engine.repair import Standing
from tests.engine.conftest import Calls, Driver
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
    service,
    start,
    subprocess,
    timer,
    user,
)

REASON = "mended by hand"


class Mender:
    """What a test mends, each repair in a transaction of its own."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    def does(self, verb: Callable[..., Standing], *arguments: Any, reason: str = REASON, **more: Any) -> Standing:
        with self.driver.database.transaction() as session:
            return verb(session, *arguments, reason=reason, by="agent:7", **more)

    def key(self, instance_id: int, element_id: str) -> str:
        with self.driver.database.reading() as session:
            found = repair.places(session, session.get_one(ProcessInstance, instance_id))
            return next(place.key for place in found if place.element_id == element_id)

    def timer(self, instance_id: int, element_id: str = "late") -> Job:
        return next(
            job
            for job in self.driver.all(Job, instance_id)
            if job.element_id == element_id and job.state in ("waiting", "suspended")
        )

    def last(self, instance_id: int) -> History:
        found: History = self.driver.all(History, instance_id)[-1]
        return found


@pytest.fixture
def mender(driver: Driver) -> Iterator[Mender]:
    """After each test every instance is as the checker of the engine wants it."""
    yield Mender(driver)
    with driver.database.reading() as session:
        assert verify.verify(session) == []


def steps(*ids: str) -> bytes:
    """start > a > b > … > end; the first has a reminder."""
    tasks = (user(each, "go", status=each) for each in ids)
    late = boundary("late", ids[0], timer("PT4H"), interrupting=False)
    return drawing(start(), *tasks, late, end(), end("gone"), chain("start", *ids, "end"), flows("late>gone"))


PAID = drawing(
    start(), catch("word", event("message", "paid")), user("b", "go"), end(), chain("start", "word", "b", "end")
)
SENT = drawing(
    start(),
    service("send", "test.note", extension='<desk:job retries="1" backoff="PT1M" async="true"/>'),
    user("b", "go"),
    end(),
    chain("start", "send", "b", "end"),
)
"""Sends in the background and gives up at the first failure."""


# tokens


def test_a_token_is_moved_and_the_process_goes_on_from_there(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b", "c"), colour="red")

    after = mender.does(repair.move_token, instance_id, mender.key(instance_id, "a"), "c")
    colour = driver.data(instance_id)["colour"]
    driver.press(instance_id, "go")

    assert [place.element_id for place in after.places] == ["c"]
    assert after.opened == ("C",)
    assert colour == "red"
    assert driver.statuses == ["a", "c"]
    assert [row.state for row in driver.all(UserTask, instance_id)] == ["cancelled", "completed"]
    assert driver.open_jobs(instance_id) == []
    assert driver.state(instance_id) == "completed"


def test_a_token_goes_back_and_its_timers_are_armed_anew(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))
    driver.press(instance_id, "go")
    driver.advance("PT3H")

    mender.does(repair.move_token, instance_id, mender.key(instance_id, "b"), "a")

    assert mender.timer(instance_id).due_at - driver.clock.at == timedelta(hours=4)
    driver.advance("PT4H")
    assert "late" in driver.entered(instance_id)


def test_the_history_keeps_who_why_and_from_where_to_where(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))

    mender.does(repair.move_token, instance_id, mender.key(instance_id, "a"), "b")

    last = mender.last(instance_id)
    assert (last.move, last.actor, last.element_id) == ("move-token", "agent:7", "a")
    assert {"reason": REASON, "to": "b", "stood": ["a"]}.items() <= last.data.items()


def test_a_token_may_enter_a_step_that_runs_by_itself(driver: Driver, mender: Mender, calls: Calls) -> None:
    instance_id = driver.run(
        drawing(start(), user("a", "go"), service("note", "test.note"), end(), chain("start", "a", "note", "end"))
    )

    after = mender.does(repair.move_token, instance_id, mender.key(instance_id, "a"), "note")

    assert (after.state, after.places) == ("completed", ())
    assert calls.names() == ["test.note"]


@pytest.mark.parametrize("goal", ["late", "start", "join", "nowhere"])
def test_where_nobody_can_stand_nobody_is_moved_to(driver: Driver, mender: Mender, goal: str) -> None:
    instance_id = driver.run(
        drawing(
            start(),
            user("a", "go"),
            boundary("late", "a", timer("PT4H")),
            gateway("fork", "parallel"),
            user("b", "go"),
            user("c", "go"),
            gateway("join", "parallel"),
            end(),
            flows("start>a", "a>fork", "fork>b", "fork>c", "b>join", "c>join", "join>end", "late>end"),
        )
    )

    with pytest.raises(Refused):
        mender.does(repair.move_token, instance_id, mender.key(instance_id, "a"), goal)

    assert driver.open_tasks(instance_id) == ["a"]


def test_a_token_inside_a_sub_process_stays_inside(driver: Driver, mender: Mender) -> None:
    inner = (start("is"), user("x", "go"), user("y", "go"), end("ie"), chain("is", "x", "y", "ie"))
    instance_id = driver.run(
        drawing(start(), subprocess("sub", *inner), user("z", "go"), end(), chain("start", "sub", "z", "end"))
    )
    key = mender.key(instance_id, "x")

    with pytest.raises(Refused, match="same"):
        mender.does(repair.move_token, instance_id, key, "z")
    mender.does(repair.move_token, instance_id, key, "y")
    driver.press(instance_id, "go")

    assert driver.open_tasks(instance_id) == ["z"]


def test_a_whole_sub_process_can_be_left(driver: Driver, mender: Mender) -> None:
    inner = (start("is"), user("x", "go"), end("ie"), chain("is", "x", "ie"))
    instance_id = driver.run(
        drawing(start(), subprocess("sub", *inner), user("z", "go"), end(), chain("start", "sub", "z", "end"))
    )

    mender.does(repair.move_token, instance_id, mender.key(instance_id, "sub"), "z")

    assert driver.open_tasks(instance_id) == ["z"]
    driver.press(instance_id, "go")
    assert driver.state(instance_id) == "completed"


def test_a_branch_that_was_moved_still_meets_the_other(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a", "go"),
            user("a2", "further"),
            user("b", "run"),
            gateway("join", "parallel"),
            end(),
            flows("start>fork", "fork>a", "a>a2", "fork>b", "a2>join", "b>join", "join>end"),
        )
    )

    mender.does(repair.move_token, instance_id, mender.key(instance_id, "a"), "a2")
    driver.press(instance_id, "run")
    driver.press(instance_id, "further")

    assert driver.state(instance_id) == "completed"


def test_a_token_that_went_on_is_not_moved(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))
    key = mender.key(instance_id, "a")
    driver.press(instance_id, "go")

    with pytest.raises(Refused, match="moved on"):
        mender.does(repair.move_token, instance_id, key, "b")


def test_a_step_is_entered_anew(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))
    driver.advance("PT3H")

    after = mender.does(repair.repeat, instance_id, mender.key(instance_id, "a"))

    assert after.opened == ("A",)
    assert [row.state for row in driver.all(UserTask, instance_id)] == ["cancelled", "open"]
    assert mender.timer(instance_id).due_at - driver.clock.at == timedelta(hours=4)
    driver.press(instance_id, "go")
    assert driver.open_tasks(instance_id) == ["b"]


def test_a_step_is_left_without_being_done(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))

    after = mender.does(repair.skip, instance_id, mender.key(instance_id, "a"))

    assert [place.element_id for place in after.places] == ["b"]
    assert driver.open_jobs(instance_id) == []


def test_a_failed_background_step_is_left_without_being_carried_out(
    driver: Driver, mender: Mender, calls: Calls
) -> None:
    calls.failures["test.note"] = [RuntimeError("down")] * 9
    instance_id = driver.run(SENT)
    driver.work()
    assert len(driver.incidents()) == 1

    mender.does(repair.skip, instance_id, mender.key(instance_id, "send"))

    assert driver.open_tasks(instance_id) == ["b"]
    assert driver.incidents() == []


def test_waiting_for_a_message_or_a_sub_process_can_be_skipped(driver: Driver, mender: Mender) -> None:
    inner = (start("is"), user("x", "go"), end("ie"), chain("is", "x", "ie"))
    instance_id = driver.run(
        drawing(
            start(),
            catch("word", event("message", "paid")),
            subprocess("sub", *inner),
            user("z", "go"),
            end(),
            chain("start", "word", "sub", "z", "end"),
        )
    )

    mender.does(repair.skip, instance_id, mender.key(instance_id, "word"))
    assert driver.subscriptions(instance_id) == []
    mender.does(repair.skip, instance_id, mender.key(instance_id, "sub"))

    assert driver.open_tasks(instance_id) == ["z"]


def test_a_choice_between_events_is_not_skipped(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(
        drawing(
            start(),
            gateway("first", "eventBased"),
            catch("word", event("message", "paid")),
            catch("late", timer("PT4H")),
            end(),
            flows("start>first", "first>word", "first>late", "word>end", "late>end"),
        )
    )

    with pytest.raises(Refused, match="several"):
        mender.does(repair.skip, instance_id, mender.key(instance_id, "first"))


# variables and timers


def test_a_variable_is_set_everywhere(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"), colour="red")

    mender.does(repair.set_variable, instance_id, "colour", {"is": ["blue"]})
    driver.press(instance_id, "go")

    assert driver.data(instance_id)["colour"] == {"is": ["blue"]}
    change = next(row for row in driver.all(History, instance_id) if row.move == "set-variable")
    assert {"variable": "colour", "before": {"a": "red"}, "after": {"is": ["blue"]}}.items() <= change.data.items()


def test_a_variable_is_set_at_one_branch(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a", "go"),
            user("b", "run"),
            end(),
            end("e2"),
            flows("start>fork", "fork>a", "fork>b", "a>end", "b>e2"),
        ),
        colour="red",
    )
    key = mender.key(instance_id, "a")

    mender.does(repair.set_variable, instance_id, "colour", "blue", key=key)

    with driver.database.reading() as session:
        machine = repair.load(session, session.get_one(ProcessInstance, instance_id), None)
        assert machine.data_of(key)["colour"] == "blue"
        assert machine.data_of(mender.key(instance_id, "b"))["colour"] == "red"


def test_a_wait_that_goes_on_sees_the_variable(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(
        drawing(
            start(), catch("word", event("message", "paid")), user("b", "go"), end(), chain("start", "word", "b", "end")
        ),
        colour="red",
    )

    mender.does(repair.set_variable, instance_id, "colour", "blue", key=mender.key(instance_id, "word"))
    driver.send("paid")

    assert driver.data(instance_id)["colour"] == "blue"


@pytest.mark.parametrize(("name", "value"), [("two words", 1), ("1x", 1), ("", 1), ("x", "y" * 20_000)])
def test_strange_names_and_large_values_are_refused(driver: Driver, mender: Mender, name: str, value: Any) -> None:
    instance_id = driver.run(steps("a", "b"))

    with pytest.raises(Refused):
        mender.does(repair.set_variable, instance_id, name, value)


@pytest.mark.parametrize("value", [10**20, "\ud800", float("nan")])
def test_values_that_cannot_be_kept_are_refused(driver: Driver, mender: Mender, value: Any) -> None:
    instance_id = driver.run(steps("a", "b"))

    with pytest.raises(Refused):
        mender.does(repair.set_variable, instance_id, "x", value)


@pytest.mark.parametrize("key", ["nobody", "", "join::both", "0" * 32])
def test_a_token_that_is_none_is_refused(driver: Driver, mender: Mender, key: str) -> None:
    instance_id = driver.run(steps("a", "b"))

    with pytest.raises(Refused):
        mender.does(repair.skip, instance_id, key)


def test_a_timer_falls_due_when_a_person_says(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))

    mender.does(repair.set_due, mender.timer(instance_id).id, driver.clock.at + timedelta(hours=1))
    driver.advance("PT59M")
    assert "late" not in driver.entered(instance_id)
    driver.advance("PT1M")

    assert "late" in driver.entered(instance_id)


def test_a_cycle_goes_on_from_the_new_instant(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b").replace(b"timeDuration", b"timeCycle").replace(b"PT4H", b"R/PT4H"))

    mender.does(repair.set_due, mender.timer(instance_id).id, driver.clock.at + timedelta(hours=1))
    driver.advance("PT1H")

    assert mender.timer(instance_id).due_at - driver.clock.at == timedelta(hours=4)


def test_an_instant_beyond_all_measure_is_refused(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))

    with pytest.raises(Refused, match="ten years"):
        mender.does(repair.set_due, mender.timer(instance_id).id, driver.clock.at + timedelta(days=9000))


# suspension


def test_a_suspended_instance_is_moved_by_nothing(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))
    ref = driver.ref(instance_id, "go")

    mender.does(repair.suspend, instance_id)
    driver.advance("PT9H")

    assert driver.state(instance_id) == "suspended"
    assert driver.buttons(instance_id) == []
    assert "late" not in driver.entered(instance_id)
    with pytest.raises(Suspended) as caught:
        driver.perform(instance_id, ref)
    assert (caught.value.by, caught.value.reason) == ("agent:7", REASON)


def test_timers_keep_what_they_have_left(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))
    driver.advance("PT1H")

    mender.does(repair.suspend, instance_id)
    left = mender.timer(instance_id).remaining_sec
    driver.advance("P10D")
    mender.does(repair.resume, instance_id)

    assert left == 3 * 3600
    assert mender.timer(instance_id).due_at - driver.clock.at == timedelta(hours=3)
    driver.advance("PT3H")
    assert "late" in driver.entered(instance_id)
    driver.press(instance_id, "go")
    assert driver.open_tasks(instance_id) == ["b"]


def test_computed_timers_are_asked_again(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b").replace(b">PT4H<", b">= wait<"), wait="PT4H")

    mender.does(repair.suspend, instance_id)
    mender.does(repair.set_variable, instance_id, "wait", "PT7H")
    driver.advance("P1D")
    mender.does(repair.resume, instance_id)

    assert mender.timer(instance_id).due_at - driver.clock.at == timedelta(hours=7)


def test_a_message_waits_until_the_instance_goes_on(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(
        drawing(
            start(), catch("word", event("message", "paid")), user("b", "go"), end(), chain("start", "word", "b", "end")
        )
    )
    mender.does(repair.suspend, instance_id)

    caught = driver.send("paid", amount=7)
    standing = driver.open_tasks(instance_id)
    mender.does(repair.resume, instance_id)

    assert (caught, standing) == (1, [])
    assert driver.open_tasks(instance_id) == ["b"]
    assert driver.data(instance_id)["amount"] == 7
    assert driver.all(HeldEvent, instance_id) == []


def test_a_signal_for_others_does_not_wait_for_a_suspended_one(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(
        drawing(
            start(),
            user("a", "go"),
            boundary("stop", "a", event("signal", "all"), extension=button("halt")),
            end(),
            chain("start", "a", "end"),
            flows("stop>end"),
        )
    )
    other = driver.start(business_key="record:2")
    mender.does(repair.suspend, instance_id)

    with driver.database.transaction() as session:
        runtime.broadcast_signal(session, "all")

    assert (driver.state(instance_id), driver.state(other)) == ("suspended", "completed")
    mender.does(repair.resume, instance_id)
    assert driver.state(instance_id) == "completed"


def test_repairs_of_a_suspended_instance_start_no_clock(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))
    driver.press(instance_id, "go")
    mender.does(repair.suspend, instance_id)

    mender.does(repair.move_token, instance_id, mender.key(instance_id, "b"), "a")
    driver.advance("P2D")

    assert mender.timer(instance_id).remaining_sec == 4 * 3600
    assert "late" not in driver.entered(instance_id)


def test_a_suspended_instance_that_a_repair_ends_holds_nothing_any_more(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(
        drawing(start(), catch("word", event("message", "paid")), end(), chain("start", "word", "end"))
    )
    mender.does(repair.suspend, instance_id)
    driver.send("paid")

    mender.does(repair.skip, instance_id, mender.key(instance_id, "word"))

    assert driver.state(instance_id) == "completed"
    assert driver.all(HeldEvent, instance_id) == []
    assert driver.instance(instance_id).suspended_at is None


def test_a_failed_step_of_a_suspended_instance_is_not_tried_again(driver: Driver, mender: Mender, calls: Calls) -> None:
    calls.failures["test.note"] = [ValueError("no")]
    instance_id = driver.run(SENT)
    driver.work()
    mender.does(repair.suspend, instance_id)
    [incident] = driver.incidents()

    with pytest.raises(Refused, match="suspended"):
        driver.retry(incident.id)

    assert [job.state for job in driver.all(Job, instance_id)] == ["failed"]


def test_a_suspended_instance_can_be_cancelled(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))
    mender.does(repair.suspend, instance_id)

    after = mender.does(repair.cancel, instance_id)

    assert after.state == "cancelled"
    assert [job.state for job in driver.all(Job, instance_id)] == ["cancelled"]


def test_what_runs_is_not_resumed_and_what_is_suspended_not_suspended(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a", "b"))

    with pytest.raises(Refused):
        mender.does(repair.resume, instance_id)
    mender.does(repair.suspend, instance_id)
    with pytest.raises(Refused):
        mender.does(repair.suspend, instance_id)


# incidents, reasons, ends


def failing(driver: Driver, calls: Calls) -> tuple[int, int]:
    calls.failures["test.note"] = [RuntimeError("down")]
    instance_id = driver.run(SENT)
    driver.work()
    return instance_id, driver.incidents()[0].id


def test_an_incident_is_tried_again_at_once(driver: Driver, mender: Mender, calls: Calls) -> None:
    instance_id, incident_id = failing(driver, calls)

    with driver.database.transaction() as session:
        after = repair.retry_incident(session, incident_id, by="agent:7")

    assert (after.problem, after.opened) == ("", ("B",))
    assert driver.incidents() == []
    assert driver.open_tasks(instance_id) == ["b"]


def test_what_fails_again_stays_an_incident(driver: Driver, mender: Mender, calls: Calls) -> None:
    _, incident_id = failing(driver, calls)
    calls.failures["test.note"] = [RuntimeError("still down")]

    with driver.database.transaction() as session:
        after = repair.retry_incident(session, incident_id, by="agent:7")

    assert "still down" in after.problem
    with driver.database.reading() as session:
        assert session.scalars(select(Incident.state)).all() == ["open"]


@pytest.mark.parametrize("verb", [repair.suspend, repair.cancel])
def test_a_reason_is_required(driver: Driver, mender: Mender, verb: Callable[..., Standing]) -> None:
    instance_id = driver.run(steps("a", "b"))

    with pytest.raises(Refused, match="reason"):
        mender.does(verb, instance_id, reason="  no ")

    assert driver.state(instance_id) == "active"


def test_what_has_ended_is_not_mended(driver: Driver, mender: Mender) -> None:
    instance_id = driver.run(steps("a"))
    key = mender.key(instance_id, "a")
    driver.press(instance_id, "go")

    with pytest.raises(Refused, match="ended"):
        mender.does(repair.repeat, instance_id, key)
