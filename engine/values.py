"""The values an expression may hold: their types, their size limits, their arithmetic."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import chain
from math import isfinite
from types import NoneType
from typing import Any

from engine import iso8601
from engine.errors import ExpressionError

MOST_CHARACTERS = 10_000
MOST_ITEMS = 1_000
LARGEST_INTEGER = 10**15
MOST_PARTS = 10_000
"""Scalars inside one nested value."""
DEEPEST = 20


class Namespace:
    """A named part of the context: fields read when asked for, and functions registered by the host."""

    __slots__ = ("fields", "functions", "name")

    def __init__(
        self,
        name: str,
        fields: Mapping[str, Callable[[], Any]],
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.name = name
        self.fields = fields
        self.functions = functions or {}

    def __repr__(self) -> str:
        return f"<{self.name}>"


_UNLIMITED = frozenset({NoneType, bool, timedelta, date, Namespace})
_WORDS: dict[type, tuple[str, str]] = {
    NoneType: ("nothing", "пусто"),
    bool: ("yes/no", "да/нет"),
    int: ("a number", "число"),
    float: ("a number", "число"),
    str: ("a text", "текст"),
    datetime: ("an instant", "момент"),
    timedelta: ("a duration", "длительность"),
    date: ("a date", "дата"),
    list: ("a list", "список"),
    tuple: ("a list", "список"),
    dict: ("a dictionary", "словарь"),
    Namespace: ("a part of the context", "раздел контекста"),
}


def checked(value: Any) -> Any:
    """The value itself, if its type is one of the language and its size is within the limits."""
    kind = type(value)
    if kind in _UNLIMITED:
        return value
    if kind is str:
        within = len(value) <= MOST_CHARACTERS
    elif kind is int:
        within = -LARGEST_INTEGER <= value <= LARGEST_INTEGER
    elif kind is float:
        within = isfinite(value)
    elif kind is list or kind is tuple or kind is dict:
        within = len(value) <= MOST_ITEMS
    elif kind is datetime:
        within = value.tzinfo is not None
    else:
        raise ExpressionError(
            f"Expected a plain value, got one of the type {kind.__name__}",
            f"Ожидалось простое значение, получено значение типа {kind.__name__}",
        )
    if not within:
        raise _too_large(kind)
    return value


def weighed(value: Any) -> Any:
    """The value itself, if everything nested inside it is within the limits too."""
    if type(value) in (list, tuple, dict):
        _weigh(value)
    return value


def stored(value: Any) -> Any:
    """The value as it is kept between steps: plain JSON data, instants and durations as ISO text."""
    return _plain(weighed(checked(value)))


def described(value: Any) -> tuple[str, str]:
    """What kind of value this is, in English and in Russian."""
    return _WORDS.get(type(value), (type(value).__name__, type(value).__name__))


def _weigh(value: Any) -> None:
    level: Iterable[Any] = [value]
    parts = 0
    for _ in range(DEEPEST):
        nested = []
        for item in level:
            parts += 1
            if parts > MOST_PARTS:
                raise _too_large(type(value))
            checked(item)
            if type(item) in (list, tuple):
                nested.append(item)
            elif type(item) is dict:
                nested.extend((item.keys(), item.values()))
        if not nested:
            return
        level = chain.from_iterable(nested)
    raise _too_large(type(value))


def _plain(value: Any) -> Any:
    if type(value) is datetime or type(value) is date:
        return value.isoformat()
    if type(value) is timedelta:
        return iso8601.format_duration(value)
    if type(value) in (list, tuple):
        return [_plain(item) for item in value]
    if type(value) is dict:
        return {str(key): _plain(item) for key, item in value.items()}
    if type(value) is Namespace:
        raise ExpressionError(
            f"Expected a value to keep, but {value.name} is a part of the context: name one of its fields",
            f"Сохранить можно значение, а {value.name} – раздел контекста: назовите его поле",
        )
    return value


def _too_large(kind: type) -> ExpressionError:
    if kind is datetime:
        return ExpressionError("Expected an instant with a time zone", "Ожидался момент с часовым поясом")
    en, ru = _WORDS[kind]
    return ExpressionError(
        f"Expected a value of moderate size, but {en} here is too large",
        f"Значение слишком велико: {ru} сверх допустимого размера",
    )


Pairs = frozenset[tuple[type, type]]
Operation = Callable[[Any, Any], Any]

_NUMBERS: Pairs = frozenset((a, b) for a in (int, float) for b in (int, float))
_SCALING: Pairs = frozenset({(timedelta, int), (timedelta, float)})
_SUMS: Pairs = frozenset({(timedelta, timedelta), (datetime, timedelta), (date, timedelta)})

ARITHMETIC: dict[str, tuple[Operation, Pairs]] = {
    "+": (operator.add, _NUMBERS | _SUMS | {(str, str), (list, list), (timedelta, datetime), (timedelta, date)}),
    "-": (operator.sub, _NUMBERS | _SUMS | {(datetime, datetime), (date, date)}),
    "*": (operator.mul, _NUMBERS | _SCALING | {(int, timedelta), (float, timedelta)}),
    "/": (operator.truediv, _NUMBERS | _SCALING | {(timedelta, timedelta)}),
    "//": (operator.floordiv, _NUMBERS),
    "%": (operator.mod, _NUMBERS),
}
"""Sign → the operation and the pairs of types it is defined for; never text times number."""


def calculate(sign: str, left: Any, right: Any) -> Any:
    """`left sign right`; raises ExpressionError when the types, the size or the mathematics forbid it."""
    operation, pairs = ARITHMETIC[sign]
    if (type(left), type(right)) not in pairs:
        raise _undefined(sign, left, right)
    try:
        return checked(operation(left, right))
    except ArithmeticError:
        raise ExpressionError(
            f"Expected a result of {sign}, but there is none (division by zero or out of range)",
            f"У действия {sign} нет результата (деление на ноль или выход за пределы)",
        ) from None


def _undefined(sign: str, left: Any, right: Any) -> ExpressionError:
    (left_en, left_ru), (right_en, right_ru) = described(left), described(right)
    return ExpressionError(
        f"Expected values that {sign} can join, got {left_en} and {right_en}",
        f"Действие {sign} нельзя применить: слева {left_ru}, справа {right_ru}",
    )
