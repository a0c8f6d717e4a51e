"""What an instance waits for: timers, messages, buttons – armed, fired, forgotten, armed again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import runtime
from engine.clock import FixedClock
from engine.db import Database
from engine.errors import NotFound, Stale, StepFailed
from engine.expressions import Namespace
from engine.listeners import listeners
from engine.models import Job, ProcessInstance, UserTask
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
    service,
    start,
    subprocess,
    throw,
    timer,
    user,
)


def reminded(text: str, kind: str = "timeDuration", *, interrupting: bool = False) -> bytes:
    """A task with a timer that leads to a note."""
    return drawing(
        start(),
        user("work", "done"),
        boundary("remind", "work", timer(text, kind), interrupting=interrupting),
        service("tell", "test.note"),
        end(),
        end("e2"),
        chain("start", "work", "end"),
        chain("remind", "tell", "e2"),
    )


def test_timer_does_not_fire_early_and_fires_once(driver: Driver) -> None:
    instance = driver.run(reminded("PT1H"))

    driver.advance("PT59M59S")
    assert driver.calls.names() == []
    driver.advance("PT1S")
    driver.advance("P10D")

    assert driver.calls.names() == ["test.note"]
    assert driver.open_tasks(instance) == ["work"]
    assert driver.open_jobs(instance) == []


def test_interrupting_timer_ends_the_task(driver: Driver) -> None:
    instance = driver.run(reminded("PT1H", interrupting=True))

    driver.advance("PT1H")

    assert driver.state(instance) == "completed"
    assert "work cancelled" in driver.trace(instance)


def test_leaving_the_task_forgets_its_timer(driver: Driver) -> None:
    instance = driver.run(reminded("PT1H"))

    driver.press(instance, "done")
    driver.advance("PT2H")

    assert driver.calls.names() == []
    assert [job.state for job in driver.all(Job, instance)] == ["cancelled"]


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("2026-03-16T12:00:00+03:00", datetime(2026, 3, 16, 9, tzinfo=UTC)),
        ("2026-03-17", datetime(2026, 3, 17, tzinfo=UTC)),
        ("=now + duration('PT5M')", datetime(2026, 3, 16, 9, 5, tzinfo=UTC)),
        ("=duration('PT6M')", datetime(2026, 3, 16, 9, 6, tzinfo=UTC)),
        ("=until", datetime(2026, 3, 20, 9, tzinfo=UTC)),
        ("='PT7M'", datetime(2026, 3, 16, 9, 7, tzinfo=UTC)),
    ],
)
def test_time_is_text_or_an_expression(driver: Driver, text: str, due: datetime) -> None:
    instance = driver.run(reminded(text, "timeDate"), until="2026-03-20T09:00:00+00:00")

    assert [job.due_at for job in driver.all(Job, instance)] == [due]


def test_timer_of_nothing_is_not_armed_and_the_task_goes_on(driver: Driver) -> None:
    instance = driver.run(reminded("=until", "timeDate"), until=None)

    assert driver.open_jobs(instance) == []
    driver.press(instance, "done")

    assert driver.state(instance) == "completed"


def test_cycle_fires_as_often_as_it_says(driver: Driver) -> None:
    instance = driver.run(reminded("R3/PT10M", "timeCycle"))

    driver.advance("PT2H")

    assert driver.calls.names() == ["test.note"] * 3
    assert driver.open_tasks(instance) == ["work"]


def test_missed_periods_collapse_into_one_firing(driver: Driver) -> None:
    """100 hours without a worker: one reminder, the next one a period later on the same beat."""
    instance = driver.run(reminded("R/PT1H", "timeCycle"))

    driver.jump("PT100H30M")
    assert driver.calls.names() == ["test.note"]
    driver.advance("PT29M")
    assert len(driver.calls.made) == 1
    driver.advance("PT1M")

    assert len(driver.calls.made) == 2
    assert driver.open_jobs(instance) == ["remind"]


def test_cycle_of_many_periods_leaves_no_trace_in_the_state(driver: Driver) -> None:
    instance = driver.run(reminded("R/PT1H", "timeCycle"))
    driver.advance("PT1H")
    size = len(driver.instance(instance).data or b"")

    driver.advance("PT50H")

    assert len(driver.calls.made) == 51
    assert len(driver.instance(instance).data or b"") <= size + 16


def test_side_branch_of_a_timer_outlives_the_task(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("work", "done"),
            boundary("remind", "work", timer("R/PT1H", "timeCycle"), interrupting=False),
            user("look", "seen"),
            end(),
            end("e2"),
            chain("start", "work", "end"),
            chain("remind", "look", "e2"),
        )
    )
    driver.advance("PT2H")
    assert sorted(driver.open_tasks(instance)) == ["look", "look", "work"]

    driver.press(instance, "done")
    assert driver.open_tasks(instance) == ["look", "look"]
    driver.press(instance, "seen")
    driver.press(instance, "seen")

    assert driver.state(instance) == "completed"


def test_two_timers_of_one_task_fire_each_for_itself(driver: Driver) -> None:
    driver.run(
        drawing(
            start(),
            user("work", "done"),
            boundary("remind", "work", timer("PT1H"), interrupting=False),
            boundary("breach", "work", timer("PT2H"), interrupting=False),
            service("tell", "test.note", text="'remind'"),
            service("shout", "test.note", text="'breach'"),
            end(),
            end("e2"),
            end("e3"),
            chain("start", "work", "end"),
            chain("remind", "tell", "e2"),
            chain("breach", "shout", "e3"),
        )
    )

    driver.advance("PT1H")
    assert [arguments["text"] for _, arguments in driver.calls.made] == ["remind"]
    driver.advance("PT1H")

    assert [arguments["text"] for _, arguments in driver.calls.made] == ["remind", "breach"]


def test_plain_wait_goes_on_by_itself(driver: Driver) -> None:
    instance = driver.run(drawing(start(), catch("second", timer("PT1S")), end(), chain("start", "second", "end")))

    driver.advance("PT1S")

    assert driver.state(instance) == "completed"


def test_nothing_left_to_wait_for_is_refused_instead_of_stored(driver: Driver) -> None:
    driver.deploy(drawing(start(), catch("never", timer("=until")), end(), chain("start", "never", "end")))

    with pytest.raises(StepFailed, match="wait for ever"):
        driver.start(until=None)


def test_message_goes_to_the_record_it_names(driver: Driver) -> None:
    driver.deploy(
        drawing(
            start(),
            user("work", "done"),
            boundary("reply", "work", event("message", "replied")),
            user("read", "ok"),
            end(),
            chain("start", "work", "end"),
            flows("reply>read", "read>end"),
        )
    )
    mine, other = driver.start(business_key="record:1"), driver.start(business_key="record:2")

    assert driver.send("replied", "record:1", is_thanks=True) == 1
    assert driver.send("replied", "record:3") == 0
    assert driver.send("unheard", "record:2") == 0

    assert driver.open_tasks(mine) == ["read"]
    assert driver.data(mine)["is_thanks"] is True
    assert driver.open_tasks(other) == ["work"]


def test_event_that_does_not_interrupt_hears_every_occurrence(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("work", "done"),
            boundary("reply", "work", event("message", "replied"), interrupting=False),
            service("tell", "test.note"),
            end(),
            end("e2"),
            chain("start", "work", "end"),
            chain("reply", "tell", "e2"),
        )
    )

    assert [driver.send("replied") for _ in range(3)] == [1, 1, 1]

    assert len(driver.calls.made) == 3
    driver.press(instance, "done")
    assert driver.state(instance) == "completed"
    assert driver.send("replied") == 0


def test_button_through_a_phase_is_offered_beside_the_task(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            subprocess("phase", start("s"), user("work", "done"), end("e"), chain("s", "work", "e")),
            boundary("reject", "phase", event("signal", "reject"), extension=button("reject", "Отклонить")),
            user("rejected", "reopen"),
            end(),
            chain("start", "phase", "end"),
            flows("reject>rejected", "rejected>end"),
        )
    )
    assert driver.buttons(instance) == ["done", "reject"]

    driver.press(instance, "reject", why="spam")

    assert driver.open_tasks(instance) == ["rejected"]
    assert driver.data(instance) == {"why": "spam", "action": "reject"}
    assert [task.action for task in driver.all(UserTask, instance)] == ["reject", None]


def test_button_that_does_not_interrupt_can_be_pressed_again(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("work", "done"),
            boundary("call", "work", event("signal", "call"), interrupting=False, extension=button("call")),
            service("tell", "test.note"),
            end(),
            end("e2"),
            chain("start", "work", "end"),
            chain("call", "tell", "e2"),
        )
    )

    driver.press(instance, "call")
    driver.press(instance, "call")

    assert len(driver.calls.made) == 2
    assert driver.buttons(instance) == ["done", "call"]


def test_button_shows_only_while_its_condition_holds(driver: Driver) -> None:
    process = drawing(
        start(),
        user("work", button("small"), button("large", visible="=n > 10")),
        end(),
        chain("start", "work", "end"),
    )
    driver.deploy(process)

    assert driver.buttons(driver.start(n=1)) == ["small"]
    assert driver.buttons(driver.start(n=11)) == ["small", "large"]


def test_second_completion_of_a_task_is_told_who_was_first(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("work", button("take", "Взять")),
            user("next", "go"),
            end(),
            chain("start", "work", "next", "end"),
        )
    )
    ref = driver.ref(instance, "take")
    driver.perform(instance, ref, actor="agent:7")

    with pytest.raises(Stale) as stale:
        driver.perform(instance, ref, actor="agent:8")

    assert (stale.value.by, stale.value.action) == ("agent:7", "Взять")
    assert stale.value.at == driver.clock.at
    assert driver.instance(instance).version == 2


def test_second_press_of_a_button_is_told_who_was_first(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("work", "done"),
            boundary("reject", "work", event("signal", "reject"), extension=button("reject", "Отклонить")),
            user("rejected", "go"),
            end(),
            chain("start", "work", "end"),
            flows("reject>rejected", "rejected>end"),
        )
    )
    ref = driver.ref(instance, "reject")
    driver.perform(instance, ref, actor="agent:7")

    with pytest.raises(Stale) as stale:
        driver.perform(instance, ref, actor="agent:8")

    assert (stale.value.by, stale.value.action) == ("agent:7", "Отклонить")


def test_version_that_moved_on_is_no_obstacle_while_the_task_is_open(driver: Driver) -> None:
    instance = driver.run(reminded("PT1H"))
    ref = driver.ref(instance, "done")
    driver.advance("PT1H")

    driver.perform(instance, ref)

    assert driver.state(instance) == "completed"


@pytest.mark.parametrize("ref", ["", "task:1", "task:x:go", "other:1:go", "task:999999999999999999:go", "task:7:go"])
def test_reference_that_is_none_is_not_found(driver: Driver, ref: str) -> None:
    instance = driver.run(reminded("PT1H"))

    with pytest.raises(NotFound):
        driver.perform(instance, ref)


def test_deadline_of_the_host_is_computed_again_on_request(driver: Driver) -> None:
    due: dict[str, datetime | None] = {"at": driver.clock.at + timedelta(hours=1)}

    def context(_session: Any, _instance: ProcessInstance) -> dict[str, Any]:
        return {"sla": Namespace("sla", {}, {"due": lambda kind: due["at"]})}

    listeners().context.append(context)
    instance = driver.run(reminded("=sla.due('reaction')", "timeDate"))

    due["at"] = driver.clock.at + timedelta(hours=3)
    rearm(driver, instance)
    driver.advance("PT2H")
    assert driver.calls.names() == []

    due["at"] = None
    rearm(driver, instance)
    assert driver.open_jobs(instance) == []

    due["at"] = driver.clock.at + timedelta(hours=1)
    rearm(driver, instance)
    rearm(driver, instance)
    driver.advance("PT1H")

    assert driver.calls.names() == ["test.note"]
    assert driver.moves(instance) == ["start", "rearm", "rearm", "rearm", "timer"]


def test_failed_timer_that_is_computed_again_begins_anew(driver: Driver) -> None:
    due = {"at": driver.clock.at + timedelta(hours=1)}
    listeners().context.append(lambda *_: {"sla": Namespace("sla", {}, {"due": lambda kind: due["at"]})})
    driver.calls.failures["test.note"] = [ValueError("no")] * 6
    instance = driver.run(reminded("=sla.due('reaction')", "timeDate"))
    driver.advance("PT2H")
    assert len(driver.incidents()) == 1

    due["at"] = driver.clock.at + timedelta(hours=3)
    rearm(driver, instance)
    assert driver.incidents() == []
    [job] = [job for job in driver.all(Job, instance) if job.kind == "timer"]
    assert (job.state, job.retries_left) == ("waiting", 3)
    driver.advance("PT4H")

    assert len(driver.incidents()) == 1


def rearm(driver: Driver, instance: int) -> None:
    with driver.database.transaction() as session:
        runtime.rearm(session, instance)


def test_group_of_a_lane_and_assignee_by_expression(driver: Driver) -> None:
    lanes = (
        '<bpmn:laneSet id="lanes"><bpmn:lane id="lane1" name="operator">'
        "<bpmn:flowNodeRef>first</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
    )
    assignment = '<desk:assignment assignee="=\'agent:\' + str(n)" group="seniors"/>'
    instance = driver.run(
        drawing(
            lanes,
            start(),
            user("first", "go"),
            user("second", "on", extension=assignment),
            end(),
            chain("start", "first", "second", "end"),
        ),
        n=7,
    )

    driver.press(instance, "go")

    first, second = driver.all(UserTask, instance)
    assert (first.assignee, first.candidate_group) == (None, "operator")
    assert (second.assignee, second.candidate_group) == ("agent:7", "seniors")


def test_thrown_message_reaches_another_instance_of_the_record(driver: Driver) -> None:
    driver.deploy(
        drawing(
            start(),
            user("work", "done"),
            throw("tell", event("message", "ready")),
            end(),
            chain("start", "work", "tell", "end"),
        ),
        drawing(start(), catch("hear", event("message", "ready")), end(), chain("start", "hear", "end"), key="q"),
    )
    sender, receiver, stranger = driver.start(), driver.start("q"), driver.start("q", business_key="record:2")

    driver.press(sender, "done")

    assert driver.state(receiver) == "completed"
    assert driver.state(stranger) == "active"


def test_cancelled_instance_waits_for_nothing(driver: Driver) -> None:
    instance = driver.run(reminded("PT1H"))
    ref = driver.ref(instance, "done")

    with driver.database.transaction() as session:
        runtime.cancel(session, instance, reason="duplicate", actor="agent:1")
    driver.advance("PT2H")

    assert driver.state(instance) == "cancelled"
    assert driver.open_tasks(instance) + driver.open_jobs(instance) == []
    with pytest.raises(Stale):
        driver.perform(instance, ref)


def test_pause_and_resume_arm_what_the_host_says_is_left(driver: Driver, database: Database, clock: FixedClock) -> None:
    left = {"at": clock.at + timedelta(hours=4)}
    listeners().context.append(lambda _s, _i: {"sla": Namespace("sla", {}, {"due": lambda kind: left["at"]})})
    instance = driver.run(
        drawing(
            start(),
            user("work", "pause", "done"),
            boundary("breach", "work", timer("=sla.due('resolution')", "timeDate"), interrupting=False),
            gateway("pressed", default="pressed_end"),
            user("waiting", "resume"),
            boundary("wake", "waiting", timer("=resume_at", "timeDate")),
            service("tell", "test.note"),
            end(),
            end("e2"),
            chain("start", "work", "pressed", "end"),
            flows("pressed>waiting: action == 'pause'", "waiting>work", "wake>work"),
            chain("breach", "tell", "e2"),
        )
    )

    driver.press(instance, "pause", resume_at=(clock.at + timedelta(hours=2)).isoformat())
    assert driver.open_jobs(instance) == ["wake"]
    left["at"] = clock.at + timedelta(hours=6)
    driver.advance("PT2H")

    assert driver.open_tasks(instance) == ["work"]
    [job] = [job for job in driver.all(Job, instance) if job.state == "waiting"]
    assert (job.element_id, job.due_at) == ("breach", left["at"])


@pytest.mark.parametrize("kind", ["message", "signal"])
def test_gateway_that_awaits_the_same_event_twice_takes_its_first_branch(driver: Driver, kind: str) -> None:
    instance = driver.run(
        drawing(
            start(),
            gateway("first", "eventBased"),
            catch("one", event(kind, "paid")),
            catch("other", event(kind, "paid")),
            user("a", "go"),
            user("b", "go"),
            end(),
            flows("start>first", "first>one", "first>other", "one>a", "other>b", "a>end", "b>end"),
        )
    )

    with driver.database.transaction() as session:
        if kind == "signal":
            runtime.broadcast_signal(session, "paid")
        else:
            runtime.correlate_message(session, "paid", business_key="record:1")

    assert driver.open_tasks(instance) == ["a"]
