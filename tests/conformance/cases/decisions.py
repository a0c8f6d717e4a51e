"""Business rule tasks: decision tables with every hit policy, unary tests, what comes back and what is refused."""

from __future__ import annotations

from html import escape

from tests.conformance.case import Case, case
from tests.conformance.sketch import process, task
from tests.engine.drawings import chain, end, node, start

_DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def table(*rows: tuple[str, str], policy: str = "UNIQUE", aggregation: str = "", priorities: str = "") -> bytes:
    """A table of one input `n` and one output `found`; a row is a test and a value."""
    attributes = f' hitPolicy="{policy}"' + (f' aggregation="{aggregation}"' if aggregation else "")
    values = f"<outputValues id='values'><text>{escape(priorities)}</text></outputValues>" if priorities else ""
    rules = "".join(
        f'<rule id="row{n}"><inputEntry id="in{n}"><text>{escape(test)}</text></inputEntry>'
        f'<outputEntry id="out{n}"><text>{escape(value)}</text></outputEntry></rule>'
        for n, (test, value) in enumerate(rows, 1)
    )
    return (
        f'<definitions xmlns="{_DMN}" id="definitions" name="Table" namespace="urn:test">'
        f'<decision id="choose" name="Choose"><decisionTable id="table"{attributes}>'
        '<input id="input"><inputExpression id="expression"><text>n</text></inputExpression></input>'
        f'<output id="output" name="found">{values}</output>{rules}</decisionTable></decision></definitions>'
    ).encode()


ASKING = process(
    start(),
    task("z"),
    node(
        "businessRuleTask",
        "ask",
        extension="<spiffworkflow:calledDecisionId>choose</spiffworkflow:calledDecisionId>",
    ),
    task("a"),
    end(),
    chain("start", "z", "ask", "a", "end"),
)


def answers(name: str, dmn: bytes, given: str, found: str, clause: str = "") -> Case:
    return case(
        name,
        ASKING,
        story=f"""
            start n=0: start | z
            z n={given}: z ask | a
            ? a: found={found}
            a: a end | done
        """,
        clause=clause,
        others={"choose.dmn": dmn},
    )


def refuses(name: str, dmn: bytes, given: str, clause: str) -> Case:
    return case(
        name,
        ASKING,
        story=f"""
            start n=0: start | z
            z n={given}: raises ExpressionError
        """,
        clause=clause,
        others={"choose.dmn": dmn},
    )


STEPS = (("< 10", "'low'"), ("[10..20]", "'middle'"), ("> 20", "'high'"))
OVERLAPPING = (("> 0", "1"), ("> 5", "2"), ("> 10", "3"))

CASES = [
    answers("UNIQUE: the one row that holds", table(*STEPS), "20", "middle", "DMN 8.2.10 Unique; 7.3 unary tests"),
    answers("UNIQUE: none holds, no answer", table(("> 5", "1")), "1", "null", "DMN 8.2.10"),
    refuses("UNIQUE: two hold, an error", table(*OVERLAPPING), "7", "DMN 8.2.10 Unique: no overlap is possible"),
    answers("FIRST: the first of several", table(*OVERLAPPING, policy="FIRST"), "12", "1", "DMN 8.2.10 First"),
    answers(
        "ANY: several with the same answer",
        table(("> 0", "1"), ("> 5", "1"), policy="ANY"),
        "7",
        "1",
        "DMN 8.2.10 Any",
    ),
    refuses("ANY: several with different answers, an error", table(*OVERLAPPING, policy="ANY"), "7", "DMN 8.2.10 Any"),
    answers(
        "PRIORITY: the answer that comes first among the output values",
        table(*OVERLAPPING, policy="PRIORITY", priorities="3, 2, 1"),
        "12",
        "3",
        "DMN 8.2.10 Priority",
    ),
    answers("RULE ORDER: all, in the order of the rows", table(*OVERLAPPING, policy="RULE ORDER"), "7", "[1,2]"),
    answers("COLLECT: all", table(*OVERLAPPING, policy="COLLECT"), "7", "[1,2]", "DMN 8.2.10 Collect"),
    answers("COLLECT: the sum", table(*OVERLAPPING, policy="COLLECT", aggregation="SUM"), "12", "6"),
    answers("COLLECT: the least", table(*OVERLAPPING, policy="COLLECT", aggregation="MIN"), "12", "1"),
    answers("COLLECT: the greatest", table(*OVERLAPPING, policy="COLLECT", aggregation="MAX"), "12", "3"),
    answers("COLLECT: how many", table(*OVERLAPPING, policy="COLLECT", aggregation="COUNT"), "7", "2"),
    answers("COLLECT: none holds, an empty list", table(("> 50", "1"), policy="COLLECT"), "7", "[]"),
    answers("a test of several values", table(("1, 3, 5", "'odd'"), ("-", "'other'"), policy="FIRST"), "3", "odd"),
    answers("a test that is turned round", table(("not(1, 3)", "'other'"), ("-", "'odd'"), policy="FIRST"), "3", "odd"),
    answers("an interval without its ends", table(("]1..5[", "1"), ("-", "2"), policy="FIRST"), "5", "2"),
    answers("the other end of an interval", table(("(1..5]", "1"), ("-", "2"), policy="FIRST"), "5", "1"),
    answers("a test of texts", table(('"a", "b"', "1"), ("-", "2"), policy="FIRST"), '"b"', "1"),
    answers("a test with a question mark", table(("? * 2 > 9", "1"), ("-", "2"), policy="FIRST"), "5", "1"),
    answers(
        "OUTPUT ORDER: all, in the order of the output values",
        table(*OVERLAPPING, policy="OUTPUT ORDER", priorities="3, 2, 1"),
        "7",
        "[2,1]",
        "DMN 8.2.10 Output order",
    ),
    case(
        "PRIORITY without output values is refused",
        ASKING,
        others={"choose.dmn": table(*OVERLAPPING, policy="PRIORITY")},
        refused="dmn-allowed-values at *",
        clause="DMN 8.2.10 Priority: the order of the output values decides",
    ),
    case(
        "a business rule task without a decision is refused",
        process(start(), node("businessRuleTask", "ask"), task("a"), end(), chain("start", "ask", "a", "end")),
        refused="* at ask",
        clause="13.3.3 Business Rule Task",
    ),
]
