"""What the registry and the card show of the clocks, and in which words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from engine.clock import FixedClock
from engine.db import Database
from engine.expressions import compile
from services.sla import context, operations
from services.sla.queries import SlaCell, Stretch, cell, cells, provenance
from services.sla.words import words
from services.tickets.models import Ticket
from tests.services.sla.desk import add_holiday, add_level, add_schedule, add_ticket

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2026, 3, 16, 9, tzinfo=UTC)
HOUR = 3600


@pytest.fixture
def session(database: Database, clock: FixedClock) -> Iterator[Session]:
    """One transaction; the clock stands at Monday nine o'clock, when work begins."""
    with database.transaction() as session:
        yield session


@pytest.fixture
def ticket(session: Session) -> Ticket:
    """A ticket whose resolution clock of four hours has just started."""
    add_level(session)
    ticket = add_ticket(session)
    operations.start(session, ticket, "resolution", actor=None)
    return ticket


def _said(session: Session, ticket: Ticket, clock: FixedClock, language: str = "ru") -> str:
    return words(cell(session, ticket, clock()), language, ZoneInfo("UTC"), clock())


@pytest.mark.parametrize(
    ("after", "state", "russian", "english"),
    [
        (timedelta(hours=2, minutes=40), "left", "осталось 1 ч 20 м", "1 h 20 m left"),
        (timedelta(hours=2), "left", "осталось 2 ч", "2 h left"),
        (timedelta(hours=3), "left", "осталось 1 ч", "1 h left"),
        (timedelta(hours=3, seconds=1), "soon", "ещё 59 м", "only 59 m left"),
        (timedelta(hours=3, minutes=48), "soon", "ещё 12 м", "only 12 m left"),
        (timedelta(hours=3, minutes=59, seconds=30), "soon", "ещё < 1 м", "only < 1 m left"),
        (timedelta(hours=4), "soon", "ещё < 1 м", "only < 1 m left"),
        (timedelta(hours=4, minutes=35), "over", "просрочено 35 м", "35 m overdue"),
    ],
)
def test_a_running_clock_says_what_is_left(
    session: Session, ticket: Ticket, clock: FixedClock, after: timedelta, state: str, russian: str, english: str
) -> None:
    clock.advance(after)

    assert cell(session, ticket, clock()).state == state
    assert _said(session, ticket, clock) == russian
    assert _said(session, ticket, clock, "en") == english


def test_half_an_hour_before_the_end_it_is_soon_even_for_a_short_norm(session: Session, clock: FixedClock) -> None:
    add_level(session, reaction_min=60)
    ticket = add_ticket(session)
    operations.start(session, ticket, "reaction", actor=None)

    states = []
    for minutes in (30, 31):
        clock.set(MONDAY + timedelta(minutes=minutes))
        states.append(cell(session, ticket, clock()).state)

    assert states == ["left", "soon"]


def test_a_paused_clock_says_until_when(session: Session, ticket: Ticket, clock: FixedClock) -> None:
    operations.pause(session, ticket, actor=None)
    assert _said(session, ticket, clock) == "пауза"

    ticket.wait_until = MONDAY + timedelta(hours=5)
    assert _said(session, ticket, clock) == "пауза до 14:00"

    ticket.wait_until = MONDAY + timedelta(days=2)
    assert _said(session, ticket, clock) == "пауза до ср 09:00"

    ticket.wait_until = MONDAY + timedelta(days=30)
    assert _said(session, ticket, clock) == "пауза до 15.04 09:00"
    assert _said(session, ticket, clock, "en") == "paused until 15.04 09:00"


def test_a_clock_outside_working_time_sleeps_until_the_opening(
    session: Session, ticket: Ticket, clock: FixedClock
) -> None:
    operations.pause(session, ticket, actor=None)
    clock.set(MONDAY + timedelta(hours=10))
    operations.resume(session, ticket, actor=None)

    assert _said(session, ticket, clock) == "спит до 09:00"
    assert words(cell(session, ticket, clock()), "ru", MOSCOW, clock()) == "спит до 12:00"


@pytest.mark.parametrize(
    ("hours", "state", "said"), [(3.5, "done", "в срок"), (4.3, "late", "позже на 18 м")], ids=["in time", "late"]
)
def test_a_stopped_clock_keeps_its_verdict(
    session: Session, ticket: Ticket, clock: FixedClock, hours: float, state: str, said: str
) -> None:
    clock.advance(timedelta(hours=hours))
    operations.stop(session, ticket, "resolution", actor=None)
    clock.advance(timedelta(days=100))

    assert cell(session, ticket, clock()).state == state
    assert _said(session, ticket, clock) == said


