"""The clocks of a ticket: start, pause, resume, stop, reopen, remind, breach, other norms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.clock import FixedClock
from engine.db import Database
from services.catalog.models import ClientCategory
from services.sla import context, operations
from services.sla.models import CalendarSnapshot, ClockEvent, ServiceClock
from services.sla.queries import reading
from services.tickets.models import Ticket, TicketEvent
from tests.services.sla.desk import (
    add_client,
    add_holiday,
    add_level,
    add_schedule,
    add_service,
    add_ticket,
    named,
)

HOUR = 3600
ACTOR = "agent:7"


def at(text: str) -> datetime:
    """An instant of the week that begins on Monday, 16 March 2026, written as "tue 12:30"."""
    day, time = text.split()
    number = ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day)
    return datetime.fromisoformat(f"2026-03-{16 + number}T{time}+00:00")


@pytest.fixture
def session(database: Database, clock: FixedClock) -> Iterator[Session]:
    """One transaction; the clock stands at Monday nine o'clock, when work begins."""
    with database.transaction() as session:
        yield session


@pytest.fixture
def ticket(session: Session) -> Ticket:
    """A ticket under a level with half an hour to react and four hours to resolve."""
    add_level(session)
    return add_ticket(session)


def _history(session: Session, ticket: Ticket, kind: str) -> list[TicketEvent]:
    rows = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == kind)
    return list(session.scalars(rows.order_by(TicketEvent.id)))


def _started(session: Session, ticket: Ticket, kind: operations.Kind = "reaction") -> ServiceClock:
    found = operations.start(session, ticket, kind, actor=ACTOR)
    assert found is not None
    return found


def test_picking_writes_the_rule_and_the_norms_on_the_ticket(session: Session, ticket: Ticket) -> None:
    operations.pick_level(session, ticket, actor=ACTOR)

    assert ticket.sla_rule == "Обычный: любой клиент, любой сервис"
    assert ticket.sla_terms is not None
    assert (ticket.sla_terms["reaction_sec"], ticket.sla_terms["resolution_sec"]) == (1800, 4 * HOUR)
    assert [entry.new for entry in _history(session, ticket, "clock")] == ["Обычный"]


def test_without_a_level_nothing_starts_and_the_ticket_says_why(session: Session) -> None:
    ticket = add_ticket(session)

    found = operations.start(session, ticket, "reaction", actor=ACTOR)

    assert found is None
    assert ticket.sla_rule.startswith("SLA не задан")
    assert ticket.due_at is None


def test_a_norm_of_zero_is_not_measured(session: Session) -> None:
    add_level(session, reaction_min=0)
    ticket = add_ticket(session)

    assert operations.start(session, ticket, "reaction", actor=ACTOR) is None
    assert operations.start(session, ticket, "resolution", actor=ACTOR) is not None


def test_a_started_clock_gives_the_ticket_its_due_date(session: Session, ticket: Ticket) -> None:
    found = _started(session, ticket)

    assert found.due_at == ticket.due_at == at("mon 09:30")
    assert [event.kind for event in found.events] == ["start"]
    assert _history(session, ticket, "clock")[-1].new == "запущены"


def test_starting_again_changes_nothing(session: Session, ticket: Ticket, clock: FixedClock) -> None:
    first = _started(session, ticket)
    clock.advance(timedelta(minutes=5))

    second = _started(session, ticket)

    assert first is second
    assert len(first.events) == 1


@pytest.mark.parametrize(
    ("level", "moment", "starts"),
    [
        ("taken", "accepted", False),
        ("taken", "taken", True),
        ("accepted", "accepted", True),
        ("accepted", "taken", False),
        ("taken", None, True),
        ("accepted", None, True),
    ],
)
def test_the_level_says_where_the_resolution_begins(
    session: Session, level: str, moment: str | None, starts: bool
) -> None:
    add_level(session, resolution_starts=level)
    ticket = add_ticket(session)

    found = operations.start(session, ticket, "resolution", actor=ACTOR, at=moment)

    assert (found is not None) is starts


def test_a_resolution_that_began_when_accepted_is_not_started_again_when_taken(
    session: Session, clock: FixedClock
) -> None:
    add_level(session, resolution_starts="accepted")
    ticket = add_ticket(session)
    operations.start(session, ticket, "resolution", actor=ACTOR, at="accepted")
    clock.advance(timedelta(minutes=20))

    operations.start(session, ticket, "resolution", actor=ACTOR, at="taken")

    assert operations.clock_of(ticket, "resolution").due_at == at("mon 13:00")


