"""Refusals of the SLA area, said in Russian and in English."""

from __future__ import annotations

from engine.errors import EngineError


class CalendarError(EngineError):
    """Expected a calendar with a time zone, a week and dated exceptions, but it cannot be read as one."""

    def __init__(self, ru: str, en: str) -> None:
        super().__init__(en)
        self.ru = ru
        self.en = en

    def message(self, language: str = "ru") -> str:
        return self.ru if language == "ru" else self.en
