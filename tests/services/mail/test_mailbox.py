"""The built-in mailbox over real SMTP."""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from engine.clock import FixedClock
from services.lines.models import Channel, InboundMail, MailboxMessage
from services.mail import mailbox, tokens
from services.mail.identity import current
from services.mail.tokens import Thread
from tests.services.mail.conftest import MailDesk
from tests.services.mail.letters import IVAN, SUPPORT, letter, raw
from tests.services.mail.servers import unused_port

OTHER = "anna@elsewhere.example"


@pytest.fixture
def smtp(desk: MailDesk) -> Iterator[smtplib.SMTP]:
    with mailbox.serve(desk) as port, smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        yield client


def inbound(desk: MailDesk) -> list[InboundMail]:
    with desk.database.reading() as session:
        found = list(session.scalars(select(InboundMail).order_by(InboundMail.id)))
        session.expunge_all()
        return found


def shown(desk: MailDesk) -> list[MailboxMessage]:
    with desk.database.reading() as session:
        found = list(session.scalars(select(MailboxMessage).order_by(MailboxMessage.id)))
        session.expunge_all()
        return found


def test_mail_to_a_line_is_kept_as_it_came(desk: MailDesk, smtp: smtplib.SMTP) -> None:
    content = letter().as_bytes()

    smtp.sendmail(IVAN, [SUPPORT.title()], content)

    row = inbound(desk)[0]
    assert row.raw == f"Delivered-To: {SUPPORT}\r\n".encode() + content
    assert (row.state, row.envelope_from, row.channel_id) == ("stored", IVAN, 1)
    assert shown(desk) == []


def test_mail_to_anybody_else_is_shown_on_the_mailbox_page(desk: MailDesk, smtp: smtplib.SMTP) -> None:
    smtp.sendmail(SUPPORT, [OTHER], letter(subject="Ответ на обращение").as_bytes())

    row = shown(desk)[0]
    assert (row.sender, row.recipients, row.subject) == (SUPPORT, [OTHER], "Ответ на обращение")
    assert inbound(desk) == []


def test_one_mail_may_have_both_kinds_of_recipients(desk: MailDesk, smtp: smtplib.SMTP) -> None:
    smtp.sendmail(IVAN, [OTHER, SUPPORT, f"support+x@{SUPPORT.split('@')[1]}"], letter().as_bytes())

    assert len(inbound(desk)) == 1
    assert shown(desk)[0].recipients == [OTHER]


def test_of_several_addresses_of_ours_the_one_with_a_token_counts(desk: MailDesk, smtp: smtplib.SMTP) -> None:
    token = tokens.reply_address(current().key, Thread("t", 42), SUPPORT)

    smtp.sendmail(IVAN, [SUPPORT, token], letter().as_bytes())

    assert inbound(desk)[0].raw.startswith(f"Delivered-To: {token}\r\n".encode())


def test_an_inactive_channel_takes_no_requests(desk: MailDesk, smtp: smtplib.SMTP) -> None:
    with desk.database.transaction() as session:
        session.get_one(Channel, 1).active = False

    smtp.sendmail(IVAN, [SUPPORT], letter().as_bytes())

    assert (inbound(desk), len(shown(desk))) == ([], 1)


def test_a_repeated_mail_is_accepted_and_not_doubled(desk: MailDesk, smtp: smtplib.SMTP) -> None:
    content = letter().as_bytes()
    on_another_way = b"Received: from a by b;\r\n\tMon, 16 Mar 2026\r\nDelivered-To: x@y.z\r\n" + content

    for copy in (content, content, on_another_way):
        assert smtp.sendmail(IVAN, [SUPPORT], copy) == {}

    assert len(inbound(desk)) == 1


def test_different_mails_with_one_message_id_are_both_kept(desk: MailDesk, smtp: smtplib.SMTP) -> None:
    smtp.sendmail(IVAN, [SUPPORT], letter("Первое").as_bytes())
    smtp.sendmail(IVAN, [SUPPORT], letter("Второе").as_bytes())

    assert len(inbound(desk)) == 2


def test_equal_mails_without_an_id_are_two_when_time_has_passed(
    desk: MailDesk, smtp: smtplib.SMTP, clock: FixedClock
) -> None:
    content = letter(message_id=None).as_bytes()

    smtp.sendmail(IVAN, [SUPPORT], content)
    smtp.sendmail(IVAN, [SUPPORT], content)
    clock.advance(timedelta(hours=2))
    smtp.sendmail(IVAN, [SUPPORT], content)

    assert len(inbound(desk)) == 2


def test_without_the_database_the_sender_is_asked_to_try_again(
    desk: MailDesk, smtp: smtplib.SMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_arguments: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    with monkeypatch.context() as broken:
        broken.setattr(mailbox, "store", failing)
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            smtp.sendmail(IVAN, [SUPPORT], letter().as_bytes())

    assert refusal.value.smtp_code == 451
    smtp.sendmail(IVAN, [SUPPORT], letter().as_bytes())
    assert len(inbound(desk)) == 1


def test_a_mail_beyond_the_largest_size_is_refused(desk: MailDesk, smtp: smtplib.SMTP) -> None:
    smtp.ehlo()
    assert smtp.esmtp_features["size"] == str(25 * 1024 * 1024)

    with pytest.raises(smtplib.SMTPSenderRefused):
        smtp.sendmail(IVAN, [SUPPORT], b"x" * (25 * 1024 * 1024 + 1))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff" * 500,
        raw(f"From: {IVAN}\nSubject: {'y' * 100_000}", "body"),
        raw("\n".join(f"X-Header-{n}: z" for n in range(20_000)), "body"),
        raw("Subject: Касса", "Тело", "cp1251"),
    ],
    ids=lambda content: f"{len(content)}-bytes",
)
def test_nothing_is_too_broken_to_be_kept(desk: MailDesk, smtp: smtplib.SMTP, content: bytes) -> None:
    smtp.sendmail(IVAN, [SUPPORT, OTHER], content)

    assert len(inbound(desk)) == 1
    assert len(shown(desk)) == 1


def test_an_empty_return_path_is_kept_as_such(desk: MailDesk, smtp: smtplib.SMTP) -> None:
    smtp.sendmail("", [SUPPORT], letter().as_bytes())

    assert inbound(desk)[0].envelope_from == ""


def test_sigterm_ends_the_mailbox_process(desk: MailDesk) -> None:
    port = unused_port()
    program = """
from types import SimpleNamespace
import services.models
from engine.config import Settings
from engine.db import Database
from services.mail import identity, mailbox
settings = Settings()
identity.install(settings)
mailbox.run(SimpleNamespace(settings=settings, database=Database(settings.database)))
"""
    environment = os.environ | {
        "BPMDESK_DATA_DIR": str(desk.settings.data_dir),
        "BPMDESK_DATABASE_URL": desk.settings.database_url,
        "BPMDESK_MAIL_PORT": str(port),
    }

    with subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"mailbox ready" in process.stdout.readline()
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.sendmail(IVAN, [SUPPORT], letter().as_bytes())
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()

    assert len(inbound(desk)) == 1
