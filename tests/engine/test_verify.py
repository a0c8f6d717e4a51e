"""The checker finds every kind of damage, names the row, and is silent about a healthy database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from engine import anchors, history
from engine.models import History, ProcessInstance
from engine.verify import report, verify
from tests.engine.conftest import Driver
from tests.engine.drawings import boundary, chain, drawing, end, event, flows, service, start, timer, user


@pytest.fixture
def instance(driver: Driver) -> int:
    instance = driver.run(
        drawing(
            start(),
            user("first", "go"),
            user("work", "done"),
            boundary("late", "work", timer("PT1H"), interrupting=False),
            boundary("reply", "work", event("message", "replied")),
            service("tell", "test.note"),
            end(),
            end("e2"),
            chain("start", "first", "work", "end"),
            chain("late", "tell", "e2"),
            flows("reply>first"),
        )
    )
    driver.press(instance, "go")
    return instance


def rules(driver: Driver) -> list[str]:
    with driver.database.reading() as session:
        return [finding.rule for finding in verify(session)]


def test_healthy_database_has_no_findings(driver: Driver, instance: int) -> None:
    assert rules(driver) == []

    driver.advance("PT1H")
    driver.press(instance, "done")

    assert rules(driver) == []


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("UPDATE history SET actor = 'agent:2' WHERE n = 1", "history-hash"),
        ("UPDATE history SET data = '{}' WHERE n = 2", "history-hash"),
        ("DELETE FROM history WHERE n = 1", "history-gap"),
        ("DELETE FROM history WHERE n = 2", "history-head"),
        ("UPDATE process_instance SET version = 7", "history-head"),
        ("DELETE FROM job", "rows"),
        ("DELETE FROM subscription", "rows"),
        ("UPDATE user_task SET state = 'open'", "rows"),
        ("UPDATE user_task SET state = 'completed'", "rows"),
        ("UPDATE process_instance SET state = 'completed'", "leftover"),
        ("UPDATE job SET state = 'failed'", "leftover"),
    ],
)
def test_damage_is_found(driver: Driver, instance: int, damage: str, rule: str) -> None:
    with driver.database.engine.begin() as connection:
        connection.execute(text(damage))

    assert rule in rules(driver)


def test_forgotten_timer_is_found(driver: Driver, instance: int) -> None:
    driver.clock.advance(timedelta(hours=2))

    assert rules(driver) == ["overdue"]


def test_state_of_another_format_is_found(driver: Driver, instance: int) -> None:
    with driver.database.engine.begin() as connection:
        connection.execute(update(ProcessInstance).values(data=b"{}"))

    assert rules(driver) == ["state-unreadable"]


def test_the_history_is_made_again_and_counted(driver: Driver, instance: int) -> None:
    driver.press(instance, "done")

    with driver.database.reading() as session:
        found = report(session, instance_id=instance)

    assert (found.instances, found.rebuilt, found.not_rebuildable, found.findings) == (1, 1, {}, [])


def test_state_set_back_with_its_rows_is_found_by_the_history(driver: Driver, instance: int) -> None:
    other = driver.start()
    driver.press(other, "go", note="elsewhere")
    with driver.database.engine.begin() as connection:
        connection.execute(text("UPDATE user_task SET task_id = 'x' || task_id WHERE instance_id = 2"))
        connection.execute(
            text("UPDATE process_instance SET data = (SELECT data FROM process_instance WHERE id = 2) WHERE id = 1")
        )
        for table in ("user_task", "job", "subscription"):
            connection.execute(text(f"DELETE FROM {table} WHERE instance_id = 1"))  # noqa: S608
            connection.execute(text(f"UPDATE {table} SET instance_id = 1 WHERE instance_id = 2"))  # noqa: S608
        connection.execute(text("UPDATE user_task SET task_id = substr(task_id, 2)"))

    with driver.database.reading() as session:
        [found] = report(session, instance_id=instance).findings

    assert (found.rule, "note" in found.message) == ("rebuild", True)


def test_instance_of_an_older_release_is_told_and_is_no_fault(driver: Driver, instance: int) -> None:
    with driver.database.transaction() as session:
        chain = ""
        for row in session.scalars(select(History).order_by(History.n)):
            row.data = {name: part for name, part in row.data.items() if name != "versions"}
            chain = row.hash = history.signature(
                chain, row.instance_id, row.n, row.move, row.element_id, row.actor, row.at, row.data
            )
        session.get_one(ProcessInstance, instance).last_hash = chain

    with driver.database.reading() as session:
        found = report(session)

    assert (found.findings, list(found.not_rebuildable)) == ([], [instance])


def test_cut_off_tail_is_found_by_the_anchor_alone(driver: Driver, instance: int) -> None:
    driver.clock.advance(timedelta(minutes=50))
    driver.press(instance, "done")
    driver.clock.advance(timedelta(hours=2))
    with driver.database.transaction() as session:
        assert anchors.write(session) is not None
    assert rules(driver) == []

    with driver.database.engine.begin() as connection:
        head = connection.execute(text("SELECT hash FROM history WHERE n = 1")).scalar_one()
        connection.execute(text("DELETE FROM history WHERE n > 1"))
        connection.execute(text(f"UPDATE process_instance SET version = 1, last_hash = '{head}'"))  # noqa: S608
        connection.execute(text("UPDATE process_instance SET state = 'cancelled', data = NULL"))

    with driver.database.reading() as session:
        found = report(session, quick=True).findings
    assert [(each.rule, each.row_id) for each in found] == [("anchor", 1)]
    assert "Expected 3 steps" in found[0].message


def test_anchor_is_written_once_a_day_and_chained(driver: Driver, instance: int) -> None:
    with driver.database.transaction() as session:
        first = anchors.write(session)
        assert anchors.write(session) is None
    driver.clock.advance(timedelta(days=1))
    with driver.database.transaction() as session:
        second = anchors.write(session)

    assert first
    assert second
    assert (first.n, first.rows, second.n, second.rows) == (1, 0, 2, 2)
    with driver.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM history_anchor WHERE n = 1"))
    assert "anchor" in rules(driver)


def test_anchors_that_ceased_are_told(driver: Driver, instance: int) -> None:
    with driver.database.transaction() as session:
        anchors.write(session)
    driver.clock.advance(timedelta(days=4))
    driver.start()

    assert "anchor" in rules(driver)
