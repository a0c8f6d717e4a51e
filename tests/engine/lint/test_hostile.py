"""Broken, hostile, huge and foreign files end as findings, never as an exception and never after long."""

from __future__ import annotations

import time
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bpmn.lint import check_files
from engine.bpmn.xml import MOST_BYTES
from engine.errors import Problem
from tests.engine.lint.sketch import (
    END,
    NAMESPACES,
    START,
    boundary,
    chain,
    drawing,
    file,
    gateway,
    process,
    script,
    task,
    timer,
)

GOOD = chain(task(), script())
ENTITIES = b'<!ENTITY a "lol">' + b"".join(b'<!ENTITY b%d "%s">' % (n, b"&a;" * 50) for n in range(20))


def check(content: bytes, name: str = "a.bpmn") -> list[Problem]:
    started = time.process_time()
    problems = check_files({name: content}, connectors={}, statuses=(), forms=())
    assert time.process_time() - started < 2
    return problems


def errors(content: bytes, name: str = "a.bpmn") -> set[str]:
    return {problem.rule for problem in check(content, name) if problem.severity == "error"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"\x00" * 100,
        b"\xff\xfe<\x00a\x00/\x00>\x00",
        b"\x7fELF\x02\x01\x01",
        b"PK\x03\x04" + bytes(range(256)),
        b"GIF89a",
        b"{}",
        b"hello",
        "просто текст".encode(),
        "<definitions/>".encode("utf-32"),
        b"<definitions>" * 10_000,
        b"<a " + b"b" * 100_000,
        b"<a" + b" x='1'" * 50_000 + b"/>",
        b"x" * (2 * MOST_BYTES),
        b"<!DOCTYPE a [" + ENTITIES + b"]><a>&b19;</a>",
        b'<!DOCTYPE a SYSTEM "http://example.invalid/x.dtd"><a/>',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>',
        b"<definitions/>",
        b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/DI"/>',
        b'<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>',
        GOOD[: len(GOOD) // 2],
        GOOD + GOOD,
        GOOD.replace(b"2010", b"2009"),
        f"<definitions {NAMESPACES}/>".encode(),
        f"<definitions {NAMESPACES}><collaboration id='c'/></definitions>".encode(),
        file(process("")),
        file(process("", executable="false")),
        file(process("<subProcess/>" * 500)),
        file(process(f"<task {'x:' * 3}id='1'/>")),
        file(*(process(START + END, "start > end", key=f"p{n}") for n in range(50))),
        drawing("".join(f'<userTask id="t{n}"/>' for n in range(8_000)))[:MOST_BYTES],
        drawing("".join(f'<userTask id="t{n}"/>' for n in range(8_000))),
        drawing('<exclusiveGateway id="g"/>' * 300, "g > g;" * 300),
        drawing("".join(f'<desk:action id="a{n}" label="x"/>' for n in range(5_000))),
        drawing(task("<desk:action/>" * 5_000), "start > work > end"),
        drawing(task() + boundary(timer("PT1H")) * 300, "start > work > end"),
        chain(task('<desk:unknown xmlns:x="urn:x" x:y="1"><deep/></desk:unknown>')),
        chain(task(name='&lt;script&gt;alert("x")&lt;/script&gt; {0} {reason.__class__}')),
        chain(task()).replace(b'"work"', b'"{0.__class__}"'),
        chain(script("a = 1\n" * 20_000)),
        chain(script("(" * 20_000)),
        chain(script("a" * 500_000 + " = 1")),
    ],
    ids=lambda content: str(content[:30]),
)
def test_hostile_file_is_refused_with_findings(content: bytes) -> None:
    assert errors(content) or b"{0}" in content


