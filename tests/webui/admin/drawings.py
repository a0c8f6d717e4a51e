"""Small processes in the desk's dialect, with their drawing, as an analyst would upload them."""

from __future__ import annotations

from html import escape

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
    ' xmlns:di="http://www.omg.org/spec/DD/20100524/DI"'
    ' xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'
    ' xmlns:desk="urn:bpmdesk:1" id="definitions_{key}" targetNamespace="urn:bpmdesk:processes">\n'
)
_DELIVERY = """    <bpmn:serviceTask id="deliver" name="Доставить">
      <bpmn:extensionElements>
        <spiffworkflow:serviceTaskOperator id="test.deliver"/>
        <desk:job retries="1" backoff="PT1M" async="true"/>
      </bpmn:extensionElements>
      <bpmn:incoming>flow_work</bpmn:incoming><bpmn:outgoing>flow_deliver</bpmn:outgoing>
    </bpmn:serviceTask>
"""
_NODES = ("start", "work", "deliver", "end")
_FLOWS = (("flow_start", "start", "work"), ("flow_work", "work", "deliver"), ("flow_deliver", "deliver", "end"))


def errand(
    key: str = "errand",
    *,
    name: str = "Поручение",
    label: str = "Готово",
    step: str = "Сделать",
    timer: str = "PT4H",
    calls: str = "",
) -> bytes:
    """A person does something (with a reminder), then a worker delivers it – or another process, if it `calls` one."""
    delivery = _call(calls) if calls else _DELIVERY
    text = f"""{_HEAD.format(key=key)}  <bpmn:process id="{key}" name="{escape(name)}" isExecutable="true">
    <bpmn:startEvent id="start" name="Начато"><bpmn:outgoing>flow_start</bpmn:outgoing></bpmn:startEvent>
    <bpmn:userTask id="work" name="{escape(step)}">
      <bpmn:extensionElements><desk:action id="done" label="{escape(label)}" style="primary"/></bpmn:extensionElements>
      <bpmn:incoming>flow_start</bpmn:incoming><bpmn:outgoing>flow_work</bpmn:outgoing>
    </bpmn:userTask>
    <bpmn:boundaryEvent id="remind" name="Напомнить" attachedToRef="work" cancelActivity="false">
      <bpmn:outgoing>flow_remind</bpmn:outgoing>
      <bpmn:timerEventDefinition id="remind_timer">
        <bpmn:timeDuration>{timer}</bpmn:timeDuration>
      </bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:endEvent id="reminded" name="Напомнили"><bpmn:incoming>flow_remind</bpmn:incoming></bpmn:endEvent>
{delivery}    <bpmn:endEvent id="end" name="Закончено"><bpmn:incoming>flow_deliver</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="flow_start" sourceRef="start" targetRef="work"/>
    <bpmn:sequenceFlow id="flow_work" sourceRef="work" targetRef="deliver"/>
    <bpmn:sequenceFlow id="flow_deliver" sourceRef="deliver" targetRef="end"/>
    <bpmn:sequenceFlow id="flow_remind" sourceRef="remind" targetRef="reminded"/>
  </bpmn:process>
{_drawing(key)}</bpmn:definitions>
"""
    return text.encode()


def _call(key: str) -> str:
    return f"""    <bpmn:callActivity id="deliver" name="Поручить" calledElement="{key}">
      <bpmn:incoming>flow_work</bpmn:incoming><bpmn:outgoing>flow_deliver</bpmn:outgoing>
    </bpmn:callActivity>
"""


def _drawing(key: str) -> str:
    shapes = "".join(
        f'<bpmndi:BPMNShape id="{node}_di" bpmnElement="{node}">'
        f'<dc:Bounds x="{100 + 160 * place}" y="100" width="100" height="80"/></bpmndi:BPMNShape>'
        for place, node in enumerate(_NODES)
    )
    small = "".join(
        f'<bpmndi:BPMNShape id="{node}_di" bpmnElement="{node}">'
        f'<dc:Bounds x="{x}" y="{y}" width="36" height="36"/></bpmndi:BPMNShape>'
        for node, x, y in (("remind", 322, 162), ("reminded", 322, 260))
    )
    edges = "".join(
        f'<bpmndi:BPMNEdge id="{flow}_di" bpmnElement="{flow}">'
        f'<di:waypoint x="{200 + 160 * _NODES.index(source)}" y="140"/>'
        f'<di:waypoint x="{100 + 160 * _NODES.index(target)}" y="140"/></bpmndi:BPMNEdge>'
        for flow, source, target in _FLOWS
    )
    down = (
        '<bpmndi:BPMNEdge id="flow_remind_di" bpmnElement="flow_remind"><di:waypoint x="340" y="198"/>'
        '<di:waypoint x="340" y="260"/></bpmndi:BPMNEdge>'
    )
    plane = f'<bpmndi:BPMNPlane id="plane" bpmnElement="{key}">{shapes}{small}{edges}{down}</bpmndi:BPMNPlane>'
    return f'  <bpmndi:BPMNDiagram id="diagram">{plane}</bpmndi:BPMNDiagram>\n'
