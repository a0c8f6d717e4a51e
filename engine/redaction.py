"""Values as an incident may keep them: no secrets, no personal data, nothing long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from engine import iso8601

MASK = "•••"
LONGEST = 120
"""Characters of one text."""
MOST_ITEMS = 20
DEEPEST = 4
_TELLING = (
    "pass|pwd|token|secret|api_?key|private|credential|authori[sz]ation|bearer|cookie|signature|salt|"
    "phone|mobile|tel|email|e_mail|mail|fio|full_?name|first_?name|last_?name|surname|patronymic|address|birth|"
    "inn|snils|passport|card|iban|account|parol|пароль|телефон|почт|фамил|адрес"
)
_SECRET = re.compile(rf"(?:^|[^a-zа-я])(?:{_TELLING})|(?:password|token|secret|phone|email)$", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<=[a-zа-я0-9])(?=[A-ZА-Я])")
_PERSONAL = re.compile(
    r"(?P<date>\b\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?(?![\d-]))"  # an instant stays
    r"|\S*[@＠]\S+"  # an address
    r"|\+?\d(?:[\s().-]*\d){6,}"  # a telephone, a card, a document
    r"|[A-Za-z0-9_+/=.-]{24,}"  # a key, a token
)


def redacted(value: Any, name: str = "") -> Any:
    """The value as plain JSON, masked where it or its name looks like a secret or like personal data, and cut."""
    return _redacted(value, name, DEEPEST)


def _redacted(value: Any, name: str, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if is_secret(name):
        return MASK
    if isinstance(value, int | float):
        return value if abs(value) < 10**9 else MASK
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return iso8601.format_duration(value)
    if depth and isinstance(value, Mapping):
        return _cut_mapping(value, depth)
    if depth and isinstance(value, list | tuple):
        items = [_redacted(item, name, depth - 1) for item in value[:MOST_ITEMS]]
        return items if len(value) <= MOST_ITEMS else [*items, "…"]
    return text(str(value))


def is_secret(name: str) -> bool:
    """Whether a value of this name is kept from everybody who reads an incident."""
    return _SECRET.search(_CAPITAL.sub("_", name)) is not None


def text(value: str) -> str:
    """The text with everything masked that looks like an address, a telephone or a key, and cut."""
    masked = _PERSONAL.sub(lambda found: found["date"] or MASK, value[: LONGEST * 4])
    return masked if len(masked) <= LONGEST and len(value) <= LONGEST * 4 else masked[: LONGEST - 1] + "…"


def _cut_mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    shown = list(value.items())[:MOST_ITEMS]
    found = {text(str(key)): _redacted(item, str(key), depth - 1) for key, item in shown}
    return found if len(value) <= MOST_ITEMS else {**found, "…": "…"}
