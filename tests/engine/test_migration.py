"""Migration: running instances go on by another version from where they stand, with everything they wait for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from sqlalchemy import select

from engine import due, migrating, migration, repair, route, verify
from engine.errors import Refused
from engine.migration import Attempt, Verdict
from engine.models import History, Job, Migration, MigrationItem, ProcessDefinition, ProcessInstance, UserTask
from tests.engine.conftest import Driver
from tests.engine.drawings import (
    boundary,
    button,
    call,
    catch,
    chain,
    drawing,
    end,
    event,
    flows,
    gateway,
    node,
    script,
    start,
    subprocess,
    timer,
    user,
)


class Mover:
    """What a test does about migrations, by the numbers of the versions of the process `p`."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    def version(self, session: Any, number: int, key: str = "p") -> ProcessDefinition:
        query = select(ProcessDefinition).where(ProcessDefinition.key == key, ProcessDefinition.version == number)
        return session.scalars(query).one()

    def preview(self, source: int = 1, target: int = 2, key: str = "p", **mapping: str) -> list[Verdict]:
        with self.driver.database.reading() as session:
            ends = self.version(session, source, key), self.version(session, target, key)
            return migration.preview(session, *ends, mapping)

    def dry_run(self, source: int = 1, target: int = 2, **mapping: str) -> list[Attempt]:
        with self.driver.database.transaction() as session:
            ends = self.version(session, source), self.version(session, target)
            return migration.dry_run(session, *ends, mapping, by="agent:1")

    def begin(self, source: int = 1, target: int = 2, key: str = "p", *, rebind: bool = False, **mapping: str) -> int:
        with self.driver.database.transaction() as session:
            ends = self.version(session, source, key), self.version(session, target, key)
            return migration.begin(session, *ends, mapping, rebind=rebind, by="agent:1", comment="a better way").id

    def work(self, migration_id: int) -> None:
        migrating.execute(self.driver.database, [migration_id])

    def run(self, source: int = 1, target: int = 2, key: str = "p", *, rebind: bool = False, **mapping: str) -> int:
        number = self.begin(source, target, key, rebind=rebind, **mapping)
        self.work(number)
        return number

    def undo(self, migration_id: int) -> None:
        with self.driver.database.transaction() as session:
            migration.undo(session, migration.one(session, migration_id), by="agent:2")
        self.work(migration_id)

    def states(self, migration_id: int) -> list[str]:
        with self.driver.database.reading() as session:
            return [item.state for item in migration.items(session, migration.one(session, migration_id))]

    def reasons(self, migration_id: int) -> list[str]:
        with self.driver.database.reading() as session:
            return [
                item.reason.get("ru", "") for item in migration.items(session, migration.one(session, migration_id))
            ]

    def row(self, migration_id: int) -> Migration:
        with self.driver.database.reading() as session:
            found = migration.one(session, migration_id)
            session.expunge(found)
            return found

    def version_of(self, instance_id: int) -> int:
        with self.driver.database.reading() as session:
            return session.get_one(ProcessInstance, instance_id).definition.version


@pytest.fixture
def mover(driver: Driver) -> Iterator[Mover]:
    """After each test every instance is as the checker of the engine wants it."""
    yield Mover(driver)
    with driver.database.reading() as session:
        assert verify.verify(session) == []


def plain(*between: str, first: str = "a", **options: Any) -> bytes:
    """start > a > … > end, all of them user tasks."""
    ids = (first, *between)
    return drawing(start(), *(user(each, "go", **options) for each in ids), end(), chain("start", *ids, "end"))


def test_an_instance_goes_on_by_the_new_version(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain("b"))
    driver.deploy(plain("b", "c"))

    number = mover.run()
    for _ in range(3):
        driver.press(instance_id, "go")

    assert mover.states(number) == ["moved"]
    assert driver.entered(instance_id) == ["start", "a", "b", "c", "end"]
    assert driver.state(instance_id) == "completed"


def test_an_open_task_keeps_its_number_its_person_and_its_time(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain())
    driver.deploy(plain("b"))
    (before,) = driver.all(UserTask, instance_id)
    driver.advance("PT1H")

    mover.run()

    (after,) = driver.all(UserTask, instance_id)
    assert (after.id, after.created_at, after.state, after.task_id) == (
        before.id,
        before.created_at,
        "open",
        before.task_id,
    )


