"""Migration: running instances go on by another version from where they stand, with everything they wait for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from engine import migration, repository, verify
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
            return migration.begin(session, *ends, mapping, rebind=rebind, by="agent:1", comment="why").id

    def work(self, migration_id: int) -> None:
        migration.execute(self.driver.database, [migration_id])

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
