"""Signed marks by which the desk recognises answers to its own mails."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal

from services.mail.addresses import split_tag, tagged

Kind = Literal["t", "s"]

_TAG = re.compile(r"([ts])(\d{1,12})\.([0-9a-f]{16})\Z")
_MESSAGE_ID = re.compile(r"<([ts])(\d{1,12})\.([0-9a-f]{12})\.([0-9a-f]{16})@[^<>\s]{1,255}>")


@dataclass(frozen=True, slots=True)
class Thread:
    """What a token points at: a ticket ("t"), or a session that has none yet ("s")."""

    kind: Kind
    id: int

    def __str__(self) -> str:
        return f"{self.kind}{self.id}"


def message_id(key: bytes, thread: Thread, seed: str, domain: str) -> str:
    """The Message-ID of the mail named by `seed`: the same seed gives the same id for ever."""
    unique = _sign(key, "unique", seed)[:12]
    return f"<{thread}.{unique}.{_sign(key, 'message', f'{thread}.{unique}')}@{domain}>"


def reply_address(key: bytes, thread: Thread, address: str) -> str:
    """The channel's address with the token of the thread as its plus tag."""
    return tagged(address, f"{thread}.{_sign(key, 'reply', str(thread))}")


def read_address(key: bytes, address: str) -> Thread | None:
    """The thread of a plus-addressed reply; None for every other or forged address."""
    match = _TAG.match(split_tag(address.lower())[1])
    if match is None:
        return None
    thread = Thread(_kind(match[1]), int(match[2]))
    return thread if hmac.compare_digest(match[3], _sign(key, "reply", str(thread))) else None


def read_message_ids(key: bytes, text: str) -> Thread | None:
    """The thread of the last genuine Message-ID of ours in a References or In-Reply-To header, or in a bounce."""
    for kind, number, unique, signature in reversed(_MESSAGE_ID.findall(text)):
        thread = Thread(_kind(kind), int(number))
        if hmac.compare_digest(signature, _sign(key, "message", f"{thread}.{unique}")):
            return thread
    return None


def digest(text: str) -> str:
    """A short unkeyed fingerprint, for names that grew too long."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _kind(letter: str) -> Kind:
    return "t" if letter == "t" else "s"


def _sign(key: bytes, purpose: str, text: str) -> str:
    return hmac.new(key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()[:16]
