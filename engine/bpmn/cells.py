"""Cells of decision tables: FEEL-like tests on one input value, checked and compiled by the closed language."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine import expressions
from engine.errors import ExpressionError
from engine.expressions import Expression

Names = Mapping[str, Any]
Test = Callable[[Any, Names], bool]
"""The value of the column and the names of the process → whether the cell holds."""

INPUT = "cell_input"
"""The name that `?` stands for."""

_OUTSIDE_TEXTS = re.compile(r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')")
_WORDS = {"true": "True", "false": "False", "null": "None", "?": INPUT, "=": "=="}
_WORD = re.compile(r"\b(?:true|false|null)\b|\?|(?<![<>!=])=(?!=)")
_COMPARED = re.compile(r"^(<=|>=|!=|==|=|<|>)(?!=)\s*(.+)$", re.DOTALL)
_RANGE = re.compile(r"^([\[\](])\s*(.+?)\s*\.\.\s*(.+?)\s*([\[\])])$", re.DOTALL)
_NEGATED = re.compile(r"^not\s*\((.*)\)$", re.DOTALL)


def compile_test(text: str) -> Test:
    """What an input cell asks of its column; raises ExpressionError.

    `-` or nothing: always. `"a", "b"`: one of them. `> 5`, `[1..5]`, `(1..5]`: compared. `? > 5 and ? != 7`: any
    expression, `?` being the value. `not(…)`: none of what is inside. Nothing (null) is neither greater nor smaller
    than anything; other values that cannot be compared raise ExpressionError.
    """
    text = text.strip()
    return (lambda value, names: True) if text in ("", "-") else _any_of(text)


def compile_value(text: str) -> Expression:
    """An output cell or the expression of a column; `true`, `false`, `null` and `=` are understood as in FEEL."""
    return expressions.compile(_translated(text))


def same(left: Any, right: Any) -> bool:
    """Equal values of one kind: yes is not the number 1."""
    return bool(left == right) and isinstance(left, bool) is isinstance(right, bool)


def _whole_negation(text: str) -> str | None:
    """What stands inside `not(…)` when the bracket closes at the very end."""
    found = _NEGATED.match(text)
    return found[1] if found and all(depth > 0 for depth in _depths(f"({found[1]}")) else None


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for position, part in enumerate(_OUTSIDE_TEXTS.split(text)):
        for sign in part if position % 2 == 0 else "":
            depth += (sign in "([{") - (sign in ")]}")
            yield depth


def _any_of(text: str) -> Test:
    tests = [_one(part) for part in _parts(text)]
    return tests[0] if len(tests) == 1 else lambda value, names: any(test(value, names) for test in tests)


def _parts(text: str) -> list[str]:
    """The tests between the commas that stand outside of brackets and texts."""
    if text.startswith("]"):
        return [text]
    parts, depth = [""], 0
    for position, piece in enumerate(_OUTSIDE_TEXTS.split(text)):
        if position % 2:
            parts[-1] += piece
            continue
        for sign in piece:
            depth += (sign in "([{") - (sign in ")]}")
            if sign == "," and depth == 0:
                parts.append("")
            else:
                parts[-1] += sign
    return [part.strip() for part in parts]


def _one(text: str) -> Test:
    if negated := _whole_negation(text):
        inner = _any_of(negated)
        return lambda value, names: not inner(value, names)
    if found := _RANGE.match(text):
        opening, low, high, closing = found.groups()
        least = "<=" if opening == "[" else "<"
        most = "<=" if closing == "]" else "<"
        return _condition(f"({low}) {least} ? {most} ({high})")
    if found := _COMPARED.match(text):
        return _condition(f"? {found[1]} ({found[2]})")
    return _condition(text) if "?" in _without_texts(text) else _value(text)


def _without_texts(text: str) -> str:
    return "".join(_OUTSIDE_TEXTS.split(text)[::2])


def _condition(text: str) -> Test:
    expression = compile_value(text)

    def test(value: Any, names: Names) -> bool:
        try:
            return bool(expression.evaluate(ChainMap({INPUT: value}, names)))  # type: ignore[arg-type]
        except ExpressionError:
            if value is None:
                return False
            raise

    return test


def _value(text: str) -> Test:
    expression = compile_value(text)

    def test(value: Any, names: Names) -> bool:
        wanted = expression.evaluate(names)
        if isinstance(wanted, list | tuple) and not isinstance(value, list | tuple):
            return any(same(value, each) for each in wanted)
        return same(value, wanted)

    return test


def _translated(text: str) -> str:
    pieces = _OUTSIDE_TEXTS.split(text)
    pieces[::2] = [_WORD.sub(lambda found: _WORDS[found[0]], piece) for piece in pieces[::2]]
    return "".join(pieces)