def test_the_history_tells_from_where_to_where_and_by_whom(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain())
    driver.deploy(plain("b"))

    number = mover.run()

    last = driver.all(History, instance_id)[-1]
    assert (last.move, last.actor) == ("migrate", "agent:1")
    assert {"migration": number, "from": 1, "to": 2}.items() <= last.data.items()


def test_variables_stay(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain(), colour="red")
    driver.deploy(
        drawing(
            start(),
            user("a", "go"),
            script("s", "tone = colour"),
            user("b", "go"),
            end(),
            chain("start", "a", "s", "b", "end"),
        )
    )

    mover.run()
    driver.press(instance_id, "go")

    assert driver.data(instance_id)["tone"] == "red"


# what an instance waits for


def reminded(text: str = "PT4H", *more: str, interrupting: bool = False) -> bytes:
    """A task with a timer on its border, which leads to an end of its own."""
    return drawing(
        start(),
        user("a", "go"),
        boundary("late", "a", timer(text), interrupting=interrupting),
        *more,
        end(),
        end("gone"),
        chain("start", "a", "end"),
        flows("late>gone"),
    )


def test_a_timer_of_the_same_text_keeps_its_instant(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(reminded())
    driver.deploy(reminded("PT4H", user("other", "go")))
    (before,) = driver.all(Job, instance_id)
    driver.advance("PT1H")

    mover.run()

    (after,) = driver.all(Job, instance_id)
    assert (after.id, after.due_at, after.state) == (before.id, before.due_at, "waiting")
    driver.advance("PT3H")
    assert driver.entered(instance_id)[-2:] == ["late", "gone"]


def test_a_timer_of_another_text_is_armed_from_now(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(reminded())
    driver.deploy(reminded("PT1H"))
    driver.advance("PT3H")

    mover.run()

    cancelled, armed = driver.all(Job, instance_id)
    assert (cancelled.state, armed.state) == ("cancelled", "waiting")
    assert (armed.due_at - driver.clock.at).total_seconds() == 3600
    driver.advance("PT1H")
    assert "late" in driver.entered(instance_id)


def test_a_new_timer_on_the_border_is_armed_and_fires(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain())
    driver.deploy(reminded(interrupting=True))

    mover.run()
    driver.advance("PT4H")

    assert driver.state(instance_id) == "completed"
    assert driver.entered(instance_id)[-2:] == ["late", "gone"]


def test_a_task_with_a_new_timer_can_still_be_done(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain())
    driver.deploy(reminded())

    mover.run()
    driver.press(instance_id, "go")

    assert driver.state(instance_id) == "completed"
    assert driver.open_jobs(instance_id) == []


def test_a_timer_that_is_no_more_is_cancelled(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(reminded())
    driver.deploy(plain())

    mover.run()
    driver.press(instance_id, "go")

    assert [job.state for job in driver.all(Job, instance_id)] == ["cancelled"]
    assert driver.state(instance_id) == "completed"


def test_a_reminder_that_went_off_goes_on_beside_its_task(driver: Driver, mover: Mover) -> None:
    def drawn(*tail: str) -> bytes:
        return drawing(
            start(),
            user("a", "go"),
            boundary("late", "a", timer("PT4H"), interrupting=False),
            user("call", "called"),
            *(user(each, "more") for each in tail),
            end(),
            end("gone"),
            chain("start", "a", "end"),
            chain("late", "call", *tail, "gone"),
        )

    instance_id = driver.run(drawn())
    driver.advance("PT4H")
    driver.deploy(drawn("note"))

    mover.run()
    for action in ("called", "more", "go"):
        driver.press(instance_id, action)

    assert driver.state(instance_id) == "completed"


def test_a_reminder_that_went_off_survives_its_removal(driver: Driver, mover: Mover) -> None:
    first = drawing(
        start(),
        user("a", "go"),
        boundary("late", "a", timer("PT4H"), interrupting=False),
        user("call", "called"),
        end(),
        end("gone"),
        chain("start", "a", "end"),
        chain("late", "call", "gone"),
    )
    second = drawing(
        start(),
        user("a", "go"),
        boundary("soon", "a", timer("PT9H")),
        user("call", "called"),
        gateway("which"),
        end(),
        chain("start", "which", "a", "end"),
        chain("call", "end"),
        flows("soon>end", "which>call: x"),
    ).replace(b'id="which" name="Which"', b'id="which" name="Which" default="which_a"')
    instance_id = driver.run(first, x=False)
    driver.advance("PT4H")
    driver.deploy(second)

    mover.run()
    driver.press(instance_id, "go")
    driver.press(instance_id, "called")

    assert driver.state(instance_id) == "completed"


def test_a_button_on_the_border_appears_and_goes(driver: Driver, mover: Mover) -> None:
    without = plain()
    with_button = drawing(
        start(),
        user("a", "go"),
        boundary("stop", "a", event("signal", "stop"), extension=button("halt")),
        end(),
        chain("start", "a", "end"),
        flows("stop>end"),
    )
    instance_id = driver.run(without)
    driver.deploy(with_button)
    driver.deploy(without.replace(b'name="Process"', b'name="Third"'))

    mover.run(1, 2)
    assert driver.buttons(instance_id) == ["go", "halt"]

    mover.run(2, 3)
    assert driver.buttons(instance_id) == ["go"]


def test_a_message_of_another_name_is_subscribed_to(driver: Driver, mover: Mover) -> None:
    def drawn(name: str) -> bytes:
        return drawing(start(), catch("wait", event("message", name)), end(), chain("start", "wait", "end"))

    instance_id = driver.run(drawn("paid"))
    driver.deploy(drawn("settled"))

    mover.run()

    assert driver.subscriptions(instance_id) == ["settled"]
    assert driver.send("paid") == 0
    assert driver.send("settled") == 1
    assert driver.state(instance_id) == "completed"


def test_a_gateway_of_events_keeps_what_is_the_same(driver: Driver, mover: Mover) -> None:
    def drawn(name: str, *events: str) -> bytes:
        return drawing(
            start(),
            gateway("first", "eventBased"),
            *events,
            catch("word", event("message", name)),
            catch("late", timer("PT4H")),
            end(),
            flows("start>first", "first>word", "first>late", "word>end", "late>end"),
        )

    more = catch("soon", timer("PT5H"))
    instance_id = driver.run(drawn("paid"))
    driver.deploy(drawn("settled", more, flows("first>soon", "soon>end")))
    driver.advance("PT1H")

    mover.run()

    due = {str(job.due_at - driver.clock.at) for job in driver.all(Job, instance_id) if job.state == "waiting"}
    assert due == {"3:00:00", "5:00:00"}
    assert driver.subscriptions(instance_id) == ["settled"]
    driver.advance("PT3H")
    assert driver.entered(instance_id)[-2:] == ["late", "end"]


def test_a_status_of_the_place_is_told_only_when_it_changed(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain(status="new"))
    driver.deploy(plain("b", status="new"))
    driver.deploy(plain("c", status="work"))
    driver.statuses.clear()

    mover.run(1, 2)
    assert driver.statuses == []

    mover.run(2, 3)
    assert driver.statuses == ["work"]
    assert driver.state(instance_id) == "active"


# elements that changed their id, and what cannot move


def test_an_element_with_another_id_needs_a_mapping(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(reminded())
    renamed = reminded().replace(b'"a"', b'"accept"').replace(b'"late"', b'"overdue"')
    driver.deploy(renamed)

    (unmapped,) = mover.preview()
    (mapped,) = mover.preview(a="accept", late="overdue")
    mover.run(a="accept", late="overdue")

    assert (unmapped.outcome, mapped.outcome) == ("mapping", "moves")
    assert unmapped.obstacles[0].candidates == ("accept",)
    assert driver.open_tasks(instance_id) == ["accept"]
    (job,) = driver.all(Job, instance_id)
    assert (job.element_id, job.state) == ("overdue", "waiting")


def test_a_likely_counterpart_has_the_same_name(driver: Driver, mover: Mover) -> None:
    driver.run(plain("b"))
    driver.deploy(drawing(start(), user("x", "go"), user("y", "go", name="A"), end(), chain("start", "x", "y", "end")))

    (verdict,) = mover.preview()

    assert verdict.obstacles[0].candidates[0] == "y"


def test_an_element_of_another_kind_blocks(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain())
    driver.deploy(drawing(start(), script("a", "x = 1"), user("b", "go"), end(), chain("start", "a", "b", "end")))

    (verdict,) = mover.preview()
    number = mover.run()

    assert verdict.outcome == "blocked"
    assert mover.states(number) == ["blocked"]
    assert "другого вида" in mover.reasons(number)[0]
    assert mover.version_of(instance_id) == 1


def test_what_is_mapped_may_be_an_element_of_another_kind_before(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain())
    driver.deploy(drawing(start(), script("a", "x = 1"), user("b", "go"), end(), chain("start", "a", "b", "end")))

    mover.run(a="b")
    driver.press(instance_id, "go")

    assert driver.state(instance_id) == "completed"
    assert "a" not in driver.entered(instance_id)[2:]


def test_a_join_that_would_wait_for_a_branch_that_never_began_blocks(driver: Driver, mover: Mover) -> None:
    driver.run(plain())
    driver.deploy(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a", "go"),
            user("b", "go"),
            gateway("join", "parallel"),
            end(),
            flows("start>fork", "fork>a", "fork>b", "a>join", "b>join", "join>end"),
        )
    )

    (verdict,) = mover.preview()

    assert verdict.outcome == "blocked"
    assert verdict.obstacles[0].element_id == "join"
    assert "«B»" in verdict.obstacles[0].ru


def test_a_branch_that_only_a_next_lap_begins_does_not_count(driver: Driver, mover: Mover) -> None:
    driver.run(plain())
    driver.deploy(
        drawing(
            start(),
            gateway("again"),
            gateway("fork", "parallel"),
            user("a", "go"),
            user("b", "go"),
            gateway("join", "parallel"),
            gateway("done", default="done_end"),
            end(),
            flows("start>again", "again>fork", "fork>a", "fork>b", "a>join", "b>join", "join>done", "done>end"),
            flows("done>again: more"),
        )
    )

    (verdict,) = mover.preview()

    assert (verdict.outcome, verdict.obstacles[0].element_id) == ("blocked", "join")


def test_a_move_that_would_set_something_going_fails(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain())
    holds = (
        "<bpmn:conditionalEventDefinition><bpmn:condition>= 1 == 1</bpmn:condition></bpmn:conditionalEventDefinition>"
    )
    driver.deploy(
        drawing(
            start(), user("a", "go"), boundary("when", "a", holds), end(), chain("start", "a", "end"), flows("when>end")
        )
    )

    number = mover.run()

    assert mover.states(number) == ["failed"]
    assert (mover.version_of(instance_id), driver.state(instance_id)) == (1, "active")


def forked(*tail: str) -> bytes:
    return drawing(
        start(),
        gateway("fork", "parallel"),
        user("a", "go"),
        user("b", "run"),
        gateway("join", "parallel"),
        *(user(each, "more") for each in tail),
        end(),
        flows("start>fork", "fork>a", "fork>b", "a>join", "b>join"),
        chain("join", *tail, "end"),
    )


def test_open_branches_still_meet(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(forked())
    driver.deploy(forked("c"))

    mover.run()
    for action in ("go", "run", "more"):
        driver.press(instance_id, action)

    assert driver.entered(instance_id).count("c") == 1
    assert driver.state(instance_id) == "completed"


def test_a_branch_that_waits_for_the_other_goes_on_waiting(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(forked())
    driver.press(instance_id, "go")
    driver.deploy(forked("c"))

    mover.run()
    driver.press(instance_id, "run")

    assert driver.open_tasks(instance_id) == ["c"]


def test_a_branch_that_waits_where_others_meet_now_blocks(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(forked())
    driver.press(instance_id, "go")
    driver.deploy(
        drawing(
            start(),
            gateway("fork", "parallel"),
            user("a", "go"),
            user("a2", "more"),
            user("b", "run"),
            gateway("join", "parallel"),
            end(),
            flows("start>fork", "fork>a", "fork>b", "a>a2", "a2>join", "b>join", "join>end"),
        )
    )

    (verdict,) = mover.preview()

    assert (verdict.outcome, verdict.obstacles[0].element_id) == ("blocked", "join")
    assert mover.version_of(instance_id) == 1


def test_branches_without_a_place_to_meet_block(driver: Driver, mover: Mover) -> None:
    driver.run(forked())
    driver.deploy(plain("b"))

    (verdict,) = mover.preview()

    assert (verdict.outcome, verdict.obstacles[0].element_id) == ("blocked", "join")


# nesting


def nested(*tail: str, around: str = "sub") -> bytes:
    inner = ("is", "x", *tail, "ie")
    return drawing(
        start(),
        subprocess(around, start("is"), *(user(each, "go") for each in inner[1:-1]), end("ie"), chain(*inner)),
        boundary("late", around, timer("PT4H")),
        end(),
        end("gone"),
        chain("start", around, "end"),
        flows("late>gone"),
    )


def test_an_embedded_sub_process_goes_on(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(nested())
    driver.deploy(nested("y"))

    mover.run()
    driver.press(instance_id, "go")
    driver.press(instance_id, "go")

    assert driver.state(instance_id) == "completed"
    assert driver.open_jobs(instance_id) == []


def test_a_timer_on_a_sub_process_still_ends_it(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(nested())
    driver.deploy(nested("y"))

    mover.run()
    driver.advance("PT4H")

    assert driver.entered(instance_id)[-2:] == ["late", "gone"]
    assert driver.open_tasks(instance_id) == []


def test_a_sub_process_with_another_id_is_mapped_with_its_inside(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(nested())
    driver.deploy(nested(around="stage"))

    mover.run(sub="stage")
    driver.press(instance_id, "go")

    assert driver.state(instance_id) == "completed"


def test_a_node_that_left_its_sub_process_blocks(driver: Driver, mover: Mover) -> None:
    driver.run(nested())
    driver.deploy(
        drawing(
            start(),
            subprocess("sub", start("is"), user("z", "go"), end("ie"), chain("is", "z", "ie")),
            user("x", "go"),
            end(),
            chain("start", "sub", "x", "end"),
        )
    )

    (verdict,) = mover.preview()

    assert (verdict.outcome, verdict.obstacles[0].element_id) == ("blocked", "x")
    assert "в другом подпроцессе" in verdict.obstacles[0].ru


def calling(*tail: str) -> bytes:
    return drawing(
        start(), call("ask", "q"), *(user(each, "go") for each in tail), end(), chain("start", "ask", *tail, "end")
    )


def called(*ids: str) -> bytes:
    return drawing(start(), *(user(each, "go") for each in ids), end(), chain("start", *ids, "end"), key="q")


def test_a_called_process_keeps_its_version(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(calling(), called("x"))
    driver.deploy(calling("b"), called("x", "y"))

    mover.run()
    driver.press(instance_id, "go")

    assert driver.entered(instance_id)[-3:] == ["end", "b"][-3:] or driver.open_tasks(instance_id) == ["b"]
    assert "y" not in driver.entered(instance_id)


def test_calls_may_be_bound_anew(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(calling(), called("x"))
    driver.deploy(calling("b"), called("x", "y"))

    mover.run(rebind=True)
    driver.press(instance_id, "go")

    assert driver.open_tasks(instance_id) == ["y"]


def test_a_called_process_can_be_moved_by_itself(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(calling(), called("x"))
    driver.deploy(called("x", "y"))

    number = mover.run(key="q")
    driver.press(instance_id, "go")

    assert mover.states(number) == ["moved"]
    assert mover.version_of(instance_id) == 1
    assert driver.open_tasks(instance_id) == ["y"]


def repeated(*tail: str, times: int = 2) -> bytes:
    each = (
        '<bpmn:multiInstanceLoopCharacteristics isSequential="false">'
        f"<bpmn:loopCardinality>{times}</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
    )
    ids = ("a", *tail)
    tasks = (user("a", "go", inner=each), *(user(each_id, "go") for each_id in tail))
    return drawing(start(), *tasks, end(), chain("start", *ids, "end"))


def test_a_step_that_is_repeated_as_before_goes_on(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(repeated())
    driver.press(instance_id, "go")
    driver.deploy(repeated("b"))

    mover.run()
    driver.press(instance_id, "go")

    assert driver.open_tasks(instance_id) == ["b"]


def test_a_step_that_is_repeated_in_another_way_blocks(driver: Driver, mover: Mover) -> None:
    driver.run(repeated())
    driver.deploy(repeated(times=3))

    (verdict,) = mover.preview()

    assert verdict.outcome == "blocked"
    assert "повторяется иначе" in verdict.obstacles[0].ru


def test_versions_of_two_processes_are_refused(driver: Driver, mover: Mover) -> None:
    driver.deploy(plain(), called("x"))

    with pytest.raises(Refused, match="two versions of one process"), driver.database.transaction() as session:
        migration.begin(
            session, mover.version(session, 1), mover.version(session, 1, "q"), by="agent:1", comment="why not"
        )


def test_a_draft_may_be_tried_but_not_moved_to(driver: Driver, mover: Mover) -> None:
    driver.run(plain())
    driver.deploy(plain("b"))
    with driver.database.transaction() as session:
        mover.version(session, 2).state = "draft"

    (attempt,) = mover.dry_run()

    assert attempt.outcome == "moved"
    with pytest.raises(Refused, match="draft"):
        mover.begin()


# trial, batches, kill, undo


def test_a_trial_leaves_nothing_behind(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(reminded())
    driver.deploy(reminded("PT1H"))
    before = driver.instance(instance_id)

    (attempt,) = mover.dry_run()

    after = driver.instance(instance_id)
    assert attempt.outcome == "moved"
    assert (after.data, after.version, after.definition_id) == (before.data, before.version, before.definition_id)
    assert [job.state for job in driver.all(Job, instance_id)] == ["waiting"]


def test_a_trial_finds_what_only_happens_on_the_way(driver: Driver, mover: Mover) -> None:
    driver.run(plain())
    driver.deploy(reminded("= missing_name"))

    (attempt,) = mover.dry_run()

    assert attempt.outcome == "failed"
    assert "missing_name" in attempt.en


def test_one_that_fails_stops_no_other(driver: Driver, mover: Mover) -> None:
    driver.deploy(plain())
    good, bad = driver.start(hours="PT1H"), driver.start(business_key="record:2")
    driver.deploy(reminded("= hours"))

    number = mover.run()

    assert mover.states(number) == ["moved", "failed"]
    assert (mover.version_of(good), mover.version_of(bad)) == (2, 1)


def test_undoing_brings_back_the_place_the_timers_and_the_version(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(reminded())
    driver.deploy(reminded("PT1H").replace(b'"a"', b'"accept"'))
    (before,) = driver.all(Job, instance_id)
    driver.advance("PT3H")
    number = mover.run(a="accept")

    mover.undo(number)

    assert (mover.states(number), mover.row(number).state) == (["undone"], "undone")
    assert driver.open_tasks(instance_id) == ["a"]
    waiting = [job for job in driver.all(Job, instance_id) if job.state == "waiting"]
    assert [job.due_at for job in waiting] == [before.due_at]
    last = driver.all(History, instance_id)[-1]
    assert (last.move, last.actor) == ("migrate-undo", "agent:2")
    driver.press(instance_id, "go")
    assert driver.state(instance_id) == "completed"


def test_an_instance_that_went_on_stays_where_it_is(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(plain("b"))
    driver.deploy(plain("b", "c"))
    number = mover.run()
    driver.press(instance_id, "go")

    mover.undo(number)

    assert mover.states(number) == ["kept"]
    assert mover.version_of(instance_id) == 2


def test_after_a_day_there_is_no_way_back(driver: Driver, mover: Mover) -> None:
    driver.run(plain("b"))
    driver.deploy(plain("b", "c"))
    number = mover.run()
    driver.advance("P1D")

    with pytest.raises(Refused, match="cannot be undone"):
        mover.undo(number)

    with driver.database.transaction() as session:
        assert migration.forget_expired(session) == 1
        assert session.scalars(select(MigrationItem.before)).all() == [None]


def test_a_killed_worker_loses_nothing(driver: Driver, mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.deploy(plain("b"))
    for number in range(30):
        driver.start(business_key=f"record:{number}")
    driver.deploy(plain("b", "c"))
    number = mover.begin()
    moved: list[int] = []
    carry_over = route.carry_over

    def killed(session: Any, instance: ProcessInstance, *rest: Any, **more: Any) -> None:
        moved.append(instance.id)
        if len(moved) == 28:
            raise KeyboardInterrupt
        carry_over(session, instance, *rest, **more)

    monkeypatch.setattr(route, "carry_over", killed)
    with pytest.raises(KeyboardInterrupt):
        mover.work(number)
    halfway = mover.states(number)
    monkeypatch.undo()
    mover.work(number)

    assert (halfway.count("moved"), halfway.count("waiting")) == (25, 5)
    assert mover.states(number) == ["moved"] * 30
    assert all(driver.moves(instance_id).count("migrate") == 1 for instance_id in range(1, 31))


def test_a_lease_keeps_workers_apart_and_runs_out(driver: Driver, mover: Mover) -> None:
    driver.run(plain("b"))
    driver.deploy(plain("b", "c"))
    number = mover.begin()

    with driver.database.transaction() as session:
        first, second = (migrating.claim(session, owner, 10) for owner in ("one", "two"))
    driver.clock.advance(migrating.LEASE)
    with driver.database.transaction() as session:
        third = migrating.claim(session, "two", 10)

    assert (first, second, third) == ([number], [], [number])


def test_a_second_migration_of_a_version_waits_for_the_first(driver: Driver, mover: Mover) -> None:
    driver.run(plain("b"))
    driver.deploy(plain("b", "c"))
    mover.begin()

    with pytest.raises(Refused, match="under way"):
        mover.begin()


def test_of_two_migrations_ordered_at_once_one_is_refused(driver: Driver, mover: Mover) -> None:
    driver.deploy(plain("b"))
    driver.start()
    driver.deploy(plain("b", "c"))

    with ThreadPoolExecutor(1) as other:
        with driver.database.transaction() as session:
            ends = mover.version(session, 1), mover.version(session, 2)
            migration.begin(session, *ends, by="agent:1", comment="a better way")
            late = other.submit(mover.begin)
            wait([late], timeout=0.5)
        with pytest.raises(Refused):
            late.result()


def test_a_suspended_instance_moves_and_stays_suspended(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(reminded())
    with driver.database.transaction() as session:
        repair.suspend(session, instance_id, reason="looking into it", by="agent:1")
    driver.deploy(reminded("PT1H"))

    mover.run()
    driver.advance("PT9H")

    assert driver.state(instance_id) == "suspended"
    assert [job.state for job in driver.all(Job, instance_id)] == ["cancelled", "suspended"]
    with driver.database.transaction() as session:
        repair.resume(session, instance_id, reason="all is well", by="agent:1")
    driver.advance("PT1H")
    assert "late" in driver.entered(instance_id)


def watched(*tail: str, text: str = "PT4H") -> bytes:
    """A process with an event sub-process that a timer begins beside the work."""
    ids = ("a", *tail)
    inside = (node("startEvent", "when", timer(text), isInterrupting="false"), user("look", "seen"), end("looked"))
    watch = node("subProcess", "watch", "".join((*inside, chain("when", "look", "looked"))), triggeredByEvent="true")
    return drawing(start(), *(user(each, "go") for each in ids), watch, end(), chain("start", *ids, "end"))


def test_event_sub_processes_go_on_watching(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(watched())
    driver.deploy(watched("b"))
    driver.advance("PT3H")

    mover.run()
    driver.advance("PT1H")
    for action in ("go", "seen", "go"):
        driver.press(instance_id, action)

    assert driver.state(instance_id) == "completed"
    assert {"look", "b"} <= set(driver.entered(instance_id))


def test_an_event_sub_process_that_runs_goes_on(driver: Driver, mover: Mover) -> None:
    instance_id = driver.run(watched())
    driver.advance("PT4H")
    driver.deploy(watched("b"))

    mover.run()
    for action in ("seen", "go", "go"):
        driver.press(instance_id, action)

    assert driver.state(instance_id) == "completed"


def test_event_sub_processes_in_one_version_only_block(driver: Driver, mover: Mover) -> None:
    driver.run(plain())
    driver.deploy(watched())

    (verdict,) = mover.preview()

    assert (verdict.outcome, verdict.obstacles[0].element_id) == ("blocked", "a")
    assert "событийные подпроцессы" in verdict.obstacles[0].ru


def test_the_ticker_finds_a_migration_until_it_has_ended(driver: Driver, mover: Mover) -> None:
    driver.run(plain("b"))
    driver.deploy(plain("b", "c"))
    number, source = mover.begin(), due.sources()["migrations"]

    with driver.database.transaction() as session:
        at_first, ids = source.next_due(session), source.claim(session, "ticker", 10)
    source.execute(driver.database, ids)

    with driver.database.reading() as session:
        assert (at_first, source.next_due(session)) == (driver.clock.at, None)
    assert mover.row(number).state == "done"
