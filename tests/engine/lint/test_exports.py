"""Drawings the way other modelers save them: read without complaint, and told what they lack to run here."""

from __future__ import annotations

from engine.bpmn.lint import check_files
from engine.errors import Problem

BPMN_IO_DRAFT = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
    xmlns:di="http://www.omg.org/spec/DD/20100524/DI" id="Definitions_0x1" targetNamespace="http://bpmn.io/schema/bpmn"
    exporter="bpmn-js (https://demo.bpmn.io)" exporterVersion="18.6.1">
  <bpmn:process id="Process_1" isExecutable="false">
    <bpmn:startEvent id="StartEvent_1"><bpmn:outgoing>Flow_1</bpmn:outgoing></bpmn:startEvent>
    <bpmn:task id="Activity_1" name="Разобрать письмо">
      <bpmn:incoming>Flow_1</bpmn:incoming><bpmn:outgoing>Flow_2</bpmn:outgoing>
    </bpmn:task>
    <bpmn:sequenceFlow id="Flow_1" sourceRef="StartEvent_1" targetRef="Activity_1" />
    <bpmn:endEvent id="Event_1"><bpmn:incoming>Flow_2</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="Flow_2" sourceRef="Activity_1" targetRef="Event_1" />
    <bpmn:textAnnotation id="TextAnnotation_1"><bpmn:text>${not an expression}</bpmn:text></bpmn:textAnnotation>
    <bpmn:association id="Association_1" sourceRef="Activity_1" targetRef="TextAnnotation_1" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="BPMNDiagram_1">
    <bpmndi:BPMNPlane id="BPMNPlane_1" bpmnElement="Process_1">
      <bpmndi:BPMNShape id="S_1" bpmnElement="StartEvent_1"><dc:Bounds x="156" y="82" width="36" height="36" />
      </bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="S_2" bpmnElement="Activity_1"><dc:Bounds x="250" y="60" width="100" height="80" />
        <bpmndi:BPMNLabel /></bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="S_3" bpmnElement="Event_1"><dc:Bounds x="412" y="82" width="36" height="36" />
      </bpmndi:BPMNShape>
      <bpmndi:BPMNEdge id="E_1" bpmnElement="Flow_1"><di:waypoint x="192" y="100" /><di:waypoint x="250" y="100" />
      </bpmndi:BPMNEdge>
      <bpmndi:BPMNEdge id="E_2" bpmnElement="Flow_2"><di:waypoint x="350" y="100" /><di:waypoint x="412" y="100" />
      </bpmndi:BPMNEdge>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>
"""

CAMUNDA = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
    xmlns:modeler="http://camunda.org/schema/modeler/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    id="Definitions_1" targetNamespace="http://bpmn.io/schema/bpmn" exporter="Camunda Modeler" exporterVersion="5.30.0"
    modeler:executionPlatform="Camunda Platform" modeler:executionPlatformVersion="7.22.0">
  <bpmn:process id="invoice" name="Счёт" isExecutable="true" camunda:historyTimeToLive="180">
    <bpmn:startEvent id="start" name="Счёт пришёл" camunda:initiator="starter"><bpmn:outgoing>f1</bpmn:outgoing>
    </bpmn:startEvent>
    <bpmn:userTask id="approve" name="Согласовать" camunda:assignee="${approver}" camunda:formKey="approve.form">
      <bpmn:extensionElements>
        <camunda:taskListener class="org.example.Listener" event="create" />
        <camunda:properties><camunda:property name="color" value="red" /></camunda:properties>
        <zeebe:formDefinition formKey="x" />
      </bpmn:extensionElements>
      <bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing>
    </bpmn:userTask>
    <bpmn:exclusiveGateway id="gw" name="Согласовано?"><bpmn:incoming>f2</bpmn:incoming>
      <bpmn:outgoing>f3</bpmn:outgoing><bpmn:outgoing>f4</bpmn:outgoing></bpmn:exclusiveGateway>
    <bpmn:serviceTask id="pay" name="Оплатить" camunda:class="org.example.Pay"><bpmn:incoming>f3</bpmn:incoming>
      <bpmn:outgoing>f5</bpmn:outgoing></bpmn:serviceTask>
    <bpmn:endEvent id="done" name="Готово"><bpmn:incoming>f4</bpmn:incoming><bpmn:incoming>f5</bpmn:incoming>
    </bpmn:endEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="approve" />
    <bpmn:sequenceFlow id="f2" sourceRef="approve" targetRef="gw" />
    <bpmn:sequenceFlow id="f3" name="да" sourceRef="gw" targetRef="pay">
      <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">${approved}</bpmn:conditionExpression>
    </bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f4" name="нет" sourceRef="gw" targetRef="done">
      <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression" language="groovy">!approved</bpmn:conditionExpression>
    </bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f5" sourceRef="pay" targetRef="done" />
  </bpmn:process>
</bpmn:definitions>
"""

