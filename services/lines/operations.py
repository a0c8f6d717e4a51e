"""What happens in a line: a client writes, a person answers or notes, the desk says something by itself."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from engine import clock, runtime, stepper
from services.access.rights import Right, require
from services.clients.models import Client, ClientContact
from services.clients.operations import client_for_contact
from services.forms import FormInvalid
from services.lines.beginnings import begin
from services.lines.models import Channel, Line, LineSession, Message
from services.lines.queries import chat_session, latest_session, token_hash
from services.lines.thanks import is_thanks
from services.lines.wording import automatic_text
from services.mail import outgoing
from services.notifications import live
from services.notifications.operations import notify_responsible
from services.people.models import Agent
from services.texts import message_text, one_line
from services.tickets import history
from services.tickets.models import Draft, Ticket

EMPTY = "(без текста)"


def receive_chat(session: Session, channel: Channel, token: str, *, name: str, text: str) -> Message:
    """A visitor of the web chat writes; `token` is the secret of his browser, at least 32 random characters.

    Raises FormInvalid for an empty text.
    """
    _require_text(text)
    visitor = token_hash(token)
    client = client_for_contact(session, "chat", visitor, name or "Посетитель")
    known = chat_session(session, channel, token)
    if known is not None and known.state == "closed":
        known.token_hash = None
        session.flush()
    return receive_message(session, channel, client=client, text=text, session_hint=known, visitor=visitor)


def receive_message(
    session: Session,
    channel: Channel,
    *,
    client: Client,
    text: str,
    subject: str = "",
    session_hint: LineSession | None = None,
    external_id: str | None = None,
    visitor: str | None = None,
    automatic: bool = False,
) -> Message:
    """A client's message enters a line: into the conversation of the hint, or it begins a new one.

    A new conversation starts the line's process, or waits for it (see `beginnings`); a message in a known one reaches
    its ticket and the process that waits for it. When the ticket's life is over, a new conversation takes up the old
    one. What a machine wrote (`automatic`) joins the talk and moves nothing. `visitor` is the hash of a chat visitor's
    secret.
    """
    continued = session_hint is not None and session_hint.state == "open"
    line_session = session_hint if continued else _begin(session, channel, client, subject, session_hint, visitor)
    assert line_session is not None  # noqa: S101 - narrows the type: `continued` implies a hint
    line_session.last_message_at = clock.now()
    message = _incoming(session, line_session, client, text, external_id, automatic)
    live.publish(session, f"session:{line_session.id}", "messages")
    if not continued or line_session.start_at is not None:
        begin(session, line_session)
    elif line_session.ticket_id is not None:
        _reach_ticket(session, session.get_one(Ticket, line_session.ticket_id), message)
    return message


def _begin(
    session: Session,
    channel: Channel,
    client: Client,
    subject: str,
    continues: LineSession | None = None,
    visitor: str | None = None,
) -> LineSession:
    now = clock.now()
    line_session = LineSession(
        line=channel.line,
        channel=channel,
        client=client,
        continues_id=continues.id if continues else None,
        token_hash=visitor,
        start_at=None,
        subject=one_line(subject, 500),
        started_at=now,
        last_message_at=now,
    )
    session.add(line_session)
    session.flush()
    return line_session


def _incoming(
    session: Session, line_session: LineSession, client: Client, text: str, external_id: str | None, automatic: bool
) -> Message:
    message = Message(
        session_id=line_session.id,
        ticket_id=line_session.ticket_id,
        kind="in",
        channel=line_session.channel.kind,
        author_client_id=client.id,
        author_name=client.name,
        automatic=automatic,
        text=message_text(text) or EMPTY,
        external_id=external_id,
        created_at=clock.now(),
    )
    session.add(message)
    session.flush()
    return message


def _reach_ticket(session: Session, ticket: Ticket, message: Message) -> None:
    live.publish(session, f"ticket:{ticket.id}", "messages")
    if message.automatic:
        return
    client, thanks = f"client:{message.author_client_id}", is_thanks(message.text)
    _lock(session, ticket)
    if not thanks:
        ticket.unread += 1
    _record(session, ticket, message, client)
    live.publish(session, "tickets", "row")
    caught = runtime.correlate_message(
        session,
        "client_replied",
        business_key=ticket.business_key,
        variables={"is_thanks": thanks},
        actor=client,
    )
    if not caught:
        notify_responsible(session, ticket, "client_replied", actor=client, text=one_line(message.text, 200))


def _lock(session: Session, ticket: Ticket) -> None:
    """First the instance, then the ticket – the order in which the process itself takes them."""
    for instance in runtime.instances(session, ticket.business_key):
        stepper.lock(session, instance.id)
    session.refresh(ticket, ["unread", "responsible_id"], with_for_update=True)


def reply(session: Session, ticket: Ticket, *, text: str, actor: Agent) -> Message:
    """A person answers the client through the conversation's channel; raises FormInvalid, Forbidden.

    A ticket created by hand is answered by mail, if its client has an address and the desk a mail channel.
    """
    require(actor, Right.WORK)
    _require_text(text)
    line_session = latest_session(session, ticket) or _mail_session(session, ticket)
    if line_session is None:
        raise FormInvalid({"text": "У клиента нет канала для ответа: добавьте почту в его карточку"})
    message = _outgoing(session, ticket, line_session, text, actor)
    if line_session.channel.kind == "email":
        outgoing.queue_reply(session, ticket=ticket, session_row=line_session, message=message)
    ticket.unread = 0
    ticket.first_reply_at = ticket.first_reply_at or message.created_at
    _finish(session, ticket, message, actor)
    live.publish(session, f"session:{line_session.id}", "messages")
    live.publish(session, "tickets", "row")
    return message


def note(session: Session, ticket: Ticket, *, text: str, actor: Agent) -> Message:
    """A person writes something for colleagues only; raises FormInvalid, Forbidden."""
    require(actor, Right.WORK)
    _require_text(text)
    message = Message(
        ticket_id=ticket.id,
        kind="note",
        author_agent_id=actor.id,
        author_name=actor.name,
        text=message_text(text),
        created_at=clock.now(),
    )
    session.add(message)
    _finish(session, ticket, message, actor)
    return message


def say_automatically(session: Session, ticket: Ticket, template: str) -> Message | None:
    """The desk writes to the client by itself, marked as automatic; None when the client has no conversation."""
    line_session = latest_session(session, ticket)
    if line_session is None:
        return None
    message = _outgoing(session, ticket, line_session, automatic_text(template, ticket), None)
    if line_session.channel.kind == "email":
        queued = outgoing.queue_auto(session, ticket=ticket, session_row=line_session, message=message)
        message.delivery = "queued" if queued else "failed"
    live.publish(session, f"session:{line_session.id}", "messages")
    live.publish(session, f"ticket:{ticket.id}", "messages")
    return message


def save_draft(session: Session, ticket: Ticket, *, text: str, mode: str, actor: Agent) -> Draft | None:
    """Keep what the person has typed so far; an empty text removes the draft."""
    draft = session.get(Draft, (actor.id, ticket.id))
    if not text.strip():
        if draft is not None:
            session.delete(draft)
        return None
    if draft is None:
        draft = Draft(agent_id=actor.id, ticket_id=ticket.id)
        session.add(draft)
    draft.text, draft.mode, draft.saved_at = message_text(text), "note" if mode == "note" else "out", clock.now()
    session.flush()
    return draft


def close_sessions(session: Session, ticket: Ticket) -> None:
    """The ticket's life is over: what its client writes from now on begins something new."""
    own = update(LineSession).where(LineSession.ticket_id == ticket.id)
    session.execute(own.values(state="closed"))


