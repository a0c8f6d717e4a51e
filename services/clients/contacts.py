"""Contact values made comparable: the same address is always the same text."""

from __future__ import annotations

import re
import unicodedata

KINDS = ("email", "phone", "chat")


def normalised(kind: str, value: str) -> str:
    """An e-mail in lower case, a phone as digits with a leading +, anything else trimmed."""
    value = unicodedata.normalize("NFC", value).strip()
    if kind == "email":
        return value.lower()[:255]
    if kind == "phone":
        digits = re.sub(r"\D", "", value)
        if len(digits) == 11 and digits.startswith("8"):
            digits = f"7{digits[1:]}"
        return f"+{digits}"[:255] if digits else ""
    return value[:255]