def test_the_nearest_due_date_is_the_tickets(session: Session, ticket: Ticket) -> None:
    _started(session, ticket, "resolution")
    reaction = _started(session, ticket, "reaction")

    assert ticket.due_at == reaction.due_at
    operations.stop(session, ticket, "reaction", actor=ACTOR)
    assert ticket.due_at == at("mon 13:00")


def test_a_pause_moves_the_due_date_by_its_working_time(session: Session, ticket: Ticket, clock: FixedClock) -> None:
    found = _started(session, ticket, "resolution")
    clock.set(at("mon 10:00"))
    operations.pause(session, ticket, actor=ACTOR, reason="ждём клиента")
    assert (found.state, found.due_at, ticket.due_at) == ("paused", None, None)

    clock.set(at("tue 10:00"))
    operations.resume(session, ticket, actor="timer")

    assert found.due_at == ticket.due_at == at("tue 13:00")
    said = [(entry.actor, entry.new, entry.reason) for entry in _history(session, ticket, "clock")[-2:]]
    assert said == [(ACTOR, "на паузе", "ждём клиента"), ("timer", "идут снова", "")]


def test_pausing_and_resuming_twice_is_the_same_as_once(session: Session, ticket: Ticket, clock: FixedClock) -> None:
    found = _started(session, ticket)
    for _ in range(2):
        operations.pause(session, ticket, actor=ACTOR)
    clock.advance(timedelta(minutes=10))
    for _ in range(2):
        operations.resume(session, ticket, actor=ACTOR)

    assert [event.kind for event in found.events] == ["start", "pause", "resume"]


@pytest.mark.parametrize(("stops", "state"), [(True, "paused"), (False, "running")])
def test_the_level_says_whether_a_pause_stops_the_reaction(session: Session, stops: bool, state: str) -> None:
    add_level(session, pause_stops_reaction=stops)
    ticket = add_ticket(session)
    reaction, resolution = (_started(session, ticket, kind) for kind in ("reaction", "resolution"))

    operations.pause(session, ticket, actor=ACTOR)

    assert (reaction.state, resolution.state) == (state, "paused")


@pytest.mark.parametrize(("minutes", "met"), [(30, True), (31, False)])
def test_stopping_fixes_the_figure_and_the_verdict(
    session: Session, ticket: Ticket, clock: FixedClock, minutes: int, met: bool
) -> None:
    _started(session, ticket)
    clock.advance(timedelta(minutes=minutes))

    found = operations.stop(session, ticket, "reaction", actor=ACTOR)

    assert found is not None
    assert (found.state, found.elapsed_sec, found.met) == ("stopped", minutes * 60, met)
    assert ticket.due_at is None


def test_a_late_stop_leaves_a_breach_in_the_history_even_if_no_timer_fired(
    session: Session, ticket: Ticket, clock: FixedClock
) -> None:
    _started(session, ticket)
    clock.advance(timedelta(hours=2))

    operations.stop(session, ticket, "reaction", actor=ACTOR)

    assert [entry.data["due"] for entry in _history(session, ticket, "breach")] == [at("mon 09:30").isoformat()]


def test_stopping_what_never_started_or_has_stopped_changes_nothing(
    session: Session, ticket: Ticket, clock: FixedClock
) -> None:
    assert operations.stop(session, ticket, "reaction", actor=ACTOR) is None
    _started(session, ticket)
    operations.stop(session, ticket, "reaction", actor=ACTOR)
    clock.advance(timedelta(hours=1))

    again = operations.stop(session, ticket, "reaction", actor=ACTOR)

    assert again is not None
    assert again.elapsed_sec == 0


def test_the_time_between_solution_and_reopening_is_a_pause(
    session: Session, ticket: Ticket, clock: FixedClock
) -> None:
    found = _started(session, ticket, "resolution")
    clock.set(at("mon 10:00"))
    operations.stop(session, ticket, "resolution", actor=ACTOR)
    clock.set(at("wed 09:00"))

    operations.start(session, ticket, "resolution", actor="client:1")

    assert (found.state, found.stopped_at, found.met, found.elapsed_sec) == ("running", None, None, None)
    assert found.due_at == at("wed 12:00")
    assert reading(found, at("wed 10:00")).elapsed_sec == 2 * HOUR


