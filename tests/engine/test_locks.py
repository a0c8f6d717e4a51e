"""Who holds an instance: read afresh once, kept to the end of the transaction, given back with the savepoint."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from engine import stepper
from engine.errors import NotFound
from engine.models import ProcessInstance
from tests.engine.conftest import Driver
from tests.engine.drawings import chain, drawing, end, start, user

WORK = drawing(start(), user("work", "done"), end(), chain("start", "work", "end"))


def write(session: Session, instance_id: int, business_key: str) -> None:
    """Change the row behind the back of whoever holds it as an object."""
    changed = update(ProcessInstance).where(ProcessInstance.id == instance_id).values(business_key=business_key)
    session.execute(changed, execution_options={"synchronize_session": False})


def ids(found: Sequence[ProcessInstance]) -> list[int]:
    return [each.id for each in found]


def test_lock_reads_what_others_wrote_since(driver: Driver) -> None:
    instance_id = driver.run(WORK)

    with driver.database.transaction() as session:
        seen_before = session.get_one(ProcessInstance, instance_id)
        write(session, instance_id, "record:9")
        locked = stepper.lock(session, instance_id)

    assert locked is seen_before
    assert locked.business_key == "record:9"


def test_instance_that_is_locked_already_is_not_read_again_and_loses_nothing(driver: Driver) -> None:
    instance_id = driver.run(WORK)

    with driver.database.transaction() as session, session.no_autoflush:
        stepper.lock(session, instance_id).business_key = "record:2"
        with session.begin_nested(), session.no_autoflush:
            write(session, instance_id, "record:9")
            again = stepper.lock(session, instance_id)

            assert again.business_key == "record:2"


def test_lock_of_a_savepoint_that_was_undone_is_gone(driver: Driver) -> None:
    instance_id = driver.run(WORK)

    with driver.database.transaction() as session:
        savepoint = session.begin_nested()
        stepper.lock(session, instance_id)
        savepoint.rollback()
        write(session, instance_id, "record:9")

        assert stepper.lock(session, instance_id).business_key == "record:9"


@pytest.mark.parametrize("skip_locked", [False, True])
def test_instance_that_does_not_exist_cannot_be_locked(driver: Driver, skip_locked: bool) -> None:
    with driver.database.transaction() as session, pytest.raises(NotFound, match="the instance 77 "):
        stepper.lock(session, 77, skip_locked=skip_locked)


def test_all_instances_of_a_record_are_locked_oldest_first(driver: Driver) -> None:
    driver.deploy(WORK)
    first, _, third = (driver.start(business_key=key) for key in ("record:1", "record:2", "record:1"))

    with driver.database.transaction() as session:
        seen_before = session.get_one(ProcessInstance, third)
        write(session, third, "record:1")
        found = stepper.lock_all(session, "record:1")

        assert ids(found) == [first, third]
        assert found[1] is seen_before


def test_free_instances_are_locked_in_the_order_of_their_ids(driver: Driver) -> None:
    driver.deploy(WORK)
    first, second, third = (driver.start(business_key=f"record:{n}") for n in range(3))

    with driver.database.transaction() as session:
        found = stepper.lock_free(session, {third, first})
        write(session, third, "record:9")

        assert ids(found) == [first, third]
        assert stepper.lock(session, third).business_key == "record:2"
        assert ids(stepper.lock_free(session, {second, 77})) == [second]
