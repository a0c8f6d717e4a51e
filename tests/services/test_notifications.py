"""Telling people, and the stream that keeps pages alive."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import func, select
from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from engine.clock import FixedClock
from engine.db import Database
from services.notifications import live, queries, texts
from services.notifications.models import LiveEvent, Notification, OutboxMessage
from services.notifications.operations import mark_read
from services.people.models import Agent
from tests.desk import Desk


@pytest.mark.parametrize("kind", texts.KINDS)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_kind_has_a_text_that_names_what_it_is_about(kind: str, language: str) -> None:
    given = {"number": 42, "topic": "Касса", "element": "Шаг", "error": "сбой", "line": "Первая"}

    said = texts.line(kind, given, language)

    about = {"incident": "Шаг", "line_failed": "Первая"}
    assert about.get(kind, "42") in said
    assert "{" not in said


def test_a_kind_that_an_analyst_made_up_still_says_something() -> None:
    assert texts.line("shift_over", {"number": 7, "topic": "Чек {0}"}) == "shift_over: № 7 «Чек {0}»"


def test_a_line_in_the_feed_is_also_a_mail_with_the_way_to_the_card(desk: Desk) -> None:
    number = desk.client_writes("Не печатает")
    alina = desk.operator("Алина")

    with desk.look() as session:
        mail = session.scalars(select(OutboxMessage).where(OutboxMessage.recipient.startswith("operator@"))).one()
        me = session.get_one(Agent, alina.id)
        assert queries.unread_count(session, me) == 1
        shown = queries.text(queries.feed(session, me)[0])
    assert shown == f"Нужна классификация: № {number} «Не печатает»"
    assert mail.text == f"{shown}\n\n{desk.settings.url}/tickets/{number}"


def test_messages_of_one_ticket_are_bundled_until_they_are_read(desk: Desk) -> None:
    number = desk.client_writes("Не печатает")
    desk.operator("Алина").presses("Классифицировать", number, type="Вопрос", service="Онлайн-касса")
    owner = desk.responsible(number)
    for text in ("Первое", "Второе", "Третье"):
        desk.client_writes(text)

    assert owner.feed().count("client_replied") == 1
    with desk.look() as session:
        row = session.scalars(select(Notification).where(Notification.kind == "client_replied")).one()
        assert queries.text(row).endswith("(3)")
    with desk.change() as session:
        mark_read(session, session.get_one(Agent, owner.id))
    desk.client_writes("Четвёртое")
    assert owner.feed().count("client_replied") == 2


def test_an_open_page_learns_each_change_once_and_is_woken_after_the_commit(
    database: Database, clock: FixedClock
) -> None:
    woken: list[set[str]] = []
    live.set_notifier(lambda topics: woken.append(set(topics)))
    try:
        with database.transaction() as session:
            for part in ("card", "card", "messages"):
                live.publish(session, "ticket:1", part)
            live.publish(session, "tickets", "row")
            assert woken == []
    finally:
        live.set_notifier(None)

    assert woken == [{"ticket:1", "tickets"}]
    with database.reading() as session:
        heard = live.since(session, 0, ["ticket:1"])
        assert [event.part for event in heard] == ["card", "messages"]
        assert live.since(session, live.latest_id(session), ["ticket:1", "tickets"]) == []


def test_a_reader_misses_nothing_when_a_later_change_is_committed_first(database: Database, clock: FixedClock) -> None:
    heard: list[str] = []
    last = 0

    def read() -> None:
        nonlocal last
        with database.reading() as session:
            for event in live.since(session, last, ["ticket:1", "ticket:2"]):
                heard.append(event.topic)
                last = event.id

    def change_another() -> None:
        with database.transaction() as session:
            live.publish(session, "ticket:2")

    other = Thread(target=change_another)

    def let_the_other_pass(_: Session) -> None:
        other.start()
        other.join(1)  # it is through by then unless it has to wait for us
        read()

    with database.transaction() as session:
        live.publish(session, "ticket:1")
        listen(session, "before_commit", let_the_other_pass)
    other.join()
    read()

    assert heard == ["ticket:1", "ticket:2"]


def test_nothing_is_said_about_a_change_that_failed(database: Database, clock: FixedClock) -> None:
    woken: list[object] = []
    live.set_notifier(woken.append)
    try:
        with pytest.raises(RuntimeError, match="the change failed"):
            _publish_and_fail(database)
    finally:
        live.set_notifier(None)

    assert woken == []
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LiveEvent)) == 0


def test_the_stream_forgets_what_is_older_than_an_hour_and_then_rests(desk: Desk) -> None:
    desk.client_writes("Не печатает")
    desk.advance(timedelta(hours=3))

    with desk.look() as session:
        assert session.scalar(select(func.count()).select_from(LiveEvent)) == 1
        assert live.oldest_at(session) is None


def _publish_and_fail(database: Database) -> None:
    with database.transaction() as session:
        live.publish(session, "tickets")
        raise RuntimeError("the change failed")