def test_a_ticket_without_a_level_differs_from_one_whose_clock_has_not_started(
    session: Session, clock: FixedClock
) -> None:
    unpicked, none = add_ticket(session, 1), add_ticket(session, 2)
    operations.pick_level(session, none, actor=None)
    add_level(session)
    picked = add_ticket(session, 3)
    operations.pick_level(session, picked, actor=None)

    assert [_said(session, ticket, clock) for ticket in (unpicked, none, picked)] == ["не идёт", "не задан", "не идёт"]


def test_the_clock_that_ends_first_is_shown_and_a_stopped_one_only_when_none_runs(
    session: Session, ticket: Ticket, clock: FixedClock
) -> None:
    operations.start(session, ticket, "reaction", actor=None)
    assert cell(session, ticket, clock()).kind == "reaction"

    operations.stop(session, ticket, "reaction", actor=None)
    assert cell(session, ticket, clock()).kind == "resolution"

    operations.stop(session, ticket, "resolution", actor=None)
    assert cell(session, ticket, clock()).kind == "resolution"


def test_the_share_left_shrinks_from_one_to_nothing(session: Session, ticket: Ticket, clock: FixedClock) -> None:
    shares = []
    for hours in (0, 1, 4, 9):
        clock.set(MONDAY + timedelta(hours=hours))
        shares.append(cell(session, ticket, clock()).share_left)

    assert shares == [1.0, 0.75, 0.0, 0.0]
    assert SlaCell("none").share_left == 0.0


def test_a_page_of_cells_costs_one_query(session: Session, database: Database, clock: FixedClock) -> None:
    add_level(session)
    tickets = [add_ticket(session, number) for number in range(40)]
    for each in tickets[:30]:
        operations.start(session, each, "reaction", actor=None)
        operations.start(session, each, "resolution", actor=None)
    session.flush()
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *heard: asked.append(heard[2]))

    found = cells(session, [each.id for each in tickets], clock())

    assert len(asked) == 1
    assert [found[each.id].state for each in tickets] == ["left"] * 30 + ["idle"] * 10


def test_cells_of_a_schedule_that_this_process_has_not_met_are_shown_too(
    session: Session, ticket: Ticket, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sla.schedules._calendars", {})

    assert cell(session, ticket, clock()).state == "left"


def test_tickets_that_do_not_exist_have_no_cell(session: Session, clock: FixedClock) -> None:
    assert cells(session, [404], clock()) == {}
    assert cells(session, [], clock()) == {}


def test_the_due_date_is_explained_by_what_was_counted_and_what_was_not(session: Session, clock: FixedClock) -> None:
    schedule = add_schedule(session)
    add_holiday(session, schedule, date(2026, 3, 17))
    add_level(session, schedule=schedule, resolution_min=600)
    ticket = add_ticket(session)
    operations.start(session, ticket, "resolution", actor=None)
    clock.set(MONDAY + timedelta(hours=3))
    operations.pause(session, ticket, actor=None)
    clock.set(MONDAY + timedelta(hours=5))
    operations.resume(session, ticket, actor=None)

    found = provenance(ticket.clocks[0], clock())

    def hour(day: int, of_day: int) -> datetime:
        return datetime(2026, 3, day, of_day, tzinfo=UTC)

    assert found == [
        Stretch("counted", hour(16, 9), hour(16, 12), 3 * HOUR),
        Stretch("pause", hour(16, 12), hour(16, 14), 2 * HOUR),
        Stretch("counted", hour(16, 14), hour(16, 18), 4 * HOUR),
        Stretch("holiday", hour(17, 0), hour(18, 0), 0),
        Stretch("counted", hour(18, 9), hour(18, 12), 3 * HOUR),
    ]
    assert found[-1].end == ticket.due_at


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('sla.due("resolution")', MONDAY + timedelta(hours=4, seconds=1)),
        ('sla.remind("resolution")', MONDAY + timedelta(hours=3, minutes=12)),
        ('sla.state("resolution")', "running"),
        ('sla.due("reaction")', None),
        ('sla.remind("reaction")', None),
        ('sla.state("reaction")', None),
        ("sla.level", "Обычный"),
    ],
)
def test_expressions_ask_the_clocks(session: Session, ticket: Ticket, expression: str, value: object) -> None:
    names = {"sla": context.namespace(session, lambda: ticket)}

    assert compile(expression).evaluate(names) == value


@pytest.mark.parametrize("expression", ['sla.due("reaction")', 'sla.state("resolution")', "sla.level"])
def test_before_the_ticket_exists_every_answer_is_empty(session: Session, expression: str) -> None:
    names = {"sla": context.namespace(session, lambda: None)}

    assert compile(expression).evaluate(names) is None
