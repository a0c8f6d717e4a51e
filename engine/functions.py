"""The functions of the expression language: a closed table, nothing can be added by a diagram."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from engine import iso8601
from engine.errors import ExpressionError
from engine.values import calculate, described

_Number = (int, float)
_List = (list, tuple)


@dataclass(frozen=True, slots=True)
class Function:
    """One function: how it is computed and how many arguments it takes."""

    call: Callable[..., Any]
    least: int
    most: int


def _expected(what_en: str, what_ru: str, got: Any) -> ExpressionError:
    en, ru = described(got)
    return ExpressionError(f"Expected {what_en}, got {en}", f"Ожидалось: {what_ru}, получено: {ru}")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _expected("a text", "текст", value)
    return value


def _len(value: Any) -> int:
    if type(value) not in (str, list, tuple, dict):
        raise _expected("a text or a list", "текст или список", value)
    return len(value)


def _candidates(values: tuple[Any, ...]) -> Any:
    candidates = values[0] if len(values) == 1 and type(values[0]) in _List else values
    if not candidates:
        raise ExpressionError("Expected at least one value to choose from", "Не из чего выбирать: список пуст")
    return candidates


def _min(*values: Any) -> Any:
    return min(_candidates(values))


def _max(*values: Any) -> Any:
    return max(_candidates(values))


def _round(value: Any, digits: Any = 0) -> Any:
    # Python computes 10**-digits for whole numbers: an unlimited count of digits would eat all memory.
    if type(value) not in _Number or type(digits) is not int or not 0 <= digits <= 15:
        raise _expected("a number and 0 to 15 digits", "число и от 0 до 15 знаков", value)
    return round(value, digits) if digits else round(value)


def _str(value: Any) -> str:
    if type(value) in (datetime, date):
        return str(value.isoformat())
    if type(value) is timedelta:
        return iso8601.format_duration(value)
    if type(value) not in (str, int, float, bool):
        raise _expected("a text, a number or an instant", "текст, число или момент", value)
    return str(value)


def _int(value: Any) -> int:
    if type(value) not in (str, int, float, bool) or (type(value) is str and len(value) > 20):
        raise _expected("a number or a short text of digits", "число или короткий текст из цифр", value)
    return int(value)


def _abs(value: Any) -> Any:
    if type(value) not in (int, float, timedelta):
        raise _expected("a number or a duration", "число или длительность", value)
    return abs(value)


def _sum(values: Any) -> Any:
    if type(values) not in _List:
        raise _expected("a list of numbers", "список чисел", values)
    total: Any = 0
    for place, value in enumerate(values):
        total = value if place == 0 and type(value) is timedelta else calculate("+", total, value)
    return total


def _any_of(values: Any, options: Any) -> bool:
    if type(values) not in _List or type(options) not in _List:
        raise _expected("two lists", "два списка", options if type(values) in _List else values)
    return any(value in options for value in values)


def _contains(whole: Any, part: Any) -> bool:
    if type(whole) in _List:
        return part in whole
    return _text(part) in _text(whole)


def _starts_with(text: Any, beginning: Any) -> bool:
    return _text(text).startswith(_text(beginning))


FUNCTIONS: dict[str, Function] = {
    "len": Function(_len, 1, 1),
    "lower": Function(lambda text: _text(text).lower(), 1, 1),
    "upper": Function(lambda text: _text(text).upper(), 1, 1),
    "min": Function(_min, 1, 20),
    "max": Function(_max, 1, 20),
    "round": Function(_round, 1, 2),
    "str": Function(_str, 1, 1),
    "int": Function(_int, 1, 1),
    "abs": Function(_abs, 1, 1),
    "sum": Function(_sum, 1, 1),
    "any_of": Function(_any_of, 2, 2),
    "contains": Function(_contains, 2, 2),
    "starts_with": Function(_starts_with, 2, 2),
    "duration": Function(iso8601.parse_duration, 1, 1),
    "instant": Function(iso8601.parse_instant, 1, 1),
    "date": Function(iso8601.parse_date, 1, 1),
}
LENIENT = "coalesce"
"""coalesce(a, b, …) is the first value that is there; unlike the others it does not mind unknown names."""
