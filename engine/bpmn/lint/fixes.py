"""Proposed corrections: made beside the finding, carried out in the bytes of the file, which stay as they are else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from engine.bpmn.lint.rules import Element
from engine.bpmn.xml import local_name, read
from engine.errors import Edit, Fix, Stale

_MARKUP = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|</[^>]*>|<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.DOTALL
)
_NAME = re.compile(rb"<[^\s/>]+")
_ATTRIBUTE = re.compile(rb"\s+([^\s=/>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_ORDINAL = etree.XPath("count(preceding::*) + count(ancestor::*)")


def set_attribute(element: Element, name: str, value: str) -> Edit:
    """Give an attribute without a namespace this value."""
    return Edit("set", number(element), local_name(element), name, value)


def unset(element: Element, name: str) -> Edit:
    """Take an attribute without a namespace away."""
    return Edit("unset", number(element), local_name(element), name)


def set_text(element: Element, text: str) -> Edit:
    """Replace everything in the element by a text."""
    return Edit("text", number(element), local_name(element), value=text)


def delete(element: Element) -> Edit:
    """Take the element away with everything in it."""
    return Edit("delete", number(element), local_name(element))


def insert(element: Element, child: str) -> Edit:
    """Put a first child in; its tags are written `{p}name`."""
    return Edit("insert", number(element), local_name(element), value=child)


def append(element: Element, sibling: str) -> Edit:
    """Put a sibling behind the element; its tags are written `{p}name`."""
    return Edit("append", number(element), local_name(element), value=sibling)


def without_attribute(element: Element, name: str) -> Fix:
    """The correction that takes an attribute away."""
    return Fix(f"Убрать {name}.", f"Remove {name}.", (unset(element, name),))


def without(element: Element) -> Fix:
    """The correction that takes an element away, one that means nothing where it stands."""
    name = local_name(element)
    return Fix(f"Убрать {name}.", f"Remove {name}.", (delete(element),))


def apply(content: bytes, fix: Fix) -> bytes:
    """The file with this correction; raises XmlRefused, or Stale when the file is not the one that was checked."""
    return apply_all(content, [fix])


def apply_all(content: bytes, fixes: Iterable[Fix]) -> bytes:
    """The file with all corrections that do not touch each other; the others are found again by the next check."""
    read(content, "")
    spans = list(_spans(content))
    taken: list[_Replacement] = []
    for fix in fixes:
        wanted = [_replacement(content, spans, edit) for edit in dict.fromkeys(fix.edits)]
        if not any(new.clashes(old) for new in wanted for old in taken):
            taken += wanted
    for new in sorted(dict.fromkeys(taken), key=lambda each: each.start, reverse=True):
        content = content[: new.start] + new.text + content[new.end :]
    return content


def number(element: Element) -> int:
    """The place of the element in document order, the root being 0."""
    return int(cast(float, _ORDINAL(element)))


@dataclass(slots=True)
class _Span:
    """Where an element stands in the bytes: its opening tag, and the start and end of its closing one."""

    start: int
    opened: int
    closing: int
    end: int


@dataclass(frozen=True, slots=True)
class _Replacement:
    start: int
    end: int
    text: bytes

    def clashes(self, other: _Replacement) -> bool:
        return self != other and self.start <= other.end and other.start <= self.end


def _spans(content: bytes) -> Iterator[_Span]:
    """The elements in document order; the file is known to be well-formed."""
    found: list[_Span] = []
    open_: list[_Span] = []
    for markup in _MARKUP.finditer(content):
        text = markup[0]
        if text.startswith(b"</"):
            span = open_.pop()
            span.closing, span.end = markup.start(), markup.end()
        elif not text.startswith((b"<!", b"<?")):
            found.append(_Span(markup.start(), markup.end(), markup.end(), markup.end()))
            if not text.endswith(b"/>"):
                open_.append(found[-1])
    return iter(found)


def _replacement(content: bytes, spans: list[_Span], edit: Edit) -> _Replacement:
    span = spans[edit.element] if 0 <= edit.element < len(spans) else None
    if span is None or _tag(content, span).rpartition(":")[2] != edit.tag:
        raise Stale(f"Expected the element {edit.tag} as it was checked, but the file has changed")
    match edit.kind:
        case "set" | "unset":
            return _attribute(content, span, edit)
        case "text":
            return _inner(content, span, escape(edit.value))
        case "delete":
            return _Replacement(_indented(content, span), span.end, b"")
        case "insert":
            return _first_child(content, span, edit.value)
        case "append":
            new = content[_indented(content, span) : span.start] + _tagged(content, span, edit.value)
            return _Replacement(span.end, span.end, new)


def _tag(content: bytes, span: _Span) -> str:
    name = _NAME.match(content, span.start)
    return name[0][1:].decode() if name else ""


def _attribute(content: bytes, span: _Span, edit: Edit) -> _Replacement:
    place = span.start + len(_tag(content, span).encode()) + 1
    new = _encoded(content, f"{edit.name}={quoteattr(edit.value)}") if edit.kind == "set" else b""
    while found := _ATTRIBUTE.match(content, place, span.opened):
        if found[1].decode() == edit.name:
            return _Replacement(found.start(1) if new else found.start(), found.end(), new)
        place = found.end()
    return _Replacement(place, place, b" " + new if new else b"")


def _inner(content: bytes, span: _Span, text: str) -> _Replacement:
    new = _encoded(content, text)
    if span.closing > span.opened or content[span.opened - 2 : span.opened] != b"/>":
        return _Replacement(span.opened, span.closing, new)
    return _Replacement(span.opened - 2, span.opened, b">" + new + f"</{_tag(content, span)}>".encode())


def _first_child(content: bytes, span: _Span, child: str) -> _Replacement:
    """In front of what is there, on a line of its own where the parent has one."""
    indent = content[_indented(content, span) : span.start]
    new = (indent + b"  " if indent else b"") + _tagged(content, span, child)
    if content[span.opened - 2 : span.opened] != b"/>":
        return _Replacement(span.opened, span.opened, new)
    close = indent + f"</{_tag(content, span)}>".encode()
    return _Replacement(span.opened - 2, span.opened, b">" + new + close)


def _tagged(content: bytes, span: _Span, element: str) -> bytes:
    prefix, colon, _ = _tag(content, span).rpartition(":")
    return _encoded(content, element.replace("{p}", prefix + colon))


def _indented(content: bytes, span: _Span) -> int:
    """The start of the element with the line break and the blanks in front of it."""
    before = content[: span.start]
    blank = len(before) - len(before.rstrip(b" \t"))
    line = before[: len(before) - blank]
    if line.endswith(b"\r\n"):
        return len(line) - 2
    return len(line) - 1 if line.endswith(b"\n") else span.start


def _encoded(content: bytes, text: str) -> bytes:
    if b"us-ascii" in content[:200].lower():
        return text.encode("ascii", "xmlcharrefreplace")
    return text.encode()
