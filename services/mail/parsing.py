"""A raw mail to what the desk wants to know about it; runs only inside the bounded child process."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesFeedParser
from email.policy import Compat32

from services.mail import charsets, html_text, quotes
from services.mail.addresses import parsed

MAX_PARTS = 200
MAX_DEPTH = 30
MAX_TEXT = 100_000
MAX_SOURCE = 2_000_000
"""Bytes of a text or HTML part that are looked at."""
MAX_HEADER = 20_000
MAX_REPEATS = 50

_CHUNK = 1 << 16
_KEPT_HEADERS = frozenset(
    {
        *("from", "to", "cc", "delivered-to", "x-original-to", "return-path", "subject", "message-id", "in-reply-to"),
        *("references", "auto-submitted", "precedence", "x-auto-response-suppress", "x-autoreply", "x-autorespond"),
        *("x-loop", "x-bpmdesk-loop", "list-id", "list-unsubscribe", "list-post", "x-failed-recipients"),
    }
)
_REPLY_SUBJECT = re.compile(r"\s*(re|aw|sv|отв|ответ|ha|на)(\[\d+\])?\s*:", re.IGNORECASE)
_FAILED = re.compile(r"^action:\s*failed", re.IGNORECASE | re.MULTILINE)


class Unparsable(Exception):
    """A mail that no further attempt will make readable; the text is a code of services.mail.wording."""


@dataclass
class ParsedFile:
    """One attachment with the name its sender gave it."""

    name: str
    content: bytes


@dataclass
class ParsedMail:
    """One mail, read; everything is plain text, header names in lower case."""

    headers: dict[str, list[str]] = field(default_factory=dict)
    sender: tuple[str, str] = ("", "")
    """Name and address of who wrote it; "" when there is none."""
    text: str = ""
    truncated: bool = False
    content_type: str = ""
    returned_ids: str = ""
    """Message-ID of the mail that a delivery report returns."""
    delivery_failed: bool = False
    """A delivery report says that the failure is final."""
    files: list[ParsedFile] = field(default_factory=list)

    def header(self, name: str) -> str:
        """The first header of that name, "" when there is none."""
        return self.headers.get(name, [""])[0]

    def all(self, *names: str) -> list[str]:
        """Every header of these names."""
        return [value for name in names for value in self.headers.get(name, [])]


class _RawHeaders(Compat32):
    """Gives header values as they came: the standard policy replaces 8-bit bytes before anybody can read them."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


def parse(raw: bytes, *, cut_quotes: bool = True) -> ParsedMail:
    """Read the mail; raises Unparsable when it has too many parts or nests too deeply."""
    try:
        root = _read(raw)
        mail = ParsedMail(headers=_headers(root), sender=_sender(root), content_type=root.get_content_type())
        text = _Reader(mail).read(root, 0)
    except RecursionError:
        raise Unparsable("too_deep") from None
    if cut_quotes and _is_reply(mail):
        text = quotes.cut(text)
    mail.truncated |= len(text) > MAX_TEXT
    mail.text = text[:MAX_TEXT].strip()
    return mail


def _read(raw: bytes) -> Message:
    parser = BytesFeedParser(policy=_RawHeaders())
    for start in range(0, len(raw), _CHUNK):
        parser.feed(raw[start : start + _CHUNK])
    return parser.close()


def _headers(root: Message) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in root.raw_items():
        values = found.setdefault(name.lower(), []) if name.lower() in _KEPT_HEADERS else None
        if values is not None and len(values) < MAX_REPEATS:
            values.append(charsets.decode_words(str(value)[:MAX_HEADER]))
    return found


def _sender(root: Message) -> tuple[str, str]:
    for header in ("from", "sender", "reply-to"):
        # names are decoded after the split: an encoded comma belongs to the name
        pairs = parsed(str(root.get(header, ""))[:MAX_HEADER])
        if pairs:
            return charsets.decode_words(pairs[0][0])[:200], pairs[0][1]
    return "", ""


def _is_reply(mail: ParsedMail) -> bool:
    threaded = mail.header("in-reply-to") or mail.header("references")
    return bool(threaded) or _REPLY_SUBJECT.match(mail.header("subject")) is not None


