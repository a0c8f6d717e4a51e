"""The index of a process: its nodes, flows and everything the `desk:` namespace says about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from engine.bpmn.xml import BPMN, DESK, SPIFF, local_name

NODES = frozenset(
    f"{{{BPMN}}}{tag}"
    for tag in (
        *("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"),
        *("task", "userTask", "manualTask", "serviceTask", "scriptTask", "sendTask", "receiveTask", "businessRuleTask"),
        *("subProcess", "transaction", "adHocSubProcess", "callActivity"),
        *("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"),
    )
)
_ACTION_TEXTS = ("id", "label", "form", "style", "confirm", "hotkey", "visible")

Element = etree._Element


def processes(root: Element) -> list[Element]:
    """The executable processes of a file, in its order."""
    return [p for p in root.iterfind(f"{{{BPMN}}}process") if p.get("isExecutable", "true") == "true"]


def read_index(process: Element) -> dict[str, Any]:
    """Everything about a process that is asked later without parsing it again; plain JSON data."""
    lanes = dict(_lanes(process))
    nodes = [_node(element, lanes) for element in process.iter() if element.tag in NODES]
    return {
        "name": process.get("name", ""),
        "nodes": {node["id"]: {"order": order, **node} for order, node in enumerate(nodes)},
        "flows": {flow.get("id", ""): _flow(flow) for flow in process.iter(f"{{{BPMN}}}sequenceFlow")},
        "calls": sorted({node["called"] for node in nodes if node.get("called")}),
        "bound": sorted(
            {node["called"] for node in nodes if node.get("called") and node.get("binding") == "deployment"}
        ),
        "decisions": sorted({node["decision"] for node in nodes if node.get("decision")}),
        "forms": sorted({a["form"] for node in nodes for a in node.get("actions", ()) if a.get("form")}),
    }


def event_kind(element: Element) -> str | None:
    """What an event waits for or throws: timer, message, signal, error, escalation, terminate …"""
    for child in element:
        name = local_name(child)
        if name.endswith("EventDefinition"):
            return name.removesuffix("EventDefinition")
    return None


def called_decision(element: Element) -> str:
    """The id of the decision that a business rule task asks; empty when it names none."""
    found = extension(element, SPIFF, "calledDecisionId")
    return (found.text or "").strip() if found is not None else ""


def extension(element: Element, namespace: str, name: str) -> Element | None:
    """The first extension element of that name."""
    return element.find(f"{{{BPMN}}}extensionElements/{{{namespace}}}{name}")


def _lanes(process: Element) -> Iterator[tuple[str, Element]]:
    for lane in process.iter(f"{{{BPMN}}}lane"):
        for reference in lane.iterfind(f"{{{BPMN}}}flowNodeRef"):
            yield (reference.text or "").strip(), lane


def _flow(flow: Element) -> dict[str, Any]:
    return {"name": flow.get("name", ""), "source": flow.get("sourceRef", ""), "target": flow.get("targetRef", "")}


def _node(element: Element, lanes: dict[str, Element]) -> dict[str, Any]:
    lane = lanes.get(element.get("id", ""))
    parent = element.getparent()
    within = parent.get("id") if parent is not None and parent.tag in NODES else None
    found = {
        "id": element.get("id", ""),
        "type": local_name(element),
        "name": element.get("name", ""),
        "line": element.sourceline,
        "lane": lane.get("name") if lane is not None else None,
        "event": event_kind(element),
        "attached_to": element.get("attachedToRef"),
        "within": within,
        "called": element.get("calledElement"),
        "binding": element.get(f"{{{DESK}}}binding"),
        "decision": called_decision(element) or None,
        "connector": _connector(element),
        "status": _status(element),
        "new_status": _new_status(element),
        "actions": [_action(action) for action in _desk(element, "action")],
        "assignment": _assignment(element, lane),
        "job": _job(element),
    }
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def _desk(element: Element, name: str) -> list[Element]:
    return element.findall(f"{{{BPMN}}}extensionElements/{{{DESK}}}{name}")


def _connector(element: Element) -> str | None:
    operator = extension(element, SPIFF, "serviceTaskOperator")
    return None if operator is None else operator.get("id")


def _status(element: Element) -> str | None:
    status = extension(element, DESK, "status")
    return None if status is None else status.get("code")


def _new_status(element: Element) -> dict[str, str] | None:
    """What a status that the diagram brings along is to look like; None when it only names one."""
    status = extension(element, DESK, "status")
    if status is None or not status.get("name"):
        return None
    return {key: value for key in ("name", "name_en", "shape", "category") if (value := status.get(key))}


def _action(action: Element) -> dict[str, Any]:
    texts = {key: value for key in _ACTION_TEXTS if (value := action.get(key))}
    return texts | {"roles": action.get("roles", "").split()}


def _assignment(element: Element, lane: Element | None) -> dict[str, str]:
    """Who gets the task: its own assignment, else the lane's, else the group named like the lane."""
    for place in (element, lane):
        found = None if place is None else extension(place, DESK, "assignment")
        if found is not None:
            return {key: value for key in ("assignee", "group") if (value := found.get(key))}
    return {"group": lane.get("name", "")} if lane is not None and lane.get("name") else {}


def _job(element: Element) -> dict[str, Any]:
    job = extension(element, DESK, "job")
    if job is None:
        return {}
    return {
        "async": job.get("async", "false") == "true",
        "retries": int(retries) if (retries := job.get("retries", "3")).isdecimal() else 3,
        "backoff": job.get("backoff", "PT1M"),
    }
