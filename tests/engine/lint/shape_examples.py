"""A bad and a good drawing for the rules on files, references, structure and refused constructs."""

from __future__ import annotations

from engine.bpmn.lint.limits import MOST_NODES
from engine.bpmn.xml import MOST_BYTES
from tests.engine.lint.fragments import (
    BUTTON,
    INNER,
    INSTANCES,
    LOOPED,
    MESSAGE,
    ON_MESSAGE,
    ON_SIGNAL,
    PLAIN,
    SIGNAL,
    SUB,
    catch,
    choice,
    edge,
    events,
    fork,
    many,
    nested,
    sub,
    throw,
    timed,
    undone,
    watched,
)
from tests.engine.lint.sketch import (
    END,
    START,
    boundary,
    chain,
    drawing,
    end,
    file,
    gateway,
    process,
    script,
    task,
    timer,
)

SHAPE: dict[str, tuple[bytes, bytes]] = {
    # the file
    "xml-syntax": (PLAIN[:-9], PLAIN),
    "file-size": (PLAIN + b" " * MOST_BYTES, PLAIN),
    "file-encoding": (PLAIN.decode().encode("utf-16"), PLAIN),
    "xml-doctype": (PLAIN.replace(b"<definitions", b"<!DOCTYPE definitions><definitions", 1), PLAIN),
    "not-bpmn": (b"<html/>", PLAIN),
    "no-process": (file(MESSAGE), PLAIN),
    "not-executable-drawing": (PLAIN.replace(b'isExecutable="true"', b'isExecutable="false"'), PLAIN),
    "too-many-nodes": (many(MOST_NODES), many(MOST_NODES - 2)),
    "too-many-flows": (PLAIN.replace(b"</process>", b'<sequenceFlow id="f"/>' * 1300 + b"</process>"), PLAIN),
    "too-deep": (chain(nested(5).replace("l4_sub", "sub")), chain(nested(2).replace("l1_sub", "sub"))),
    "duplicate-id": (chain(task(), also=script(id="work")), PLAIN),
    "missing-id": (PLAIN.replace(b'<endEvent id="end"', b"<endEvent"), PLAIN),
    "id-format": (chain(task(id="work").replace('"work"', '"два слова"')), chain(task(id="задача"))),
    "name-length": (chain(task(name="я" * 256)), chain(task(name="я" * 255))),
    "more-findings": (drawing("<task/>" * 310), PLAIN),
    "boolean-value": (
        timed("PT1H").replace(b'cancelActivity="true"', b'cancelActivity="1"'),
        timed("PT1H"),
    ),
    # references
    "flow-ends": (drawing(task(), "start > work > nowhere; work > end"), PLAIN),
    "flow-into-start": (chain(task(), arrows="work > start"), PLAIN),
    "flow-from-end": (chain(task(), arrows="end > work"), PLAIN),
    "boundary-host": (
        drawing(task() + boundary(timer("PT1H"), on="start") + end("late"), "start > work > end; edge > late"),
        timed("PT1H"),
    ),
    "boundary-without-flow": (chain(task() + boundary(timer("PT1H"))), timed("PT1H")),
    "unknown-reference": (edge(ON_MESSAGE), edge(ON_MESSAGE, outside=MESSAGE)),
    "missing-reference": (edge("<messageEventDefinition/>"), edge("<signalEventDefinition/>", inner=BUTTON)),
    "global": (edge(ON_MESSAGE, outside='<message id="m"/>'), edge(ON_MESSAGE, outside=MESSAGE)),
    "global-name": (
        edge(ON_MESSAGE, outside=MESSAGE + '<message id="m2" name="client_replied"/>'),
        edge(ON_MESSAGE, outside=MESSAGE + '<message id="m2" name="paid"/>'),
    ),
    "default-flow": (choice("exclusive", attributes='default="work_end"'), choice("exclusive")),
    # structure
    "start-event-required": (file(process(task() + END, "work > end")), PLAIN),
    "end-event-required": (file(process(START + task(), "start > work")), PLAIN),
    "single-blank-start-event": (
        drawing('<startEvent id="start2" name="Ещё"/>' + task(), "start > work > end; start2 > work"),
        PLAIN,
    ),
    "sub-process-blank-start-event": (
        chain(
            sub(
                INNER.replace('<startEvent id="in"/>', f'<startEvent id="in">{timer("PT1H")}</startEvent>'),
                "in > work > out",
            )
        ),
        chain(SUB),
    ),
    "single-event-definition": (
        edge(timer("PT1H") + ON_MESSAGE, outside=MESSAGE),
        edge(timer("PT1H")),
    ),
    "conditional-flows": (
        choice("exclusive", first="", attributes='default="g_end"'),
        choice("exclusive"),
    ),
    "default-flow-condition": (choice("exclusive", attributes='default="g_work"'), choice("exclusive")),
    "no-default-flow": (
        drawing(gateway("exclusive", "g") + task(), "start > g; g > work [x == 1]; g > end [x == 2]; work > end"),
        choice("exclusive"),
    ),
    "event-based-gateway": (
        events(catch("one", timer("PT1H")), task(id="two")),
        events(catch("one", timer("PT1H")), catch("two", ON_MESSAGE)),
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
        fork("parallel"),
    ),
    "superfluous-gateway": (chain(gateway("exclusive", "g"), task()), PLAIN),
    "superfluous-termination": (
        PLAIN.replace('name="Конец"/>'.encode(), 'name="Конец"><terminateEventDefinition/></endEvent>'.encode()),
        drawing(
            task() + boundary(timer("PT1H")) + end("late", "<terminateEventDefinition/>"),
            "start > work > end; edge > late",
        ),
    ),
    "no-inclusive-gateway": (choice("inclusive"), choice("exclusive")),
    "no-complex-gateway": (choice("complex", attributes=""), choice("exclusive")),
    "label-required": (chain(task(name="")), PLAIN),
    # what would run silently wrong
    "compensation": (undone('waitForCompletion="false"'), undone()),
    "compensation-target": (undone('activityRef="again"'), undone('activityRef="work"')),
    "compensation-sub-process": (watched("<compensateEventDefinition/>"), watched(ON_MESSAGE)),
    "cancel-event": (chain(SUB.replace("subProcess", "transaction")), chain(SUB)),
    "ad-hoc-sub-process": (chain(SUB.replace("subProcess", "adHocSubProcess")), chain(SUB)),
    "untyped-task": (chain('<task id="some" name="Что-то"/>'), chain(task())),
    "unknown-element": (chain(task(), also='<choreographyTask id="dance" name="Вместе"/>'), PLAIN),
    "start-event-kind": (
        PLAIN.replace('name="Начало"/>'.encode(), 'name="Начало"><errorEventDefinition/></startEvent>'.encode()),
        drawing(
            f'<startEvent id="two" name="По сообщению">{ON_MESSAGE}</startEvent>'
            f'<startEvent id="three" name="По сигналу">{ON_SIGNAL}</startEvent>'
            f'<startEvent id="four" name="Ежедневно">{timer("R/P1D", "timeCycle")}</startEvent>' + task(),
            "start > work > end; two > work; three > work; four > work",
            MESSAGE,
            SIGNAL,
        ),
    ),
    "event-kind": (edge("<terminateEventDefinition/>"), edge(timer("PT1H"))),
    "token-quantity": (chain(task(attributes='startQuantity="2"')), PLAIN),
    "conditional-flow-from-event": (
        drawing(throw("tell", "") + script(), "start > tell > end; tell > set [x == 1]; set > end"),
        drawing(task() + script(), "start > work > end; work > set [x == 1]; set > end"),
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
    "event-definition-reference": (
        edge("<eventDefinitionRef>shared</eventDefinitionRef>" + timer("PT1H")),
        edge(timer("PT1H")),
    ),
}
