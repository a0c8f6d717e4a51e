"""Where a read mail belongs: to the talk it answers, to a new request, or – from a machine – beside a talk."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock
from engine.config import Settings
from services.clients.models import Client
from services.clients.operations import client_for_contact
from services.lines import operations as lines
from services.lines.attachments import AttachmentRefused, store
from services.lines.models import Channel, InboundMail, LineSession, Message
from services.mail import tokens
from services.mail.channels import is_own, mail_channels
from services.mail.identity import current
from services.mail.machines import machine_reason
from services.mail.outgoing import BRAKE_LIMIT, BRAKE_WINDOW, clean_header
from services.mail.parsing import ParsedMail
from services.mail.wording import say
from services.notifications import live
from services.texts import message_text
from services.tickets.models import Ticket

_COPIES_WITHIN = timedelta(days=1)


def accept(session: Session, row: InboundMail, mail: ParsedMail, settings: Settings) -> None:
    """Make a message of the mail and finish its row: "done", or "ignored" with the reason."""
    channels = mail_channels(session)
    address = mail.sender[1] or row.envelope_from
    row.subject = clean_header(mail.header("subject"))
    reason = machine_reason(mail, row.envelope_from, is_own(address, channels))
    if reason is not None or not address:
        _ignore(session, row, mail, reason or "machine_daemon")
        return
    client = client_for_contact(session, "email", address, mail.sender[0])
    twin = _twin(session, client, mail)
    if twin is not None:
        row.state, row.error, row.ticket_id = "ignored", say("duplicate"), twin.ticket_id
        return
    message = _receive(session, row, mail, client)
    _keep_files(session, message, mail, settings)
    row.state, row.error, row.ticket_id = "done", "", message.ticket_id


def _receive(session: Session, row: InboundMail, mail: ParsedMail, client: Client) -> Message:
    channel = session.get_one(Channel, row.channel_id)
    thread = _thread(mail)
    talk = _talk_of(session, thread, client, channel) if thread else None
    message = lines.receive_message(
        session,
        channel,
        client=client,
        text=_text(mail),
        subject=row.subject,
        session_hint=talk,
        external_id=_external_id(mail),
    )
    if talk is None:
        _hint_at(session, message, _similar(session, thread, client, mail))
    return message


def _thread(mail: ParsedMail) -> tokens.Thread | None:
    """The genuine token of ours that the mail carries, in a recipient's address or in the ids it answers."""
    key = current().key
    for value in mail.all("delivered-to", "x-original-to", "to", "cc"):
        for word in value.replace(",", " ").replace("<", " ").replace(">", " ").split():
            thread = tokens.read_address(key, word)
            if thread is not None:
                return thread
    return tokens.read_message_ids(key, " ".join([*mail.all("references"), *mail.all("in-reply-to")]))


def _talk_of(session: Session, thread: tokens.Thread, client: Client, channel: Channel) -> LineSession | None:
    """The client's own talk in that thread; None for somebody who takes no part in it."""
    own = select(LineSession).where(LineSession.client_id == client.id).limit(1)
    if thread.kind == "s":
        return session.scalar(own.where(LineSession.id == thread.id))
    by_mail_first = own.join(LineSession.channel).order_by(Channel.kind == "chat", LineSession.id.desc())
    talk = session.scalar(by_mail_first.where(LineSession.ticket_id == thread.id))
    ticket = session.get(Ticket, thread.id)
    if talk is None and ticket is not None and ticket.client_id == client.id:
        return _joined(session, ticket, client, channel)
    return talk


def _joined(session: Session, ticket: Ticket, client: Client, channel: Channel) -> LineSession:
    """The talk of a request that was created by hand begins with the client's first answer."""
    now = clock.now()
    talk = LineSession(
        line=channel.line,
        channel=channel,
        client=client,
        ticket_id=ticket.id,
        subject=ticket.topic,
        started_at=now,
        last_message_at=now,
    )
    session.add(talk)
    session.flush()
    return talk


