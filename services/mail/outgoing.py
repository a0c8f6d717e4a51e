"""Mails to clients and staff: each is queued with the change it tells about and sent after the commit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from engine import clock
from services.clients.models import ClientContact
from services.lines.models import InboundMail, LineSession, Message
from services.mail import identity, tokens
from services.mail.addresses import is_unanswered, normalised
from services.mail.channels import is_own, mail_channels
from services.notifications.models import OutboxMessage
from services.people.models import Agent
from services.tickets.models import Ticket

LOOP_HEADER = "X-Bpmdesk-Loop"
BRAKE_WINDOW = timedelta(minutes=10)
BRAKE_LIMIT = 10
"""More mails than this within the window, in or out, and one address gets no automatic answer."""

_AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_REPLY_MARKS = re.compile(r"\A(?:\s*(?:re|fw|fwd|aw|sv|ha|на|отв|ответ|пересл)(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_NUMBER_MARK = re.compile(r"\s*\[№\s*\d+\]")


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to a member of staff."""

    agent: Agent
    subject: str
    text: str
    key: str
    """Names the event: the same one is told to the same person once."""


def queue_reply(
    session: Session, *, ticket: Ticket | None, session_row: LineSession, message: Message
) -> OutboxMessage | None:
    """Queue the answer a person wrote, as part of the client's mail thread.

    Sets the message's Message-ID and delivery "queued". Returns None when the client has no address that may be
    written to: in a mail session the delivery is then "failed", in a chat nothing changes.
    """
    recipient = client_address(session, session_row, ticket)
    if not _may_be_written_to(session, recipient):
        if session_row.channel.kind == "email":
            message.delivery = "failed"
        return None
    return _queue_talk(session, ticket, session_row, message, recipient, "reply", {})


def queue_auto(
    session: Session, *, ticket: Ticket | None, session_row: LineSession, message: Message
) -> OutboxMessage | None:
    """Queue a message that the desk wrote by itself, marked as automatic.

    Returns None, and the message stays in the talk only with an empty delivery, for addresses of machines, without
    an address, and when this address wrote or was written to too often in the last ten minutes.
    """
    recipient = client_address(session, session_row, ticket)
    if not _may_be_written_to(session, recipient) or _is_braked(session, session_row, recipient):
        message.delivery = ""
        return None
    return _queue_talk(session, ticket, session_row, message, recipient, "auto", _AUTOMATIC)


def queue_notices(session: Session, notices: Iterable[Notice], ticket: Ticket | None) -> None:
    """Queue mails to the staff; left out are those queued before, and addresses that may not be written to."""
    rows = [_notice_row(notice, ticket) for notice in notices if _may_be_written_to(session, notice.agent.email)]
    queued = select(OutboxMessage.key).where(OutboxMessage.key.in_([row["key"] for row in rows]))
    known = set(session.scalars(queued))
    if fresh := [row for row in rows if row["key"] not in known]:
        session.execute(insert(OutboxMessage), fresh)


def _notice_row(notice: Notice, ticket: Ticket | None) -> dict[str, object]:
    key = _short_key(f"notify:{notice.key}:{notice.agent.id}")
    me = identity.current()
    thread = tokens.Thread("t", ticket.id if ticket else 0)
    own = {"Message-ID": tokens.message_id(me.key, thread, key, me.domain), LOOP_HEADER: me.domain}
    return {
        "key": key,
        "recipient": normalised(notice.agent.email),
        "sender": me.address,
        "sender_name": "bpmdesk",
        "subject": _with_number(clean_header(notice.subject), ticket),
        "text": notice.text,
        "headers": own | _AUTOMATIC,
        "ticket_id": ticket.id if ticket else None,
        **_due_now(),
    }


def client_address(session: Session, session_row: LineSession, ticket: Ticket | None) -> str:
    """Where the client of a talk reads mail: the address he wrote from last, else his oldest one; "" if none."""
    contacts = session.scalars(
        select(ClientContact.value)
        .where(ClientContact.client_id == session_row.client_id, ClientContact.kind == "email")
        .order_by(ClientContact.id)
    ).all()
    if len(contacts) > 1 and ticket is not None:
        last = session.scalar(
            select(InboundMail.envelope_from)
            .where(InboundMail.ticket_id == ticket.id, InboundMail.envelope_from.in_(contacts))
            .order_by(InboundMail.id.desc())
            .limit(1)
        )
        return last or contacts[0]
    return contacts[0] if contacts else ""


