"""From the mailbox to the ticket: every mail accounted for, once, and no machine answered."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from engine.clock import FixedClock
from engine.errors import Busy
from services.lines import operations as lines
from services.lines.models import Attachment, LineSession
from services.mail import delivery, inbound
from services.mail.sandbox import Sandbox
from services.tickets.models import Ticket
from tests.services.mail.letters import IVAN, SUPPORT, TEXT, bounce, letter
from tests.services.mail.post import Post


def test_a_mail_becomes_a_request(post: Post) -> None:
    row = post.write(letter())

    ticket = post.tickets()[0]
    assert (row.state, row.ticket_id, row.subject) == ("done", ticket.id, "Не работает касса")
    assert ticket.topic == "Не работает касса"
    message = post.messages()[0]
    assert (message.text, message.external_id, message.author_name) == (TEXT, "<first@client.example>", "Иван Петров")


def test_the_clients_answer_lands_in_the_same_request(post: Post) -> None:
    ticket_id = post.write(letter()).ticket_id
    assert ticket_id is not None
    received = post.answer(ticket_id)
    assert received.recipients == [IVAN]
    assert received.headers["in-reply-to"] == "<first@client.example>"

    by_address = letter("Не помогло.", to=received.headers["reply-to"], message_id="<second@client.example>")
    by_reference = letter(
        f"И перезапуск тоже.\n\nOn Mon, Mar 16, 2026 Support <{SUPPORT}> wrote:\n> Проверьте кабель.",
        message_id="<third@client.example>",
        in_reply_to=received.headers["message-id"],
    )
    post.deliver(by_address, to=[received.headers["reply-to"]])
    post.deliver(by_reference)
    post.work()

    assert [m.text for m in post.messages()] == [TEXT, "Не помогло.", "И перезапуск тоже."]
    assert {m.ticket_id for m in post.messages()} == {ticket_id}
    assert len(post.tickets()) == 1


def test_a_copy_to_two_of_our_addresses_is_one_message(post: Post) -> None:
    ticket_id = post.write(letter()).ticket_id
    assert ticket_id is not None
    received = post.answer(ticket_id)

    both = letter("Не помогло.", to=f"{SUPPORT}, {received.headers['reply-to']}", message_id="<second@client.example>")
    post.deliver(both, to=[SUPPORT, received.headers["reply-to"]])
    post.deliver(both, to=[SUPPORT])
    post.work()

    assert [m.text for m in post.messages()] == [TEXT, "Не помогло."]
    assert len(post.tickets()) == 1


def test_a_copy_that_came_on_another_way_and_was_changed_on_it_is_one_message(post: Post) -> None:
    post.write(letter())

    row = post.write(letter(x_scanned="by the other server"))

    assert (row.state, row.ticket_id) == ("ignored", post.tickets()[0].id)
    assert len(post.messages()) == 1


def test_a_stranger_with_the_token_gets_a_request_of_his_own(post: Post) -> None:
    ticket_id = post.write(letter()).ticket_id
    assert ticket_id is not None
    received = post.answer(ticket_id)
    thief = letter("Отмените!", sender="thief@evil.example", message_id="<x@evil.example>")

    row = post.write(thief, envelope="thief@evil.example", to=[received.headers["reply-to"]])

    assert row.ticket_id not in (None, ticket_id)
    note = post.messages("note")[0]
    assert note.ticket_id == row.ticket_id
    assert f"Похоже на № {post.tickets()[0].number}" in note.text


@pytest.mark.parametrize("forged", ["support+t1.0123456789abcdef@desk.localhost", "support+t1@desk.localhost"])
def test_a_forged_token_joins_nothing(post: Post, forged: str) -> None:
    post.write(letter())

    row = post.write(letter("Ещё одно", message_id="<second@client.example>"), to=[forged])

    assert row.ticket_id == post.tickets()[1].id


def test_a_client_who_answers_his_own_mail_gets_a_hint(post: Post) -> None:
    post.write(letter())

    post.write(letter("Забыл добавить", message_id="<2@client.example>", in_reply_to="<first@client.example>"))

    assert len(post.tickets()) == 2
    assert f"Похоже на № {post.tickets()[0].number}" in post.messages("note")[0].text


def test_a_closed_request_is_not_reopened_by_mail(post: Post) -> None:
    ticket_id = post.write(letter()).ticket_id
    assert ticket_id is not None
    received = post.answer(ticket_id)
    with post.database.transaction() as session:
        lines.close_sessions(session, session.get_one(Ticket, ticket_id))

    row = post.write(letter("Опять", message_id="<2@client.example>"), to=[received.headers["reply-to"]])

    assert row.ticket_id not in (None, ticket_id)


def test_files_are_kept_with_the_message(post: Post) -> None:
    mail = letter()
    mail.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="../снимок.png")
    mail.add_attachment(b"<svg onload='x()'>", maintype="image", subtype="svg+xml", filename="logo.svg")

    post.write(mail)

    with post.database.reading() as session:
        kept = session.scalars(select(Attachment).order_by(Attachment.name)).all()
        assert [(row.name, row.media_type) for row in kept] == [
            ("logo.svg", "application/octet-stream"),
            ("снимок.png", "image/png"),
        ]
        assert {row.message_id for row in kept} == {post.messages()[0].id}


def test_a_final_bounce_marks_the_answer_and_wakes_nobody(post: Post) -> None:
    ticket_id = post.write(letter()).ticket_id
    assert ticket_id is not None
    received = post.answer(ticket_id)

    row = post.write(bounce(received.headers["message-id"]), envelope="")

    assert (row.state, row.ticket_id) == ("ignored", ticket_id)
    assert post.messages("out")[-1].delivery == "failed"
    event = post.messages("event")[0]
    assert (event.ticket_id, event.automatic) == (ticket_id, True)
    assert "mailbox full" in event.text
    assert len(post.messages()) == 1


def test_an_absence_reply_stands_beside_the_talk(post: Post) -> None:
    ticket_id = post.write(letter()).ticket_id
    assert ticket_id is not None
    received = post.answer(ticket_id)
    away = letter(
        "Буду 1 апреля.",
        subject="Автоответ: Re: Не работает касса",
        message_id="<away@client.example>",
        in_reply_to=received.headers["message-id"],
        auto_submitted="auto-replied",
    )

    row = post.write(away)

    assert (row.state, row.ticket_id, row.error) == ("ignored", ticket_id, "Автоответ об отсутствии")
    assert len(post.messages()) == 1
    assert "Буду 1 апреля." in post.messages("event")[0].text
    assert post.tickets()[0].unread == 0


def test_a_flood_of_bounces_does_not_flood_the_talk(post: Post) -> None:
    ticket_id = post.write(letter()).ticket_id
    assert ticket_id is not None
    identifier = post.answer(ticket_id).headers["message-id"]

    for number in range(30):
        post.deliver(bounce(identifier).replace(b"<report@", f"<report{number}@".encode()), envelope="")
    post.work()

    assert len(post.mails()) == 31
    assert len(post.messages("event")) == 10


def test_automatic_answers_to_one_sender_are_braked(post: Post) -> None:
    for number in range(25):
        post.deliver(letter(f"Письмо {number}", message_id=f"<{number}@client.example>"))
    post.work()

    assert len(post.messages()) == 25
    assert len(post.outgoing()) <= 10


def test_mail_to_a_ticket_that_has_no_talk_yet_begins_it(post: Post) -> None:
    ticket_id = post.write(letter()).ticket_id
    assert ticket_id is not None
    received = post.answer(ticket_id)
    with post.database.transaction() as session:
        session.execute(update(LineSession).values(ticket_id=None))

    row = post.write(letter("Не помогло.", message_id="<2@client.example>"), to=[received.headers["reply-to"]])

    assert row.ticket_id == ticket_id
    assert len(post.tickets()) == 1


def test_a_failure_is_tried_three_times_and_then_shown_with_its_reason(
    post: Post, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_arguments: object, **_options: object) -> None:
        raise ValueError("something unforeseen")

    with monkeypatch.context() as broken:
        broken.setattr(delivery.lines, "receive_message", failing)
        first = post.write(letter())
        assert (first.state, first.attempts) == ("stored", 1)
        assert first.next_at == clock() + timedelta(minutes=1)
        clock.advance(timedelta(minutes=1))
        post.work()
        clock.advance(timedelta(minutes=5))
        post.work()

    row = post.mails()[0]
    assert (row.state, row.attempts) == ("quarantine", 3)
    assert re.search("something unforeseen", row.error)
    assert (post.messages(), post.tickets()) == ([], [])

    with post.database.transaction() as session:
        inbound.retry(session, row.id)
    post.work()
    assert post.mails()[0].state == "done"
    assert len(post.tickets()) == 1


def test_a_locked_database_does_not_count_against_the_mail(
    post: Post, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_arguments: object, **_options: object) -> None:
        raise Busy

    with monkeypatch.context() as broken:
        broken.setattr(delivery.lines, "receive_message", busy)
        row = post.write(letter())
    assert (row.state, row.attempts, row.error) == ("stored", 0, "")

    clock.advance(inbound.BUSY_WAIT)
    post.work()
    assert post.mails()[0].state == "done"


def test_a_mail_that_kills_its_worker_ends_in_quarantine(
    post: Post, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.deliver(letter())

    def dying(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Sandbox, "parse", dying)
        for _ in range(inbound.MAX_BEGINNINGS):
            with pytest.raises(KeyboardInterrupt):
                post.work()
            clock.advance(inbound.LEASE)
        post.work()

    assert post.mails()[0].state == "quarantine"


def test_two_workers_with_the_same_ids_make_one_message(post: Post) -> None:
    post.deliver(letter(message_id=None))
    with post.database.transaction() as session:
        ids = inbound.claim(session, "one", 10)
        assert inbound.claim(session, "two", 10) == []

    inbound.execute(post.settings, post.database, ids)
    inbound.execute(post.settings, post.database, ids)

    assert len(post.messages()) == 1


def test_the_next_due_time_follows_lease_and_backoff(post: Post, clock: FixedClock) -> None:
    with post.database.reading() as session:
        assert inbound.next_due(session) is None
    post.deliver(letter())
    with post.database.transaction() as session:
        assert inbound.next_due(session) == clock()
        inbound.claim(session, "one", 10)
        assert inbound.next_due(session) == clock() + inbound.LEASE


def test_the_rest_of_a_long_batch_is_given_back(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "BATCH_SECONDS", -1.0)

    row = post.write(letter())

    assert (row.state, row.attempts, row.lease_until) == ("stored", 0, None)
