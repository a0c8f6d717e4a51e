"""The reply deadline: days after the oldest unanswered message."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.sla.reply import deadline, is_overdue
from tests.services.sla.builders import calendar, local


def test_a_message_of_friday_is_overdue_on_monday_one_second_after_its_time() -> None:
    due = deadline(calendar(), local("2026-03-13 10:00"), 3)

    assert due == local("2026-03-16 10:00")
    assert not is_overdue(due, due)
    assert is_overdue(due, due + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("asked", "days", "due"),
    [
        ("2026-03-12 10:00", 2, "2026-03-16 10:00"),
        ("2026-03-14 12:00", 1, "2026-03-16 12:00"),
        ("2026-03-16 23:00", 1, "2026-03-18 23:00"),
    ],
    ids=["over a weekend", "from a Saturday", "over a holiday"],
)
def test_working_days_pass_over_days_off(asked: str, days: int, due: str) -> None:
    office = calendar(exceptions={"2026-03-17": []})

    assert deadline(office, local(asked), days, working_days=True) == local(due)


def test_a_change_of_the_clock_keeps_the_local_time() -> None:
    berlin = calendar(tz="Europe/Berlin")

    due = deadline(berlin, local("2026-03-27 10:00", "Europe/Berlin"), 3)

    assert due == local("2026-03-30 10:00", "Europe/Berlin")


def test_without_working_days_there_is_no_deadline() -> None:
    never = deadline(calendar([]), local("2026-03-13 10:00"), 1, working_days=True)

    assert never is None
    assert not is_overdue(never, local("2036-03-13 10:00"))
