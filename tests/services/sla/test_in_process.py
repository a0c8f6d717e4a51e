"""The norms inside the shipped process: timers that ask the clocks, and follow them when they change."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from engine.models import Job, ProcessInstance
from services.catalog.models import ServiceOffering
from services.sla.models import ServiceLevel
from tests.desk import Desk, Operator

A_SECOND = timedelta(seconds=1)
"""The default level: one working hour to react, eight to resolve, nine to six in Moscow; it is Monday noon there."""


def _accepted(desk: Desk, service: str = "Онлайн-касса") -> int:
    number = desk.client_writes("Касса не пробивает чеки")
    desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service=service)
    return number


def _taken(desk: Desk) -> tuple[int, Operator]:
    number = _accepted(desk)
    responsible = desk.responsible(number)
    responsible.presses("Приступить к выполнению", number)
    return number, responsible


def _armed(desk: Desk, number: int) -> dict[str, datetime]:
    """Element id → when its timer fires, of the ticket's waiting timers that belong to norms."""
    key = desk.ticket(number).business_key
    with desk.look() as session:
        waiting = select(Job).join(ProcessInstance, ProcessInstance.id == Job.instance_id)
        jobs = session.scalars(waiting.where(ProcessInstance.business_key == key, Job.state == "waiting"))
        return {job.element_id: job.due_at for job in jobs if job.element_id.startswith(("remind", "breach"))}


def test_the_timers_lie_at_the_threshold_and_one_second_after_the_norm(desk: Desk) -> None:
    number = _accepted(desk)

    noon = desk.clock.at
    assert _armed(desk, number) == {
        "remind_reaction": noon + timedelta(minutes=48),
        "breach_reaction": noon + timedelta(hours=1) + A_SECOND,
    }


def test_a_norm_used_up_at_closing_time_is_breached_in_the_morning_not_at_night(desk: Desk) -> None:
    desk.advance("5h")
    number = _accepted(desk)

    desk.advance("16h")
    assert desk.history(number, "breach") == []
    desk.advance("1s")

    breach = desk.history(number, "breach")[0]
    assert breach.data["due"] == "2026-03-16T15:00:00+00:00"
    assert breach.at == datetime.fromisoformat("2026-03-17T06:00:01+00:00")


def test_a_week_after_the_norm_there_is_one_reminder_and_one_breach(desk: Desk) -> None:
    number, responsible = _taken(desk)

    desk.advance("7d")

    assert [event.field for event in desk.history(number, "reminder")] == ["resolution"]
    assert [event.field for event in desk.history(number, "breach")] == ["resolution"]
    assert responsible.feed().count("breach") == 1
    assert _armed(desk, number) == {}


def test_a_pause_takes_the_timers_away_and_brings_them_back_with_what_was_left(desk: Desk) -> None:
    number, responsible = _taken(desk)
    before = _armed(desk, number)
    desk.advance("1h")
    until = (desk.clock.at + timedelta(hours=2)).isoformat()

    responsible.presses("Приостановить", number, resume_at=until, reason="Ждём данные от клиента")
    assert _armed(desk, number) == {}
    desk.advance("2h")

    assert _armed(desk, number) == {element: at + timedelta(hours=2) for element, at in before.items()}


def test_a_breached_norm_is_not_armed_again_after_a_pause(desk: Desk) -> None:
    number, responsible = _taken(desk)
    desk.advance("7d")
    until = (desk.clock.at + timedelta(hours=2)).isoformat()

    responsible.presses("Приостановить", number, resume_at=until, reason="Ждём данные от клиента")
    desk.advance("3d")

    assert desk.ticket(number).status == "in_progress"
    assert len(desk.history(number, "breach")) == 1


def test_another_service_sets_the_armed_timers_anew(desk: Desk) -> None:
    number, responsible = _taken(desk)

    responsible.changes(number, service_id=_service(desk, "Замена оборудования"))

    due = datetime.fromisoformat("2026-03-19T09:00:00+00:00")
    assert desk.ticket(number).due_at == due
    assert _armed(desk, number)["breach_resolution"] == due + A_SECOND


def test_a_level_that_appears_while_the_ticket_waits_arms_its_timers(desk: Desk) -> None:
    _archive_levels(desk, archived=True)
    number = _accepted(desk)
    assert desk.ticket(number).sla_rule.startswith("SLA не задан")
    assert _armed(desk, number) == {}
    accepted = desk.clock.at
    desk.advance("30m")
    _archive_levels(desk, archived=False)

    desk.operator("Алина").changes(number, service_id=_service(desk, "Рабочее место"))

    assert desk.ticket(number).due_at == accepted + timedelta(hours=1)
    assert _armed(desk, number)["breach_reaction"] == accepted + timedelta(hours=1) + A_SECOND


def _archive_levels(desk: Desk, *, archived: bool) -> None:
    with desk.change() as session:
        for level in session.scalars(select(ServiceLevel)):
            level.archived = archived


def _service(desk: Desk, name: str) -> int:
    with desk.look() as session:
        return session.scalars(select(ServiceOffering.id).where(ServiceOffering.name == name)).one()
