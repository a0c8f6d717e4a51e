"""What the drawings of the cases need beside tests/engine/drawings.py, and a picture for each."""

from __future__ import annotations

import re
from html import escape

from tests.engine import drawings
from tests.engine.drawings import node

_DRAWN = re.compile(r"<bpmn:(\w*(?:Event|[tT]ask|Gateway|[pP]rocess|transaction|callActivity))\b[^>]*? ?id=\"(\w+)\"")
_FLOW = re.compile(r"<bpmn:(?:sequenceFlow|association) id=\"(\w+)\"")
_PICTURE = 'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" '


def process(*elements: str, key: str = "p") -> bytes:
    """A file with one process, drawn."""
    content = drawings.drawing(*elements, key=key).decode()
    shapes = "".join(
        f'<bpmndi:BPMNShape id="shape{n}" bpmnElement="{found[2]}">'
        f'<dc:Bounds x="{n * 200}" y="0" width="100" height="80"/></bpmndi:BPMNShape>'
        for n, found in enumerate(_DRAWN.finditer(content))
        if found[1] != "process"
    )
    edges = "".join(
        f'<bpmndi:BPMNEdge id="edge{n}" bpmnElement="{f[1]}"/>' for n, f in enumerate(_FLOW.finditer(content))
    )
    plane = f'<bpmndi:BPMNPlane id="plane" bpmnElement="{key}">{shapes}{edges}</bpmndi:BPMNPlane>'
    picture = f'<bpmndi:BPMNDiagram id="diagram">{plane}</bpmndi:BPMNDiagram></bpmn:definitions>'
    return (
        content.replace("<bpmn:definitions ", "<bpmn:definitions " + _PICTURE, 1)
        .replace("</bpmn:definitions>", picture)
        .encode()
    )


def task(id: str, *actions: str, inner: str = "", **attributes: str) -> str:
    """A user task; its one button is `done` unless others are given."""
    return drawings.user(id, *(actions or ("done",)), inner=inner, **attributes)


def tell(id: str, text: str = "") -> str:
    """A service task that tells the connector a text: the value of an expression, or its own name."""
    return drawings.service(id, "test.note", text=text or f"'{id}'")


def fails(id: str, code: str = "refused") -> str:
    """A service task that fails with a code."""
    return drawings.service(id, "test.refuse", code=f"'{code}'")


def conditional(condition: str) -> str:
    return (
        '<bpmn:conditionalEventDefinition><bpmn:condition xsi:type="bpmn:tFormalExpression">'
        f"{escape(condition)}</bpmn:condition></bpmn:conditionalEventDefinition>"
    )


def link(name: str) -> str:
    return f'<bpmn:linkEventDefinition name="{name}"/>'


def compensate(activity: str = "") -> str:
    reference = f' activityRef="{activity}"' if activity else ""
    return f"<bpmn:compensateEventDefinition{reference}/>"


def undo(activity: str, handler: str) -> str:
    """The compensation boundary event of an activity with its handler, a service task that tells its name."""
    boundary = node("boundaryEvent", f"{activity}_undo", compensate(), attachedToRef=activity)
    operator = (
        '<spiffworkflow:serviceTaskOperator id="test.note"><spiffworkflow:parameters>'
        f'<spiffworkflow:parameter id="text" type="str" value="\'{handler}\'"/>'
        "</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
    )
    service = node("serviceTask", handler, "", operator, isForCompensation="true")
    ends = f'sourceRef="{activity}_undo" targetRef="{handler}" associationDirection="One"'
    return f'{boundary}{service}<bpmn:association id="{activity}_{handler}" {ends}/>'


def starts(id: str, definition: str, *, interrupting: bool = True) -> str:
    """A start event with a trigger."""
    return node("startEvent", id, definition, isInterrupting="true" if interrupting else "false")


def event_part(id: str, *elements: str) -> str:
    """An event sub-process."""
    return node("subProcess", id, "".join(elements), triggeredByEvent="true")


def many(
    count: str = "",
    *,
    over: str = "",
    item: str = "",
    into: str = "",
    result: str = "",
    until: str = "",
    sequential: bool = False,
    extra: str = "",
    attributes: str = "",
) -> str:
    """Multi-instance: `count`, or one instance for each of `over` as `item`; `result` of each is collected `into`."""
    parts = [f"<bpmn:loopCardinality>{escape(count)}</bpmn:loopCardinality>" if count else ""]
    parts.append(f"<bpmn:loopDataInputRef>{over}</bpmn:loopDataInputRef>" if over else "")
    parts.append(f"<bpmn:loopDataOutputRef>{into}</bpmn:loopDataOutputRef>" if into else "")
    parts.append(f'<bpmn:inputDataItem id="{item}" name="{item}"/>' if item else "")
    parts.append(f'<bpmn:outputDataItem id="{result}" name="{result}"/>' if result else "")
    parts.append(extra)
    parts.append(f"<bpmn:completionCondition>{escape(until)}</bpmn:completionCondition>" if until else "")
    order = ' isSequential="true"' if sequential else ""
    return (
        f"<bpmn:multiInstanceLoopCharacteristics{order} {attributes}>"
        f"{''.join(parts)}</bpmn:multiInstanceLoopCharacteristics>"
    )


def repeat(condition: str = "", *, most: int | None = None, before: bool = False) -> str:
    """A standard loop."""
    texts = (f' loopMaximum="{most}"' if most is not None else "") + (' testBefore="true"' if before else "")
    inner = f"<bpmn:loopCondition>{escape(condition)}</bpmn:loopCondition>" if condition else ""
    return f"<bpmn:standardLoopCharacteristics{texts}>{inner}</bpmn:standardLoopCharacteristics>"
