"""From the mailbox to the ticket: every mail accounted for, once, and no machine answered."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from engine import listeners, repository
from engine.clock import FixedClock
from engine.config import Settings
from engine.errors import Busy
from services.bootstrap import Desk, open_desk
from services.clients.models import Client, ClientContact
from services.lines import operations as lines
from services.lines.models import Attachment, InboundMail, LineSession, MailboxMessage, Message
from services.mail import delivery, inbound, mailbox
from services.mail.sandbox import Sandbox
from services.notifications import outbox
from services.notifications.models import OutboxMessage
from services.people.models import Agent, Role
from services.reference import ensure_reference
from services.tickets.models import Ticket
from tests.services.mail.letters import IVAN, SUPPORT, TEXT, bounce, deeply_nested, letter, many_parts, raw

ROOT = Path(__file__).resolve().parents[3]


class Post:
    """The desk, its mailbox and the clients who write to it."""

    def __init__(self, desk: Desk, port: int) -> None:
        self.desk = desk
        self.database = desk.database
        self.settings = desk.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port})
        self.port = port

    def deliver(self, content: Any, *, envelope: str = IVAN, to: list[str] | None = None) -> None:
        """A mail goes over SMTP into the mailbox."""
        encoded = content if isinstance(content, bytes) else content.as_bytes()
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
            client.sendmail(envelope, to or [SUPPORT], encoded)

    def work(self) -> None:
        """The ticker and the worker do what is due."""
        with self.database.transaction() as session:
            ids = inbound.claim(session, "test", 100)
        inbound.execute(self.settings, self.database, ids)

    def write(self, content: Any, **options: Any) -> InboundMail:
        """Deliver and process; gives the row of the mail."""
        self.deliver(content, **options)
        self.work()
        return self.mails()[-1]

    def answer(self, ticket_id: int, text: str = "Проверьте кабель.") -> MailboxMessage:
        """An operator answers from the card; gives the mail as the client's mailbox got it."""
        with self.database.transaction() as session:
            agent = session.scalars(select(Agent)).first() or _operator(session)
            lines.reply(session, session.get_one(Ticket, ticket_id), text=text, actor=agent)
        self.send()
        with self.database.reading() as session:
            found = session.scalars(select(MailboxMessage).order_by(MailboxMessage.id.desc())).first()
            session.expunge_all()
            assert found is not None
            return found

    def send(self) -> None:
        with self.database.transaction() as session:
            ids = outbox.claim(session, "test", 100)
        outbox.execute(self.settings, self.database, ids)

    def mails(self) -> list[InboundMail]:
        return self._all(select(InboundMail).order_by(InboundMail.id))

    def tickets(self) -> list[Ticket]:
        return self._all(select(Ticket).order_by(Ticket.id))

    def messages(self, *kinds: str) -> list[Message]:
        return self._all(select(Message).where(Message.kind.in_(kinds or ("in",))).order_by(Message.id))

    def outgoing(self) -> list[OutboxMessage]:
        return self._all(select(OutboxMessage).where(OutboxMessage.key.not_like("notify:%")))

    def _all(self, query: Any) -> list[Any]:
        with self.database.reading() as session:
            found = list(session.scalars(query))
            session.expunge_all()
            return found


def _operator(session: Any) -> Agent:
    role = session.scalar(select(Role).where(Role.name == "operator")) or Role(name="operator")
    agent = Agent(
        email="operator@desk.localhost",
        name="Алина Чернова",
        fs_uniquifier="alina",
        created_at=repository.clock.now(),
        roles=[role],
    )
    session.add(agent)
    session.flush()
    return agent


@pytest.fixture
def post(settings: Settings, clock: FixedClock) -> Iterator[Post]:
    desk = open_desk(settings)
    files = {path.name: path.read_bytes() for path in [*ROOT.glob("processes/*.bpmn"), *ROOT.glob("forms/*.json")]}
    with desk.database.transaction() as session:
        ensure_reference(session, settings)
        repository.deploy(session, files, author="system", activate=True)
    with mailbox.serve(desk) as port:
        yield Post(desk, port)
    listeners.reset()
    desk.database.dispose()


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


