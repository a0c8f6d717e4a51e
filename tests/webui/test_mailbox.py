"""The mailbox page: letters as text, and an answer that travels by SMTP like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from services.bootstrap import Desk
from services.lines.models import Channel, InboundMail
from services.mail import mailbox
from tests.webui.conftest import Browser

IVAN = "ivan@client.example"


@pytest.fixture
def letter(desk: Desk) -> Iterator[None]:
    """The built-in mailbox listens, and a letter of the desk to Ivan lies in it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "support@desk.localhost", IVAN, "Re: Касса <b>3</b>"
    mail["Reply-To"], mail["Message-ID"] = "support@desk.localhost", "<one@desk.localhost>"
    mail.set_content("Здравствуйте, <script>alert(1)</script> Иван")
    with desk.database.transaction() as session:
        mailbox.store(session, "support@desk.localhost", [IVAN], mail.as_bytes().replace(b"\n", b"\r\n"))
    with mailbox.serve(desk) as port:
        desk.settings.mail_port = port
        yield


@pytest.mark.usefixtures("letter")
def test_a_letter_is_shown_as_text(sign_in: Callable[[str], Browser]) -> None:
    admin = sign_in("admin")

    assert "Re: Касса &lt;b&gt;3&lt;/b&gt;" in admin.get("/mailbox").text
    shown = admin.get("/mailbox/1").text
    assert "&lt;script&gt;" in shown
    assert "<script>alert" not in shown


@pytest.mark.usefixtures("letter")
def test_an_answer_reaches_the_line_over_smtp(desk: Desk, sign_in: Callable[[str], Browser]) -> None:
    sent = sign_in("admin").post("/mailbox/1/answer", {"text": "Спасибо, помогло"})

    with desk.database.reading() as session:
        arrived = session.scalars(select(InboundMail)).one()
        address = session.get_one(Channel, arrived.channel_id).address
        sender, raw = arrived.envelope_from, arrived.raw
    assert sent.status_code == 303
    assert address == "support@desk.localhost"
    assert sender == IVAN
    assert b"In-Reply-To: <one@desk.localhost>" in raw


@pytest.mark.usefixtures("letter")
def test_outside_a_demonstration_the_mailbox_is_the_admins(sign_in: Callable[[str], Browser]) -> None:
    operator = sign_in("operator")

    assert operator.get("/mailbox").status_code == 404
    assert operator.get("/mailbox/1").status_code == 404
    assert operator.post("/mailbox/1/answer", {"text": "x"}).status_code == 404