def _ladder(kind: str, rungs: int) -> bytes:
    """Splits and joins of one kind, one after another, each rung two ways with a way back."""
    nodes = [gateway(kind, f"g{n}", f'default="g{n}_g{n + 1}"') for n in range(rungs)]
    arrows = "".join(f"g{n} > g{n + 1}; g{n} > t{n} [x == 1]; t{n} > g{n + 1};" for n in range(rungs - 1))
    tasks = [task(id=f"t{n}") for n in range(rungs - 1)]
    return drawing("".join(nodes + tasks), f"start > g0; {arrows} g{rungs - 1} > g0 [x == 2]; g{rungs - 1} > end")


_LINKS = (
    '<intermediateThrowEvent id="l{n}"><linkEventDefinition name="l{name}"/></intermediateThrowEvent>'
    '<intermediateCatchEvent id="c{n}"><linkEventDefinition name="l{name}"/></intermediateCatchEvent>'
)


def _all(count: int, text: str) -> str:
    return "".join(text.format(n=n) for n in range(count))


def _mesh(kind: str, size: int) -> bytes:
    nodes = "".join(gateway(kind, f"g{n}") for n in range(size))
    arrows = ";".join(f"g{a} > g{b} [x == {b}]" for a in range(size) for b in range(size) if a != b)
    return drawing(nodes, f"start > g0; {arrows}; g{size - 1} > end")


@pytest.mark.parametrize(
    "content",
    [
        *(_ladder(kind, 190) for kind in ("exclusive", "inclusive", "parallel", "eventBased", "complex")),
        *(_mesh(kind, 34) for kind in ("exclusive", "inclusive", "parallel")),
        drawing(
            gateway("parallel", "f") + gateway("inclusive", "j") + "".join(task(id=f"t{n}") for n in range(390)),
            "start > f; j > end;" + "".join(f"f > t{n} > j;" for n in range(390)),
        ),
        drawing(
            task() + "".join(boundary(timer("PT1H"), id=f"b{n}") for n in range(390)),
            "start > work > end;" + "".join(f"b{n} > work;" for n in range(390)),
        ),
        drawing(
            task() + "".join(boundary(timer("PT1H"), id=f"b{n}", cancels=False) for n in range(390)),
            "start > work > end;" + "".join(f"b{n} > end;" for n in range(390)),
        ),
        drawing("".join(_LINKS.format(n=n, name=n % 7) for n in range(195)), _all(194, "c{n} > l{n};")),
        file("".join(f'<message id="m{n}" itemRef="m{n + 1}" name="m"/>' for n in range(9_000)), process(START + END)),
        file('<itemDefinition id="i" itemSubjectRef="i" structureRef="i"/>' * 5, process(START + END, "start > end")),
        drawing(f'<laneSet id="s">{"<lane><childLaneSet>" * 60}{"</childLaneSet></lane>" * 60}</laneSet>'),
        file(process(START + END, "start > end")).replace(b'id="file"', b'id="file" name="' + b"x" * 900_000 + b'"'),
        drawing("<x:a xmlns:x='urn:x'>" * 5_000 + "</x:a>" * 5_000),
        drawing(_all(8_000, '<association id="a{n}" sourceRef="a{n}" targetRef="a{n}"/>')),
    ],
    ids=range(18),
)  # fmt: skip
def test_tangled_drawing_ends_in_time(content: bytes) -> None:
    check(content)


@pytest.mark.parametrize(
    "value",
    [
        *("P99999999Y", "PT9999999999999999999S", "-PT1H", "P", "2026-13-01T00:00:00Z", "1999", "=", "= "),
        *("=__import__('os').system('id')", "=(lambda: 1)()", "=9**9**9", "='a'*10**10", "${now()}"),
        *("=" + "(" * 500, "=[x for x in y]", "now() + 1", "R-1/PT1H", "R0/PT1H"),
    ],
)
def test_hostile_time_is_refused_in_each_kind_of_timer(value: str) -> None:
    for kind in ("timeDate", "timeDuration", "timeCycle"):
        event = boundary(timer(value, kind), cancels=kind != "timeCycle")
        content = drawing(task() + event + '<endEvent id="late"/>', "start > work > end; edge > late")

        assert errors(content) & {"timer-value", "expression", "expression-missing", "foreign-expression"}, kind


