"""A bad and a good drawing for the rules of the standard itself: tables, wiring, pools and lanes."""

from __future__ import annotations

from tests.engine.lint.fragments import (
    ESCALATION,
    INNER,
    MESSAGE,
    ON_ESCALATION,
    ON_MESSAGE,
    PLAIN,
    SUB,
    catch,
    choice,
    edge,
    events,
    sub,
    throw,
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
    process,
    script,
    task,
    timer,
)

ASSIGNED = '<desk:assignment group="Линия 1"/>'
JUMP = throw("jump", '<linkEventDefinition name="A"/>')
LAND = catch("land", '<linkEventDefinition name="A"/>')
OTHER_POOL = process('<startEvent id="s2"/>', key="client", executable="false")


def _with(*also: str) -> bytes:
    """The plain process with something beside it."""
    return drawing(task(), "start > work > end", *also)


def _inside(*also: str) -> bytes:
    """The plain process with something in it."""
    return drawing(task() + "".join(also), "start > work > end")


def _pools(flow: str, pools: str = "") -> bytes:
    both = '<participant id="us" processRef="desk"/><participant id="them" processRef="client"/>'
    flow = f'<messageFlow id="f" {flow}/>' if flow else ""
    return _with(f'<collaboration id="c">{both}{pools}{flow}</collaboration>', OTHER_POOL)


def _lanes(*lanes: str, inside: str = "") -> bytes:
    made = "".join(
        f'<lane id="lane{n}"><flowNodeRef>{"</flowNodeRef><flowNodeRef>".join(lane.split())}</flowNodeRef></lane>'
        for n, lane in enumerate(lanes)
    )
    return drawing(f'<laneSet id="lanes">{made}</laneSet>{task(inside)}', "start > work > end")


def _io(sets: str) -> bytes:
    return _inside(f'<ioSpecification id="io"><dataInput id="di"/><dataOutput id="do"/>{sets}</ioSpecification>')


def _listing(outgoing: str) -> bytes:
    listed = f"<incoming>start_work</incoming>{outgoing}</userTask>"
    return chain(task().replace("</userTask>", listed)).replace(
        START.encode(), START.replace("/>", "><outgoing>start_work</outgoing></startEvent>").encode()
    ).replace(END.encode(), END.replace("/>", "><incoming>work_end</incoming></endEvent>").encode())  # fmt: skip


def _escalating(definition: str) -> bytes:
    return chain(task(), throw("cry", definition)).replace(
        b"<process", ESCALATION.encode() + b"<process", 1
    )  # fmt: skip