def test_figures_of_a_stopped_clock_outlive_the_schedule(session: Session, clock: FixedClock) -> None:
    schedule = add_schedule(session)
    level = add_level(session, schedule=schedule)
    ticket = add_ticket(session)
    found = _started(session, ticket, "resolution")
    clock.set(at("tue 10:00"))
    operations.stop(session, ticket, "resolution", actor=ACTOR)

    add_holiday(session, schedule, date(2026, 3, 16))
    schedule.week = {}
    level.resolution_min = 1
    session.flush()

    assert reading(found, at("sun 12:00")).elapsed_sec == found.elapsed_sec == 10 * HOUR
    assert found.met is False


def test_running_requests_keep_the_norms_and_hours_they_began_with(session: Session, clock: FixedClock) -> None:
    schedule = add_schedule(session)
    level = add_level(session, schedule=schedule)
    ticket = add_ticket(session)
    _started(session, ticket)
    level.resolution_min, level.pause_stops_reaction = 60, False
    add_holiday(session, schedule, date(2026, 3, 16))

    resolution = _started(session, ticket, "resolution")
    operations.pause(session, ticket, actor=ACTOR)

    assert resolution.target_sec == 4 * HOUR
    assert all(found.state == "paused" for found in ticket.clocks)


def test_equal_schedules_are_frozen_once(session: Session) -> None:
    add_level(session)
    for number in range(3):
        _started(session, add_ticket(session, number))

    assert session.scalar(select(func.count()).select_from(CalendarSnapshot)) == 1


def test_a_reminder_is_noted_once(session: Session, ticket: Ticket, clock: FixedClock) -> None:
    found = _started(session, ticket)
    assert context.remind(found) == at("mon 09:24")
    clock.set(at("mon 09:24"))

    noted = [operations.record_reminder(session, ticket, "reaction", actor="timer") for _ in range(2)]

    assert noted == [True, False]
    assert context.remind(found) is None
    assert [entry.data["remaining_sec"] for entry in _history(session, ticket, "reminder")] == [360]


def test_a_breach_is_noted_once(session: Session, ticket: Ticket, clock: FixedClock) -> None:
    found = _started(session, ticket)
    over = context.due(found)
    assert over == at("mon 09:30") + timedelta(seconds=1)
    clock.set(over)

    noted = [operations.record_breach(session, ticket, "reaction", actor="timer") for _ in range(2)]

    assert noted == [True, False]
    assert context.due(found) is None
    assert context.remind(found) is None
    assert len(_history(session, ticket, "breach")) == 1


def test_a_breach_is_not_noted_while_the_norm_holds(session: Session, ticket: Ticket, clock: FixedClock) -> None:
    _started(session, ticket)
    clock.set(at("mon 09:30"))

    assert operations.record_breach(session, ticket, "reaction", actor="timer") is False
    assert _history(session, ticket, "breach") == []


def test_nothing_is_armed_while_a_clock_is_paused_or_has_stopped(
    session: Session, ticket: Ticket, clock: FixedClock
) -> None:
    found = _started(session, ticket)
    operations.pause(session, ticket, actor=ACTOR)
    assert (context.due(found), context.remind(found)) == (None, None)

    clock.advance(timedelta(minutes=7))
    operations.resume(session, ticket, actor=ACTOR)
    assert context.remind(found) == at("mon 09:31")

    operations.stop(session, ticket, "reaction", actor=ACTOR)
    assert (context.due(found), context.remind(found)) == (None, None)


def test_another_service_brings_other_norms_counted_from_the_start(
    session: Session, ticket: Ticket, clock: FixedClock
) -> None:
    service = add_service(session)
    add_level(session, "Быстрый", service_id=service.id, resolution_min=60)
    found = _started(session, ticket, "resolution")
    clock.set(at("mon 09:40"))

    ticket.service_id = service.id
    operations.reselect(session, ticket, actor=ACTOR, reason="сервис изменён")

    assert found.due_at == ticket.due_at == at("mon 10:00")
    assert [event.kind for event in found.events] == ["start", "retarget"]
    changed = _history(session, ticket, "clock")[-1]
    assert (changed.old, changed.new) == ("Обычный", "Быстрый")
    assert "сервис изменён" in changed.reason


