"""A sentence in both languages, as scenarios and their reports tell it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence in Russian and in English."""

    ru: str
    en: str

    def text(self, language: str = "ru") -> str:
        return self.ru if language == "ru" else self.en

    def as_data(self) -> dict[str, str]:
        """As it is stored in a report."""
        return {"ru": self.ru, "en": self.en}


def listed(names: Iterable[str], empty: str) -> str:
    """«A», «B»; `empty` for nothing."""
    return ", ".join(f"«{name}»" for name in names) or empty


def nothing(names: Iterable[str]) -> tuple[str, str]:
    """The list for both languages."""
    names = list(names)
    return listed(names, "ничего"), listed(names, "nothing")
