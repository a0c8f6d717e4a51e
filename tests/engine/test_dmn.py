"""Decision tables: what a cell asks, which rules hold, what each hit policy makes of them."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest

from engine.bpmn.cells import compile_test
from engine.bpmn.dmn import Decided, decide, decisions
from engine.errors import ExpressionError


@pytest.mark.parametrize(
    ("cell", "holds", "fails"),
    [
        ("-", [1, "a", None], []),
        ("", [1, None], []),
        ("5", [5, 5.0], [6, "5", None, True]),
        ("true", [True], [False, 1, None]),
        ("null", [None], [0, "", False]),
        ('"a","b"', ["a", "b"], ["c", None, "a,b"]),
        ('"a, b", "c"', ["a, b", "c"], ["a", "b"]),
        ("> 5", [6, 5.1], [5, None]),
        ("<=5", [5, 0], [6, None]),
        ("!= 5", [6, None, "a"], [5]),
        ("= 5", [5], [6]),
        ("[1..5]", [1, 3, 5], [0, 6, None]),
        ("(1..5]", [2, 5], [1, 6]),
        ("[1..5)", [1, 4], [5]),
        ("]1..5[", [2, 4], [1, 5]),
        ("[1..2], [4..5]", [1, 5], [3]),
        ("< 1, > 9", [0, 10], [1, 5, 9]),
        ("? > 5 and ? != 7", [6, 8], [5, 7, None]),
        ("? == 5 or ? == 7", [5, 7], [6, None]),
        ('contains(?, "сеть")', ["нет сети: сеть лежит"], ["тихо", None]),
        ('not("a","b")', ["c", None], ["a", "b"]),
        ("not([1..5])", [0, 6, None], [1, 5]),
        ("not(null)", [1, ""], [None]),
        ("not(? > 5) and ? > 1", [2, 5], [6, 1]),
        ("limit", [3], [4, None]),
        ("> limit", [4], [3]),
        ("known", ["x", "y"], ["z", None]),
        ('starts_with(?, "a") and "?" != ?', ["a?", "ab"], ["?", "b"]),
    ],
)
def test_a_cell_holds_for_some_values_and_not_for_others(cell: str, holds: list[Any], fails: list[Any]) -> None:
    test = compile_test(cell)
    names = {"limit": 3, "known": ["x", "y"]}

    assert [value for value in holds if not test(value, names)] == []
    assert [value for value in fails if test(value, names)] == []


@pytest.mark.parametrize("cell", ["1, ", "[1..", "import os", "? >", "not(", "open(?)", "a b", "x.__class__"])
def test_a_cell_that_is_no_test_is_refused(cell: str) -> None:
    with pytest.raises(ExpressionError):
        compile_test(cell)


def test_values_of_different_kinds_are_no_silent_no() -> None:
    test = compile_test("> 5")

    with pytest.raises(ExpressionError):
        test("10", {})


def table(*rules: str, policy: str = "UNIQUE", inputs: str = "n", outputs: str = "out", more: str = "") -> str:
    """`1, > 2 | "x" ; 3`: a rule is input cells, a bar, output cells separated by `;`."""
    columns = "".join(
        f"<input><inputExpression><text>{escape(i)}</text></inputExpression></input>" for i in inputs.split()
    )
    results = "".join(f"<output name='{name}'>{more}</output>" for name in outputs.split())
    aggregated = policy.partition("+")
    attributes = f"hitPolicy='{aggregated[0]}'" + (f" aggregation='{aggregated[2]}'" if aggregated[2] else "")
    rows = "".join(_rule(rule) for rule in rules)
    return f"<decisionTable {attributes}>{columns}{results}{rows}</decisionTable>"


def _rule(rule: str) -> str:
    tests, _, results = rule.partition("|")
    cells = "".join(f"<inputEntry><text>{escape(each.strip())}</text></inputEntry>" for each in tests.split(";"))
    return (
        f"<rule>{cells}"
        + "".join(f"<outputEntry><text>{escape(r.strip())}</text></outputEntry>" for r in results.split(";"))
        + "</rule>"
    )


def decision(logic: str, key: str = "route", *, needs: str = "", variable: str = "") -> str:
    required = f"<informationRequirement><requiredDecision href='#{needs}'/></informationRequirement>" if needs else ""
    named = f"<variable name='{variable}'/>" if variable else ""
    return f"<decision id='{key}' name='Маршрут'>{named}{required}{logic}</decision>"


def file(*made: str) -> bytes:
    inside = "".join(made)
    return f"<definitions xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/' id='d'>{inside}</definitions>".encode()


def asked(*rules: str, n: Any = 1, names: dict[str, Any] | None = None, **options: str) -> Decided:
    return decide("route", decisions(file(decision(table(*rules, **options)))), {"n": n, **(names or {})})


def test_unique_gives_the_one_rule_that_holds() -> None:
    found = asked('1 | "one"', '> 1 | "many"', n=7)

    assert (found.value, found.rules, found.variables) == ("many", (2,), {"out": "many"})


def test_unique_refuses_two_rules_by_their_numbers() -> None:
    with pytest.raises(ExpressionError, match="rules 1, 3"):
        asked('1 | "a"', '2 | "b"', '< 5 | "c"')


def test_no_rule_gives_nothing_or_the_default() -> None:
    default = '<defaultOutputEntry><text>"other"</text></defaultOutputEntry>'

    assert asked('5 | "a"').value is None
    assert asked('5 | "a"', more=default).variables == {"out": "other"}


def test_first_takes_the_first_that_holds() -> None:
    assert asked('> 0 | "a"', '1 | "b"', policy="FIRST").rules == (1,)


def test_any_demands_that_the_rules_agree() -> None:
    assert asked('> 0 | "a"', '1 | "a"', policy="ANY").value == "a"
    with pytest.raises(ExpressionError, match="differ"):
        asked('> 0 | "a"', '1 | "b"', policy="ANY")


ORDER = '<outputValues><text>"high","normal","low"</text></outputValues>'


def test_priority_goes_by_the_order_of_the_allowed_values() -> None:
    found = asked('1 | "low"', '> 0 | "high"', '- | "normal"', policy="PRIORITY", more=ORDER)

    assert (found.value, found.rules) == ("high", (2,))


def test_output_order_sorts_all_that_hold() -> None:
    found = asked('1 | "low"', '> 0 | "high"', '- | "normal"', '2 | "high"', policy="OUTPUT ORDER", more=ORDER)

    assert found.value == ["high", "normal", "low"]


def test_rule_order_and_collect_keep_the_order_of_the_rules() -> None:
    rules = ('1 | "low"', '> 0 | "high"', '2 | "x"')

    assert asked(*rules, policy="RULE ORDER").value == ["low", "high"]
    assert asked(*rules, policy="COLLECT").value == ["low", "high"]
    assert asked('2 | "x"', policy="COLLECT").value == []


@pytest.mark.parametrize(
    ("how", "result", "none"), [("SUM", 5, None), ("MIN", 2, None), ("MAX", 3, None), ("COUNT", 2, 0)]
)
def test_collect_may_be_aggregated(how: str, result: int, none: int | None) -> None:
    assert asked("1 | 2", "> 0 | 3", "9 | 4", policy=f"COLLECT+{how}").value == result
    assert asked("9 | 4", policy=f"COLLECT+{how}").value == none


def test_several_outputs_become_several_variables() -> None:
    found = asked('1 | "a" ; n + 1', outputs="group norm")

    assert found.value == {"group": "a", "norm": 2}
    assert found.variables == {"group": "a", "norm": 2}
    assert asked('9 | "a" ; 1', outputs="group norm").variables == {"group": None, "norm": None}


def test_lists_of_several_outputs_become_one_list_for_each() -> None:
    found = asked('1 | "a" ; 1', '- | "b" ; 2', outputs="group norm", policy="RULE ORDER")

    assert found.variables == {"group": ["a", "b"], "norm": [1, 2]}


def test_all_columns_of_a_rule_must_hold() -> None:
    known = decisions(file(decision(table('1 ; "vip" | "fast"', "- ; - | 1", inputs="n kind", policy="FIRST"))))

    assert decide("route", known, {"n": 1, "kind": "vip"}).value == "fast"
    assert decide("route", known, {"n": 1, "kind": "plain"}).value == 1


def test_a_decision_builds_on_another_one() -> None:
    content = file(
        decision(table('"high" | 1', "- | 2", inputs="weight", policy="FIRST"), needs="weigh"),
        decision(
            "<literalExpression><text>'high' if n &gt; 5 else 'low'</text></literalExpression>",
            "weigh",
            variable="weight",
        ),
    )

    assert decide("route", decisions(content), {"n": 9}).value == 1
    assert decide("route", decisions(content), {"n": 1}).value == 2


def test_a_circle_of_decisions_is_refused() -> None:
    content = file(
        decision(table("- | 1", inputs="b"), "a", needs="b"), decision(table("- | 1", inputs="a"), "b", needs="a")
    )

    with pytest.raises(ExpressionError, match="need itself"):
        decide("a", decisions(content), {})


def test_a_failing_cell_is_named() -> None:
    with pytest.raises(ExpressionError, match="rule 2, column n"):
        asked('1 | "a"', '> 5 | "b"', n="10")