STANDARD: dict[str, tuple[bytes, bytes]] = {
    "executable-unsaid": (PLAIN.replace(b' isExecutable="true"', b""), PLAIN),
    # the tables
    "number-value": (
        chain(task(attributes='completionQuantity="one"')),
        chain(task(attributes='completionQuantity="1"')),
    ),
    "attribute-value": (
        _inside('<association id="a" sourceRef="work" targetRef="end" associationDirection="Left"/>'),
        _inside('<association id="a" sourceRef="work" targetRef="end" associationDirection="One"/>'),
    ),
    "attribute-missing": (
        _inside('<association id="a" sourceRef="work"/>'),
        _inside('<association id="a" sourceRef="work" targetRef="end"/>'),
    ),
    "attribute-exclusion": (
        PLAIN.replace(b"<process ", b'<process processType="Public" '),
        PLAIN.replace(b"<process ", b'<process processType="Private" '),
    ),
    "child-missing": (
        _with('<correlationProperty id="c"/>'),
        _with(
            MESSAGE
            + '<correlationProperty id="c"><correlationPropertyRetrievalExpression messageRef="m">'
            + "<messagePath>number</messagePath></correlationPropertyRetrievalExpression></correlationProperty>"
        ),
    ),
    "child-twice": (
        chain(script().replace("</scriptTask>", "<script>y = 1</script></scriptTask>")),
        chain(script()),
    ),
    "element-place": (_inside(MESSAGE), _with(MESSAGE)),
    "dangling-reference": (
        _inside('<dataObjectReference id="r" dataObjectRef="nowhere"/>'),
        _inside('<dataObject id="data"/><dataObjectReference id="r" dataObjectRef="data"/>'),
    ),
    "reference-type": (
        edge('<messageEventDefinition messageRef="e"/>', outside=ESCALATION),
        edge(ON_MESSAGE, outside=MESSAGE),
    ),
    "reference-kind": (
        _inside('<dataObjectReference id="r" dataObjectRef="work"/>'),
        _inside('<dataObject id="data"/><dataObjectReference id="r" dataObjectRef="data"/>'),
    ),
    "import-ignored": (
        _with('<import importType="http://www.omg.org/spec/BPMN" namespace="urn:y" location="b.bpmn"/>'),
        PLAIN,
    ),
    "target-namespace": (PLAIN.replace(b'targetNamespace="urn:x"', b""), PLAIN),
    "data-set": (
        _io("<inputSet/><outputSet><dataOutputRefs>do</dataOutputRefs></outputSet>"),
        _io(
            "<inputSet><dataInputRefs>di</dataInputRefs></inputSet>"
            "<outputSet><dataOutputRefs>do</dataOutputRefs></outputSet>"
        ),
    ),
    # references
    "flow-crosses-border": (
        drawing(SUB, "start > sub > end; start > out"),
        drawing(SUB, "start > sub > end"),
    ),
    # wiring
    "flow-listing": (
        _listing("<outgoing>work_nowhere</outgoing>"),
        _listing("<outgoing>work_end</outgoing>"),
    ),
    "event-gateway-mix": (
        events('<receiveTask id="one" name="Принять" messageRef="m"/>', catch("two", ON_MESSAGE)),
        events(catch("one", timer("PT1H")), catch("two", ON_MESSAGE)),
    ),
    "error-interrupts": (
        edge("<errorEventDefinition/>", cancels=False),
        edge("<errorEventDefinition/>"),
    ),
    "thrown-code": (
        _escalating("<escalationEventDefinition/>"),
        _escalating(ON_ESCALATION),
    ),
    "default-flow-place": (
        PLAIN.replace(b'<startEvent id="start"', b'<startEvent id="start" default="start_work"'),
        choice("exclusive"),
    ),
    "gateway-direction": (
        choice("exclusive", attributes='default="g_end" gatewayDirection="Converging"'),
        choice("exclusive", attributes='default="g_end" gatewayDirection="Diverging"'),
    ),
    "attribute-refused": (
        chain('<receiveTask id="one" name="Принять" messageRef="m" instantiate="true"/>').replace(
            b"<process", MESSAGE.encode() + b"<process", 1
        ),
        PLAIN,
    ),
    # pools and lanes
    "message-flow-pools": (
        _pools('sourceRef="us" targetRef="work"'),
        _pools('sourceRef="them" targetRef="work"'),
    ),
    "message-flow-end": (
        _pools('sourceRef="them" targetRef="end"'),
        _pools('sourceRef="them" targetRef="work"'),
    ),
    "pool-process": (_pools("", '<participant id="again" processRef="desk"/>'), _pools("")),
    "lane-member": (_lanes("start work end nowhere"), _lanes("start work end")),
    "lane-twice": (_lanes("start work", "work end"), _lanes("start", "work end")),
    "lane-missing": (_lanes("start end"), _lanes("start end", inside=ASSIGNED)),
    "picture-of-nothing": (
        PLAIN.replace(b"</di:BPMNPlane>", b'<di:BPMNShape id="gone_di" bpmnElement="gone"/></di:BPMNPlane>'),
        PLAIN,
    ),
    # links, compensation, event sub-processes
    "link-target": (
        drawing(task() + JUMP, "start > work > jump"),
        drawing(task() + JUMP + LAND, "start > work > jump; land > end"),
    ),
    "link-source": (
        drawing(task() + LAND, "start > work > end; land > end"),
        PLAIN,
    ),
    "link-twice": (
        drawing(
            task() + JUMP + LAND + catch("land2", '<linkEventDefinition name="A"/>') + end("end2"),
            "start > work > jump; land > end; land2 > end2",
        ),
        PLAIN,
    ),
    "link-flow": (
        drawing(
            task() + JUMP + LAND,
            "start > work > jump > land > end",
        ),
        PLAIN,
    ),
    "compensation-handler": (
        drawing(task() + boundary("<compensateEventDefinition/>"), "start > work > end"),
        undone(),
    ),
    "compensation-flow": (
        drawing(task() + boundary("<compensateEventDefinition/>") + script(), "start > work > end; edge > set > end"),
        PLAIN,
    ),
    "compensation-unused": (
        drawing(
            task() + script(id="undo").replace('id="undo"', 'id="undo" isForCompensation="true"'),
            "start > work > end",
        ),
        PLAIN,
    ),
    "event-sub-process-start": (watched(""), watched(ON_MESSAGE)),
    "event-sub-process-flow": (
        chain(
            task(id="other"),
            sub(
                INNER.replace('<startEvent id="in"/>', f'<startEvent id="in">{timer("PT1H")}</startEvent>'),
                "in > work > out",
                attributes='triggeredByEvent="true"',
            ),
        ),
        PLAIN,
    ),
}
