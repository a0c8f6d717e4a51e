"""Due work: leases, one effect each, failures recorded, retries, incidents, the fate of the neighbours."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import due, jobs
from engine.errors import NotFound
from engine.listeners import listeners
from engine.models import Incident, Job
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
