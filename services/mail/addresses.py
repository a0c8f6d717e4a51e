"""Mail addresses: normal form, plus tags, and those that nobody reads."""

from __future__ import annotations

import re
from email.utils import getaddresses

_PLAIN = re.compile(r"[^\s@<>(),;:\"\\\x00-\x1f\x7f]{1,64}@[^\s@<>(),;:\"\\\x00-\x1f\x7f]{1,255}\Z")
_UNANSWERED = re.compile(
    r"(mailer-daemon|postmaster|no[-_.]?reply|do[-_.]?not[-_.]?reply|bounces?|nobody|listserv|majordomo)\b.*@"
)


def normalised(address: str) -> str:
    """The address in lower case without brackets and spaces; "" when it is none."""
    plain = address.strip().strip("<>").strip().lower()
    return plain if _PLAIN.match(plain) else ""


def parsed(value: str) -> list[tuple[str, str]]:
    """The (name, address) pairs of an address header; whatever cannot be read is left out."""
    try:
        pairs = getaddresses([value])
    except Exception:  # the parser of the standard library fails in many ways on broken headers
        pairs = []
    found = [(name, normalised(address)) for name, address in pairs]
    if not any(address for _, address in found):
        found = [("", normalised(word)) for word in re.split(r"[\s<>,;\"]+", value[:10_000])]
    return [(name, address) for name, address in found if address]


def split_tag(address: str) -> tuple[str, str]:
    """The address without its plus tag, and the tag ("" when there is none)."""
    local, _, domain = address.rpartition("@")
    base, _, tag = local.partition("+")
    return f"{base}@{domain}", tag


def tagged(address: str, tag: str) -> str:
    """The address with `tag` as its plus tag."""
    local, _, domain = split_tag(address)[0].rpartition("@")
    return f"{local}+{tag}@{domain}"


def is_unanswered(address: str) -> bool:
    """Whether nobody reads what is sent to this address: daemons, no-reply, list robots."""
    plain = normalised(address)
    return not plain or _UNANSWERED.match(plain) is not None
