"""A line whose process cannot start: what clients wrote stays, admins hear of it, and it is tried again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.models import ProcessInstance
from services.lines import beginnings
from services.lines import operations as lines
from services.lines import queries as line_queries
from services.lines.models import Line, LineSession, Message
from services.notifications.models import Notification
from services.tickets.models import Ticket
from tests.desk import Desk

TOKEN = "a-secret-of-a-browser-with-more-than-32-characters"


def set_process(desk: Desk, key: str) -> None:
    with desk.change() as session:
        session.scalars(select(Line)).one().process_key = key


def writes(desk: Desk, text: str) -> None:
    with desk.change() as session:
        chat = line_queries.chat_channel(session, "support")
        lines.receive_chat(session, chat, TOKEN, name="Ольга", text=text)


@pytest.fixture
def broken(desk: Desk) -> Desk:
    set_process(desk, "nobody_deployed_this")
    writes(desk, "Касса не пробивает чеки")
    return desk


def test_the_message_stays_and_the_admins_are_told_once(broken: Desk) -> None:
    broken.advance("10m")

    with broken.look() as session:
        assert session.scalars(select(Message.text)).all() == ["Касса не пробивает чеки"]
        assert session.scalars(select(Ticket)).all() == []
        assert len(beginnings.waiting(session)) == 1
    assert broken.operator("Денис").feed() == ["line_failed"]


def test_a_process_that_fails_half_way_leaves_nothing_but_the_message(desk: Desk) -> None:
    set_process(desk, "create_request_manually")  # its lifecycle asks for a ticket that nobody has created

    writes(desk, "Не печатает")

    with desk.look() as session:
        assert session.scalars(select(ProcessInstance)).all() == []
        assert [message.text for message in session.scalars(select(Message))] == ["Не печатает"]
        assert session.scalars(select(Notification.kind)).all() == ["line_failed"]


def test_it_starts_by_itself_once_the_cause_is_gone(broken: Desk) -> None:
    set_process(broken, "create_request_from_line")

    broken.advance("1m")

    assert broken.ticket(1).status == "classification"
    assert broken.ticket(1).text == "Касса не пробивает чеки"
    with broken.look() as session:
        assert beginnings.waiting(session) == []


def test_the_next_message_of_the_client_tries_at_once_and_joins_the_same_ticket(broken: Desk) -> None:
    set_process(broken, "create_request_from_line")

    writes(broken, "Вы здесь?")

    with broken.look() as session:
        assert session.scalars(select(Ticket.number)).all() == [1]
        assert len(session.scalars(select(LineSession)).all()) == 1
        said = session.scalars(select(Message.ticket_id).where(Message.kind == "in")).all()
        assert len(said) == 2
        assert None not in said


def test_an_admin_may_try_at_once_and_trying_twice_makes_one_ticket(broken: Desk) -> None:
    set_process(broken, "create_request_from_line")

    for _ in range(2):
        with broken.change() as session:
            assert beginnings.retry(session, 1)

    with broken.look() as session:
        assert len(session.scalars(select(Ticket)).all()) == 1