SIGNAVIO = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:signavio="http://www.signavio.com"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" exporter="Signavio Process Editor, http://www.signavio.com"
    exporterVersion="16.4" expressionLanguage="http://www.w3.org/TR/XPath" id="sid-7a1" targetNamespace="http://signavio.com"
    typeLanguage="http://www.w3.org/2001/XMLSchema"
    xsi:schemaLocation="http://www.omg.org/spec/BPMN/20100524/MODEL http://www.omg.org/spec/BPMN/2.0/20100501/BPMN20.xsd">
  <collaboration id="sid-c1">
    <extensionElements><signavio:signavioDiagramMetaData metaKey="revisionid" metaValue="0a"/></extensionElements>
    <participant id="sid-p1" name="Поддержка" processRef="sid-proc"><extensionElements/></participant>
    <participant id="sid-p2" name="Клиент"/>
    <messageFlow id="sid-m1" sourceRef="sid-p2" targetRef="sid-start"/>
  </collaboration>
  <process id="sid-proc" isClosed="false" isExecutable="false" name="Поддержка" processType="None">
    <extensionElements/>
    <laneSet id="sid-ls"><lane id="sid-l1" name="Первая линия"><extensionElements>
      <signavio:signavioMetaData metaKey="bgcolor" metaValue=""/></extensionElements>
      <flowNodeRef>sid-start</flowNodeRef><flowNodeRef>sid-t1</flowNodeRef><flowNodeRef>sid-end</flowNodeRef></lane></laneSet>
    <startEvent id="sid-start" name="Письмо"><outgoing>sid-f1</outgoing>
      <messageEventDefinition id="sid-md"/></startEvent>
    <task completionQuantity="1" id="sid-t1" isForCompensation="false" name="Ответить" startQuantity="1">
      <incoming>sid-f1</incoming><outgoing>sid-f2</outgoing></task>
    <endEvent id="sid-end" name="Отвечено"><incoming>sid-f2</incoming></endEvent>
    <sequenceFlow id="sid-f1" isImmediate="true" sourceRef="sid-start" targetRef="sid-t1"/>
    <sequenceFlow id="sid-f2" isImmediate="true" sourceRef="sid-t1" targetRef="sid-end"/>
  </process>
</definitions>
"""

POOLS = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:desk="urn:bpmdesk:1" id="d">
  <collaboration id="c"><participant id="a" processRef="ours"/><participant id="b" processRef="theirs"/></collaboration>
  <process id="ours" isExecutable="true">
    <startEvent id="s" name="Начало"/><userTask id="t" name="Ответить"><extensionElements>
      <desk:action id="reply" label="Ответить"/></extensionElements></userTask><endEvent id="e" name="Конец"/>
    <sequenceFlow id="f" sourceRef="s" targetRef="t"/><sequenceFlow id="g" sourceRef="t" targetRef="e"/>
  </process>
  <process id="theirs" isExecutable="false">
    <task id="wait" name="Ждать"/><sequenceFlow id="h" sourceRef="wait" targetRef="nowhere"/>
  </process>
</definitions>
"""


def check(text: str) -> list[Problem]:
    return check_files({"a.bpmn": text.encode()}, connectors=None, statuses=None, forms=None)


def rules(problems: list[Problem], severity: str = "error") -> set[str]:
    return {problem.rule for problem in problems if problem.severity == severity}


def test_draft_of_bpmn_io_is_told_what_it_lacks() -> None:
    problems = check(BPMN_IO_DRAFT)

    assert rules(problems) == {"not-executable-drawing"}
    assert rules(problems, "info") == {"untyped-task"}
    assert rules(problems, "warning") == {"label-required"}


def test_camunda_process_is_told_what_to_rewrite() -> None:
    problems = check(CAMUNDA)

    assert rules(problems) == {
        "user-task-action",
        "connector-missing",
        "foreign-expression",
        "expression",
        "expression-language",
    }
    assert {p.element_id for p in problems if p.severity == "error"} == {"approve", "pay", "f3", "f4"}


def test_signavio_drawing_with_pools_and_lanes_is_told_what_it_lacks() -> None:
    problems = check(SIGNAVIO)

    assert rules(problems) == {"not-executable-drawing", "missing-reference"}


def test_documentation_beside_an_executable_process_is_left_alone() -> None:
    assert rules(check(POOLS)) == set()


def test_foreign_namespaces_are_fine() -> None:
    strange = POOLS.replace("<userTask ", '<userTask x:color="red" xmlns:x="urn:painter" ').replace(
        "</extensionElements>", "<x:paint xmlns:x='urn:painter'><x:script>rm</x:script></x:paint></extensionElements>"
    )

    assert rules(check(strange)) == set()