def clean_header(value: str, limit: int = 500) -> str:
    """The value on one line: CR, LF, NUL and other control characters become spaces."""
    return " ".join(_LINE_BREAKS.sub(" ", value).split())[:limit]


def reply_subject(subject: str, ticket: Ticket | None) -> str:
    """The subject of an answer, Re: <subject> [№ 42], with each mark once."""
    plain = _REPLY_MARKS.sub("", _NUMBER_MARK.sub("", clean_header(subject, 400)))
    return _with_number(f"Re: {plain}".strip(), ticket)


def _queue_talk(
    session: Session,
    ticket: Ticket | None,
    session_row: LineSession,
    message: Message,
    recipient: str,
    kind: str,
    extra: dict[str, str],
) -> OutboxMessage:
    session.flush()
    key = f"{kind}:{message.id}"
    me = identity.current()
    sender = _sender(session_row)
    thread = tokens.Thread("t", ticket.id) if ticket else tokens.Thread("s", session_row.id)
    domain = sender.rpartition("@")[2]
    message.external_id = tokens.message_id(me.key, thread, key, domain)
    message.delivery = "queued"
    own = {
        "Message-ID": message.external_id,
        "Reply-To": tokens.reply_address(me.key, thread, sender),
        LOOP_HEADER: me.domain,
    }
    row = OutboxMessage(
        key=key,
        recipient=recipient,
        sender=sender,
        sender_name=clean_header(session_row.line.name, 200),
        subject=reply_subject(session_row.subject or (ticket.topic if ticket else ""), ticket),
        text=message.text,
        headers=own | _thread_headers(session, session_row) | extra,
        ticket_id=ticket.id if ticket else None,
        message_id=message.id,
        **_due_now(),
    )
    return _added(session, row)


def _thread_headers(session: Session, session_row: LineSession) -> dict[str, str]:
    known = session.scalars(
        select(Message.external_id)
        .where(Message.session_id == session_row.id, Message.kind == "in", Message.external_id.is_not(None))
        .order_by(Message.id.desc())
        .limit(5)
    ).all()
    ids = [clean_header(known_id) for known_id in known if known_id]
    return {"In-Reply-To": ids[0], "References": " ".join(reversed(ids))} if ids else {}


def _sender(session_row: LineSession) -> str:
    if session_row.channel.kind == "email":
        return normalised(session_row.channel.address)
    addresses = [c.address for c in session_row.line.channels if c.kind == "email" and c.active]
    return normalised(addresses[0]) if addresses else identity.current().address


def _may_be_written_to(session: Session, address: str) -> bool:
    return not is_unanswered(address) and not is_own(address, mail_channels(session))


def _is_braked(session: Session, session_row: LineSession, recipient: str) -> bool:
    since = clock.now() - BRAKE_WINDOW
    written = select(func.count()).where(
        Message.author_client_id == session_row.client_id, Message.kind == "in", Message.created_at > since
    )
    answered = select(func.count()).where(
        OutboxMessage.recipient == recipient, OutboxMessage.key.startswith("auto:"), OutboxMessage.created_at > since
    )
    return (session.scalar(written) or 0) > BRAKE_LIMIT or (session.scalar(answered) or 0) >= BRAKE_LIMIT


def _short_key(key: str) -> str:
    return key if len(key) <= 120 else f"{key[:87]}:{tokens.digest(key)}"


def _with_number(subject: str, ticket: Ticket | None) -> str:
    return f"{_NUMBER_MARK.sub('', subject)} [№ {ticket.number}]".strip() if ticket else subject


def _due_now() -> dict[str, object]:
    now = clock.now()
    return {"created_at": now, "next_at": now}


def _added(session: Session, row: OutboxMessage) -> OutboxMessage:
    session.add(row)
    session.flush()
    return row
