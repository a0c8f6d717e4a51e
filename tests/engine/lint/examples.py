"""For every rule one small bundle that breaks it and a twin that does not."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.engine.lint.fragments import (
    BY_EVENTS,
    MESSAGE,
    OTHER,
    PLAIN,
    bound,
    calls,
)
from tests.engine.lint.meaning_examples import MEANING
from tests.engine.lint.shape_examples import SHAPE
from tests.engine.lint.sketch import chain, file, ruled
from tests.engine.lint.standard_examples import STANDARD

Files = dict[str, bytes]


@dataclass(frozen=True)
class Example:
    """Two bundles that differ in one thing."""

    bad: Files
    good: Files


def _bpmn(bad: bytes, good: bytes) -> Example:
    return Example({"a.bpmn": bad}, {"a.bpmn": good})


def _form(bad: object, good: object) -> Example:
    def form(component: object) -> Files:
        return {"f.form.json": json.dumps({"components": [component]}).encode()}

    return Example(form(bad), form(good))


def _dmn(bad: str, good: str) -> Example:
    def table(inside: str) -> Files:
        definitions = f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d">{inside}</definitions>'
        return {"t.dmn": definitions.encode()}

    return Example(table(bad), table(good))


VALUES = "<outputValues><text>1, 2</text></outputValues>"


def needing(id: str, own: str = "x") -> str:
    """A decision that builds on another one."""
    return (
        f"<decision id='{own}'><informationRequirement><requiredDecision href='#{id}'/></informationRequirement>"
        "<literalExpression><text>1</text></literalExpression></decision>"
    )


def table(
    cell: str = "?&gt;5", *, policy: str = "UNIQUE", cells: int = 1, rows: int = 1, output: str = "", name: str = ""
) -> str:
    entries = f"<inputEntry id='cell'><text>{cell}</text></inputEntry>" * cells
    row = f"<rule id='row'>{entries}<outputEntry><text>1</text></outputEntry></rule>"
    return (
        f"<decision id='x'><decisionTable id='table' hitPolicy='{policy}'><input><inputExpression><text>count</text>"
        f"</inputExpression></input><output name='{name}'>{output}</output>{row * rows}</decisionTable></decision>"
    )


EXAMPLES: dict[str, Example] = {
    **{name: _bpmn(bad, good) for name, (bad, good) in {**SHAPE, **MEANING, **STANDARD}.items()},
    "duplicate-process": Example({"a.bpmn": PLAIN, "b.bpmn": PLAIN}, {"a.bpmn": PLAIN}),
    "call-unknown": Example(
        {"a.bpmn": file(calls("a", "b"))},
        {"a.bpmn": file(calls("a", "b")), "b.bpmn": file(OTHER)},
    ),
    "call-without-start": Example(
        {"a.bpmn": file(calls("a", "b")), "b.bpmn": file(MESSAGE, BY_EVENTS)},
        {"a.bpmn": file(calls("a", "b")), "b.bpmn": file(OTHER)},
    ),
    "call-binding": Example(
        {"a.bpmn": bound("newest"), "b.bpmn": file(OTHER)},
        {"a.bpmn": bound("deployment"), "b.bpmn": file(OTHER)},
    ),
    "call-binding-bundle": Example(
        {"a.bpmn": bound("deployment")},
        {"a.bpmn": bound("deployment"), "b.bpmn": file(OTHER)},
    ),
    "call-cycle": Example(
        {"a.bpmn": file(calls("a", "b")), "b.bpmn": file(calls("b", "a"))},
        {"a.bpmn": file(calls("a", "b")), "b.bpmn": file(OTHER)},
    ),
    "call-depth": Example(
        {f"p{n}.bpmn": file(calls(f"p{n}", f"p{n + 1}")) for n in range(12)},
        {f"p{n}.bpmn": file(calls(f"p{n}", f"p{n + 1}")) for n in range(9)},
    ),
    "form-json": Example({"f.form.json": b"{"}, {"f.form.json": b'{"components": []}'}),
    "form-component": _form(
        {"type": "html", "label": "x", "content": "<script>"}, {"type": "text", "text": "Просто текст"}
    ),
    "form-key": _form(
        {"type": "textfield", "key": "__class__", "label": "x"}, {"type": "textfield", "key": "topic", "label": "x"}
    ),
    "form-label": _form({"type": "textfield", "key": "topic"}, {"type": "textfield", "key": "topic", "label": "x"}),
    "form-choices": _form(
        {"type": "select", "key": "a", "label": "x"},
        {"type": "select", "key": "a", "label": "x", "values": [{"value": "1", "label": "1"}]},
    ),
    "form-validation": _form(
        {"type": "textfield", "key": "a", "label": "x", "validate": {"pattern": "(a+)+$"}},
        {"type": "textfield", "key": "a", "label": "x", "validate": {"pattern": "[a-z]+", "maxLength": 5}},
    ),
    "form-condition": _form(
        {"type": "textfield", "key": "a", "label": "x", "conditional": {"hide": "=open('x')"}},
        {"type": "textfield", "key": "a", "label": "x", "conditional": {"hide": "=b == 1"}},
    ),
    "not-dmn": Example({"t.dmn": b"<html/>"}, _dmn("", table()).good),
    "no-decision": _dmn("", table()),
    "decision-required": Example(
        {"a.bpmn": chain(ruled("")), **_dmn("", table()).good},
        {"a.bpmn": chain(ruled("x")), **_dmn("", table()).good},
    ),
    "decision-unknown": Example(
        {"a.bpmn": chain(ruled("route")), **_dmn("", table()).good},
        {"a.bpmn": chain(ruled("x")), **_dmn("", table()).good},
    ),
    "decision-logic": _dmn("<decision id='y'/>", table()),
    "duplicate-decision": _dmn(table() * 2, table()),
    "decision-requirement": _dmn(needing("y"), needing("x", "a") + table()),
    "dmn-allowed-values": _dmn(table(policy="PRIORITY"), table(policy="PRIORITY", output=VALUES)),
    "dmn-output-name": _dmn(table(name="нельзя так"), table(name="group")),
    "hit-policy": _dmn(table(policy="BEST"), table(policy="RULE ORDER")),
    "dmn-cell": _dmn(table("&gt; &gt; 5"), table("&gt; 5, not([1..5])")),
    "dmn-row": _dmn(table(cells=2), table()),
    "dmn-size": _dmn(table(rows=3000), table(rows=3)),
}