MACHINES: dict[str, bytes] = {
    "bounce of nothing known": bounce("<foreign@elsewhere.example>"),
    "away ru": letter(subject="Автоответ: отпуск", message_id="<m1@c>").as_bytes(),
    "away en": letter(subject="Out of Office: till", message_id="<m2@c>").as_bytes(),
    "digest": letter(list_id="<news.shop.example>", precedence="bulk", message_id="<m3@c>").as_bytes(),
    "auto": letter(auto_submitted="auto-generated", message_id="<m4@c>").as_bytes(),
    "our own address": letter(sender=SUPPORT, message_id="<m5@c>").as_bytes(),
    "our own tag": letter(sender="support+x@desk.localhost", message_id="<m6@c>").as_bytes(),
    "loop": letter(x_bpmdesk_loop="desk.localhost", message_id="<m7@c>").as_bytes(),
    "daemon": letter(sender="MAILER-DAEMON@mx.client.example", message_id="<m8@c>").as_bytes(),
    "postmaster": letter(sender="Postmaster <postmaster@mx.client.example>", message_id="<m9@c>").as_bytes(),
    "exchange": letter(x_auto_response_suppress="All", message_id="<m10@c>").as_bytes(),
}
PEOPLE: dict[str, bytes] = {
    "no message id": letter("Без номера", message_id=None).as_bytes(),
    "windows-1251 undeclared": raw(f"From: Иван <{IVAN}>\nSubject: Касса\nMessage-ID: <p1@c>", "Не печатает", "cp1251"),
    "koi8-r declared utf-8": raw(
        f"From: {IVAN}\nMessage-ID: <p2@c>\nContent-Type: text/plain; charset=utf-8", "Не печатает", "koi8-r"
    ),
    "huge subject": raw(f"From: {IVAN}\nSubject: {'ш' * 40_000}\nMessage-ID: <p3@c>", "Текст"),
    "thousands of headers": raw(
        f"From: {IVAN}\nMessage-ID: <p4@c>\n" + "\n".join(f"X-Trace-{n}: {'t' * 90}" for n in range(3000)), "Текст"
    ),
    "no subject, no date": raw(f"From: {IVAN}\nMessage-ID: <p5@c>", "Текст"),
    "empty body": letter("", message_id="<p6@c>").as_bytes(),
    "binary body": raw(f"From: {IVAN}\nMessage-ID: <p7@c>", bytes(range(256)) * 12),
    "header injection": raw(
        f"From: =?utf-8?q?Ivan=0D=0ABcc=3A_victim=40example=2Eorg?= <{IVAN}>\n"
        "Subject: =?utf-8?q?a=0D=0ABcc=3A_victim=40example=2Eorg?=\nMessage-ID: <p8@c>",
        "Текст",
    ),
    "script": raw(
        f"From: {IVAN}\nMessage-ID: <p9@c>\nContent-Type: text/html",
        "<p>Привет<script>alert(1)</script><img src=x onerror=alert(1)>",
    ),
    "outlook": raw(
        f"From: {IVAN}\nSubject: RE: Касса\nMessage-ID: <p10@c>\nThread-Index: AQHZ\nX-Auto-Response-Suppress: DR, OOF",
        "Всё ещё нет.\n\n____________________\nОт: Поддержка\nОтправлено: 16 марта 2026\nКому: Иван\n\nСтарое",
    ),
    "bottomless base64": raw(f"From: {IVAN}\nMessage-ID: <p11@c>\nContent-Transfer-Encoding: base64", "%%%%"),
    "null in text": raw(f"From: {IVAN}\nMessage-ID: <p12@c>", b"before\x00after"),
    "long message id": raw(f"From: {IVAN}\nMessage-ID: <{'p' * 3000}@c>", "Текст"),
    "thousand references": raw(
        f"From: {IVAN}\nMessage-ID: <p13@c>\nReferences: " + "\n ".join(f"<r{n}@c>" for n in range(1000)), "Текст"
    ),
    "no from at all": raw("Subject: кто я\nMessage-ID: <p14@c>", "Текст"),
    "lone surrogates": raw(f"From: {IVAN}\nMessage-ID: <p15@c>\nSubject: =?utf-8?b?7aCA?=", "Текст"),
}
BOMBS: dict[str, bytes] = {"deep": deeply_nested(300), "deeper": deeply_nested(8000), "many": many_parts(500)}


def only_files() -> bytes:
    mail = letter("", message_id="<files@c>")
    for name in ("a.zip", "a.zip/../../x", "акт.pdf .exe", "a" * 400 + ".txt"):
        mail.add_attachment(b"PK\x03\x04", maintype="application", subtype="zip", filename=name)
    return mail.as_bytes()


def test_of_a_sack_of_nasty_mails_none_is_lost_none_doubled_and_no_machine_answered(post: Post) -> None:
    people = [*PEOPLE.values(), only_files()]
    for content in [*people, *MACHINES.values(), *BOMBS.values()]:
        for _repeated in range(2):
            post.deliver(content, envelope="" if content.startswith(b"From: Mail Delivery") else IVAN)

    for _ in range(3):
        post.work()

    states = [row.state for row in post.mails()]
    assert states.count("done") == len(people)
    assert states.count("ignored") == len(MACHINES)
    assert states.count("quarantine") == len(BOMBS)
    assert len(states) == len(people) + len(MACHINES) + len(BOMBS)
    assert len(post.messages()) == len(post.tickets()) == len(people)
    assert all(row.error for row in post.mails() if row.state != "done")
    assert {row.recipient for row in post.outgoing()} <= {IVAN}
    with post.database.reading() as session:
        assert session.scalars(select(ClientContact.value)).all() == [IVAN]
        assert session.scalar(select(func.count(Client.id))) == 1


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
