"""Due, elapsed, remaining and state of one clock, at the edges of the definition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from services.sla.clocks import Course, counted, course, exceeded, read, used_up
from tests.services.sla.builders import ALWAYS, calendar, local

HOUR = 3600
MONDAY = local("2026-03-16 09:00")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Event:
    kind: str
    at: datetime


def test_a_clock_started_outside_working_time_sleeps_until_the_opening() -> None:
    reading = read(calendar(), Course(local("2026-03-14 12:00")), HOUR // 2, local("2026-03-14 15:00"))

    assert reading.state == "sleeping"
    assert reading.elapsed_sec == 0
    assert reading.due == local("2026-03-16 09:30")
    assert reading.next_change == MONDAY


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ("2026-03-13 18:00", "met"),
        ("2026-03-14 03:00", "met"),
        ("2026-03-16 09:00", "met"),
        ("2026-03-16 09:00:01", "breached"),
    ],
)
def test_a_norm_used_up_at_closing_time_is_kept_until_the_next_opening(event: str, state: str) -> None:
    life = Course(local("2026-03-13 17:00"), stop=local(event))

    reading = read(calendar(), life, HOUR, local("2026-03-20 12:00"))

    assert reading.due == local("2026-03-13 18:00")
    assert reading.state == state


def test_a_running_clock_is_breached_one_second_after_its_due_instant() -> None:
    life = Course(MONDAY)
    due = MONDAY + timedelta(hours=1)

    at_due, after = (read(calendar(), life, HOUR, at) for at in (due, due + timedelta(seconds=1)))

    assert (at_due.state, at_due.remaining_sec) == ("running", 0)
    assert (after.state, after.remaining_sec) == ("breached", -1)


def test_the_first_second_over_the_norm_lies_after_the_opening_when_due_is_a_closing_time() -> None:
    life = Course(local("2026-03-13 17:00"))

    assert used_up(calendar(), life, HOUR) == local("2026-03-13 18:00")
    assert exceeded(calendar(), life, HOUR) == local("2026-03-16 09:00:01")


def test_a_fraction_of_a_second_does_not_breach() -> None:
    life = Course(MONDAY + timedelta(microseconds=1), stop=MONDAY + timedelta(hours=1, microseconds=999_999))

    assert read(calendar(), life, HOUR, MONDAY + timedelta(days=1)).state == "met"


def test_the_due_date_moves_by_the_working_part_of_the_pause() -> None:
    pause = local("2026-03-16 17:00"), local("2026-03-17 11:00")

    reading = read(calendar(), Course(MONDAY, (pause,)), 12 * HOUR, local("2026-03-17 12:00"))

    assert reading.elapsed_sec == 9 * HOUR
    assert reading.due == local("2026-03-17 15:00")


def test_overlapping_pauses_over_night_and_holiday_count_once() -> None:
    holiday = calendar(exceptions={"2026-03-17": []})
    pauses = (
        (local("2026-03-16 16:00"), local("2026-03-18 10:00")),
        (local("2026-03-16 12:00"), local("2026-03-17 12:00")),
        (local("2026-03-18 10:00"), local("2026-03-18 11:00")),
    )

    reading = read(holiday, Course(MONDAY, pauses), 5 * HOUR, local("2026-03-18 12:00"))

    assert reading.elapsed_sec == 4 * HOUR
    assert reading.due == local("2026-03-18 13:00")


def test_a_pause_over_the_doubled_hour_spares_two_hours() -> None:
    berlin = calendar(ALWAYS, tz="Europe/Berlin", days=WEEK)
    pause = local("2026-10-25 02:00", "Europe/Berlin"), local("2026-10-25 03:00", "Europe/Berlin")

    reading = read(
        berlin,
        Course(local("2026-10-25 00:00", "Europe/Berlin"), (pause,)),
        4 * HOUR,
        local("2026-10-25 05:00", "Europe/Berlin"),
    )

    assert reading.elapsed_sec == 4 * HOUR
    assert reading.due == local("2026-10-25 05:00", "Europe/Berlin")


def test_a_clock_resumed_at_night_starts_at_the_opening() -> None:
    life = Course(MONDAY, ((local("2026-03-16 12:00"), local("2026-03-16 22:00")),))

    reading = read(calendar(), life, 4 * HOUR, local("2026-03-16 23:00"))

    assert reading.state == "sleeping"
    assert reading.due == local("2026-03-17 10:00")
    assert reading.next_change == local("2026-03-17 09:00")


def test_an_open_pause_leaves_the_due_date_unknown() -> None:
    reading = read(
        calendar(), Course(MONDAY, ((local("2026-03-16 10:00"), None),)), 2 * HOUR, local("2026-03-17 12:00")
    )

    assert reading.due is None
    assert reading.elapsed_sec == HOUR
    assert reading.state == "paused"


def test_an_open_pause_that_began_when_the_norm_was_used_up_leaves_the_due_date_known() -> None:
    reading = read(calendar(), Course(MONDAY, ((local("2026-03-16 10:00"), None),)), HOUR, local("2026-03-17 12:00"))

    assert reading.due == local("2026-03-16 10:00")
    assert reading.state == "paused"


def test_a_breach_is_shown_even_inside_a_pause() -> None:
    reading = read(calendar(), Course(MONDAY, ((local("2026-03-16 11:00"), None),)), HOUR, local("2026-03-17 12:00"))

    assert (reading.state, reading.remaining_sec) == ("breached", -HOUR)


def test_a_norm_of_nothing_is_due_at_the_start() -> None:
    reading = read(calendar(), Course(MONDAY, ((MONDAY - timedelta(days=1), None),)), 0, MONDAY)

    assert reading.due == MONDAY


def test_a_stop_in_the_future_has_not_happened() -> None:
    reading = read(calendar(), Course(MONDAY, stop=local("2026-03-16 12:00")), 4 * HOUR, local("2026-03-16 10:00"))

    assert (reading.state, reading.elapsed_sec) == ("running", HOUR)


def test_a_stop_at_this_very_second_has_happened() -> None:
    reading = read(calendar(), Course(MONDAY, stop=MONDAY), HOUR, MONDAY)

    assert reading.state == "met"


@pytest.mark.parametrize(
    ("target", "pauses", "change"),
    [
        (2 * HOUR, (), "2026-03-16 11:00:01"),
        (20 * HOUR, (), "2026-03-16 18:00"),
        (20 * HOUR, ((local("2026-03-16 15:00"), local("2026-03-16 16:00")),), "2026-03-16 15:00"),
    ],
    ids=["breach", "closing", "planned pause"],
)
def test_a_running_clock_tells_when_it_changes(
    target: int, pauses: tuple[tuple[datetime, datetime]], change: str
) -> None:
    reading = read(calendar(), Course(MONDAY, pauses), target, local("2026-03-16 10:00"))

    assert reading.next_change == local(change)


def test_the_events_of_a_clock_tell_its_life() -> None:
    at = [MONDAY + timedelta(hours=hour) for hour in range(9)]
    kinds = ("start", "pause", "pause", "resume", "stop", "retarget", "start", "pause", "stop")

    life = course([Event(kind, moment) for kind, moment in zip(kinds, at, strict=True)])

    assert life == Course(at[0], ((at[1], at[3]), (at[4], at[6]), (at[7], at[8])), at[8])


def test_a_clock_that_was_stopped_while_paused_counts_up_to_the_pause() -> None:
    life = course(
        [
            Event("start", MONDAY),
            Event("pause", MONDAY + timedelta(hours=1)),
            Event("stop", MONDAY + timedelta(hours=2)),
        ]
    )

    reading = read(calendar(), life, 4 * HOUR, MONDAY + timedelta(hours=5))

    assert (reading.state, reading.elapsed_sec) == ("met", HOUR)


def test_the_counted_intervals_add_up_to_the_elapsed_time() -> None:
    life = Course(MONDAY, ((local("2026-03-16 12:00"), local("2026-03-17 10:00")),))
    now = local("2026-03-17 12:00")

    found = counted(calendar(), life, now)

    assert found == [
        (MONDAY, local("2026-03-16 12:00")),
        (local("2026-03-17 10:00"), now),
    ]
    assert sum((b - a).total_seconds() for a, b in found) == read(calendar(), life, 99 * HOUR, now).elapsed_sec
