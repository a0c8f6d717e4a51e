"""Small BPMN files for the tests: nodes by hand, flows by arrows, the picture by itself."""

from __future__ import annotations

import re
from itertools import pairwise

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" '
    'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:spiff="http://spiffworkflow.org/bpmn/schema/1.0/core" xmlns:desk="urn:bpmdesk:1" targetNamespace="urn:x"'
)
START = '<startEvent id="start" name="Начало"/>'
END = '<endEvent id="end" name="Конец"/>'

_DRAWN = re.compile(
    r"<(?!process)(\w*(?:Event|Task|task|Gateway|[sS]ubProcess|transaction|callActivity))\b[^>]*? id=\"(\w+)\""
)
_FLOW = re.compile(r"<sequenceFlow id=\"(\w+)\"")


def flows(arrows: str) -> str:
    """`"a > b > c; b > d [x == 1]"` as sequence flows called a_b, b_c, b_d."""
    made = []
    for chain in filter(None, (part.strip() for part in arrows.split(";"))):
        path, _, condition = chain.partition("[")
        names = [name.strip() for name in path.split(">")]
        for source, target in pairwise(names):
            inner = f"<conditionExpression>{condition.rstrip(']')}</conditionExpression>" if condition else ""
            made.append(
                f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
            )
    return "\n".join(made)


def process(body: str, arrows: str = "", *, key: str = "desk", executable: str = "true") -> str:
    """One process."""
    return f'<process id="{key}" name="Процесс" isExecutable="{executable}">\n{body}\n{flows(arrows)}\n</process>'


def file(*parts: str, picture: bool = True) -> bytes:
    """A BPMN file of these processes and global elements, everything drawn."""
    content = "\n".join(parts)
    drawn = _picture(content) if picture else ""
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions {NAMESPACES} id="file">'
    return f"{head}\n{content}\n{drawn}\n</definitions>".encode()


def drawing(body: str, arrows: str = "", *globals_: str) -> bytes:
    """A file with one process: start and end are there already."""
    return file(*globals_, process(START + body + END, arrows))


def chain(*nodes: str, also: str = "", arrows: str = "") -> bytes:
    """A file whose one process leads from the start through the nodes to the end."""
    ids = [match[1] for node in nodes if (match := re.search(r' id="(\w+)"', node))]
    return drawing("".join(nodes) + also, "start > " + " > ".join([*ids, "end"]) + ";" + arrows)


def task(inner: str = "", *, id: str = "work", name: str = "Работа", attributes: str = "") -> str:
    """A user task with one button and whatever is given."""
    return (
        f'<userTask id="{id}" name="{name}" {attributes}><extensionElements>'
        f'<desk:action id="done" label="Готово"/>{inner}</extensionElements></userTask>'
    )


def script(lines: str = "x = 1", *, id: str = "set", name: str = "Запомнить") -> str:
    return f'<scriptTask id="{id}" name="{name}"><script>{lines}</script></scriptTask>'


def service(
    operator: str = '<spiff:serviceTaskOperator id="notify.line"/>', *, id: str = "call", inner: str = ""
) -> str:
    return f'<serviceTask id="{id}" name="Вызов"><extensionElements>{operator}{inner}</extensionElements></serviceTask>'


def ruled(decision: str) -> str:
    """A business rule task."""
    asked = f"<spiff:calledDecisionId>{decision}</spiff:calledDecisionId>" if decision else ""
    return f'<businessRuleTask id="rule" name="Выбор"><extensionElements>{asked}</extensionElements></businessRuleTask>'


def boundary(definition: str, *, id: str = "edge", on: str = "work", cancels: bool = True, inner: str = "") -> str:
    extension = f"<extensionElements>{inner}</extensionElements>" if inner else ""
    return (
        f'<boundaryEvent id="{id}" name="Событие {id}" attachedToRef="{on}" cancelActivity="{str(cancels).lower()}">'
        f"{extension}{definition}</boundaryEvent>"
    )


def timer(text: str, kind: str = "timeDuration") -> str:
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


def end(id: str, definition: str = "") -> str:
    return f'<endEvent id="{id}" name="Конец {id}">{definition}</endEvent>'


def gateway(kind: str, id: str, attributes: str = "") -> str:
    return f'<{kind}Gateway id="{id}" name="Шлюз {id}" {attributes}/>'


def _picture(content: str) -> str:
    shapes = [
        f'<di:BPMNShape id="s{n}" bpmnElement="{found[2]}"><dc:Bounds x="{n * 200}" y="0" width="100" height="80"/>'
        "</di:BPMNShape>"
        for n, found in enumerate(_DRAWN.finditer(content))
    ]
    edges = [f'<di:BPMNEdge id="e{n}" bpmnElement="{f[1]}"/>' for n, f in enumerate(_FLOW.finditer(content))]
    return f"<di:BPMNDiagram><di:BPMNPlane>{''.join(shapes + edges)}</di:BPMNPlane></di:BPMNDiagram>"
