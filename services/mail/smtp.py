"""One conversation with the outgoing mail server, with a limit for everything it may take."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from email.message import EmailMessage
from threading import Timer

from engine.config import Settings

CONNECT_SECONDS = 5.0
TALK_SECONDS = 10.0
"""No single answer of the server may take longer, and no mail twice as long in all."""

_LOCAL = ("127.0.0.1", "localhost", "::1")


class MailRefused(Exception):
    """The server will never take this mail: the recipient or the content is refused for good."""


class ServerUnavailable(Exception):
    """The server cannot be talked to: there is no use in trying it with the next mail."""


class Connection:
    """One SMTP connection for a batch, opened with the first mail and again after one that broke."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._host = settings.smtp_host or settings.mail_host
        self._port = settings.smtp_port if settings.smtp_host else settings.mail_port
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (OSError, smtplib.SMTPException):
                self._smtp.close()

    def send(self, mail: EmailMessage, sender: str, recipient: str) -> None:
        """Hand one mail over; raises MailRefused, ServerUnavailable, or what went wrong with this mail."""
        smtp = self._smtp = self._smtp or self._opened()
        # a server that answers one byte a second would never run into the time limit of a single answer
        watchdog = Timer(2 * TALK_SECONDS, _hang_up, [smtp])
        watchdog.start()
        try:
            smtp.send_message(mail, sender, [recipient])
        except Exception as error:
            refusal = _refusal(error)
            if refusal is not None:
                raise refusal from error
            smtp.close()
            self._smtp = None
            raise
        finally:
            watchdog.cancel()

    def _opened(self) -> smtplib.SMTP:
        try:
            smtp = smtplib.SMTP(self._host, self._port, timeout=CONNECT_SECONDS)
            if smtp.sock is not None:
                smtp.sock.settimeout(TALK_SECONDS)
            if self._settings.smtp_user:
                self._log_in(smtp)
            return smtp
        except (OSError, smtplib.SMTPException) as error:
            raise ServerUnavailable(f"{type(error).__name__}: {error}") from error

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=ssl.create_default_context())
        elif self._host not in _LOCAL:
            raise smtplib.SMTPException("The server offers no encryption, the password is not sent")
        smtp.login(self._settings.smtp_user, self._settings.smtp_password)


def _hang_up(smtp: smtplib.SMTP) -> None:
    with contextlib.suppress(OSError):
        if smtp.sock is not None:
            smtp.sock.shutdown(socket.SHUT_RDWR)


def _refusal(error: Exception) -> MailRefused | None:
    """The final refusal behind an error of smtplib, if it is one."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return MailRefused(str(error))
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _if_final(*next(iter(error.recipients.values())))
    return _if_final(error.smtp_code, error.smtp_error) if isinstance(error, smtplib.SMTPDataError) else None


def _if_final(code: int, answer: bytes | str) -> MailRefused | None:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return MailRefused(f"{code} {text}") if 500 <= code < 600 else None