def _require_text(text: str) -> None:
    if not message_text(text):
        raise FormInvalid({"text": "Напишите текст"})


def _outgoing(session: Session, ticket: Ticket, line_session: LineSession, text: str, actor: Agent | None) -> Message:
    message = Message(
        session_id=line_session.id,
        ticket_id=ticket.id,
        kind="out",
        channel=line_session.channel.kind,
        author_agent_id=actor.id if actor else None,
        author_name=actor.name if actor else line_session.line.name,
        automatic=actor is None,
        text=message_text(text),
        delivery="sent" if line_session.channel.kind == "chat" else "queued",
        created_at=clock.now(),
    )
    session.add(message)
    return message


def _mail_session(session: Session, ticket: Ticket) -> LineSession | None:
    addresses = select(ClientContact.id).where(
        ClientContact.client_id == ticket.client_id, ClientContact.kind == "email"
    )
    channels = select(Channel).join(Line).where(Channel.kind == "email", Channel.active, Line.active)
    channel = session.scalar(channels.order_by(Channel.id).limit(1))
    if ticket.client is None or channel is None or session.scalar(addresses.limit(1)) is None:
        return None
    line_session = _begin(session, channel, ticket.client, ticket.topic)
    line_session.ticket_id = ticket.id
    return line_session


def _finish(session: Session, ticket: Ticket, message: Message, actor: Agent) -> None:
    session.flush()
    session.execute(delete(Draft).where(Draft.agent_id == actor.id, Draft.ticket_id == ticket.id))
    _record(session, ticket, message, actor.ref)
    live.publish(session, f"ticket:{ticket.id}", "messages")


def _record(session: Session, ticket: Ticket, message: Message, actor: str) -> None:
    data = {"message_id": message.id, "kind": message.kind}
    history.record(session, ticket, "message", actor=actor, data=data)
