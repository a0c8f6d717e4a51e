"""The grammar of expressions: for each permitted kind of syntax node, the closure that computes it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any

from engine.errors import ExpressionError
from engine.functions import FUNCTIONS, LENIENT
from engine.values import Namespace, calculate, checked, described

Names = Mapping[str, Any]
Run = Callable[[Names], Any]


def compile_node(node: ast.AST) -> Run:
    """The closure that computes this node; whatever is not in the table below raises ExpressionError."""
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        raise _not_allowed(node)
    return compiler(node)


def _not_allowed(node: ast.AST) -> ExpressionError:
    what = type(node).__name__
    return ExpressionError(
        f"Expected names, constants, comparisons and the functions of the language; {what} is not one of them",
        f"Допустимы имена, константы, сравнения и функции языка; {what} сюда не входит",
    )


def _constant(node: ast.Constant) -> Run:
    value = node.value
    if type(value) not in (str, int, float, bool, NoneType):
        raise _not_allowed(node)
    checked(value)
    return lambda names: value


def _name(node: ast.Name) -> Run:
    name = _public(node.id)
    if name in FUNCTIONS or name == LENIENT:
        raise ExpressionError(
            f"Expected {name} to be called, e.g. {name}(…)", f"Функцию {name} нужно вызвать: {name}(…)"
        )

    def run(names: Names) -> Any:
        try:
            return checked(names[name])
        except KeyError:
            raise ExpressionError(
                f"Expected a known name, but there is no {name} here", f"Имя {name} здесь неизвестно"
            ) from None

    return run


def _public(name: str) -> str:
    if name.startswith("_"):
        raise ExpressionError(
            f"Expected a name that does not begin with an underscore, got {name}",
            f"Имя не может начинаться с подчёркивания: {name}",
        )
    return name


def _attribute(node: ast.Attribute) -> Run:
    base, name = compile_node(node.value), _public(node.attr)

    def run(names: Names) -> Any:
        owner = base(names)
        if type(owner) is Namespace and name in owner.fields:
            return checked(owner.fields[name]())
        if type(owner) is dict and name in owner:
            return checked(owner[name])
        raise _no_field(owner, name)

    return run


def _no_field(owner: Any, name: str) -> ExpressionError:
    en, ru = (owner.name,) * 2 if type(owner) is Namespace else described(owner)
    return ExpressionError(f"Expected a field {name}, but {en} has none", f"Поля {name} нет: {ru}")


def _subscript(node: ast.Subscript) -> Run:
    base, key = compile_node(node.value), compile_node(node.slice)

    def run(names: Names) -> Any:
        owner, index = base(names), key(names)
        try:
            if type(owner) is dict and type(index) in (str, int):
                return checked(owner[index])
            if type(owner) in (list, tuple) and type(index) is int:
                return checked(owner[index])
        except LookupError:
            pass
        raise ExpressionError(
            f"Expected an item {index!r:.40}, but {described(owner)[0]} has none",
            f"Элемента {index!r:.40} нет: {described(owner)[1]}",
        )

    return run


def _bool_op(node: ast.BoolOp) -> Run:
    *leading, last = (compile_node(value) for value in node.values)
    stops = isinstance(node.op, ast.Or)

    def run(names: Names) -> Any:
        for part in leading:
            value = part(names)
            if bool(value) is stops:
                return value
        return last(names)

    return run


def _unary_op(node: ast.UnaryOp) -> Run:
    operand = compile_node(node.operand)
    if isinstance(node.op, ast.Not):
        return lambda names: not operand(names)
    if isinstance(node.op, ast.USub):
        return lambda names: calculate("*", operand(names), -1)
    raise _not_allowed(node.op)


_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}


def _bin_op(node: ast.BinOp) -> Run:
    sign = _SIGNS.get(type(node.op))
    if sign is None:
        raise _not_allowed(node.op)
    left, right = compile_node(node.left), compile_node(node.right)
    return lambda names: calculate(sign, left(names), right(names))


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda part, whole: part in whole,
    ast.NotIn: lambda part, whole: part not in whole,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


def _compare(node: ast.Compare) -> Run:
    left = compile_node(node.left)
    steps = tuple(_comparison(sign, right) for sign, right in zip(node.ops, node.comparators, strict=True))
    if len(steps) == 1:
        ((test, right),) = steps
        return lambda names: _compared(test, left(names), right(names))

    def run(names: Names) -> bool:
        value = left(names)
        for test, right in steps:
            following = right(names)
            if not _compared(test, value, following):
                return False
            value = following
        return True

    return run


def _comparison(sign: ast.cmpop, right: ast.expr) -> tuple[Callable[[Any, Any], bool], Run]:
    identity = isinstance(sign, ast.Is | ast.IsNot)
    if identity and not (isinstance(right, ast.Constant) and type(right.value) in (bool, NoneType)):
        raise ExpressionError(
            "Expected `is` only before None, True or False; use == for values",
            "`is` допустимо только перед None, True и False; значения сравнивайте через ==",
        )
    options = compile_node(right)
    if isinstance(sign, ast.In | ast.NotIn) and _is_constant_list(right):
        known = tuple(options({}))
        return _COMPARISONS[type(sign)], lambda names: known
    return _COMPARISONS[type(sign)], options


def _is_constant_list(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple) and all(isinstance(item, ast.Constant) for item in node.elts)


def _compared(test: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    try:
        return test(left, right)
    except TypeError:
        (left_en, left_ru), (right_en, right_ru) = described(left), described(right)
    raise ExpressionError(
        f"Expected values that can be compared, got {left_en} and {right_en}",
        f"Эти значения нельзя сравнить: слева {left_ru}, справа {right_ru}",
    )


def _if_exp(node: ast.IfExp) -> Run:
    test, body, otherwise = compile_node(node.test), compile_node(node.body), compile_node(node.orelse)
    return lambda names: body(names) if test(names) else otherwise(names)


def _list(node: ast.List | ast.Tuple) -> Run:
    items = tuple(compile_node(item) for item in node.elts)
    return lambda names: [item(names) for item in items]


def _dict(node: ast.Dict) -> Run:
    items: list[tuple[str, Run]] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and type(key.value) is str):
            raise _not_allowed(key or node)
        items.append((key.value, compile_node(value)))
    return lambda names: {key: value(names) for key, value in items}


def _call(node: ast.Call) -> Run:
    if node.keywords:
        raise ExpressionError(
            "Expected arguments by position, without names", "Аргументы передаются по порядку, без имён"
        )
    arguments = tuple(compile_node(argument) for argument in node.args)
    match node.func:
        case ast.Name(id=name) if name == LENIENT:
            return _lenient(arguments, node.args)
        case ast.Name(id=name) if name in FUNCTIONS:
            return _built_in(name, arguments, node.args)
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return _registered(_public(owner), _public(name), arguments)
    raise ExpressionError(
        f"Expected a function of the language ({', '.join([*FUNCTIONS, LENIENT])}), nothing else can be called",
        f"Вызвать можно только функцию языка: {', '.join([*FUNCTIONS, LENIENT])}",
    )


def _built_in(name: str, arguments: tuple[Run, ...], nodes: list[ast.expr]) -> Run:
    function = FUNCTIONS[name]
    if not function.least <= len(arguments) <= function.most:
        raise _wrong_arguments(name)
    call = function.call
    if all(isinstance(node, ast.Constant) for node in nodes):
        value = _called(name, call, [argument({}) for argument in arguments])
        return lambda names: value
    return lambda names: _called(name, call, [argument(names) for argument in arguments])


def _registered(owner: str, name: str, arguments: tuple[Run, ...]) -> Run:
    label = f"{owner}.{name}"

    def run(names: Names) -> Any:
        namespace = names.get(owner)
        if type(namespace) is not Namespace or name not in namespace.functions:
            raise ExpressionError(f"Expected a known function, there is no {label}", f"Функции {label} нет")
        return _called(label, namespace.functions[name], [argument(names) for argument in arguments])

    return run


def _called(name: str, call: Callable[..., Any], values: list[Any]) -> Any:
    try:
        return checked(call(*values))
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise _wrong_arguments(name) from error


def _wrong_arguments(name: str) -> ExpressionError:
    return ExpressionError(
        f"Expected other arguments for {name}: check their number and kind",
        f"Функции {name} нужны другие аргументы: проверьте их число и вид",
    )


def _lenient(arguments: tuple[Run, ...], nodes: list[ast.expr]) -> Run:
    if not arguments:
        raise _wrong_arguments(LENIENT)
    choices = tuple(
        (node.id if isinstance(node, ast.Name) else None, run) for node, run in zip(nodes, arguments, strict=True)
    )

    def run(names: Names) -> Any:
        for name, argument in choices:
            if name is None or name in names:
                value = argument(names)
                if value is not None:
                    return value
        return None

    return run


_COMPILERS: dict[type[ast.AST], Callable[[Any], Run]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary_op,
    ast.BinOp: _bin_op,
    ast.Compare: _compare,
    ast.IfExp: _if_exp,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Dict: _dict,
    ast.Call: _call,
}
