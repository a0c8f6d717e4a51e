"""Who the desk is in the world of mail: its domain, the key of its tokens, its language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from engine.config import Settings


@dataclass(frozen=True, slots=True)
class MailIdentity:
    """What every outgoing mail is made with."""

    domain: str
    key: bytes
    language: str
    url: str

    @property
    def address(self) -> str:
        """The desk's own address, for mails that belong to no line."""
        return f"desk@{self.domain}"


_identity: MailIdentity | None = None
_here: ContextVar[MailIdentity | None] = ContextVar("mail identity", default=None)


def install(settings: Settings) -> None:
    """Make the settings' identity the one of this process (called by the composition root)."""
    global _identity
    _identity = MailIdentity(settings.mail_domain, settings.secret.encode(), settings.language, settings.url)


def current() -> MailIdentity:
    """The identity of this process, or that of the throw-away desk that this thread is in."""
    found = _here.get() or _identity
    if found is None:
        raise RuntimeError("Expected a mail identity, but services.mail.identity.install was never called")
    return found


@contextmanager
def using(identity: MailIdentity) -> Iterator[None]:
    """This identity inside the block, in this thread only."""
    token = _here.set(identity)
    try:
        yield
    finally:
        _here.reset(token)
