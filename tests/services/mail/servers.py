"""Outgoing mail servers of the tests: real sockets on loopback that answer, refuse, drop or stay silent."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Sink:
    """What the server got, and what it answers: by recipient to RCPT, by number to DATA."""

    refused: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    """Answers to the next DATA commands; "drop" closes the connection; afterwards 250."""
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "drop":
            server.transport.abort()
        if answer.startswith("250"):
            content = cast(bytes, envelope.content)
            self.mails.append(cast(EmailMessage, message_from_bytes(content, policy=default)))
            self.recipients.append(list(envelope.rcpt_tos))
        return answer


@contextmanager
def smtp_server(**behaviour: Any) -> Iterator[Sink]:
    """A server that behaves so for the time of the block."""
    sink = Sink(**behaviour)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: SMTP(sink, loop=loop), "127.0.0.1", 0))
    sink.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_hang_up())
        loop.close()


async def _hang_up() -> None:
    talks = asyncio.all_tasks() - {asyncio.current_task()}
    for talk in talks:
        talk.cancel()
    await asyncio.gather(*talks, return_exceptions=True)


@contextmanager
def silent_server(greeting: bytes = b"") -> Iterator[int]:
    """A server that accepts, says its greeting and then nothing; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                accepted.append(connection)
                connection.sendall(greeting)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in accepted:
            connection.close()


def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
