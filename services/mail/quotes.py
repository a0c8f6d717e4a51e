"""The new part of a reply: the quoted tail of the former correspondence is left out."""

from __future__ import annotations

import re

from mailparser_reply import EmailReplyParser

_SEPARATOR = re.compile(
    r"\s*[-_*=]{2,}\s*(original (message|appointment)|исходное сообщение|оригинальное сообщение|"
    r"reply above this line|пишите (ответ )?выше этой строки)\s*[-_*=]{2,}\s*\Z",
    re.IGNORECASE,
)
_DATE = r"\d{1,2}[./\s-]\s?([\w.]{2,12})[./\s-]\s?(\d{4}|\d{2})\b"
_ATTRIBUTIONS = (
    re.compile(r"\s*on\b.{5,300}\bwrote\s*:\s*\Z", re.IGNORECASE),
    re.compile(rf"\s*.{{0,40}}{_DATE}.{{0,250}}\b(пишет|писал|написал)(\(а\)|а|и)?\s*:?\s*\Z", re.IGNORECASE),
    re.compile(rf"\s*.{{0,40}}{_DATE}.{{0,40}}\d{{1,2}}:\d\d.{{0,200}}<[^<>\s]+@[^<>\s]+>\s*:\s*\Z", re.IGNORECASE),
    re.compile(rf"\s*(\w+,\s*)?{_DATE}.{{0,30}}\d{{1,2}}:\d\d.{{0,20}}\sот\s.{{1,200}}:\s*\Z", re.IGNORECASE),
)
_FROM = re.compile(r"[\s*]*(from|от|от кого)[*\s]*:", re.IGNORECASE)
_DETAIL = re.compile(r"[\s*]*(sent|date|to|subject|cc|отправлено|дата|кому|тема|копия)[*\s]*:", re.IGNORECASE)
_RULE = re.compile(r"\s*[_-]{20,}\s*\Z")
_EMPTY_LINES = re.compile(r"\n[ \t\xa0]*(?:\n[ \t\xa0]*)+")
_QUOTED = re.compile(r"\s*>")

_LIBRARY_LIMIT = 5_000
"""The library's expressions take much longer than the text grows; longer texts are left to our own patterns."""


def cut(text: str) -> str:
    """The text without its quoted tail; the whole text when nothing else would be left.

    Answers written between the quoted lines are kept together with what they answer.
    """
    lines = text.split("\n")
    start = _first_mark(lines)
    kept = lines if start is None else _without_quotation(lines, start)
    if kept is lines:
        kept = _without_trailing_quote(lines)
    result = "\n".join(kept).strip()
    if result == text.strip() and len(text) <= _LIBRARY_LIMIT and "\n>" not in text:
        result = _cut_by_library(text)
    return result or text.strip()


def _first_mark(lines: list[str]) -> int | None:
    for number, line in enumerate(lines):
        if _SEPARATOR.match(line) or _is_attribution(lines, number) or _is_header_block(lines, number):
            return _before_rule(lines, number)
    return None


def _is_attribution(lines: list[str], number: int) -> bool:
    line = lines[number].strip()
    if len(line) < 8 or len(line) > 400 or line.startswith(">"):
        return False
    following = lines[number + 1].strip() if number + 1 < len(lines) else ""
    # mail programs wrap the attribution, so two lines may be one
    wrapped = f"{line} {following}" if following and not following.startswith(">") else line
    return any(p.match(line) for p in _ATTRIBUTIONS) or (
        wrapped.endswith(":") and any(p.match(wrapped[:500]) for p in _ATTRIBUTIONS)
    )


def _is_header_block(lines: list[str], number: int) -> bool:
    if not _FROM.match(lines[number]):
        return False
    return sum(1 for line in lines[number + 1 : number + 8] if _DETAIL.match(line)) >= 2


def _before_rule(lines: list[str], number: int) -> int:
    start = number
    while start > 0 and (not lines[start - 1].strip() or _RULE.match(lines[start - 1])):
        start -= 1
    return start


def _without_quotation(lines: list[str], start: int) -> list[str]:
    blocks = _quoted_blocks(lines, start)
    if not blocks:
        return lines[:start]
    if len(blocks) == 1:
        return [*lines[:start], "", *lines[blocks[0][1] :]]
    between = any(line.strip() for line in lines[blocks[0][1] : blocks[-1][0]])
    return lines if between else lines[:start] + lines[blocks[-1][1] :]


def _quoted_blocks(lines: list[str], start: int) -> list[tuple[int, int]]:
    """Runs of quoted lines as (first, after last); empty lines do not end a run."""
    blocks: list[tuple[int, int]] = []
    for number in range(start, len(lines)):
        if not _QUOTED.match(lines[number]):
            continue
        gap = lines[blocks[-1][1] : number] if blocks else []
        if blocks and not any(line.strip() for line in gap):
            blocks[-1] = (blocks[-1][0], number + 1)
        else:
            blocks.append((number, number + 1))
    return blocks


def _without_trailing_quote(lines: list[str]) -> list[str]:
    blocks = _quoted_blocks(lines, 0)
    if len(blocks) != 1 or any(line.strip() for line in lines[blocks[0][1] :]):
        return lines
    return lines[: blocks[0][0]]


def _cut_by_library(text: str) -> str:
    compact = _EMPTY_LINES.sub("\n\n", text)
    replies = EmailReplyParser(languages=["en", "de", "fr", "es", "it", "pl"]).read(compact).replies
    return replies[0].content.strip() if len(replies) > 1 else text.strip()
