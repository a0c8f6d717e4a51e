"""The built-in mailbox: what was sent to people outside the desk, and a way to answer as one of them."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import make_msgid

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import defer

from engine.errors import NotFound
from services.lines.models import MailboxMessage
from services.mail.addresses import parsed
from services.mail.parsing import Unparsable
from services.mail.sandbox import ParsingFailed, Sandbox
from services.mail.smtp import Connection, MailRefused, ServerUnavailable
from services.texts import message_text, one_line
from webui.language import gettext
from webui.routes import STAFF, Visit, may, route

blueprint = Blueprint("mailbox", __name__)

_SHOWN = 200


@route(blueprint, "/mailbox", roles=STAFF)
def index(visit: Visit) -> ResponseReturnValue:
    _check(visit)
    newest = select(MailboxMessage).options(defer(MailboxMessage.raw)).order_by(MailboxMessage.id.desc())
    return render_template("mailbox/index.html", mails=visit.session.scalars(newest.limit(_SHOWN)).all())


@route(blueprint, "/mailbox/<int:mail_id>", roles=STAFF)
def show(visit: Visit, mail_id: int) -> ResponseReturnValue:
    return _page(visit, _mail(visit, mail_id), "")


@route(blueprint, "/mailbox/<int:mail_id>/answer", roles=STAFF, methods=["POST"])
def answer(visit: Visit, mail_id: int) -> ResponseReturnValue:
    mail = _mail(visit, mail_id)
    text = message_text(request.form.get("text", ""))
    if not text:
        return _page(visit, mail, gettext("Напишите текст.")), 422
    letter, sender, recipient = _letter(mail, text)
    # The mailbox that takes this letter writes into the same database: it must not wait for our lock.
    visit.session.rollback()
    try:
        with Connection(visit.desk.settings) as connection:
            connection.send(letter, sender, recipient)
    except (MailRefused, ServerUnavailable, OSError):
        return _page(visit, _mail(visit, mail_id), gettext("Почтовый ящик не принял письмо. Повторите позже.")), 503
    return redirect(url_for("mailbox.show", mail_id=mail_id, sent=1), 303)


def _check(visit: Visit) -> None:
    if not (visit.desk.settings.demo or may(visit.agent, ("admin",))):
        raise NotFound


def _mail(visit: Visit, mail_id: int) -> MailboxMessage:
    _check(visit)
    mail = visit.session.get(MailboxMessage, mail_id)
    if mail is None:
        raise NotFound
    return mail


def _letter(mail: MailboxMessage, text: str) -> tuple[EmailMessage, str, str]:
    headers = mail.headers
    to = _address(headers.get("reply-to", "")) or _address(headers.get("from", "")) or mail.sender
    sender = mail.recipients[0]
    letter = EmailMessage()
    letter["From"], letter["To"] = sender, to
    subject = one_line(mail.subject, 300)
    letter["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    if headers.get("message-id"):
        identifier = one_line(headers["message-id"], 500)
        letter["In-Reply-To"] = identifier
        letter["References"] = f"{one_line(headers.get('references', ''), 1000)} {identifier}".strip()
    letter.set_content(text)
    return letter, sender, to


def _address(header: str) -> str:
    return next((address for _, address in parsed(header)), "")


def _page(visit: Visit, mail: MailboxMessage, error: str) -> str:
    return render_template("mailbox/show.html", mail=mail, text=_text(mail), error=error)


def _text(mail: MailboxMessage) -> str:
    try:
        with Sandbox() as sandbox:
            return sandbox.parse(mail.raw, cut_quotes=False).text
    except (Unparsable, ParsingFailed):
        return gettext("Письмо не удалось прочитать.")
