"""Bytes of mails to text: the declared charset is a hint, not a fact."""

from __future__ import annotations

import codecs
import re
from email.header import decode_header

_CYRILLIC = ("cp1251", "koi8-r", "cp866")
_ONE_BYTE = re.compile(r"(iso8859-\d+|latin-?1|cp125\d|koi8-[rut]|cp866|mac-cyrillic|ascii)\Z")
_FREQUENT = frozenset("оеаинтсрвлкмдпуяыьгзбчй")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,40}\?[bqBQ]\?")


def decode(content: bytes, declared: str | None) -> str:
    """The text of the bytes; never fails.

    Strict UTF-8 wins, then the declared charset if it is known, fits and does not look worse than the
    Cyrillic code pages people really send, then the best looking of those.
    """
    name = _known(declared)
    if name and not _ONE_BYTE.match(name) and name != "utf-8":
        text = _strictly(content, name)
        if text is not None:
            return clean(text)
    text = _strictly(content, "utf-8")
    if text is None:
        candidates = [name, *_CYRILLIC] if name and name not in ("utf-8", "ascii") else [*_CYRILLIC]
        decoded = [t for t in (_strictly(content, c) for c in candidates if c) if t is not None]
        text = max(decoded, key=_likeness) if decoded else content.decode("utf-8", "replace")
    return clean(text)


def decode_words(value: str) -> str:
    """An unstructured header: encoded words, raw 8-bit bytes and folding turned into one line of text."""
    unfolded = " ".join(value.split())
    if not _ENCODED_WORD.search(unfolded):
        return " ".join(decode(_raw(unfolded), None).split())
    try:
        pieces = decode_header(unfolded)
    except Exception:  # the standard library raises several kinds on broken base64
        return " ".join(decode(_raw(unfolded), None).split())
    texts = (decode(_raw(piece) if isinstance(piece, str) else piece, charset) for piece, charset in pieces)
    return " ".join("".join(texts).split())


def clean(text: str) -> str:
    """The text without NUL, other control characters and lone surrogates, with plain line ends."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub("", whole.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", ""))


def _known(declared: str | None) -> str | None:
    name = (declared or "").strip().strip("'\"").lower()
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # codecs that unpack (zip, bz2) or turn text into text are none of a mail's business
    return info.name if getattr(info, "_is_text_encoding", True) else None


def _strictly(content: bytes, name: str) -> str | None:
    try:
        return content.decode(name)
    except (UnicodeError, LookupError, ValueError):
        return None


def _likeness(text: str) -> int:
    """How much a text looks like something people write: Russian words weigh, garbage costs."""
    score = 0
    before = " "
    for char in text[:4000]:
        cyrillic = "Ѐ" <= char <= "ӿ"
        if cyrillic and before.isascii() and before.isalpha():
            score -= 3
        elif char in _FREQUENT:
            score += 2
        elif "А" <= char <= "Я" and before.islower():
            score -= 3
        elif "\x80" <= char <= "\x9f" or "─" <= char <= "▟" or char == "\ufffd":
            score -= 4
        elif "\xa1" <= char <= "\xff" and char not in "«»№":
            score -= 1
        before = char
    return score


def _raw(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")
