"""The main story, told to the services: from a client's message to a solved request, with everything on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.errors import Stale
from services.clients.models import ClientContact
from services.tickets.numbering import next_number
from tests.desk import Desk

PAUSED = {"reason": "Ждём данные от клиента"}


def classified(desk: Desk, client: str = "Ольга") -> int:
    number = desk.client_writes("Касса не пробивает чеки", client=client)
    desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service="Онлайн-касса")
    return number


def in_work(desk: Desk) -> int:
    number = classified(desk)
    desk.responsible(number).presses("Приступить к выполнению", number)
    return number


def in_pause(desk: Desk, hours: int = 3) -> int:
    number = in_work(desk)
    until = (desk.clock.at + timedelta(hours=hours)).isoformat()
    desk.responsible(number).presses("Приостановить", number, resume_at=until, **PAUSED)
    return number


def test_a_chat_message_becomes_a_ticket_that_waits_for_classification(desk: Desk) -> None:
    number = desk.client_writes("Касса не пробивает чеки\nОчередь стоит", client="Светлана")

    ticket = desk.ticket(number)
    assert (ticket.status, ticket.source, ticket.topic) == ("classification", "line", "Касса не пробивает чеки")
    assert ticket.text == "Касса не пробивает чеки\nОчередь стоит"
    assert ticket.client is not None
    assert ticket.client.name == "Светлана"
    assert desk.statuses(number) == ["new", "classification"]
    assert desk.operator("Алина").feed() == ["classification_needed"]
    assert desk.operator("Ирина").feed() == []
    assert ticket.due_at is None


def test_classification_gives_the_ticket_to_the_least_loaded(desk: Desk) -> None:
    first, second, third = (classified(desk, client) for client in ("Ольга", "Павел", "Тимур"))

    owners = [desk.responsible(number).name for number in (first, second, third)]
    assert sorted(owners[:2]) == ["Алина Чернова", "Рустам Галеев"]
    assert owners[2] == owners[0]
    ticket = desk.ticket(first)
    assert (ticket.status, ticket.priority) == ("accepted", "high")
    assert ticket.due_at is not None
    assert desk.history(first, "assigned")[0].reason == ticket.assignment_reason != ""


def test_whoever_classified_for_somebody_else_is_not_told_and_the_other_is(desk: Desk) -> None:
    number = classified(desk)

    responsible = desk.responsible(number)
    told = ["classification_needed", "assigned"] if responsible.name != "Алина Чернова" else ["classification_needed"]
    assert responsible.feed() == told


def test_taking_fixes_the_reaction_and_starts_the_resolution(desk: Desk) -> None:
    number = classified(desk)
    desk.advance("20m")

    desk.responsible(number).presses("Приступить к выполнению", number)

    ticket = desk.ticket(number)
    assert ticket.status == "in_progress"
    assert ticket.taken_at == desk.clock.at
    assert ticket.due_at == desk.clock.at + timedelta(hours=8 + 15)


def test_a_pause_ends_by_itself_and_tells_the_responsible(desk: Desk) -> None:
    number = in_pause(desk, hours=3)
    paused = desk.ticket(number)
    assert (paused.status, paused.wait_reason, paused.due_at) == ("waiting", PAUSED["reason"], None)

    desk.advance("2h59m")
    assert desk.ticket(number).status == "waiting"
    desk.advance("1m")

    ticket = desk.ticket(number)
    assert (ticket.status, ticket.wait_reason, ticket.wait_until) == ("in_progress", "", None)
    assert desk.responsible(number).feed()[-1] == "pause_ended"
    resumed = desk.history(number, "status")[-1]
    assert resumed.actor == "timer"


def test_continuing_early_leaves_no_second_resume_behind(desk: Desk) -> None:
    number = in_pause(desk)

    desk.responsible(number).presses("Продолжить", number)
    desk.advance("5h")

    assert desk.statuses(number)[-2:] == ["waiting", "in_progress"]
    assert "pause_ended" not in desk.responsible(number).feed()


def test_a_client_who_writes_during_a_pause_ends_it(desk: Desk) -> None:
    number = in_pause(desk)

    assert desk.client_writes("Вот серийный номер: 48-20931") == number

    ticket = desk.ticket(number)
    assert (ticket.status, ticket.unread) == ("in_progress", 2)
    assert desk.responsible(number).feed().count("client_replied") == 1


def test_resolving_fixes_the_time_and_closes_after_the_reopen_window(desk: Desk) -> None:
    number = in_work(desk)
    desk.advance("1h")

    desk.responsible(number).presses("Выполнено", number, result="Накопитель заменён")

    solved = desk.ticket(number)
    assert (solved.status, solved.is_open, solved.resolution_note) == ("resolved", False, "Накопитель заменён")
    assert solved.resolved_at == desk.clock.at
    assert solved.due_at is None
    desk.advance("7d")
    assert desk.ticket(number).status == "closed"


def test_thanks_after_the_solution_changes_nothing_a_question_reopens(desk: Desk) -> None:
    number = in_work(desk)
    desk.responsible(number).presses("Выполнено", number)

    desk.client_writes("Спасибо большое!")
    assert desk.ticket(number).status == "resolved"
    desk.client_writes("Опять не печатает")

    ticket = desk.ticket(number)
    assert (ticket.status, ticket.is_open) == ("in_progress", True)
    assert desk.responsible(number).feed()[-1] == "reopened"


def test_after_the_end_a_message_begins_a_new_ticket_that_names_the_old(desk: Desk) -> None:
    number = in_work(desk)
    desk.responsible(number).presses("Выполнено", number)
    desk.advance("8d")

    following = desk.client_writes("Снова та же касса")

    assert following != number
    assert desk.ticket(following).status == "classification"
    assert desk.history(following, "linked")[0].new == f"Продолжение обращения № {number}"
    assert desk.history(number, "linked")[0].new == f"Продолжено в обращении № {following}"
    assert desk.client_writes("И вторая тоже") == following


def test_an_unanswered_norm_reminds_and_then_escalates_once(desk: Desk) -> None:
    number = desk.client_writes("Когда откроется портал?")
    desk.operator("Алина").presses("Классифицировать", number, type="Вопрос", service="Онлайн-касса")
    responsible = desk.responsible(number)

    desk.advance("50m")
    assert responsible.feed()[-1] == "reminder"
    desk.advance("3h")

    assert responsible.feed().count("breach") == 1
    assert desk.operator("Ирина").feed() == ["breach"]
    assert desk.ticket(number).priority == "medium"
    assert [event.field for event in desk.history(number, "breach")] == ["reaction"]
    assert desk.operator("Ирина").sees("overdue") == [number]


def test_the_second_press_of_one_button_learns_who_was_first(desk: Desk) -> None:
    number = desk.client_writes("Не работает сканер")
    alina, rustam = desk.operator("Алина"), desk.operator("Рустам")
    page = rustam.shown("Классифицировать", number)
    alina.presses("Классифицировать", number, type="Вопрос", service="Диагностика")

    with pytest.raises(Stale) as stale:
        rustam.presses_shown(page, number, type="1", service="1", topic="Мой вариант")

    assert (stale.value.by, stale.value.at) == (alina.ref, desk.clock.at)
    assert stale.value.action == "Классифицировать"
    assert desk.ticket(number).topic == "Не работает сканер"
    assert len(desk.history(number, "assigned")) == 1


def test_a_ticket_made_by_hand_enters_the_same_life(desk: Desk) -> None:
    number = desk.operator("Рустам").creates(
        type="Вопрос",
        service="Учётные записи",
        topic="Новый логист",
        text="Просят завести запись",
        client_name="Марина Лебедева",
        client_phone="8 927 555-33-09",
    )

    ticket = desk.ticket(number)
    assert (ticket.status, ticket.source, ticket.priority) == ("accepted", "manual", "low")
    assert ticket.client is not None
    with desk.look() as session:
        addresses = session.scalars(select(ClientContact.value).where(ClientContact.client_id == ticket.client_id))
        assert list(addresses) == ["+79275553309"]
    assert desk.statuses(number) == ["new", "accepted"]
    assert ticket.responsible is not None


def test_numbers_have_no_gap_after_a_refused_creation(desk: Desk) -> None:
    first = desk.client_writes("Первое")
    with desk.change() as session:
        assert next_number(session) == first + 1
        session.rollback()

    assert desk.client_writes("Второе", client="Павел") == first + 1
