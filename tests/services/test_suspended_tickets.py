"""A ticket whose process is suspended: it is read, written to and found as ever, but nothing moves it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import repair, verify
from engine.errors import Suspended
from services.tickets import queries
from tests.desk import Desk

PAUSED = {"reason": "Ждём данные от клиента"}


def in_pause(desk: Desk) -> int:
    number = desk.client_writes("Касса не пробивает чеки")
    desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service="Онлайн-касса")
    desk.responsible(number).presses("Приступить к выполнению", number)
    until = (desk.clock.at + timedelta(hours=3)).isoformat()
    desk.responsible(number).presses("Приостановить", number, resume_at=until, **PAUSED)
    return number


def suspend(desk: Desk, number: int) -> None:
    with desk.change() as session:
        repair.suspend(session, instance_id(desk, number), reason="смотрим, что не так", by=desk.operator("Алина").ref)


def resume(desk: Desk, number: int) -> None:
    with desk.change() as session:
        repair.resume(session, instance_id(desk, number), reason="разобрались", by=desk.operator("Алина").ref)


def instance_id(desk: Desk, number: int) -> int:
    with desk.look() as session:
        found = queries.instance_of(session, desk.ticket(number))
        assert found is not None
        return found.id


def test_it_has_no_buttons_and_a_late_press_is_explained(desk: Desk) -> None:
    number = in_pause(desk)
    shown = desk.responsible(number).shown("Продолжить", number)

    suspend(desk, number)

    assert desk.responsible(number).buttons(number) == []
    with pytest.raises(Suspended) as caught:
        desk.responsible(number).presses_shown(shown, number)
    assert caught.value.reason == "смотрим, что не так"


def test_a_pause_whose_hour_has_passed_meanwhile_ends_when_it_goes_on(desk: Desk) -> None:
    number = in_pause(desk)
    suspend(desk, number)
    desk.advance("2d")
    assert desk.ticket(number).status == "waiting"

    resume(desk, number)
    desk.advance("1s")

    assert desk.ticket(number).status == "in_progress"


def test_what_the_client_writes_is_kept_and_moves_it_later(desk: Desk) -> None:
    number = in_pause(desk)
    suspend(desk, number)

    assert desk.client_writes("Вот серийный номер: 48-20931") == number
    assert desk.talk(number)[-1].text == "Вот серийный номер: 48-20931"
    assert desk.ticket(number).status == "waiting"

    resume(desk, number)

    assert desk.ticket(number).status == "in_progress"


def test_its_fields_can_be_changed_and_it_is_found(desk: Desk) -> None:
    number = in_pause(desk)
    suspend(desk, number)

    desk.operator("Алина").changes(number, topic="Касса")
    desk.operator("Алина").notes(number, "Разбираемся")

    assert desk.ticket(number).topic == "Касса"
    assert number in desk.operator("Алина").sees("all")


def test_nothing_is_broken_while_it_is_suspended_and_after(desk: Desk) -> None:
    number = in_pause(desk)
    suspend(desk, number)
    with desk.look() as session:
        assert verify.verify(session) == []

    resume(desk, number)
    desk.advance("8d")

    with desk.look() as session:
        assert verify.verify(session) == []
