"""Due work: leases, one effect each, failures recorded, retries, incidents, the fate of the neighbours."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from engine import due, jobs, repository
from engine.db import after_commit
from engine.errors import Busy, NotFound, StateUnreadable
from engine.listeners import listeners
from engine.models import History, Incident, Job
from tests.engine.conftest import Driver
from tests.engine.drawings import (
    boundary,
    chain,
    drawing,
    end,
    event,
    flows,
    gateway,
    script,
    service,
    start,
    timer,
    user,
)


def timed(*, interrupting: bool = True) -> bytes:
    return drawing(
        start(),
        user("work", "done"),
        boundary("late", "work", timer("PT1H"), interrupting=interrupting),
        service("tell", "test.note"),
        end(),
        end("e2"),
        chain("start", "work", "end"),
        chain("late", "tell", "e2"),
    )


def in_background(job: str = '<desk:job async="true" retries="2" backoff="PT5M"/>') -> bytes:
    return drawing(
        start(),
        service("export", "test.answer", "made", extension=job),
        user("work", "done"),
        end(),
        chain("start", "export", "work", "end"),
    )


def test_job_is_leased_to_one_owner_until_the_lease_runs_out(driver: Driver) -> None:
    driver.run(timed())
    driver.clock.advance(timedelta(hours=1))

    first, second = driver.claim("one"), driver.claim("two")
    assert (len(first), second) == (1, [])
    driver.clock.advance(jobs.LEASE)

    assert driver.claim("two") == first


def test_job_executed_twice_has_one_effect(driver: Driver) -> None:
    driver.run(timed())
    driver.clock.advance(timedelta(hours=1))
    ids = driver.claim()

    jobs.execute(driver.database, ids)
    jobs.execute(driver.database, ids)

    assert len(driver.calls.made) == 1


def test_hint_that_comes_too_early_or_for_nothing_does_nothing(driver: Driver) -> None:
    instance = driver.run(timed())
    [job] = driver.all(Job, instance)

    jobs.execute(driver.database, [job.id, 12345])

    assert driver.open_tasks(instance) == ["work"]
    assert driver.open_jobs(instance) == ["late"]


def test_two_workers_with_the_same_batch_fire_each_timer_once(driver: Driver) -> None:
    driver.deploy(timed())
    for number in range(20):
        driver.start(business_key=f"record:{number}")
    driver.clock.advance(timedelta(hours=1))
    ids = driver.claim(limit=50)
    assert len(ids) == 20

    workers = [threading.Thread(target=jobs.execute, args=(driver.database, ids)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    driver.clock.advance(jobs.LEASE)
    driver.work()

    assert len(driver.calls.made) == 20
    with driver.database.reading() as session:
        assert set(session.scalars(select(Job.state))) == {"done"}


def test_due_jobs_come_longest_overdue_first(driver: Driver) -> None:
    driver.deploy(timed())
    older = driver.start(business_key="record:1")
    driver.clock.advance(timedelta(minutes=5))
    driver.start(business_key="record:2")
    driver.clock.advance(timedelta(hours=1))

    with driver.database.reading() as session:
        [first] = jobs.due(session, driver.clock.at, 1)

    assert first == driver.all(Job, older)[0].id


def test_job_that_became_due_first_comes_first_though_it_was_made_later(driver: Driver) -> None:
    early, late = two_due(driver)
    put(driver, late, due_at=driver.clock.at - timedelta(minutes=30))

    with driver.database.reading() as session:
        found = jobs.due(session, driver.clock.at, 9)

    assert found == [late, early]
    assert driver.claim(limit=1) == [late]


def test_background_node_runs_by_a_worker_and_not_in_the_click(driver: Driver) -> None:
    driver.calls.answers["test.answer"] = "file"
    instance = driver.run(in_background())
    assert driver.calls.made == []

    driver.work()

    assert driver.open_tasks(instance) == ["work"]
    assert driver.data(instance)["made"] == "file"


def test_failing_job_is_tried_again_after_its_backoff(driver: Driver) -> None:
    driver.calls.failures["test.answer"] = [RuntimeError("printer on fire")]
    instance = driver.run(in_background())

    driver.work()
    [job] = driver.all(Job, instance)
    assert (job.retries_left, job.due_at) == (1, driver.clock.at + timedelta(minutes=5))
    assert "printer on fire" in job.error
    driver.advance("PT5M")

    assert driver.open_tasks(instance) == ["work"]
    assert driver.incidents() == []


def test_job_without_retries_left_becomes_an_incident_that_can_be_repeated(driver: Driver) -> None:
    told: list[str] = []
    listeners().incident_opened.append(lambda _s, _i, incident: told.append(incident.message))
    driver.calls.failures["test.answer"] = [RuntimeError("no"), RuntimeError("still no")]
    instance = driver.run(in_background())

    driver.advance("PT10M")
    [incident] = driver.incidents()
    assert (incident.element_id, incident.element_name) == ("export", "Export")
    assert told == ["RuntimeError: still no"]
    assert driver.claim() == []
    driver.retry(incident.id)
    driver.work()

    assert driver.open_tasks(instance) == ["work"]
    assert driver.incidents() == []
    assert [row.resolved_by for row in driver.all(Incident, instance)] == ["agent:9"]


def test_incident_names_the_node_that_failed_behind_the_timer(driver: Driver) -> None:
    driver.calls.failures["test.note"] = [RuntimeError("no")] * 3
    driver.run(timed())

    driver.advance("PT2H")

    [incident] = driver.incidents()
    assert (incident.element_id, incident.element_name) == ("tell", "Tell")


def test_leaving_the_node_resolves_its_incident(driver: Driver) -> None:
    driver.calls.failures["test.note"] = [RuntimeError("no")] * 3
    instance = driver.run(timed(interrupting=False))
    driver.advance("PT2H")
    assert len(driver.incidents()) == 1

    driver.press(instance, "done")

    assert driver.incidents() == []


def test_one_bad_job_does_not_spoil_the_batch(driver: Driver) -> None:
    driver.deploy(timed())
    good, bad, fine = (driver.start(business_key=f"record:{n}") for n in range(3))
    driver.clock.advance(timedelta(hours=1))
    ids = driver.claim()

    def fail_for_the_second(_session: Any, instance: Any) -> None:
        if instance.id == bad:
            raise RuntimeError("only this one")

    listeners().stepped.append(fail_for_the_second)
    jobs.execute(driver.database, ids)

    assert [driver.state(each) for each in (good, bad, fine)] == ["completed", "active", "completed"]
    [job] = [job for job in driver.all(Job, bad) if job.state == "waiting"]
    assert job.retries_left == 2


def test_endless_loop_behind_a_timer_is_an_incident_at_once(driver: Driver) -> None:
    driver.run(
        drawing(
            start(),
            user("work", "done"),
            boundary("late", "work", timer("PT1H")),
            script("count", "n = n + 1"),
            gateway("again", default="again_count"),
            end(),
            chain("start", "work", "end"),
            chain("late", "count", "again"),
            flows("again>count", "again>end: n < 0"),
        ),
        n=0,
    )

    driver.advance("PT1H")

    [incident] = driver.incidents()
    assert "StepBudgetExceeded" in incident.message


def test_error_of_a_background_node_is_caught_by_its_event(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            service("ask", "test.refuse", extension='<desk:job async="true"/>'),
            boundary("refused", "ask", event("error", "refused")),
            user("mend", "mended"),
            end(),
            chain("start", "ask", "end"),
            flows("refused>mend", "mend>end"),
        )
    )

    driver.work()

    assert driver.open_tasks(instance) == ["mend"]
    assert driver.incidents() == []


def test_retry_of_a_job_that_did_not_fail_is_not_found(driver: Driver) -> None:
    instance = driver.run(timed())
    [job] = driver.all(Job, instance)

    with driver.database.transaction() as session, pytest.raises(NotFound):
        jobs.retry(session, job.id, "agent:9")


def test_jobs_are_a_due_source(driver: Driver) -> None:
    instance = driver.run(timed())
    source = due.sources()["jobs"]
    driver.clock.advance(timedelta(hours=1))

    with driver.database.transaction() as session:
        assert source.next_due(session) == driver.clock.at
        ids = source.claim(session, "ticker", 10)
    source.execute(driver.database, ids)

    assert driver.state(instance) == "completed"


def due_ones(driver: Driver, count: int) -> list[int]:
    """Jobs of as many instances, due now."""
    driver.deploy(timed())
    instances = [driver.start(business_key=f"record:{n}") for n in range(count)]
    driver.clock.advance(timedelta(hours=1))
    return [driver.all(Job, instance)[0].id for instance in instances]


def two_due(driver: Driver) -> tuple[int, int]:
    first, second = due_ones(driver, 2)
    return first, second


def put(driver: Driver, job_id: int, **values: Any) -> None:
    with driver.database.transaction() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))


def job(driver: Driver, job_id: int) -> Job:
    with driver.database.reading() as session:
        found = session.get_one(Job, job_id)
        session.expunge(found)
        return found


def next_due(driver: Driver) -> Any:
    with driver.database.reading() as session:
        return jobs.next_due(session)


def test_next_due_is_the_earliest_job_that_nobody_has_taken(driver: Driver) -> None:
    first, second = two_due(driver)
    now = driver.clock.at
    put(driver, first, due_at=now + timedelta(hours=2))
    put(driver, second, due_at=now + timedelta(hours=1))

    assert next_due(driver) == now + timedelta(hours=1)


def test_taken_job_is_next_due_when_its_lease_ends(driver: Driver) -> None:
    first, second = two_due(driver)
    now = driver.clock.at
    put(driver, first, lease_until=now + timedelta(seconds=9))
    put(driver, second, lease_until=now + timedelta(seconds=5))

    assert next_due(driver) == now + timedelta(seconds=5)
    put(driver, second, state="done")
    assert next_due(driver) == now + timedelta(seconds=9)
    put(driver, first, due_at=now + timedelta(hours=1))
    assert next_due(driver) is None


def test_good_batches_are_one_transaction_each_without_savepoints(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    ids = due_ones(driver, 5)
    seen: Counter[str] = Counter()
    for name in ("commit", "savepoint"):
        sql_event.listen(driver.database.engine, name, lambda *_, name=name: seen.update([name]))

    jobs.execute(driver.database, ids)

    assert [job(driver, each).state for each in ids] == ["done"] * 5
    assert seen == {"commit": 3}


def test_several_bad_jobs_are_recorded_and_only_the_good_ones_have_effects_after_the_commit(driver: Driver) -> None:
    ids = due_ones(driver, 5)
    keys = {job(driver, each).instance_id: number for number, each in enumerate(ids)}
    told: list[int] = []

    def fail_for_some(session: Any, instance: Any) -> None:
        number = keys[instance.id]
        after_commit(session, lambda: told.append(number))
        if number in (1, 3):
            raise RuntimeError(f"not number {number}")

    listeners().stepped.append(fail_for_some)
    jobs.execute(driver.database, ids)

    rows = [job(driver, each) for each in ids]
    assert [row.state for row in rows] == ["done", "waiting", "done", "waiting", "done"]
    assert [row.error for row in rows] == [None, "RuntimeError: not number 1", None, "RuntimeError: not number 3", None]
    assert [row.retries_left for row in rows if row.state == "waiting"] == [2, 2]
    assert told == [0, 2, 4]


@pytest.mark.parametrize("error", [Busy(), OperationalError("update", {}, Exception("database is locked"))])
def test_job_of_an_instance_that_somebody_writes_is_looked_at_again_in_a_second(
    driver: Driver, error: Exception
) -> None:
    first, second = two_due(driver)
    held = job(driver, first).instance_id
    refusals = [error] * 2

    def refuse_twice(_session: Any, instance: Any) -> None:
        if instance.id == held and refusals:
            raise refusals.pop()

    listeners().stepped.append(refuse_twice)
    jobs.execute(driver.database, [first, second])

    row = job(driver, first)
    assert (row.state, row.retries_left, row.error) == ("waiting", 3, None)
    assert row.lease_until == driver.clock.at + timedelta(seconds=1)
    assert (job(driver, second).state, job(driver, second).lease_until) == ("done", None)
    driver.clock.advance(timedelta(seconds=1))
    driver.work()
    assert job(driver, first).state == "done"


def test_error_of_the_database_that_is_no_lock_is_a_failure(driver: Driver) -> None:
    first, second = two_due(driver)
    held = job(driver, first).instance_id

    def break_down(_session: Any, instance: Any) -> None:
        if instance.id == held:
            raise OperationalError("update", {}, Exception("disk is full"))

    listeners().stepped.append(break_down)
    jobs.execute(driver.database, [first, second])

    assert (job(driver, first).retries_left, job(driver, second).state) == (2, "done")


def test_job_whose_instance_another_worker_holds_is_put_off(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two_due(driver)
    held = job(driver, first).instance_id
    found = jobs.lock_free
    monkeypatch.setattr(
        jobs, "lock_free", lambda session, ids: [each for each in found(session, ids) if each.id != held]
    )

    jobs.execute(driver.database, [first, second])

    assert (job(driver, first).state, job(driver, second).state) == ("waiting", "done")
    assert job(driver, first).lease_until == driver.clock.at + timedelta(seconds=1)
    assert (job(driver, first).retries_left, job(driver, second).lease_until) == (3, None)


def test_job_that_is_not_due_yet_is_left_alone_beside_one_that_fails(driver: Driver) -> None:
    bad, early = two_due(driver)
    put(driver, early, due_at=driver.clock.at + timedelta(minutes=1))
    failing = job(driver, bad).instance_id

    def fail(_session: Any, instance: Any) -> None:
        if instance.id == failing:
            raise RuntimeError("no")

    listeners().stepped.append(fail)
    jobs.execute(driver.database, [bad, early])

    row = job(driver, early)
    assert (row.state, row.retries_left, row.error) == ("waiting", 3, None)


def test_failure_of_a_job_that_is_over_meanwhile_is_not_recorded(driver: Driver) -> None:
    bad, other = two_due(driver)
    failing = job(driver, bad).instance_id

    def fail_then_close(session: Any, instance: Any) -> None:
        if instance.id == failing:
            raise RuntimeError("no")
        session.execute(update(Job).where(Job.id == bad).values(state="cancelled"))

    listeners().stepped.append(fail_then_close)
    jobs.execute(driver.database, [bad, other])

    row = job(driver, bad)
    assert (row.state, row.retries_left, row.error) == ("cancelled", 3, None)
    assert driver.incidents() == []


def test_failed_job_is_free_again_for_any_worker(driver: Driver) -> None:
    driver.calls.failures["test.answer"] = [RuntimeError("no")]
    instance = driver.run(in_background())

    driver.work()

    [row] = driver.all(Job, instance)
    assert (row.lease_until, row.lease_owner) == (None, None)


def test_history_names_the_job_and_who_made_its_step(driver: Driver) -> None:
    fired = driver.run(timed(interrupting=False))
    [timer_job] = driver.all(Job, fired)
    due_at = timer_job.due_at.isoformat()
    driver.jump("PT2H")
    driver.deploy(in_background())
    ran = driver.start(business_key="record:2")
    [async_job] = driver.all(Job, ran)
    driver.work()

    made, called = driver.all(History, fired)[1], driver.all(History, ran)[1]
    assert (made.move, made.actor, made.element_id) == ("timer", "timer", "late")
    assert (made.data["job"], made.data["due"]) == (timer_job.id, due_at)
    assert (called.move, called.actor, called.element_id) == ("async", "system", "export")
    assert (called.data["job"], called.data["due"]) == (async_job.id, async_job.due_at.isoformat())


def test_job_whose_program_cannot_be_read_rests_as_its_row_says(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = driver.run(in_background('<desk:job async="true" retries="2" backoff="PT7M"/>'))

    def unreadable(*_: Any) -> None:
        raise StateUnreadable

    with monkeypatch.context() as patch:
        patch.setattr(repository, "program_of", unreadable)
        driver.work()
        [row] = driver.all(Job, instance)
        put(driver, row.id, state="failed")
        with driver.database.transaction() as session:
            jobs.retry(session, row.id, "agent:9")

    assert row.due_at == driver.clock.at + timedelta(minutes=7)
    assert driver.all(Job, instance)[0].retries_left == 3


def test_repeated_job_has_all_its_attempts_again_and_at_least_one(driver: Driver) -> None:
    driver.calls.failures["test.answer"] = [RuntimeError("no"), RuntimeError("still no")]
    instance = driver.run(in_background('<desk:job async="true" retries="1"/>'))
    driver.work()

    [incident] = driver.incidents()
    driver.retry(incident.id)
    assert driver.all(Job, instance)[0].retries_left == 1
    driver.work()

    assert len(driver.incidents()) == 1
