"""The SLA tester answers with the figures of the arithmetic and says what it cannot answer."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from services.sla.models import Schedule
from tests.webui.admin.conftest import Office, Visitor


@pytest.fixture
def schedule(office: Office) -> int:
    """Monday to Friday from nine to six in Moscow."""
    days = ("mon", "tue", "wed", "thu", "fri")
    with office.desk.database.transaction() as session:
        made = Schedule(name="Будни", zone="Europe/Moscow", week={day: [["09:00", "18:00"]] for day in days}, yearly=[])
        session.add(made)
        session.flush()
        return made.id


def ask(schedule: int, **typed: str) -> str:
    given = {"schedule": schedule, "target": "960", "start": "2026-03-12T16:00", "now": "2026-03-16T12:00", **typed}
    return f"/admin/sla?{urlencode(given)}"


def test_the_answer_counts_working_time_outside_the_pause(schedule: int, analyst: Visitor) -> None:
    page = analyst.get(ask(schedule, from1="2026-03-13T11:00", to1="2026-03-13T12:30")).text

    assert "12:30:00" in page
    assert "3:30:00" in page
    assert "16 марта, 15:30" in page
    assert page.count('class="held"') == 1


def test_a_pause_without_an_end_leaves_the_deadline_unknown(schedule: int, analyst: Visitor) -> None:
    page = analyst.get(ask(schedule, from1="2026-03-13T11:00")).text

    assert "Срок не известен, пока стоит пауза" in page


def test_an_exceeded_norm_is_told_as_such(schedule: int, analyst: Visitor) -> None:
    page = analyst.get(ask(schedule, target="60")).text

    assert "Сверх нормы" in page
    assert "просрочено" in page


@pytest.mark.parametrize(
    "typed",
    [
        {"start": "вчера"},
        {"start": ""},
        {"now": "0001-01-01T00:00"},
        {"now": "9999-12-31T23:59"},
        {"target": "-5"},
        {"target": "9" * 30},
        {"target": "NaN"},
        {"from1": "2026-03-13T12:00", "to1": "2026-03-13T11:00"},
        {"to1": "2026-03-13T11:00"},
        {"event": "<script>alert(1)</script>"},
    ],
)
def test_nonsense_is_answered_in_words(typed: dict[str, str], schedule: int, analyst: Visitor) -> None:
    answer = analyst.get(ask(schedule, **typed))

    assert answer.status_code == 200
    assert 'class="word-box is-bad"' in answer.text
    assert "<script>alert" not in answer.text


def test_an_unknown_schedule_falls_back_to_the_first(schedule: int, analyst: Visitor) -> None:
    answer = analyst.get(ask(999))

    assert answer.status_code == 200
    assert "Будни" in answer.text


def test_years_of_waiting_are_cut_to_the_first_days(schedule: int, analyst: Visitor) -> None:
    page = analyst.get(ask(schedule, start="2024-03-12T16:00", target="600000")).text

    assert page.count('class="day"') == 60
    assert "и ещё" in page
