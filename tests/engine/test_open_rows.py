"""What the rows say of all that an instance waits for: while it waits, when it is over, and by whose hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from engine import actions
from engine.models import ElementLog, History, Job, Subscription, UserTask
from tests.conftest import MONDAY_NINE
from tests.engine.conftest import Driver
from tests.engine.drawings import boundary, chain, drawing, end, event, service, start, timer, user

POLICY = '<desk:job retries="5" backoff="PT7M PT9M"/>'
WAITING = drawing(
    start(),
    user("work", "done", extension='<desk:assignment assignee="=\'agent:\' + str(n)" group="seniors"/>'),
    boundary("late", "work", timer("PT1H"), extension=POLICY),
    boundary("reply", "work", event("message", "replied")),
    service("export", "test.answer", extension='<desk:job async="true"/>'),
    user("after", "seen"),
    end(),
    end("e2"),
    end("e3"),
    chain("start", "work", "export", "after", "end"),
    chain("late", "e2"),
    chain("reply", "e3"),
)
LATER = MONDAY_NINE + timedelta(minutes=10)


def values(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def test_open_rows_say_what_is_waited_for_since_when_and_for_whom(driver: Driver) -> None:
    instance = driver.run(WAITING, n=7)
    where = {"instance_id": instance, "process_key": "p", "created_at": MONDAY_NINE}

    [task] = driver.all(UserTask, instance)
    [job] = driver.all(Job, instance)
    [subscription] = driver.all(Subscription, instance)

    person = {
        "element_id": "work",
        "name": "Work",
        "state": "open",
        "assignee": "agent:7",
        "candidate_group": "seniors",
    }
    assert values(task, *where, *person) == {**where, **person}
    assert values(task, "ended_at", "ended_by", "action") == {"ended_at": None, "ended_by": None, "action": None}
    due = {"element_id": "late", "name": "Late", "kind": "timer", "state": "waiting"}
    due |= {"due_at": MONDAY_NINE + timedelta(hours=1), "retries_left": 5, "backoff_sec": 420, "lease_until": None}
    assert values(job, *where, *due) == {**where, **due}
    heard = {"element_id": "reply", "kind": "message", "name": "replied"}
    assert values(subscription, *where, *heard) == {**where, **heard}
    assert len({task.task_id, job.task_id, subscription.task_id}) == 3


def test_closed_rows_say_what_was_done_and_what_was_called_off(driver: Driver) -> None:
    instance = driver.run(WAITING, n=7)
    driver.clock.set(LATER)

    driver.press(instance, "done", actor="agent:7")

    [task] = driver.all(UserTask, instance)
    late, export = driver.all(Job, instance)
    done = {"state": "completed", "ended_at": LATER, "ended_by": "agent:7", "action": "done"}
    assert values(task, *done) == done
    assert values(late, "state", "ended_at") == {"state": "cancelled", "ended_at": LATER}
    made = {"element_id": "export", "name": "Export", "kind": "async", "state": "waiting", "due_at": LATER}
    assert values(export, *made, "created_at") == {**made, "created_at": LATER}
    assert driver.subscriptions(instance) == []


def test_row_of_the_job_that_was_done_is_done_and_free(driver: Driver) -> None:
    instance = driver.run(WAITING, n=7)
    driver.press(instance, "done")
    driver.clock.set(LATER)

    driver.work()

    export = driver.all(Job, instance)[1]
    ended = {"state": "done", "ended_at": LATER, "lease_until": None, "lease_owner": None}
    assert values(export, *ended) == ended
    assert driver.open_tasks(instance) == ["after"]


def test_task_that_a_timer_took_away_was_ended_by_the_timer_without_an_action(driver: Driver) -> None:
    instance = driver.run(WAITING, n=7)

    driver.advance("PT1H")

    [task] = driver.all(UserTask, instance)
    gone = {"state": "cancelled", "ended_at": MONDAY_NINE + timedelta(hours=1), "ended_by": "timer", "action": None}
    assert values(task, *gone) == gone
    assert (driver.state(instance), driver.instance(instance).ended_at) == ("completed", gone["ended_at"])


def test_whoever_holds_a_row_sees_at_once_that_it_is_closed(driver: Driver) -> None:
    instance = driver.run(WAITING, n=7)
    ref = driver.ref(instance, "done")

    with driver.database.transaction() as session:
        task, job = session.query(UserTask).one(), session.query(Job).one()
        actions.perform(session, instance, ref, variables={}, actor="agent:7", expected_version=None)

        assert values(task, "state", "ended_by") == {"state": "completed", "ended_by": "agent:7"}
        assert values(job, "state", "ended_at") == {"state": "cancelled", "ended_at": MONDAY_NINE}


def test_history_and_trace_say_who_moved_what_and_when(driver: Driver) -> None:
    instance = driver.run(WAITING, n=7)
    driver.clock.set(LATER)

    driver.press(instance, "done", actor="agent:7")

    began, pressed = driver.all(History, instance)
    assert values(began, "n", "move", "actor", "at") == {"n": 1, "move": "start", "actor": "agent:1", "at": MONDAY_NINE}
    moved = {"n": 2, "move": "complete", "actor": "agent:7", "element_id": "work", "at": LATER}
    assert values(pressed, *moved) == moved
    row = next(each for each in driver.all(ElementLog, instance) if (each.element_id, each.n) == ("export", 2))
    entered = {"process_key": "p", "name": "Export", "event": "entered", "at": LATER}
    assert values(row, *entered) == entered
