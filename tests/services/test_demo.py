"""The demonstration: complete, true to time, and made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from engine import listeners, repository
from engine.clock import FixedClock
from engine.config import Settings
from engine.models import Incident, Job
from services import demo
from services.bootstrap import Desk, open_desk
from services.people.models import Agent
from services.reference import ensure_reference
from services.sla.models import ScheduleException
from services.tickets.models import Ticket, TicketEvent
from webui import builtin


@pytest.fixture
def filled(settings: Settings, clock: FixedClock) -> Iterator[Desk]:
    desk = open_desk(settings)
    with desk.database.transaction() as session:
        ensure_reference(session, settings)
        repository.deploy(session, builtin.files(), author="tests", activate=True)
    assert demo.fill(desk.database, settings)
    yield desk
    listeners.reset()
    desk.database.dispose()


def test_the_demonstration_shows_every_state_and_no_failure(filled: Desk, clock: FixedClock) -> None:
    with filled.database.reading() as session:
        found = set(session.scalars(select(Ticket.status)))
        assert found >= {"classification", "accepted", "in_progress", "waiting", "closed"}
        assert session.scalar(select(func.count()).select_from(Incident)) == 0
        overdue = select(Job).where(Job.state == "waiting", Job.due_at <= clock.at)
        assert session.scalars(overdue).all() == []
        numbers = session.scalars(select(Ticket.number).order_by(Ticket.created_at)).all()
        assert list(numbers) == list(range(1, len(numbers) + 1))


def test_its_history_lies_in_the_past_at_the_hours_of_the_story(filled: Desk, clock: FixedClock) -> None:
    with filled.database.reading() as session:
        moments = session.scalars(select(TicketEvent.at)).all()
        breaches = session.scalars(select(TicketEvent.at).where(TicketEvent.kind == "breach")).all()
    assert max(moments) < clock.at
    assert len({moment.date() for moment in moments}) > 5
    assert breaches
    assert max(breaches) < clock.at


def test_a_desk_with_people_is_left_alone(filled: Desk) -> None:
    assert not demo.fill(filled.database, filled.settings)
    with filled.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Agent)) == 6


def test_the_calendar_knows_holidays_moved_days_and_eves(filled: Desk) -> None:
    with filled.database.reading() as session:
        days = {str(row.day): row.intervals for row in session.scalars(select(ScheduleException))}
    assert days["2026-05-01"] == []
    assert days["2027-02-20"] == [["09:00", "18:00"]]
    assert days["2026-04-30"] == [["09:00", "17:00"]]