CODE = "__import__('os').system('id')"
MULTI = "<multiInstanceLoopCharacteristics><{0}>" + CODE + "</{0}></multiInstanceLoopCharacteristics>"
OPERATOR = '<spiff:serviceTaskOperator id="x"><spiff:parameters><spiff:parameter id="y" value="{}"/></spiff:parameters>'


@pytest.mark.parametrize(
    "content",
    [
        chain(script(f"x = {CODE}")),
        chain(script(CODE)),
        drawing('<exclusiveGateway id="g"/>' + task(), f"start > g; g > work [{CODE}]; g > end; work > end"),
        chain(task(), also="").replace(b"</userTask>", MULTI.format("loopCardinality").encode() + b"</userTask>"),
        chain(task(), also="").replace(b"</userTask>", MULTI.format("completionCondition").encode() + b"</userTask>"),
        chain(task()).replace(
            b"</userTask>",
            f'<standardLoopCharacteristics loopMaximum="3"><loopCondition>{CODE}</loopCondition>'
            "</standardLoopCharacteristics></userTask>".encode(),
        ),
        chain(task()).replace(
            b"</userTask>",
            f"<potentialOwner><resourceAssignmentExpression><formalExpression>{CODE}</formalExpression>"
            "</resourceAssignmentExpression></potentialOwner></userTask>".encode(),
        ),
        chain(task(f'<desk:assignment assignee="={CODE}"/>')),
        chain(task(f'<desk:action id="a" label="A" visible="={CODE}"/>')),
        chain(
            f'<serviceTask id="call"><extensionElements>{OPERATOR.format(CODE)}</spiff:serviceTaskOperator>'
            "</extensionElements></serviceTask>"
        ),
        drawing(task(), "start > work > end", f"<correlationProperty id='c'><correlationPropertyRetrievalExpression>"
                f"<messagePath>{CODE}</messagePath></correlationPropertyRetrievalExpression></correlationProperty>"),
        drawing(
            task()
            + boundary(f"<conditionalEventDefinition><condition>{CODE}</condition></conditionalEventDefinition>"),
            "start > work > end; edge > end",
        ),
        drawing(f'<adHocSubProcess id="a"><completionCondition>{CODE}</completionCondition></adHocSubProcess>'),
    ],
    ids=range(13),
)  # fmt: skip
def test_code_in_any_expression_place_is_refused_with_its_line(content: bytes) -> None:
    found = [problem for problem in check(content) if problem.rule in ("expression", "script")]

    assert found
    lines = content.decode().splitlines()
    assert all((problem.line and problem.element_id is not None) or b"correlation" in content for problem in found)
    assert any(CODE in lines[(problem.line or 1) - 1] for problem in found)


@pytest.mark.parametrize("tag", ["preScript", "postScript", "messagePayload", "payloadExpression"])
def test_code_of_the_library_is_refused(tag: str) -> None:
    assert "ignored-extension" in errors(chain(task(f"<spiff:{tag}>{CODE}</spiff:{tag}>")))


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"[]", b"null", b"1", b"{}", b"\xff", b'{"components": {}}', b'{"components": [1, null, "x"]}'),
        b'{"components": [{"type": ["select"]}]}',
        b'{"components": [{"type": "select", "key": "a", "values": "no", "validate": []}]}',
        b'{"components": [{"type": "textfield", "key": "a", "validate": {"min": "x", "pattern": "("}}]}',
        b'{"components": [{"type": "textfield", "key": "a", "properties": 1, "conditional": 2, "label": {}}, {}]}',
        b'{"components": [' + b'{"type":"text"},' * 500 + b"{}]}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'"' + b"x" * MOST_BYTES + b'"',
    ],
    ids=lambda content: str(content[:40]),
)
def test_hostile_form_is_refused_with_findings(content: bytes) -> None:
    assert errors(content, "f.form.json")


