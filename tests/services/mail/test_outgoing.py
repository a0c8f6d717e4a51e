from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.clock import FixedClock
from services.lines.models import Channel
from services.mail import outgoing, tokens
from services.mail.composing import compose
from services.mail.identity import current
from services.mail.tokens import Thread
from services.notifications.models import OutboxMessage
from tests.services.mail.conftest import MailDesk, begin_talk


def test_an_answer_belongs_to_the_clients_thread(desk: MailDesk) -> None:
    with desk.database.transaction() as session:
        talk = begin_talk(session)
        message = talk.message(session)

        row = outgoing.queue_reply(session, ticket=talk.ticket, session_row=talk.row, message=message)

        assert row is not None
        assert row.recipient == "ivan@client.example"
        assert row.subject == "Re: Не работает касса [№ 42]"
        assert row.headers["In-Reply-To"] == "<first@client.example>"
        assert tokens.read_address(current().key, row.headers["Reply-To"]) == Thread("t", talk.ticket.id)
        assert tokens.read_message_ids(current().key, row.headers["Message-ID"]) == Thread("t", talk.ticket.id)
        assert (message.delivery, message.external_id) == ("queued", row.headers["Message-ID"])
        assert "Auto-Submitted" not in row.headers


def test_automatic_mails_say_so(desk: MailDesk) -> None:
    with desk.database.transaction() as session:
        talk = begin_talk(session)

        auto = outgoing.queue_auto(
            session, ticket=talk.ticket, session_row=talk.row, message=talk.message(session, automatic=True)
        )
        outgoing.queue_notices(
            session, [outgoing.Notice(talk.agent, subject="Новое обращение", text="…", key="assigned:42")], talk.ticket
        )

        assert auto is not None
        rows = session.scalars(select(OutboxMessage)).all()
        assert len(rows) == 2
        for row in rows:
            assert row.headers["Auto-Submitted"] == "auto-generated"
            assert row.headers["X-Auto-Response-Suppress"] == "All"


def test_the_same_notification_is_queued_once(desk: MailDesk) -> None:
    with desk.database.transaction() as session:
        agent = begin_talk(session).agent
        for _ in range(3):
            outgoing.queue_notices(session, [outgoing.Notice(agent, subject="s", text="t", key="k" * 300)], None)

        assert len(session.scalars(select(OutboxMessage)).all()) == 1


@pytest.mark.parametrize(
    "address",
    [
        "mailer-daemon@client.example",
        "postmaster@client.example",
        "no-reply@shop.example",
        "noreply+42@shop.example",
        "donotreply@shop.example",
        "support@desk.localhost",
        "Support+t1.0123456789abcdef@desk.localhost",
        "desk@desk.localhost",
    ],
)
def test_nothing_is_sent_to_machines_and_to_ourselves(desk: MailDesk, address: str) -> None:
    with desk.database.transaction() as session:
        talk = begin_talk(session, email=address)
        message = talk.message(session)

        assert outgoing.queue_reply(session, ticket=talk.ticket, session_row=talk.row, message=message) is None
        assert outgoing.queue_auto(session, ticket=talk.ticket, session_row=talk.row, message=message) is None
        assert session.scalars(select(OutboxMessage)).all() == []


def test_people_whose_names_resemble_machines_get_their_mail(desk: MailDesk) -> None:
    with desk.database.transaction() as session:
        talk = begin_talk(session, email="noreplyanov@client.example")

        assert outgoing.queue_reply(session, ticket=talk.ticket, session_row=talk.row, message=talk.message(session))


def test_line_breaks_in_names_and_subjects_make_no_headers(desk: MailDesk) -> None:
    with desk.database.transaction() as session:
        talk = begin_talk(session, subject="Касса\r\nBcc: victim@example.org\u2028X-Evil: 1")
        session.get_one(Channel, 1).line.name = "Поддержка\nBcc: victim@example.org"

        row = outgoing.queue_reply(session, ticket=talk.ticket, session_row=talk.row, message=talk.message(session))

        assert row is not None
        content = compose(row).as_bytes()
        assert compose(row)["Bcc"] is None
        assert b"\nX-Evil" not in content
        assert b"\nBcc" not in content


def test_automatic_mails_to_one_address_are_braked(desk: MailDesk, clock: FixedClock) -> None:
    with desk.database.transaction() as session:
        talk = begin_talk(session)

        def automatic() -> OutboxMessage | None:
            message = talk.message(session, automatic=True)
            return outgoing.queue_auto(session, ticket=talk.ticket, session_row=talk.row, message=message)

        sent = [automatic() for _ in range(15)]
        clock.advance(timedelta(minutes=11))
        later = automatic()

        assert [row is not None for row in sent] == [True] * 10 + [False] * 5
        assert later is not None


def test_a_client_who_writes_too_often_gets_no_automatic_mail(desk: MailDesk) -> None:
    with desk.database.transaction() as session:
        talk = begin_talk(session)
        for _ in range(10):
            talk.message(session, kind="in", author_client_id=talk.row.client_id)

        auto = talk.message(session, automatic=True)

        assert outgoing.queue_auto(session, ticket=talk.ticket, session_row=talk.row, message=auto) is None
        assert auto.delivery == ""
        assert outgoing.queue_reply(session, ticket=talk.ticket, session_row=talk.row, message=talk.message(session))


def test_a_row_with_line_breaks_everywhere_makes_one_plain_mail(clock: FixedClock) -> None:
    evil = "x\r\nBcc: victim@example.org"
    row = OutboxMessage(
        recipient="ivan@client.example",
        sender="support@desk.localhost",
        sender_name=evil,
        subject=evil,
        text="Текст",
        headers={"Reply-To": evil, "X-A\r\nBcc": evil},
        created_at=clock(),
    )

    mail = compose(row)

    assert mail["Bcc"] is None
    assert b"\nBcc" not in mail.as_bytes()


def test_a_header_value_is_one_line() -> None:
    assert outgoing.clean_header("a\r\nb\x00c\x85d\u2029e\tf") == "a b c d e f"


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Касса", "Re: Касса [№ 42]"),
        ("Re: RE: Касса [№ 42]", "Re: Касса [№ 42]"),
        ("Отв: Fwd: Re[2]: Касса", "Re: Касса [№ 42]"),
        ("", "Re: [№ 42]"),
        ("Реклама: касса", "Re: Реклама: касса [№ 42]"),
    ],
)
def test_the_subject_carries_each_mark_once(desk: MailDesk, subject: str, answer: str) -> None:
    with desk.database.transaction() as session:
        assert outgoing.reply_subject(subject, begin_talk(session).ticket) == answer
