"""Mail that is stuck: seen, explained and tried again."""

from __future__ import annotations

import pytest

from engine import clock
from services.lines.models import Channel, InboundMail, Line
from services.notifications.models import OutboxMessage
from tests.webui.admin.conftest import Office, Visitor

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def quarantined(office: Office) -> int:
    with office.desk.database.transaction() as session:
        line = Line(name="Склад", slug="store")
        session.add(line)
        session.flush()
        channel = Channel(line_id=line.id, kind="email", address="store@desk.test")
        session.add(channel)
        session.flush()
        mail = InboundMail(
            channel_id=channel.id,
            envelope_from=HOSTILE,
            raw=b"whatever",
            sha256="0" * 64,
            state="quarantine",
            error="вложено глубже 20 уровней",
            attempts=3,
            next_at=clock.now(),
            received_at=clock.now(),
            subject=HOSTILE,
        )
        session.add(mail)
        session.flush()
        return mail.id


@pytest.fixture
def given_up(office: Office) -> int:
    with office.desk.database.transaction() as session:
        mail = OutboxMessage(
            key="answer-1",
            recipient="client@example.org",
            subject=HOSTILE,
            text="…",
            state="failed",
            attempts=10,
            error="550 no such mailbox",
            next_at=clock.now(),
            created_at=clock.now(),
        )
        session.add(mail)
        session.flush()
        return mail.id


def test_a_mail_in_quarantine_says_why_and_is_shown_as_text(quarantined: int, admin: Visitor) -> None:
    page = admin.get("/admin/mail?state=quarantine").text

    assert "вложено глубже 20 уровней" in page
    assert HOSTILE not in page


def test_a_mail_leaves_the_quarantine_for_another_try(office: Office, quarantined: int, admin: Visitor) -> None:
    admin.post(f"/admin/mail/{quarantined}/retry")

    mail = office.one(InboundMail, quarantined)
    assert (mail.state, mail.attempts) == ("stored", 0)
    assert admin.post(f"/admin/mail/{quarantined}/retry").status_code == 404


def test_an_outgoing_mail_that_was_given_up_is_queued_again(office: Office, given_up: int, admin: Visitor) -> None:
    page = admin.get("/admin/mail/outbox").text
    admin.post(f"/admin/mail/outbox/{given_up}/retry")

    assert "550 no such mailbox" in page
    assert HOSTILE not in page
    assert office.one(OutboxMessage, given_up).state == "queued"
