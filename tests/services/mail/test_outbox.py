"""The outbox against real servers on loopback (E10 in small)."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import clock as engine_clock
from engine.clock import FixedClock
from engine.config import Settings
from engine.errors import NotFound
from services.lines import attachments
from services.lines.models import Message
from services.mail import outgoing, smtp
from services.notifications import outbox
from services.notifications.models import OutboxMessage
from services.tickets.models import TicketEvent
from tests.services.mail.conftest import MailDesk, begin_talk
from tests.services.mail.servers import silent_server, smtp_server, unused_port


def queue(desk: MailDesk, *recipients: str) -> list[int]:
    """Queue one plain mail to each."""
    now = engine_clock.now()
    with desk.database.transaction() as session:
        rows = [
            OutboxMessage(
                key=f"test:{recipient}",
                recipient=recipient,
                sender="support@desk.localhost",
                subject="Касса",
                text="Проверьте кабель.",
                headers={"Message-ID": f"<{number}@desk.localhost>"},
                next_at=now,
                created_at=now,
            )
            for number, recipient in enumerate(recipients)
        ]
        session.add_all(rows)
    return [row.id for row in rows]


def send_due(desk: MailDesk, port: int) -> list[int]:
    """What the ticker and a worker do."""
    settings = desk.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port})
    with desk.database.transaction() as session:
        ids = outbox.claim(session, "test", 25)
    outbox.execute(settings, desk.database, ids)
    return ids


def rows(desk: MailDesk) -> list[OutboxMessage]:
    with desk.database.reading() as session:
        found = list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))
        session.expunge_all()
        return found


def states(desk: MailDesk) -> list[str]:
    return [row.state for row in rows(desk)]


def test_a_queued_answer_arrives_with_its_files_and_is_marked_sent(desk: MailDesk) -> None:
    with desk.database.transaction() as session:
        talk = begin_talk(session)
        message = talk.message(session)
        attachments.store(session, message, "инструкция.pdf", b"%PDF-1", desk.settings)
        outgoing.queue_reply(session, ticket=talk.ticket, session_row=talk.row, message=message)

    with smtp_server() as server:
        send_due(desk, server.port)

    mail = server.mails[0]
    assert mail["From"] == "Поддержка <support@desk.localhost>"
    assert mail["Subject"] == "Re: Не работает касса [№ 42]"
    assert mail["Message-ID"] == message.external_id
    body = mail.get_body()
    assert body is not None
    assert body.get_content().strip() == "Проверьте кабель."
    assert [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()] == [
        ("инструкция.pdf", b"%PDF-1")
    ]
    with desk.database.reading() as session:
        assert session.get_one(Message, message.id).delivery == "sent"
    assert states(desk) == ["sent"]


def test_a_refused_recipient_is_final_and_stops_nobody(desk: MailDesk) -> None:
    queue(desk, "gone@client.example", "here@client.example")

    with smtp_server(refused={"gone@client.example": "550 5.1.1 No such user"}) as server:
        send_due(desk, server.port)

    assert states(desk) == ["failed", "sent"]
    assert "No such user" in rows(desk)[0].error


def test_a_final_failure_is_shown_in_the_talk_and_in_the_history(desk: MailDesk) -> None:
    with desk.database.transaction() as session:
        talk = begin_talk(session)
        message = talk.message(session)
        outgoing.queue_reply(session, ticket=talk.ticket, session_row=talk.row, message=message)

    with smtp_server(answers=["554 5.7.1 Rejected as spam"]) as server:
        send_due(desk, server.port)

    with desk.database.reading() as session:
        assert session.get_one(Message, message.id).delivery == "failed"
        event = session.scalar(select(TicketEvent).where(TicketEvent.field == "delivery"))
        assert event is not None
        assert "Rejected as spam" in event.reason


@pytest.mark.parametrize("answer", ["451 4.3.0 Try later", "drop", "421 4.3.2 Shutting down"])
def test_a_temporary_failure_waits_and_does_not_stop_the_others(desk: MailDesk, clock: FixedClock, answer: str) -> None:
    queue(desk, "first@client.example", "second@client.example", "third@client.example")

    with smtp_server(answers=[answer]) as server:
        send_due(desk, server.port)
        assert states(desk) == ["queued", "sent", "sent"]
        assert rows(desk)[0].next_at == clock() + timedelta(minutes=1)

        assert send_due(desk, server.port) == []
        clock.advance(timedelta(minutes=1))
        send_due(desk, server.port)

    assert states(desk) == ["sent"] * 3
    assert sorted(mail["Message-ID"] for mail in server.mails) == [f"<{n}@desk.localhost>" for n in range(3)]


def test_waiting_times_grow_and_end_after_ten_attempts(desk: MailDesk, clock: FixedClock) -> None:
    queue(desk, "ivan@client.example")
    waited = []

    with smtp_server(answers=["451 4.3.0 Try later"] * 10) as server:
        for _ in range(10):
            send_due(desk, server.port)
            row = rows(desk)[0]
            waited.append((row.next_at - clock()) // timedelta(minutes=1))
            clock.set(max(row.next_at, clock()))

    assert waited[:9] == [1, 5, 15, 60, 60, 60, 60, 60, 60]
    assert states(desk) == ["failed"]


def test_an_unreachable_server_is_asked_once_a_batch(desk: MailDesk, clock: FixedClock) -> None:
    queue(desk, *(f"client{n}@client.example" for n in range(30)))

    send_due(desk, unused_port())

    assert {row.next_at for row in rows(desk)} == {clock() + timedelta(minutes=1)}
    assert [row.attempts for row in rows(desk)] == [1] + [0] * 29
    assert all(row.lease_until is None for row in rows(desk))


def test_a_silent_server_costs_one_time_limit(desk: MailDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 0.2)
    queue(desk, "first@client.example", "second@client.example")

    with silent_server() as port:
        send_due(desk, port)

    assert states(desk) == ["queued", "queued"]
    assert "timed out" in rows(desk)[0].error


def test_a_server_that_falls_silent_in_the_talk_is_left(desk: MailDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "TALK_SECONDS", 0.2)
    queue(desk, "first@client.example", "second@client.example")

    with silent_server(greeting=b"220 ready\r\n") as port:
        send_due(desk, port)

    assert [row.attempts for row in rows(desk)] == [1, 1]
    assert states(desk) == ["queued", "queued"]


def test_no_transaction_is_open_while_a_mail_is_sent(desk: MailDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    queue(desk, "ivan@client.example")
    written: list[str] = []

    with smtp_server() as server:
        send = smtp.Connection.send

        def sending(self: smtp.Connection, *arguments: object) -> None:
            # on SQLite a second writer would have to wait for an open transaction
            with desk.database.transaction() as session:
                session.scalar(select(OutboxMessage.id).with_for_update())
                written.append("meanwhile")
            send(self, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(smtp.Connection, "send", sending)
        send_due(desk, server.port)

    assert (written, states(desk)) == (["meanwhile"], ["sent"])


def test_a_crash_after_sending_repeats_the_same_mail(desk: MailDesk, clock: FixedClock) -> None:
    ids = queue(desk, "ivan@client.example")

    with smtp_server() as server:
        settings = desk.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": server.port})
        with pytest.MonkeyPatch.context() as crash:
            crash.setattr(outbox, "_finish", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                outbox.execute(settings, desk.database, ids)
        clock.advance(outbox.LEASE)
        send_due(desk, server.port)

    assert [mail["Message-ID"] for mail in server.mails] == ["<0@desk.localhost>"] * 2
    assert states(desk) == ["sent"]


def _interrupt(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_two_workers_with_the_same_ids_do_not_send_twice_what_is_sent(desk: MailDesk) -> None:
    ids = queue(desk, "ivan@client.example")

    with smtp_server() as server:
        settings = desk.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": server.port})
        outbox.execute(settings, desk.database, ids)
        outbox.execute(settings, desk.database, ids)

    assert len(server.mails) == 1


def test_a_claimed_mail_is_not_claimed_again_until_its_lease_ends(desk: MailDesk, clock: FixedClock) -> None:
    ids = queue(desk, "ivan@client.example")

    with desk.database.transaction() as session:
        assert outbox.claim(session, "one", 25) == ids
    with desk.database.transaction() as session:
        assert outbox.claim(session, "two", 25) == []
        assert outbox.next_due(session) == clock() + outbox.LEASE
    clock.advance(outbox.LEASE)
    with desk.database.transaction() as session:
        assert outbox.claim(session, "two", 25) == ids


def test_a_mail_that_cannot_be_built_is_given_up_alone(desk: MailDesk) -> None:
    queue(desk, "not an address", "ivan@client.example")

    with smtp_server() as server:
        send_due(desk, server.port)

    assert states(desk) == ["failed", "sent"]


def test_the_rest_of_a_long_batch_is_given_back(desk: MailDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    queue(desk, "first@client.example", "second@client.example")
    monkeypatch.setattr(outbox, "BATCH_SECONDS", -1.0)

    with smtp_server() as server:
        send_due(desk, server.port)

    assert states(desk) == ["queued", "queued"]
    assert all(row.lease_until is None and row.attempts == 0 for row in rows(desk))


def test_a_mail_that_was_given_up_can_be_queued_again(desk: MailDesk) -> None:
    ids = queue(desk, "gone@client.example")
    with smtp_server(refused={"gone@client.example": "550 5.1.1 No such user"}) as server:
        send_due(desk, server.port)
        server.refused.clear()

        with desk.database.transaction() as session:
            outbox.retry(session, ids[0])
        send_due(desk, server.port)

    assert states(desk) == ["sent"]
    with desk.database.transaction() as session, pytest.raises(NotFound):
        outbox.retry(session, ids[0])


def test_passwords_are_not_sent_in_the_clear() -> None:
    settings = Settings(smtp_host="mail.example.org", smtp_user="desk", smtp_password="canary")
    connection = smtp.Connection(settings)

    class Plain:
        said: tuple[str, ...] = ()

        def ehlo_or_helo_if_needed(self) -> None: ...

        def has_extn(self, name: str) -> bool:
            return False

        def login(self, *words: str) -> None:
            self.said += words

    plain = Plain()
    with pytest.raises(Exception, match="no encryption"):
        connection._log_in(plain)  # type: ignore[arg-type]
    assert plain.said == ()


def test_many_mails_use_one_connection(desk: MailDesk) -> None:
    queue(desk, *(f"client{n}@client.example" for n in range(20)))
    before = threading.active_count()

    with smtp_server() as server:
        send_due(desk, server.port)

    assert states(desk) == ["sent"] * 20
    assert threading.active_count() == before
