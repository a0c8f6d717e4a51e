"""For every rule one small file that breaks it and a twin that does not."""

from __future__ import annotations

import json
from dataclasses import dataclass

from engine.bpmn.lint.limits import MOST_NODES
from engine.bpmn.xml import MOST_BYTES
from tests.engine.lint.sketch import (
    END,
    START,
    boundary,
    chain,
    drawing,
    end,
    file,
    flows,
    gateway,
    process,
    script,
    service,
    task,
    timer,
)

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


def _table(cell: str = "?&gt;5", *, policy: str = "UNIQUE", cells: int = 1, rows: int = 1) -> str:
    entries = f"<inputEntry id='cell'><text>{cell}</text></inputEntry>" * cells
    row = f"<rule id='row'>{entries}<outputEntry><text>1</text></outputEntry></rule>"
    return (
        f"<decision id='x'><decisionTable id='table' hitPolicy='{policy}'><input><inputExpression><text>count</text>"
        f"</inputExpression></input><output/>{row * rows}</decisionTable></decision>"
    )


PLAIN = chain(task())
OTHER = process('<startEvent id="s" name="Начало"/><endEvent id="e" name="Конец"/>', "s > e", key="b")
LOOPED = "<standardLoopCharacteristics {}/>"
INSTANCES = (
    "<multiInstanceLoopCharacteristics {}><loopCardinality>{}</loopCardinality></multiInstanceLoopCharacteristics>"
)
CHOICE = gateway("exclusive", "g", 'default="g_end"')
MESSAGE = '<message id="m" name="client_replied"/>'
SIGNAL = '<signal id="s" name="moved"/>'
ESCALATION = '<escalation id="e" name="late" escalationCode="LATE"/>'
ON_MESSAGE = '<messageEventDefinition messageRef="m"/>'
ON_SIGNAL = '<signalEventDefinition signalRef="s"/>'
ON_ESCALATION = '<escalationEventDefinition escalationRef="e"/>'
BUTTON = '<desk:action id="hand_over" label="Передать"/>'
STATUS = '<desk:status code="accepted"/>'
ASSIGN = '<spiff:serviceTaskOperator id="ticket.assign">{}</spiff:serviceTaskOperator>'
SLA = '<spiff:serviceTaskOperator id="sla.start">{}</spiff:serviceTaskOperator>'
PARAMETER = "<spiff:parameters>{}</spiff:parameters>"
CLOCK = '<spiff:parameter id="clock" value="\'reaction\'"/>'


def _choice(kind: str, first: str = "[x == 1]", attributes: str = 'default="g_end"', extra: str = "") -> bytes:
    return drawing(gateway(kind, "g", attributes) + task() + extra, f"start > g; g > work {first}; g > end; work > end")


def _catch(id: str, definition: str) -> str:
    return f'<intermediateCatchEvent id="{id}" name="Ждать {id}">{definition}</intermediateCatchEvent>'


def _throw(id: str, definition: str) -> str:
    return f'<intermediateThrowEvent id="{id}" name="Сказать {id}">{definition}</intermediateThrowEvent>'


def _sub(body: str, arrows: str, *, attributes: str = "", kind: str = "subProcess", inner: str = "") -> str:
    return f'<{kind} id="sub" name="Часть" {attributes}>{inner}{body}{flows(arrows)}</{kind}>'


INNER = '<startEvent id="in"/>' + task() + end("out")
SUB = _sub(INNER, "in > work > out")


def _edge(definition: str, *, cancels: bool = True, outside: str = "", inner: str = "") -> bytes:
    event = boundary(definition, cancels=cancels, inner=inner)
    return drawing(task() + event + end("late"), "start > work > end; edge > late", outside)


def _timed(text: str, kind: str = "timeDuration", *, cancels: bool = True) -> bytes:
    return _edge(timer(text, kind), cancels=cancels)


def _events(first: str, second: str) -> bytes:
    return drawing(
        gateway("eventBased", "g") + first + second,
        "start > g; g > one > end; g > two > end",
        MESSAGE,
    )


def _fork(join: str, split: str = "parallel", middle: str = "") -> bytes:
    default = 'default="f_b"' if split == "exclusive" else ""
    condition = "[x == 1]" if split == "exclusive" else ""
    return drawing(
        gateway(split, "f", default) + task(id="a") + (middle or script(id="b")) + gateway(join, "j"),
        f"start > f; f > a {condition}; f > b; a > j; b > j; j > end",
    )


