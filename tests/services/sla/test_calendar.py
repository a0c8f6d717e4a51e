"""Working time: weeks, night shifts, holidays, time zones and daylight saving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.sla.calendar import Calendar
from services.sla.errors import CalendarError
from tests.services.sla.builders import ALWAYS, WORKDAYS, calendar, calendar_data, local

HOUR = 3600
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def test_a_request_on_saturday_is_due_on_monday_after_the_opening() -> None:
    due = calendar().add_working(local("2026-03-14 12:00"), 30 * 60)

    assert due == local("2026-03-16 09:30")


def test_a_norm_that_is_used_up_at_closing_time_is_due_at_closing_time() -> None:
    due = calendar().add_working(local("2026-03-13 17:00"), HOUR)

    assert due == local("2026-03-13 18:00")


def test_one_second_more_than_the_day_holds_is_due_after_the_next_opening() -> None:
    due = calendar().add_working(local("2026-03-13 17:00"), HOUR + 1)

    assert due == local("2026-03-16 09:00:01")


def test_lunch_is_not_counted() -> None:
    office = calendar([["09:00", "13:00"], ["14:00", "18:00"]])

    worked = office.working_seconds(local("2026-03-16 12:30"), local("2026-03-16 14:15"))

    assert worked == 45 * 60


def test_overlapping_and_touching_intervals_of_a_day_count_once() -> None:
    office = calendar([["12:00", "15:00"], ["09:00", "12:00"], ["10:00", "14:00"]])

    worked = office.working_seconds(local("2026-03-16 00:00"), local("2026-03-17 00:00"))

    assert worked == 6 * HOUR


def test_the_night_shift_works_on_into_the_next_morning() -> None:
    night = calendar([["22:00", "06:00"]], days=("fri",))

    found = night.intervals(local("2026-03-09 00:00"), local("2026-03-16 00:00"))

    assert found == [(local("2026-03-13 22:00"), local("2026-03-14 06:00"))]


def test_a_holiday_removes_the_whole_night_shift_that_starts_on_it() -> None:
    night = calendar([["22:00", "06:00"]], days=WEEK, exceptions={"2026-03-11": []})

    worked = night.working_seconds(local("2026-03-11 06:00"), local("2026-03-12 22:00"))

    assert worked == 0


def test_a_holiday_leaves_the_night_shift_of_the_day_before_alone() -> None:
    night = calendar([["22:00", "06:00"]], days=WEEK, exceptions={"2026-03-11": []})

    worked = night.working_seconds(local("2026-03-11 00:00"), local("2026-03-11 12:00"))

    assert worked == 6 * HOUR


def test_a_night_shift_that_runs_into_the_day_shift_counts_each_second_once() -> None:
    around = calendar([["06:00", "14:00"], ["22:00", "07:00"]], days=WEEK)

    worked = around.working_seconds(local("2026-03-11 00:00"), local("2026-03-12 00:00"))

    assert worked == 16 * HOUR


def test_an_interval_from_a_time_to_the_same_time_lasts_a_whole_day() -> None:
    duty = calendar([["09:00", "09:00"]], days=("sat",))

    worked = duty.working_seconds(local("2026-03-14 00:00"), local("2026-03-16 00:00"))

    assert worked == 24 * HOUR


@pytest.mark.parametrize(
    ("exceptions", "yearly", "hours"),
    [
        ({"2026-04-30": [["09:00", "17:00"]]}, [], 8),
        ({"2026-04-30": []}, [], 0),
        ({}, ["04-30"], 0),
        ({"2026-04-30": [["10:00", "12:00"]]}, ["04-30"], 2),
    ],
    ids=["short day", "holiday", "yearly holiday", "a dated exception beats the yearly holiday"],
)
def test_an_exception_replaces_the_weekday(
    exceptions: dict[str, list[list[str]]], yearly: list[str], hours: int
) -> None:
    office = calendar(exceptions=exceptions, yearly=yearly)

    worked = office.working_seconds(local("2026-04-30 00:00"), local("2026-05-01 00:00"))

    assert worked == hours * HOUR


def test_a_transferred_sunday_is_a_working_day() -> None:
    office = calendar(exceptions={"2026-03-15": [["09:00", "18:00"]]})

    due = office.add_working(local("2026-03-14 12:00"), 2 * HOUR)

    assert due == local("2026-03-15 11:00")


def test_the_hour_skipped_in_spring_counts_nothing() -> None:
    berlin = calendar(ALWAYS, tz="Europe/Berlin", days=WEEK)

    worked = berlin.working_seconds(
        local("2026-03-29 00:00", "Europe/Berlin"), local("2026-03-30 00:00", "Europe/Berlin")
    )

    assert worked == 23 * HOUR


def test_the_hour_doubled_in_autumn_counts_twice() -> None:
    berlin = calendar([["02:00", "03:00"]], tz="Europe/Berlin", days=("sun",))

    worked = berlin.working_seconds(
        local("2026-10-25 00:00", "Europe/Berlin"), local("2026-10-26 00:00", "Europe/Berlin")
    )

    assert worked == 2 * HOUR


def test_a_part_of_the_doubled_hour_works_both_times_and_rests_between() -> None:
    berlin = calendar([["02:30", "02:45"]], tz="Europe/Berlin", days=("sun",))

    found = berlin.intervals(local("2026-10-25 00:00", "Europe/Berlin"), local("2026-10-26 00:00", "Europe/Berlin"))

    assert [(a.astimezone(UTC).strftime("%H:%M"), b.astimezone(UTC).strftime("%H:%M")) for a, b in found] == [
        ("00:30", "00:45"),
        ("01:30", "01:45"),
    ]


def test_an_interval_inside_the_skipped_hour_never_happens() -> None:
    berlin = calendar([["02:10", "02:50"]], tz="Europe/Berlin", days=("sun",))

    opening = berlin.next_opening(local("2026-03-29 00:00", "Europe/Berlin"))

    assert opening == local("2026-04-05 02:10", "Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "opens_utc"),
    [
        ("Asia/Kolkata", "03:30"),
        ("Asia/Kathmandu", "03:15"),
        ("Australia/Eucla", "00:15"),
        ("America/St_Johns", "11:30"),
    ],
)
def test_zones_of_half_and_quarter_hours_open_on_time(zone: str, opens_utc: str) -> None:
    office = calendar(tz=zone)

    opening = office.next_opening(datetime(2026, 7, 6, tzinfo=UTC))

    assert opening is not None
    assert opening.strftime("%H:%M") == opens_utc


def test_a_half_hour_change_of_the_clock_counts_half_an_hour() -> None:
    island = calendar([["01:00", "03:00"]], tz="Australia/Lord_Howe", days=("sun",))

    worked = island.working_seconds(
        local("2026-04-05 00:00", "Australia/Lord_Howe"), local("2026-04-06 00:00", "Australia/Lord_Howe")
    )

    assert worked == 2 * HOUR + 30 * 60


def test_a_date_that_a_country_skipped_has_no_working_time() -> None:
    samoa = calendar(tz="Pacific/Apia", days=WEEK)

    worked = samoa.working_seconds(local("2011-12-29 18:00", "Pacific/Apia"), local("2011-12-31 09:00", "Pacific/Apia"))

    assert worked == 0


@pytest.mark.parametrize(("year", "due"), [(2028, "2028-02-29 10:00"), (2027, "2027-03-01 10:00")])
def test_the_leap_day_is_a_day(year: int, due: str) -> None:
    office = calendar(days=WEEK)

    found = office.add_working(local(f"{year}-02-28 17:00"), 2 * HOUR)

    assert found == local(due)


def test_the_year_ends_in_the_middle_of_a_night_shift() -> None:
    night = calendar([["20:00", "08:00"]], days=WEEK, yearly=["01-01"])

    due = night.add_working(local("2026-12-31 19:00"), 13 * HOUR)

    assert due == local("2027-01-02 21:00")


def test_an_amount_that_takes_years_is_found() -> None:
    office = calendar([["09:00", "10:00"]], days=("mon",))

    due = office.add_working(local("2026-01-05 09:00"), 261 * HOUR)

    assert due == local("2030-12-30 10:00")


def test_without_working_time_there_is_no_due_date() -> None:
    never = calendar([])

    assert never.add_working(local("2026-03-16 09:00"), 1) is None
    assert never.next_opening(local("2026-03-16 09:00")) is None


def test_a_single_working_day_far_ahead_is_not_waited_for() -> None:
    late = calendar([], exceptions={"2029-12-31": [["09:00", "10:00"]]})

    assert late.add_working(local("2026-03-16 09:00"), 60) is None
    assert late.add_working(local("2027-03-16 09:00"), 60) == local("2029-12-31 09:01")


def test_a_norm_of_nothing_is_due_at_once_even_without_working_time() -> None:
    start = local("2026-03-14 12:00")

    assert calendar([]).add_working(start, 0, [(start - timedelta(hours=1), None)]) == start


def test_opening_and_closing_are_found_from_inside_and_outside() -> None:
    office = calendar()

    assert office.next_opening(local("2026-03-16 12:00")) == local("2026-03-16 12:00")
    assert office.next_opening(local("2026-03-16 18:00")) == local("2026-03-17 09:00")
    assert office.next_closing(local("2026-03-16 12:00")) == local("2026-03-16 18:00")
    assert office.next_closing(local("2026-03-14 12:00")) == local("2026-03-16 18:00")
    assert calendar(ALWAYS, days=WEEK).next_closing(local("2026-03-14 12:00")) is None


def test_the_longest_interval_is_told_as_one() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)

    found = calendar(ALWAYS, days=WEEK).intervals(start, end)

    assert found == [(start, end)]


@pytest.mark.parametrize(
    "change",
    [
        {"tz": "Mars/Olympus"},
        {"tz": "../../etc/passwd"},
        {"tz": "Europe"},
        {"tz": None},
        {"tz": "\0"},
        {"week": None},
        {"week": {"monday": []}},
        {"week": {"mon": [["9:00", "18:00"]]}},
        {"week": {"mon": [["09:00"]]}},
        {"week": {"mon": [["24:00", "24:00"]]}},
        {"week": {"mon": [["09:00", "24:01"]]}},
        {"week": {"mon": [[9, 18]]}},
        {"week": {"mon": "09:00-18:00"}},
        {"week": {"mon": [["00:00", "00:01"]] * 49}},
        {"exceptions": []},
        {"exceptions": {"2026-02-29": []}},
        {"exceptions": {"20260228": []}},
        {"exceptions": {"2026-02-28": None}},
        {"yearly": ["02-30"]},
        {"yearly": ["1-1"]},
        {"yearly": {"01-01": []}},
        {"holidays": []},
    ],
    ids=str,
)
def test_a_calendar_that_cannot_be_understood_is_refused_in_two_languages(change: dict[str, Any]) -> None:
    with pytest.raises(CalendarError) as refused:
        Calendar.parse(calendar_data() | change)

    assert refused.value.message("ru") != refused.value.message("en")


@pytest.mark.parametrize("data", [None, [], "Europe/Moscow", {1: 2}, {"tz": {"a": ...}}], ids=str)
def test_something_else_than_a_calendar_is_refused(data: Any) -> None:
    with pytest.raises(CalendarError):
        Calendar.parse(data)


def test_a_leap_day_may_be_a_yearly_holiday() -> None:
    office = calendar(days=WEEK, yearly=["02-29"])

    assert office.working_seconds(local("2028-02-29 00:00"), local("2028-03-01 00:00")) == 0


def test_equal_calendars_are_worked_out_once() -> None:
    assert calendar() is calendar()
    assert calendar() is not calendar(days=WORKDAYS[:4])