def test_hostile_decision_table_is_refused_with_findings() -> None:
    namespace = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    cell = f"<inputEntry id='c'><text>{CODE}</text></inputEntry><outputEntry><text>{CODE}</text></outputEntry>"
    table = f"<decisionTable><input/><output/><rule id='r'>{cell}</rule></decisionTable>"

    assert errors(f"<definitions xmlns='{namespace}'><decision>{table}</decision></definitions>".encode(), "t.dmn")
    assert errors(b"<!DOCTYPE a><a/>", "t.dmn") == {"xml-doctype"}
    assert errors(b"\x00", "t.dmn") == {"file-encoding"}


def test_markup_in_a_name_is_quoted_as_text() -> None:
    name = '<script>alert("x")</script> {0}'
    content = chain(task(), f'<task id="t" name={quoteattr(name)}/>')

    (problem,) = [found for found in check(content) if found.rule == "untyped-task"]

    assert problem.element_name == name


_SAMPLE = drawing(
    task()
    + boundary(timer("PT1H"))
    + '<exclusiveGateway id="g" default="g_end"/>'
    + script()
    + '<endEvent id="late"/>',
    "start > work > g; g > set [x == 1]; set > end; g > end; edge > late",
)
_CUTS = st.tuples(st.integers(0, len(_SAMPLE)), st.integers(0, 60), st.binary(max_size=12))
_WORDS = st.sampled_from(
    [b"</process>", b"<subProcess>", b'id="work"', b"<task/>", b"sourceRef", b"</", b'"', b"&lt;", b"=", b"{}", b"\x00"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(_CUTS, st.tuples(st.integers(0, len(_SAMPLE)), st.integers(0, 40), _WORDS)), max_size=6))
def test_any_damage_to_a_file_ends_as_findings(cuts: list[tuple[int, int, bytes]]) -> None:
    content = _SAMPLE
    for place, length, patch in cuts:
        content = content[:place] + patch + content[place + length :]

    check(content)


_TAGS = st.sampled_from(
    [
        *("process", "subProcess", "startEvent", "endEvent", "boundaryEvent", "task", "userTask", "serviceTask"),
        *(
            "sequenceFlow",
            "exclusiveGateway",
            "parallelGateway",
            "eventBasedGateway",
            "extensionElements",
            "desk:action",
        ),
        *(
            "timerEventDefinition",
            "timeDate",
            "conditionExpression",
            "callActivity",
            "message",
            "definitions",
            "script",
        ),
    ]
)
_IDS = st.sampled_from(["a", "b", "c", "", "d"])
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        [
            "id",
            "name",
            "sourceRef",
            "targetRef",
            "attachedToRef",
            "default",
            "calledElement",
            "messageRef",
            "isExecutable",
        ]
    ),
    _IDS,
    max_size=4,
)


def _element(tag: str, attributes: dict[str, str], inner: list[str]) -> str:
    return f"<{tag} {' '.join(f'{k}={chr(34)}{v}{chr(34)}' for k, v in attributes.items())}>{''.join(inner)}</{tag}>"


_TREES = st.recursive(
    st.builds(_element, _TAGS, _ATTRIBUTES, st.lists(st.sampled_from(["x == 1", "PT1H", ""]), max_size=1)),
    lambda inner: st.builds(_element, _TAGS, _ATTRIBUTES, st.lists(inner, max_size=6)),
    max_leaves=40,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_TREES, max_size=8))
def test_any_tree_of_bpmn_elements_ends_as_findings(trees: list[str]) -> None:
    check(file(f'<process id="p" isExecutable="true">{"".join(trees)}</process>'))


def test_boundary_events_that_sit_on_each_other_end_as_findings() -> None:
    circle = boundary(timer("PT1H"), id="a", on="b") + boundary(timer("PT1H"), id="b", on="a")

    check(chain(task(), also=circle, arrows="work > a; a > end; b > end"))
