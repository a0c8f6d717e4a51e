"""Text that people send: cleaned and cut before it is stored."""

from __future__ import annotations

LONGEST = 20_000
_REMOVED = {code: None for code in (*range(32), 127, *range(0x80, 0xA0), 0xFEFF) if chr(code) not in "\n\t"}
_REMOVED |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Besides control characters: marks that turn the direction of what follows them."""


def without_controls(text: str) -> str:
    """Unix line ends, no control characters, no lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_REMOVED)
    return text.encode("utf-8", "ignore").decode()


def message_text(text: str) -> str:
    """The text of a message as it is stored; what is too long is cut, and says so."""
    clean = without_controls(text).strip()
    if len(clean) <= LONGEST:
        return clean
    return f"{clean[:LONGEST]}\n\n[Сообщение сокращено: показано {LONGEST} знаков из {len(clean)}]"


def one_line(text: str, limit: int) -> str:
    """The first line that says something, cut visibly at `limit` characters."""
    line = next((line.strip() for line in without_controls(text).split("\n") if line.strip()), "")
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