def _calls(key: str, called: str) -> str:
    return process(
        START + f'<callActivity id="call" name="Вызвать" calledElement="{called}"/>' + END,
        "start > call > end",
        key=key,
    )


def _nested(depth: int) -> str:
    body, arrows = task(), "in > work > out"
    for level in range(depth):
        inner = _sub('<startEvent id="in"/>' + body + end("out"), arrows)
        body = inner.replace('id="', f'id="l{level}_').replace('Ref="', f'Ref="l{level}_')
        arrows = f"in > l{level}_sub > out"
    return body.replace('<subProcess id="', '<subProcess id="', 1)


def _many(count: int) -> bytes:
    tasks = "".join(script(id=f"s{n}") for n in range(count))
    return drawing(tasks, "start > " + " > ".join(f"s{n}" for n in range(count)) + " > end")


def _tangle(size: int) -> bytes:
    """Choices one after another, then as many parallel parts: each join is asked about each choice."""
    nodes, path = [], "start"
    for n in range(size):
        nodes += [
            gateway("exclusive", f"x{n}", f'default="x{n}_m{n}"'),
            script(id=f"t{n}"),
            gateway("exclusive", f"m{n}"),
        ]
        path += f" > x{n} > m{n}; x{n} > t{n} [x == 1]; t{n} > m{n}; m{n}"
    for n in range(size // 2):
        nodes += [gateway("parallel", f"f{n}"), script(id=f"p{n}"), script(id=f"q{n}"), gateway("parallel", f"j{n}")]
        path += f" > f{n} > p{n} > j{n}; f{n} > q{n} > j{n}; j{n}"
    return drawing("".join(nodes), path + " > end")


BPMN: dict[str, tuple[bytes, bytes]] = {
    # the file
    "xml-syntax": (PLAIN[:-9], PLAIN),
    "file-size": (PLAIN + b" " * MOST_BYTES, PLAIN),
    "file-encoding": (PLAIN.decode().encode("utf-16"), PLAIN),
    "xml-doctype": (PLAIN.replace(b"<definitions", b"<!DOCTYPE definitions><definitions", 1), PLAIN),
    "not-bpmn": (b"<html/>", PLAIN),
    "no-process": (file(MESSAGE), PLAIN),
    "no-executable-process": (PLAIN.replace(b'isExecutable="true"', b'isExecutable="false"'), PLAIN),
    "too-many-nodes": (_many(MOST_NODES), _many(MOST_NODES - 2)),
    "too-many-flows": (PLAIN.replace(b"</process>", b'<sequenceFlow id="f"/>' * 1300 + b"</process>"), PLAIN),
    "too-deep": (chain(_nested(5).replace("l4_sub", "sub")), chain(_nested(2).replace("l1_sub", "sub"))),
    "duplicate-id": (chain(task(), also=script(id="work")), PLAIN),
    "missing-id": (PLAIN.replace(b'<endEvent id="end"', b"<endEvent"), PLAIN),
    "id-format": (chain(task(id="work").replace('"work"', '"два слова"')), chain(task(id="задача"))),
    "name-length": (chain(task(name="я" * 256)), chain(task(name="я" * 255))),
    "more-findings": (drawing("<task/>" * 310), PLAIN),
    # references
    "flow-ends": (drawing(task(), "start > work > nowhere; work > end"), PLAIN),
    "flow-into-start": (chain(task(), arrows="work > start"), PLAIN),
    "flow-from-end": (chain(task(), arrows="end > work"), PLAIN),
    "boundary-host": (
        drawing(task() + boundary(timer("PT1H"), on="start") + end("late"), "start > work > end; edge > late"),
        _timed("PT1H"),
    ),
    "boundary-without-flow": (chain(task() + boundary(timer("PT1H"))), _timed("PT1H")),
    "unknown-reference": (_edge(ON_MESSAGE), _edge(ON_MESSAGE, outside=MESSAGE)),
    "missing-reference": (_edge("<messageEventDefinition/>"), _edge("<signalEventDefinition/>", inner=BUTTON)),
    "global": (_edge(ON_MESSAGE, outside='<message id="m"/>'), _edge(ON_MESSAGE, outside=MESSAGE)),
    "global-name": (
        _edge(ON_MESSAGE, outside=MESSAGE + '<message id="m2" name="client_replied"/>'),
        _edge(ON_MESSAGE, outside=MESSAGE + '<message id="m2" name="paid"/>'),
    ),
    "default-flow": (_choice("exclusive", attributes='default="work_end"'), _choice("exclusive")),
    # structure
    "start-event-required": (file(process(task() + END, "work > end")), PLAIN),
    "end-event-required": (file(process(START + task(), "start > work")), PLAIN),
    "single-blank-start-event": (
        drawing('<startEvent id="start2" name="Ещё"/>' + task(), "start > work > end; start2 > work"),
        PLAIN,
    ),
    "sub-process-blank-start-event": (
        chain(
            _sub(
                INNER.replace('<startEvent id="in"/>', f'<startEvent id="in">{timer("PT1H")}</startEvent>'),
                "in > work > out",
            )
        ),
        chain(SUB),
    ),
    "single-event-definition": (
        _edge(timer("PT1H") + ON_MESSAGE, outside=MESSAGE),
        _edge(timer("PT1H")),
    ),
    "conditional-flows": (
        _choice("exclusive", first="", attributes='default="g_end"'),
        _choice("exclusive"),
    ),
    "default-flow-condition": (_choice("exclusive", attributes='default="g_work"'), _choice("exclusive")),
    "no-default-flow": (
        drawing(gateway("exclusive", "g") + task(), "start > g; g > work [x == 1]; g > end [x == 2]; work > end"),
        _choice("exclusive"),
    ),
    "event-based-gateway": (
        _events(_catch("one", timer("PT1H")), task(id="two")),
        _events(_catch("one", timer("PT1H")), _catch("two", ON_MESSAGE)),
    ),
    "no-disconnected": (chain(task(), also=script()), PLAIN),
    "no-implicit-start": (chain(task(), also=script(), arrows="set > end"), chain(task(), script())),
    "no-implicit-end": (
        drawing(gateway("parallel", "g") + task() + script(), "start > g > work > end; g > set"),
        drawing(gateway("parallel", "g") + task() + script(), "start > g > work > end; g > set > end"),
    ),
    "no-implicit-split": (
        drawing(task() + script(), "start > work > end; work > set > end"),
        drawing(task() + gateway("parallel", "g") + script(), "start > work > g > end; g > set > end"),
    ),
    "fake-join": (
        drawing(
            gateway("exclusive", "g", 'default="g_work"') + script() + task(),
            "start > g > work > end; g > set [x == 1]; set > work",
        ),
        PLAIN,
    ),
    "no-duplicate-sequence-flows": (
        PLAIN.replace(b"</process>", b'<sequenceFlow id="again" sourceRef="start" targetRef="work"/></process>'),
        PLAIN,
    ),
    "no-gateway-join-fork": (
        drawing(
            gateway("parallel", "f") + task(id="a") + task(id="b") + gateway("parallel", "j") + task(id="c"),
            "start > f; f > a > j; f > b > j; j > end; j > c > end",
        ),
        _fork("parallel"),
    ),
    "superfluous-gateway": (chain(gateway("exclusive", "g"), task()), PLAIN),
    "superfluous-termination": (
        PLAIN.replace('name="Конец"/>'.encode(), 'name="Конец"><terminateEventDefinition/></endEvent>'.encode()),
        drawing(
            task() + boundary(timer("PT1H")) + end("late", "<terminateEventDefinition/>"),
            "start > work > end; edge > late",
        ),
    ),
    "no-inclusive-gateway": (_choice("inclusive"), _choice("exclusive")),
    "no-complex-gateway": (_choice("complex", attributes=""), _choice("exclusive")),
    "label-required": (chain(task(name="")), PLAIN),
    # what would run silently wrong
    "signal-end-event": (
        drawing(task() + end("gone", ON_SIGNAL), "start > work > gone", SIGNAL).replace(END.encode(), b""),
        drawing(task() + _throw("say", ON_SIGNAL), "start > work > say > end", SIGNAL),
    ),
    "link-event": (chain(task(), _throw("jump", '<linkEventDefinition name="A"/>')), PLAIN),
    "compensation": (
        drawing(task() + boundary("<compensateEventDefinition/>"), "start > work > end"),
        _edge(timer("PT1H")),
    ),
    "cancel-event": (chain(SUB.replace("subProcess", "transaction")), chain(SUB)),
    "conditional-event": (
        _edge("<conditionalEventDefinition><condition>x == 1</condition></conditionalEventDefinition>"),
        _edge(timer("PT1H")),
    ),
    "event-sub-process": (
        chain(task(id="other"), also=_sub(INNER, "in > work > out", attributes='triggeredByEvent="true"')),
        chain(task(id="other"), SUB),
    ),
    "ad-hoc-sub-process": (chain(SUB.replace("subProcess", "adHocSubProcess")), chain(SUB)),
    "business-rule-task": (chain('<businessRuleTask id="rule" name="Выбор"/>'), chain(script())),
    "untyped-task": (chain('<task id="some" name="Что-то"/>'), chain(task())),
    "unknown-element": (chain(task(), also='<choreographyTask id="dance" name="Вместе"/>'), PLAIN),
    "start-event-kind": (
        PLAIN.replace('name="Начало"/>'.encode(), f'name="Начало">{timer("PT1H")}</startEvent>'.encode()),
        PLAIN,
    ),
    "mixed-starts": (
        drawing(
            f'<startEvent id="two" name="По сообщению">{ON_MESSAGE}</startEvent>' + task(),
            "start > work > end; two > work",
            MESSAGE,
        ),
        PLAIN,
    ),
    "event-kind": (_edge("<terminateEventDefinition/>"), _edge(timer("PT1H"))),
    "event-gateway-timers": (
        _events(_catch("one", timer("PT1H")), _catch("two", timer("PT2H"))),
        _events(_catch("one", timer("PT1H")), _catch("two", ON_MESSAGE)),
    ),
    "timer-names": (
        chain(_catch("one", timer("PT1H")), _catch("two", timer("PT1H")).replace("Ждать two", "Ждать one")),
        chain(_catch("one", timer("PT1H")), _catch("two", timer("PT1H"))),
    ),
    "token-quantity": (chain(task(attributes='startQuantity="2"')), PLAIN),
    "conditional-flow-from-task": (
        drawing(task() + script(), "start > work > end; work > set [x == 1]; set > end"),
        drawing(
            task() + CHOICE + script(),
            "start > work > g > end; g > set [x == 1]; set > end",
        ),
    ),
    "condition-not-read": (
        drawing(gateway("parallel", "g") + script(), "start > g > end; g > set [x == 1]; set > end"),
        drawing(gateway("parallel", "g") + script(), "start > g > end; g > set > end"),
    ),
    "multi-instance-behaviour": (
        chain(task().replace("</userTask>", INSTANCES.format('behavior="One"', "3") + "</userTask>")),
        chain(task().replace("</userTask>", INSTANCES.format('behavior="All"', "3") + "</userTask>")),
    ),
    "multi-instance-count": (
        chain(task().replace("</userTask>", INSTANCES.format("", "100000000") + "</userTask>")),
        chain(task().replace("</userTask>", INSTANCES.format("", "len(parts)") + "</userTask>")),
    ),
    "endless-task-loop": (
        chain(task().replace("</userTask>", LOOPED.format("") + "</userTask>")),
        chain(task().replace("</userTask>", LOOPED.format('loopMaximum="3"') + "</userTask>")),
    ),
    "thrown-inside": (
        drawing(
            _sub('<startEvent id="in"/>' + _throw("cry", ON_ESCALATION) + end("out"), "in > cry > out")
            + boundary(ON_ESCALATION, on="sub")
            + end("late"),
            "start > sub > end; edge > late",
            ESCALATION,
        ),
        drawing(
            _sub('<startEvent id="in"/>' + _throw("cry", ON_ESCALATION) + end("out"), "in > cry > out")
            + boundary(ON_ESCALATION, on="sub", cancels=False)
            + end("late"),
            "start > sub > end; edge > late",
            ESCALATION,
        ),
    ),
    "event-definition-reference": (
        _edge("<eventDefinitionRef>shared</eventDefinitionRef>" + timer("PT1H")),
        _edge(timer("PT1H")),
    ),
    # where tokens go
    "unreachable-node": (chain(task(), also=script() + script(id="b"), arrows="set > b > set"), PLAIN),
    "no-way-to-end": (
        drawing(
            task() + task(id="a") + CHOICE,
            "start > g > end; g > work [x == 1]; work > a > work",
        ),
        drawing(task() + CHOICE, "start > g > end; g > work [x == 1]; work > g"),
    ),
    "wait-without-exit": (
        drawing(_catch("hear", ON_MESSAGE), "start > hear > end", MESSAGE),
        _events(_catch("one", timer("PT1H")), _catch("two", ON_MESSAGE)),
    ),
    "endless-loop": (
        drawing(
            CHOICE + script() + script(id="b"),
            "start > g > end; g > set [x == 1]; set > b > set",
        ),
        PLAIN,
    ),
    "automatic-loop": (
        drawing(CHOICE + script(), "start > set > g > end; g > set [x == 1]"),
        drawing(CHOICE + task(), "start > work > g > end; g > work [x == 1]"),
    ),
    "join-in-loop": (
        drawing(
            gateway("parallel", "f") + task(id="a") + task(id="b") + gateway("parallel", "j") + CHOICE,
            "start > f; f > a > j; f > b > j; j > g > end; g > f [x == 1]",
        ),
        _fork("parallel"),
    ),
    "tokens-multiply": (
        drawing(gateway("parallel", "f") + task(id="a") + task(id="b"), "start > f; f > a > f; f > b > end"),
        _fork("parallel"),
    ),
    "join-waits-forever": (_fork("parallel", "exclusive"), _fork("exclusive", "exclusive")),
    "branches-not-joined": (_fork("exclusive"), _fork("parallel")),
    "side-branch-returns": (
        drawing(task() + boundary(timer("PT1H"), cancels=False) + script(), "start > work > set > end; edge > set"),
        drawing(
            task() + boundary(timer("PT1H"), cancels=False) + script() + end("late"),
            "start > work > set > end; edge > late",
        ),
    ),
    "too-tangled": (_tangle(70), _tangle(5)),
    "list-at-join": (
        _fork("parallel", middle=script("x = [1]", id="b")),
        _fork("parallel", middle=script("x = 1", id="b")),
    ),
    # expressions and times
    "expression": (_choice("exclusive", "[__import__('os')]"), _choice("exclusive")),
    "expression-missing": (_choice("exclusive", "[ ]"), _choice("exclusive")),
    "script": (chain(script("import os")), chain(script("x = len('abc')"))),
    "expression-language": (
        chain(script().replace("<scriptTask", '<scriptTask scriptFormat="groovy"')),
        chain(script()),
    ),
    "foreign-expression": (_choice("exclusive", "[${x == 1}]"), _choice("exclusive")),
    "ignored-extension": (chain(task("<spiff:preScript>x = 1</spiff:preScript>")), PLAIN),
    "data-association": (
        chain(task().replace("</userTask>", '<dataInputAssociation id="d"/></userTask>')),
        PLAIN,
    ),
    "timer-count": (_edge("<timerEventDefinition/>"), _timed("PT1H")),
    "timer-value": (_timed("P99999999Y"), _timed('=duration("PT1H")')),
    "timer-cycle-place": (_timed("R3/PT10M", "timeCycle"), _timed("R3/PT10M", "timeCycle", cancels=False)),
    "endless-cycle": (
        _timed("R/PT10M", "timeCycle", cancels=False),
        _timed("R3/PT10M", "timeCycle", cancels=False),
    ),
    "timer-calendar-units": (_timed("P1M"), _timed("P30D")),
    # connectors and calls
    "connector-missing": (chain('<serviceTask id="call" name="Вызов"/>'), chain(service())),
    "connector-unknown": (chain(service('<spiff:serviceTaskOperator id="os.system"/>')), chain(service())),
    "connector-place": (chain(task('<spiff:serviceTaskOperator id="notify.line"/>')), chain(service())),
    "parameter-unknown": (
        chain(service(ASSIGN.format(PARAMETER.format('<spiff:parameter id="who" value="1"/>')))),
        chain(service(ASSIGN.format(PARAMETER.format('<spiff:parameter id="strategy" value="1"/>')))),
    ),
    "parameter-missing": (chain(service(SLA.format(""))), chain(service(SLA.format(PARAMETER.format(CLOCK))))),
    "parameter-twice": (
        chain(service(SLA.format(PARAMETER.format(CLOCK * 2)))),
        chain(service(SLA.format(PARAMETER.format(CLOCK)))),
    ),
    "result-name": (
        chain(service('<spiff:serviceTaskOperator id="notify.line" resultVariable="now"/>')),
        chain(service('<spiff:serviceTaskOperator id="notify.line" resultVariable="who"/>')),
    ),
    "job-place": (chain(task('<desk:job retries="3"/>')), chain(service(inner='<desk:job retries="3" async="true"/>'))),
    "call-missing": (file(_calls("desk", "")), file(_calls("desk", "b"), OTHER)),
    "call-computed": (
        file(_calls("desk", "${key}")),
        file(
            _calls("desk", "b"),
            OTHER,
        ),
    ),
    # what the desk adds
    "desk-extension": (chain(task('<desk:action id="x"/>')), chain(task('<desk:action id="x" label="Да"/>'))),
    "desk-extension-place": (PLAIN.replace(b"</process>", b'<desk:status code="new"/></process>'), chain(task(STATUS))),
    "user-task-action": (chain('<userTask id="work" name="Работа"/>'), PLAIN),
    "action-place": (
        chain(script().replace("<script>", f"<extensionElements>{BUTTON}</extensionElements><script>")),
        chain(task(BUTTON)),
    ),
    "action-twice": (chain(task(BUTTON + BUTTON)), chain(task(BUTTON))),
    "hotkey-twice": (
        chain(task('<desk:action id="a" label="А" hotkey="A"/><desk:action id="b" label="Б" hotkey="A"/>')),
        chain(task('<desk:action id="a" label="А" hotkey="A"/><desk:action id="b" label="Б" hotkey="B"/>')),
    ),
    "form-unknown": (
        chain(task('<desk:action id="a" label="А" form="missing"/>')),
        chain(task('<desk:action id="a" label="А" form="classify"/>')),
    ),
    "status-unknown": (chain(task('<desk:status code="melted"/>')), chain(task(STATUS))),
    "status-twice": (chain(task(STATUS + STATUS)), chain(task(STATUS))),
    "action-unknown": (
        drawing(
            task() + CHOICE + script(),
            'start > work > g > end; g > set [action == "dome"]; set > end',
        ),
        drawing(
            task() + CHOICE + script(),
            'start > work > g > end; g > set [action == "done"]; set > end',
        ),
    ),
    "assignment-place": (
        chain(service(inner='<desk:assignment assignee="=x"/>')),
        chain(task('<desk:assignment assignee="=x"/>')),
    ),
    # the picture
    "no-bpmndi": (file(process(START + task() + END, "start > work > end"), picture=False), PLAIN),
    "no-overlapping-elements": (PLAIN.replace(b'x="200"', b'x="20"'), PLAIN),
}

EXAMPLES: dict[str, Example] = {
    **{name: _bpmn(bad, good) for name, (bad, good) in BPMN.items()},
    "duplicate-process": Example({"a.bpmn": PLAIN, "b.bpmn": PLAIN}, {"a.bpmn": PLAIN}),
    "call-unknown": Example(
        {"a.bpmn": file(_calls("a", "b"))},
        {"a.bpmn": file(_calls("a", "b")), "b.bpmn": file(OTHER)},
    ),
    "call-cycle": Example(
        {"a.bpmn": file(_calls("a", "b")), "b.bpmn": file(_calls("b", "a"))},
        {"a.bpmn": file(_calls("a", "b")), "b.bpmn": file(OTHER)},
    ),
    "call-depth": Example(
        {f"p{n}.bpmn": file(_calls(f"p{n}", f"p{n + 1}")) for n in range(12)},
        {f"p{n}.bpmn": file(_calls(f"p{n}", f"p{n + 1}")) for n in range(9)},
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
    "not-dmn": Example({"t.dmn": b"<html/>"}, _dmn("", _table()).good),
    "no-decision": _dmn("", _table()),
    "hit-policy": _dmn(_table(policy="OUTPUT ORDER"), _table(policy="RULE ORDER")),
    "dmn-cell": _dmn(_table("&gt; 5"), _table('"a?b" == ?')),
    "dmn-row": _dmn(_table(cells=2), _table()),
    "dmn-size": _dmn(_table(rows=3000), _table(rows=3)),
}
