"""The built-in mailbox: takes mail for the lines and shows what was sent to everybody else."""

from __future__ import annotations

import asyncio
import hashlib
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from services.lines.models import Channel, InboundMail, MailboxMessage
from services.mail import tokens
from services.mail.addresses import normalised, split_tag
from services.mail.channels import mail_channels
from services.mail.charsets import decode_words
from services.mail.identity import current

if TYPE_CHECKING:
    from services.bootstrap import Desk  # the composition root knows this package, not the other way round

log = structlog.get_logger(__name__)

MAX_SIZE = 25 * 1024 * 1024
MAX_RECIPIENTS = 100

_STORED = "250 OK"
_TRY_LATER = "451 4.3.0 The desk cannot store the mail now, please try again"
_REPEATED_WITHIN = timedelta(hours=1)
_TRACES = re.compile(
    rb"(?im)^(received|return-path|delivered-to|x-original-to|x-received|dkim-signature|authentication-results|"
    rb"arc-[a-z-]+|received-spf|x-envelope-[a-z]+):.*\r?\n([ \t].*\r?\n)*"
)
_SHOWN = re.compile(rb"(?im)^(from|to|cc|reply-to|subject|message-id|in-reply-to|references|auto-submitted):")


def run(desk: Desk) -> None:
    """Serve the mailbox at the settings' address until SIGTERM or SIGINT."""
    asyncio.run(_serve_until_stopped(desk))


@contextmanager
def serve(desk: Desk, port: int = 0) -> Iterator[int]:
    """The mailbox in a thread of this process, for the time of the block; gives the port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(_listen(loop, desk, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever, name="mailbox")
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        _finish(loop)


async def _serve_until_stopped(desk: Desk) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await _listen(loop, desk, desk.settings.mail_host, desk.settings.mail_port)
    log.info("mailbox ready", action="mailbox", host=desk.settings.mail_host, port=desk.settings.mail_port)
    await stopped.wait()
    server.close()
    await _hang_up()


async def _listen(loop: asyncio.AbstractEventLoop, desk: Desk, host: str, port: int) -> asyncio.Server:
    handler = _Handler(desk)
    return await loop.create_server(lambda: _Protocol(handler, loop=loop, **_PROTOCOL), host, port)


def _finish(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(_hang_up())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


async def _hang_up() -> None:
    """End the talks that are still open."""
    talks = asyncio.all_tasks() - {asyncio.current_task()}
    for talk in talks:
        talk.cancel()
    await asyncio.gather(*talks, return_exceptions=True)


class _Protocol(SMTP):
    """SMTP that stands long lines: what people's programs send is not always within the standard."""

    line_length_limit = 1 << 18


_PROTOCOL: dict[str, Any] = {"data_size_limit": MAX_SIZE, "enable_SMTPUTF8": True, "ident": "bpmdesk", "timeout": 60}


class _Handler:
    """Answers the moments of the SMTP dialogue; writes in a thread, so that one slow commit stops nobody."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._one_at_a_time = threading.Lock()

    async def handle_RCPT(
        self, server: SMTP, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take every well-formed address, up to the limit."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if not normalised(address):
            return "550 5.1.3 Bad recipient address"
        envelope.rcpt_tos.append(address)
        return _STORED

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: Envelope) -> str:
        """Say 250 only after the commit; 451 when it did not succeed, and the sender tries again."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        sender = normalised(envelope.mail_from or "")
        recipients = [normalised(address) for address in envelope.rcpt_tos]
        try:
            await asyncio.to_thread(self._store, sender, recipients, content)
        except Exception:
            log.exception("mail not stored", action="mailbox")
            return _TRY_LATER
        return _STORED

    def _store(self, sender: str, recipients: list[str], content: bytes) -> None:
        # looking for a duplicate and writing the row belong together
        with self._one_at_a_time, self._desk.database.transaction() as session:
            store(session, sender, recipients, content)


def store(session: Session, sender: str, recipients: list[str], content: bytes) -> None:
    """Keep one mail: for a line as it came in, for anybody else on the mailbox page."""
    channels = mail_channels(session)
    ours = [address for address in recipients if split_tag(address)[0] in channels]
    others = [address for address in recipients if address not in ours]
    if ours:
        recipient = _most_telling(ours)
        _store_inbound(session, channels[split_tag(recipient)[0]], sender, recipient, content)
    if others:
        session.add(_mailbox_message(sender, others, content))


def _most_telling(addresses: list[str]) -> str:
    """The recipient that names a ticket; else the first. One mail becomes one message, whatever its copies."""
    return next((a for a in addresses if tokens.read_address(current().key, a)), addresses[0])


def _store_inbound(session: Session, channel: Channel, sender: str, recipient: str, content: bytes) -> None:
    digest = fingerprint(content)
    if _was_stored(session, digest, content):
        log.info("repeated mail accepted", action="mailbox", sha256=digest)
        return
    now = clock.now()
    session.add(
        InboundMail(
            channel_id=channel.id,
            envelope_from=sender,
            raw=f"Delivered-To: {recipient}\r\n".encode() + content,
            sha256=digest,
            next_at=now,
            received_at=now,
        )
    )


def fingerprint(content: bytes) -> str:
    """The same for one mail on whatever way it came: trace headers do not count."""
    head, separator, body = content.partition(b"\r\n\r\n")
    return hashlib.sha256(_TRACES.sub(b"", head + b"\r\n") + separator + body).hexdigest()


def _was_stored(session: Session, digest: str, content: bytes) -> bool:
    same = select(InboundMail.id).where(InboundMail.sha256 == digest)
    if not re.search(rb"(?im)^message-id:\s*<", content.partition(b"\r\n\r\n")[0]):
        # without an id two equal mails may be meant: only an immediate repetition is one mail
        same = same.where(InboundMail.received_at > clock.now() - _REPEATED_WITHIN)
    return session.scalar(same.limit(1)) is not None


def _mailbox_message(sender: str, recipients: list[str], content: bytes) -> MailboxMessage:
    headers = _shown_headers(content.partition(b"\r\n\r\n")[0][:20_000])
    return MailboxMessage(
        sender=sender,
        recipients=recipients,
        subject=headers.get("subject", "")[:500],
        headers=headers,
        raw=content,
        received_at=clock.now(),
    )


def _shown_headers(head: bytes) -> dict[str, str]:
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", head)
    lines = [line for line in unfolded.splitlines() if _SHOWN.match(line)]
    pairs = (line.decode("utf-8", "surrogateescape").split(":", 1) for line in lines)
    return {name.lower(): decode_words(value)[:2000] for name, value in pairs}
