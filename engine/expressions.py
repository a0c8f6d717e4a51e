"""The closed expression language: text becomes a checked, compiled expression or script."""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.errors import ExpressionError
from engine.functions import FUNCTIONS, LENIENT
from engine.grammar import Names, Run, compile_node
from engine.values import Namespace, stored, weighed

__all__ = ["Expression", "Namespace", "Script", "compile", "compile_script"]

MOST_SOURCE = 2_000
MOST_NODES = 200
DEEPEST_NESTING = 30
MOST_SCRIPT_LINES = 50
RESERVED = frozenset({*FUNCTIONS, LENIENT, "now"})


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression, ready to be evaluated any number of times."""

    source: str
    names: frozenset[str]
    """What it reads from the context and the variables."""
    paths: frozenset[str]
    """Names with the field or function asked of them, e.g. "ticket.priority"."""
    _run: Run = field(repr=False, compare=False)

    def evaluate(self, names: Names) -> Any:
        """The value for these names; raises ExpressionError."""
        value = self._run(names)
        return weighed(value) if type(value) in (list, dict, tuple) else value


@dataclass(frozen=True, slots=True)
class Script:
    """The assignments of a script task, in their order."""

    source: str
    assignments: tuple[tuple[str, Expression], ...]

    def run(self, names: Names) -> dict[str, Any]:
        """What the lines assign, as plain data; a line sees what the lines before it assigned."""
        assigned: dict[str, Any] = {}
        visible = ChainMap(assigned, names)  # type: ignore[arg-type]
        for name, expression in self.assignments:
            if type(visible.get(name)) is Namespace:
                raise _reserved(name)
            assigned[name] = stored(expression.evaluate(visible))
        return assigned


def compile(source: str) -> Expression:
    """Check and compile one expression; raises ExpressionError."""
    text = source.strip()
    if not text:
        raise ExpressionError("Expected an expression, but there is nothing", "Выражение пусто")
    _check_length(text, MOST_SOURCE)
    tree = _parsed(f"(\n{text}\n)" if "\n" in text else text, "eval").body
    if "\n" in text and tree.lineno == 1:
        raise _bad_syntax()
    return _compiled(text, tree)


def compile_script(source: str) -> Script:
    """Check and compile lines of the form `name = expression`; raises ExpressionError."""
    _check_length(source, MOST_SOURCE * 5)
    text = "\n".join(line.strip() for line in source.splitlines()).strip()
    body = _parsed(text, "exec").body
    if not 1 <= len(body) <= MOST_SCRIPT_LINES:
        raise ExpressionError(
            f"Expected 1 to {MOST_SCRIPT_LINES} assignments, got {len(body)}",
            f"Ожидалось от 1 до {MOST_SCRIPT_LINES} присваиваний, получено {len(body)}",
        )
    return Script(text, tuple(_assignment(text, statement) for statement in body))


def _check_length(text: str, limit: int) -> None:
    if len(text) > limit:
        raise ExpressionError(
            f"Expected at most {limit} characters, got {len(text)}",
            f"Выражение длиннее {limit} знаков ({len(text)})",
        )


def _parsed(text: str, mode: str) -> Any:
    try:
        return ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise _bad_syntax() from None


def _bad_syntax() -> ExpressionError:
    return ExpressionError(
        "Expected an expression, but the text cannot be read as one: check brackets, quotes and signs",
        "Текст не читается как выражение: проверьте скобки, кавычки и знаки",
    )


def _assignment(text: str, statement: ast.stmt) -> tuple[str, Expression]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            if name in RESERVED or name.startswith("_"):
                raise _reserved(name)
            segment = ast.get_source_segment(text, value) or ""
            _check_length(segment, MOST_SOURCE)
            return name, _compiled(segment, value)
    raise ExpressionError(
        f"Expected only lines `name = expression`, line {statement.lineno} is something else",
        f"В сценарии допустимы только строки `имя = выражение`, строка {statement.lineno} – другое",
    )


def _reserved(name: str) -> ExpressionError:
    return ExpressionError(
        f"Expected a variable, but {name} is a name of the language or of the context",
        f"Имя {name} занято языком или контекстом, назовите переменную иначе",
    )


def _compiled(source: str, tree: ast.expr) -> Expression:
    _check_size(tree)
    run = compile_node(tree)
    return Expression(source, frozenset(_free_names(tree)), frozenset(_paths(tree)), run)


def _check_size(tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    nodes = 0
    for _ in range(DEEPEST_NESTING):
        nodes += len(level)
        if nodes > MOST_NODES:
            break
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if not level:
            return
    raise ExpressionError(
        f"Expected at most {MOST_NODES} parts nested at most {DEEPEST_NESTING} deep: split the expression",
        f"Выражение сложнее {MOST_NODES} частей или глубже {DEEPEST_NESTING} уровней: разделите его",
    )


def _free_names(tree: ast.expr) -> Iterator[str]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called:
            yield node.id


def _paths(tree: ast.expr) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