def test_a_stopped_clock_keeps_its_norm_when_the_level_changes(
    session: Session, ticket: Ticket, clock: FixedClock
) -> None:
    service = add_service(session)
    add_level(session, "Быстрый", service_id=service.id, reaction_min=1)
    _started(session, ticket)
    clock.advance(timedelta(minutes=20))
    stopped = operations.stop(session, ticket, "reaction", actor=ACTOR)

    ticket.service_id = service.id
    operations.reselect(session, ticket, actor=ACTOR)

    assert stopped is not None
    assert (stopped.met, stopped.target_sec) == (True, 1800)


def test_a_longer_norm_takes_a_breach_back_so_that_the_next_one_counts_again(
    session: Session, ticket: Ticket, clock: FixedClock
) -> None:
    vip = named(session, ClientCategory, "VIP")
    add_level(session, "Долгий", category_id=vip.id, reaction_min=120)
    found = _started(session, ticket)
    clock.set(at("mon 09:40"))
    operations.record_reminder(session, ticket, "reaction", actor="timer")
    operations.record_breach(session, ticket, "reaction", actor="timer")

    ticket.client_id = add_client(session, category="VIP").id
    operations.reselect(session, ticket, actor=ACTOR)

    assert (found.breached_at, found.reminded_at) == (None, None)
    assert context.due(found) == at("mon 11:00") + timedelta(seconds=1)
    assert len(_history(session, ticket, "breach")) == 1


def test_a_level_that_appears_later_counts_from_the_moment_it_should_have(session: Session, clock: FixedClock) -> None:
    ticket = add_ticket(session)
    operations.start(session, ticket, "reaction", actor=ACTOR)
    ticket.accepted_at = at("mon 09:00")
    clock.set(at("mon 09:20"))
    add_level(session)

    operations.reselect(session, ticket, actor=ACTOR)

    assert [(found.kind, found.due_at) for found in ticket.clocks] == [("reaction", at("mon 09:30"))]


def test_a_level_that_goes_away_leaves_nothing_to_measure(session: Session, clock: FixedClock) -> None:
    level = add_level(session)
    ticket = add_ticket(session)
    found = _started(session, ticket)
    level.archived = True
    session.flush()

    operations.recalculate(session, ticket, actor=ACTOR)

    assert (ticket.due_at, context.due(found), context.state(found)) == (None, None, None)
    stopped = operations.stop(session, ticket, "reaction", actor=ACTOR)
    assert stopped is not None
    assert stopped.met is None


def test_another_service_under_the_same_level_leaves_no_trace(session: Session, ticket: Ticket) -> None:
    found = _started(session, ticket)
    before = session.scalar(select(func.count()).select_from(TicketEvent))

    ticket.service_id = add_service(session).id
    operations.reselect(session, ticket, actor=ACTOR)

    assert [event.kind for event in found.events] == ["start"]
    assert session.scalar(select(func.count()).select_from(TicketEvent)) == before


def test_reselecting_without_a_change_leaves_no_trace(session: Session, ticket: Ticket) -> None:
    found = _started(session, ticket)
    before = session.scalar(select(func.count()).select_from(TicketEvent))

    operations.reselect(session, ticket, actor=ACTOR)

    assert len(found.events) == 1
    assert session.scalar(select(func.count()).select_from(TicketEvent)) == before


def test_an_edited_level_reaches_a_running_request_only_when_somebody_recalculates(
    session: Session, clock: FixedClock
) -> None:
    level = add_level(session)
    ticket = add_ticket(session)
    found = _started(session, ticket)
    level.reaction_min = 60
    session.flush()

    operations.reselect(session, ticket, actor=ACTOR)
    assert found.due_at == at("mon 09:30")

    operations.recalculate(session, ticket, actor=ACTOR, reason="новый договор")
    assert found.due_at == at("mon 10:00")
    assert "новый договор" in _history(session, ticket, "clock")[-1].reason


def test_clocks_read_the_same_in_the_next_transaction(database: Database, clock: FixedClock) -> None:
    with database.transaction() as session:
        add_level(session)
        ticket_id = add_ticket(session).id
        _started(session, session.get_one(Ticket, ticket_id))
    clock.advance(timedelta(minutes=10))

    with database.transaction() as session:
        operations.pause(session, session.get_one(Ticket, ticket_id), actor=ACTOR)
    clock.advance(timedelta(minutes=10))

    with database.reading() as session:
        found = session.get_one(Ticket, ticket_id).clocks[0]
        assert reading(found, clock()).remaining_sec == 1200
        assert session.scalar(select(func.count()).select_from(ClockEvent)) == 2