class _Reader:
    """Walks the parts of one mail: returns their text, puts the rest among the files."""

    def __init__(self, mail: ParsedMail) -> None:
        self._mail = mail
        self._parts = 0

    def read(self, part: Message, depth: int) -> str:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise Unparsable("too_many_parts")
        if depth > MAX_DEPTH:
            raise Unparsable("too_deep")
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            self._mail.delivery_failed |= _FAILED.search(_inner_text(part)) is not None
            return ""
        if kind in ("message/rfc822", "text/rfc822-headers"):
            return self._keep_returned(part)
        if part.is_multipart():
            return self._read_children(part, depth)
        if part.get_content_maintype() == "text" and not _is_file(part):
            return self._text(part)
        self._keep(part)
        return ""

    def _read_children(self, part: Message, depth: int) -> str:
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        texts = [(child.get_content_type(), self.read(child, depth + 1)) for child in children]
        if part.get_content_type() != "multipart/alternative":
            return "\n\n".join(text for _, text in texts if text.strip())
        plain = [text for kind, text in texts if kind == "text/plain" and text.strip()]
        others = [text for kind, text in texts if text.strip()]
        return (plain or others or [""])[0]

    def _text(self, part: Message) -> str:
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        self._mail.truncated |= len(content) > MAX_SOURCE
        text = charsets.decode(content[:MAX_SOURCE], _charset(part))
        if part.get_content_subtype() != "html":
            return text.strip("\n")
        page = html_text.without_pictures(text)
        self._mail.truncated |= len(page) > html_text.MAX_HTML
        return html_text.to_text(page)

    def _keep_returned(self, part: Message) -> str:
        inner = _inner_text(part)
        head = re.split(r"\n\s*\n", inner.lstrip()[:MAX_HEADER], maxsplit=1)[0]
        identifiers = re.findall(r"^message-id:\s*(<[^<>\s]{3,255}>)", head, re.IGNORECASE | re.MULTILINE)
        if self._mail.content_type == "multipart/report":
            self._mail.returned_ids += " ".join(identifiers)
        if part.get_content_type() == "message/rfc822":
            content = inner.encode("utf-8", "surrogateescape")
            self._mail.files.append(ParsedFile(_file_name(part) or "message.eml", content))
        return ""

    def _keep(self, part: Message) -> None:
        content = part.get_payload(decode=True)
        name = _file_name(part) or f"part-{self._parts}.{_suffix(part)}"
        self._mail.files.append(ParsedFile(name, content if isinstance(content, bytes) else b""))


def _is_file(part: Message) -> bool:
    disposition = str(part.get("content-disposition", "")).strip().lower()
    named = disposition.startswith("attachment") or bool(_file_name(part))
    return named or part.get_content_subtype() not in ("plain", "html", "enriched")


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except Exception:  # broken RFC 2231 parameters raise various errors
        return None


def _file_name(part: Message) -> str:
    value = _parameter(part, "filename", "content-disposition") or _parameter(part, "name", "content-type")
    if isinstance(value, tuple):
        return charsets.decode(str(value[2]).encode("latin-1", "replace"), value[0])[:500]
    return charsets.decode_words(str(value or "")[:2000])[:500]


def _parameter(part: Message, name: str, header: str) -> str | tuple[str | None, str | None, str] | None:
    try:
        return part.get_param(name, None, header)
    except Exception:  # broken RFC 2231 parameters raise various errors
        return None


def _suffix(part: Message) -> str:
    subtype = re.sub(r"[^a-z0-9]", "", part.get_content_subtype().rpartition(".")[2].lower())
    return {"octetstream": "bin", "calendar": "ics", "jpeg": "jpg"}.get(subtype, subtype[:12] or "bin")


def _inner_text(part: Message) -> str:
    """The enclosed mail, or the blocks of a delivery report, as they came."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return str(payload)
    try:
        return "\n".join(m.as_bytes().decode("utf-8", "surrogateescape") for m in payload if isinstance(m, Message))
    except Exception:  # the generator of the standard library chokes on some broken mails
        return "\n".join(f"{name}: {value}" for m in payload if isinstance(m, Message) for name, value in m.raw_items())
