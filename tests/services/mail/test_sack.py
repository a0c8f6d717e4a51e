"""A sack of nasty mails at once: none lost, none doubled, no machine answered."""

from __future__ import annotations

from sqlalchemy import func, select

from services.clients.models import Client, ClientContact
from tests.services.mail.letters import IVAN, SUPPORT, bounce, deeply_nested, letter, many_parts, raw
from tests.services.mail.post import Post

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
