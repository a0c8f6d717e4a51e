"""`schedule.next("18:00")`: the next working day's hour of a schedule, by its own clocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from engine.clock import FixedClock
from engine.config import Settings
from engine.db import Base
from engine.errors import ExpressionError
from engine.expressions import compile
from engine.listeners import listeners
from engine.models import ProcessDefinition
from services.bootstrap import Desk, open_desk
from services.sla.models import Schedule, ScheduleException

WEEK = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture
def desk(settings: Settings, clock: FixedClock) -> Iterator[Desk]:
    opened = open_desk(settings)
    Base.metadata.create_all(opened.database.engine)
    with opened.database.transaction() as session:
        holiday = ScheduleException(day=date(2026, 3, 18), intervals=[], name="Праздник")
        session.add(Schedule(name="Будни", zone="Europe/Moscow", week=WEEK, yearly=["03-19"], exceptions=[holiday]))
        everyday = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
        session.add(Schedule(name="Круглосуточно", zone="Asia/Tokyo", week=everyday, yearly=[]))
    yield opened
    opened.database.dispose()


def asked(desk: Desk, text: str) -> object:
    provide = listeners().start_context
    assert provide is not None
    with desk.database.reading() as session:
        return compile(text).evaluate(provide(session, ProcessDefinition(key="p")))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 3, 16, 9, tzinfo=UTC), datetime(2026, 3, 16, 15, tzinfo=UTC)),
        (datetime(2026, 3, 16, 15, tzinfo=UTC), datetime(2026, 3, 17, 15, tzinfo=UTC)),
        (datetime(2026, 3, 17, 15, 1, tzinfo=UTC), datetime(2026, 3, 20, 15, tzinfo=UTC)),
        (datetime(2026, 3, 20, 16, tzinfo=UTC), datetime(2026, 3, 23, 15, tzinfo=UTC)),
        (datetime(2026, 3, 15, 22, tzinfo=UTC), datetime(2026, 3, 16, 15, tzinfo=UTC)),
    ],
    ids=["today", "strictly after now", "over holidays", "over the weekend", "tomorrow there is today"],
)
def test_next_working_day_at_that_hour(desk: Desk, clock: FixedClock, now: datetime, expected: datetime) -> None:
    clock.set(now)

    assert asked(desk, 'schedule.next("18:00")') == expected


def test_schedule_is_chosen_by_name(desk: Desk, clock: FixedClock) -> None:
    clock.set(datetime(2026, 3, 21, 12, tzinfo=UTC))

    assert asked(desk, 'schedule.next("08:30", "Круглосуточно")') == datetime(2026, 3, 21, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ['schedule.next("25:00")', "schedule.next(18)", 'schedule.next("18:00", "Луна")'])
def test_what_cannot_be_answered_is_said(desk: Desk, text: str) -> None:
    with pytest.raises(ExpressionError):
        asked(desk, text)


def test_schedule_without_working_days_has_no_next_one(desk: Desk) -> None:
    with desk.database.transaction() as session:
        session.add(Schedule(name="Никогда", zone="Europe/Moscow", week={}, yearly=[]))

    assert asked(desk, 'schedule.next("18:00", "Никогда")') is None
