"""The checker finds every kind of damage, names the row, and is silent about a healthy database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from engine.models import ProcessInstance
from engine.verify import verify
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