def _similar(
    session: Session, thread: tokens.Thread | None, client: Client, mail: ParsedMail
) -> tuple[str, Ticket] | None:
    """The request a new one resembles without having a right to join it, and the wording that says why."""
    if thread is not None:
        foreign = session.get(LineSession, thread.id) if thread.kind == "s" else None
        ticket_id = foreign.ticket_id if foreign else thread.id
        ticket = session.get(Ticket, ticket_id) if ticket_id and (foreign or thread.kind == "t") else None
        return ("similar", ticket) if ticket else None
    ids = " ".join([*mail.all("references"), *mail.all("in-reply-to")]).split()[-20:]
    known = select(Ticket).join(Message, Message.ticket_id == Ticket.id)
    mine = known.where(Message.external_id.in_(ids), Message.author_client_id == client.id)
    ticket = session.scalar(mine.order_by(Message.id.desc()).limit(1)) if ids else None
    return ("follows", ticket) if ticket else None


def _hint_at(session: Session, message: Message, similar: tuple[str, Ticket] | None) -> None:
    if similar is not None:
        wording, ticket = similar
        _add_beside(session, message, "note", say(wording, number=ticket.number))


def _keep_files(session: Session, message: Message, mail: ParsedMail, settings: Settings) -> None:
    for file in mail.files:
        try:
            store(session, message, file.name, file.content, settings)
        except AttachmentRefused:
            _add_beside(session, message, "note", say("not_kept", name=file.name[:200], detail=say("over_quota")))


def _text(mail: ParsedMail) -> str:
    return f"{mail.text}\n\n{say('truncated')}" if mail.truncated else mail.text


def _external_id(mail: ParsedMail) -> str | None:
    return clean_header(mail.header("message-id"), 255) or None


def _twin(session: Session, client: Client, mail: ParsedMail) -> Message | None:
    """The message that this mail has already become, when a copy came on another way."""
    identifier = _external_id(mail)
    if identifier is None:
        return None
    same = select(Message).where(Message.external_id == identifier, Message.author_client_id == client.id)
    stored = message_text(_text(mail)) or lines.EMPTY
    recent = same.where(Message.text == stored, Message.created_at > clock.now() - _COPIES_WITHIN)
    return session.scalar(recent.limit(1))


def _ignore(session: Session, row: InboundMail, mail: ParsedMail, reason: str) -> None:
    row.state, row.error = "ignored", say(reason)
    if reason in ("machine_own", "machine_loop"):
        return
    answered = _answered(session, mail)
    if answered is None:
        return
    row.ticket_id = answered.ticket_id
    if mail.delivery_failed and answered.kind == "out" and answered.delivery != "failed":
        answered.delivery = "failed"
    if not _is_flooded(session, answered):
        sender = mail.sender[1] or row.envelope_from or "—"
        title = say("from_machine", reason=say(reason), sender=sender, subject=row.subject)
        _add_beside(session, answered, "event", f"{title}\n\n{mail.text[:2000]}".strip())


def _answered(session: Session, mail: ParsedMail) -> Message | None:
    """The message of ours that a machine's mail reacts to."""
    quoted = " ".join([*mail.all("references"), *mail.all("in-reply-to"), mail.returned_ids])
    ours = [word for word in quoted.split() if tokens.read_message_ids(current().key, word)]
    named = select(Message).where(Message.external_id.in_(ours[-20:])).order_by(Message.id.desc()).limit(1)
    found = session.scalar(named) if ours else None
    thread = _thread(mail) or tokens.read_message_ids(current().key, mail.text)
    if found is not None or thread is None:
        return found
    of_thread = Message.ticket_id == thread.id if thread.kind == "t" else Message.session_id == thread.id
    return session.scalar(select(Message).where(of_thread, Message.kind == "in").order_by(Message.id.desc()).limit(1))


def _is_flooded(session: Session, beside: Message) -> bool:
    since = clock.now() - BRAKE_WINDOW
    events = select(func.count()).where(
        Message.session_id == beside.session_id, Message.kind == "event", Message.created_at > since
    )
    return (session.scalar(events) or 0) >= BRAKE_LIMIT


def _add_beside(session: Session, message: Message, kind: str, text: str) -> None:
    session.add(
        Message(
            session_id=message.session_id,
            ticket_id=message.ticket_id,
            kind=kind,
            channel="email",
            automatic=True,
            text=text,
            created_at=clock.now(),
        )
    )
    session.flush()
    if message.ticket_id is not None:
        live.publish(session, f"ticket:{message.ticket_id}", "messages")
