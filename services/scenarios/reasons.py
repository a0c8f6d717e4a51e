"""Why a step of a scenario was not possible, in an analyst's words."""

from __future__ import annotations

from engine.errors import EngineError
from services import rehearsal
from services.forms import FormInvalid
from services.rehearsal import NotOffered
from services.scenarios import stage
from services.scenarios.said import Said, nothing


class TooLong(EngineError):
    """Expected the scenario to end within its computing time, but it went on."""


class Unexpected(Exception):
    """Something that was possible, but should not be."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


def why(error: Exception) -> Said:
    """Why a step was not possible, in an analyst's words."""
    if isinstance(error, Unexpected):
        return error.said
    if isinstance(error, NotOffered):
        ru, en = nothing(error.offered)
        return Said(
            f"кнопки «{error.action}» сейчас нет; этому человеку процесс предлагает: {ru}",
            f"the button «{error.action}» is not there now; the process offers this person: {en}",
        )
    if isinstance(error, FormInvalid):
        wrong = "; ".join(f"{key}: {message}" for key, message in error.errors.items())
        return Said(f"форму не приняли – {wrong}", f"the form was refused: {wrong}")
    if isinstance(error, stage.Missing):
        return Said(error.ru, str(error))
    if isinstance(error, TooLong | rehearsal.NeverEnds):
        return Said("сценарий не заканчивается: исчерпан предел времени", str(error))
    if isinstance(error, EngineError):
        return Said(f"процесс не смог: {error}", f"the process could not: {error}")
    return Said(f"внутренняя ошибка {type(error).__name__}: {error}", f"internal error {type(error).__name__}: {error}")
