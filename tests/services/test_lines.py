"""Talks: how messages find their conversation, what clients see, how people answer."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from services.clients.models import Client, ClientContact
from services.forms import FormInvalid
from services.lines import operations as lines
from services.lines.models import LineSession, Message
from services.notifications.models import OutboxMessage
from services.people.models import Agent
from services.tickets import queries
from tests.desk import Desk

PORT = "o.kravtsova@port.example"


def test_the_second_message_of_a_conversation_joins_its_ticket(desk: Desk) -> None:
    first = desk.client_writes("Не печатает")
    assert desk.client_writes("Совсем не печатает") == first

    ticket = desk.ticket(first)
    assert ticket.unread == 2
    assert [m.text for m in desk.talk(first) if m.kind == "in"] == ["Не печатает", "Совсем не печатает"]


def test_two_clients_at_once_have_two_tickets_and_never_see_each_other(desk: Desk) -> None:
    olga = desk.client_writes("От Ольги", client="Ольга")
    pavel = desk.client_writes("От Павла", client="Павел")

    assert olga != pavel
    assert "От Павла" not in desk.client_sees(client="Ольга")


def test_the_client_sees_answers_but_neither_notes_nor_landmarks(desk: Desk) -> None:
    number = desk.client_writes("Не печатает")
    alina = desk.operator("Алина")
    alina.presses("Классифицировать", number, type="Вопрос", service="Онлайн-касса")
    worker = desk.responsible(number)
    worker.presses("Приступить к выполнению", number)
    worker.notes(number, "Третий раз за неделю")
    worker.replies(number, "Перезагрузите, пожалуйста")
    worker.presses("Приостановить", number, reason="Ждём поставщика", resume_at="2026-03-17T12:00")
    with desk.change() as session:
        talk = session.scalars(select(LineSession)).one()
        beside = {"session_id": talk.id, "ticket_id": talk.ticket_id, "created_at": desk.clock.at}
        session.add_all(Message(kind=kind, text="только для своих", **beside) for kind in ("note", "event"))

    kinds = [message.kind for message in desk.talk(number)]
    assert kinds == ["in", "out", "note", "out", "event", "note", "event"]
    assert desk.client_sees() == [
        "Не печатает",
        f"Здравствуйте! Мы получили ваше обращение, его номер – {number}. Ответим здесь же.",
        "Перезагрузите, пожалуйста",
    ]


def test_the_first_answer_is_kept_and_the_counter_of_unread_goes_to_zero(desk: Desk) -> None:
    number = desk.client_writes("Не печатает")
    assert desk.ticket(number).first_reply_at is None
    desk.advance("5m")
    answered_at = desk.clock.at

    desk.operator("Алина").replies(number, "Здравствуйте, Ольга!")
    desk.advance("5m")
    desk.operator("Алина").replies(number, "Уже смотрим")

    ticket = desk.ticket(number)
    assert (ticket.first_reply_at, ticket.unread) == (answered_at, 0)


def test_the_automatic_number_is_no_answer(desk: Desk) -> None:
    number = desk.client_writes("Не печатает")

    greeting = desk.talk(number)[1]
    assert (greeting.kind, greeting.automatic, greeting.delivery) == ("out", True, "sent")
    assert desk.ticket(number).first_reply_at is None
    assert desk.ticket(number).unread == 1


def test_what_a_machine_writes_joins_the_talk_and_moves_nothing(desk: Desk) -> None:
    number = desk.client_writes("Не печатает")
    with desk.change() as session:
        talk = session.scalars(select(LineSession)).one()
        lines.receive_message(
            session, talk.channel, client=talk.client, text="Я в отпуске", session_hint=talk, automatic=True
        )

    assert desk.ticket(number).unread == 1
    assert desk.talk(number)[-1].text == "Я в отпуске"


def test_a_mail_is_answered_by_mail(desk: Desk) -> None:
    number = desk.client_mails(PORT, "Не приходят счета", "С понедельника ни одного.")
    assert desk.ticket(number).topic == "Не приходят счета"

    desk.operator("Алина").replies(number, "Смотрим очередь отправки.")

    with desk.look() as session:
        answer = session.scalars(select(Message).where(Message.kind == "out", ~Message.automatic)).one()
        queued = session.scalars(select(OutboxMessage).where(OutboxMessage.message_id == answer.id)).one()
    assert (answer.delivery, queued.recipient, queued.text) == ("queued", PORT, "Смотрим очередь отправки.")


def test_a_ticket_made_by_hand_is_answered_by_mail_where_there_is_an_address(desk: Desk) -> None:
    alina = desk.operator("Алина")
    written = {"type": "Вопрос", "service": "Онлайн-касса", "topic": "Чек", "text": "Звонок"}
    with_mail = alina.creates(**written, client_name="Инна", client_email="inna@example.org")
    by_phone = alina.creates(**written, client_name="Пётр", client_phone="+7 900 555-00-00")

    alina.replies(with_mail, "Ответ почтой")
    with pytest.raises(FormInvalid):
        alina.replies(by_phone, "Ответ в никуда")

    with desk.look() as session:
        recipients = session.scalars(select(OutboxMessage.recipient).where(OutboxMessage.text == "Ответ почтой")).all()
    assert recipients == ["inna@example.org"]


def test_one_address_is_one_client_however_it_is_written(desk: Desk) -> None:
    first = desk.client_mails("New.Person@Example.org", "Раз", "Раз")
    second = desk.client_mails("new.person@example.org", "Два", "Два")

    assert first != second
    assert desk.ticket(first).client_id == desk.ticket(second).client_id
    with desk.look() as session:
        known = session.scalars(select(ClientContact).where(ClientContact.value == "new.person@example.org")).all()
        assert len(known) == 1


def test_a_known_client_brings_company_and_earlier_tickets(desk: Desk) -> None:
    first = desk.client_mails(PORT, "Раз", "Раз")
    second = desk.client_mails(PORT, "Два", "Два")

    ticket = desk.ticket(second)
    assert ticket.company is not None
    assert ticket.company.name == "ООО «Северный порт»"
    with desk.look() as session:
        me = session.get_one(Agent, desk.operator("Алина").id)
        earlier = queries.earlier_of_client(session, queries.by_number(session, me, second), me)
        assert [other.number for other in earlier] == [first]


def test_an_empty_message_is_refused_a_huge_one_is_cut(desk: Desk) -> None:
    with pytest.raises(FormInvalid):
        desk.client_writes(" \n ")

    number = desk.client_writes("я" * 30_000)

    assert len(desk.ticket(number).text) < 20_200
    with desk.look() as session:
        assert session.scalars(select(Client).where(Client.name == "Ольга")).one()


def test_a_draft_lives_until_it_is_sent_or_emptied(desk: Desk) -> None:
    number = desk.client_writes("Не печатает")
    alina = desk.operator("Алина")

    def keep(text: str) -> None:
        with desk.change() as session:
            me = session.get_one(Agent, alina.id)
            lines.save_draft(session, queries.by_number(session, me, number), text=text, mode="note", actor=me)

    def kept() -> str | None:
        with desk.look() as session:
            me = session.get_one(Agent, alina.id)
            draft = queries.draft(session, queries.by_number(session, me, number), me)
            return draft.text if draft else None

    keep("Надо спро")
    keep("Надо спросить")
    assert kept() == "Надо спросить"
    alina.notes(number, "Надо спросить")
    assert kept() is None
    keep("ещё")
    keep(" ")
    assert kept() is None
