"""What a process says, node by node and flow by flow, as plain facts that can be laid beside another version's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.bpmn import xml
from engine.bpmn.extensions import NODES, extension, processes, read_index
from engine.bpmn.xml import BPMN, DESK, SPIFF, local_name
from engine.errors import NotFound

DI = "http://www.omg.org/spec/BPMN/20100524/DI"
_REFERENCES = ("messageRef", "signalRef", "errorRef", "escalationRef")
_INDEXED = ("type", "name", "lane", "event", "attached_to", "within", "called", "binding", "connector", "status")
_LOOPS = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")

Element = etree._Element
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One node or flow."""

    id: str
    kind: str
    """The BPMN element: userTask, sequenceFlow …"""
    name: str
    facts: Facts
    actions: dict[str, Facts] = field(default_factory=dict)
    """The buttons of a node, by id."""
    rest: str = ""
    """The element as it stands, to notice what the facts do not tell."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One process of one file."""

    facts: Facts
    items: dict[str, Item]
    """In the order of the file."""
    places: dict[str, str]
    """Element id → where it is drawn."""
    forms: tuple[str, ...]


def portrait(content: bytes, key: str) -> Portrait:
    """The process `key` of this file. Raises XmlRefused or NotFound."""
    root = xml.read(content, key)
    process = next((each for each in processes(root) if each.get("id") == key), None)
    if process is None:
        raise NotFound(f"Expected the process {key} in the file, but it is not there")
    index = read_index(process)
    nodes = [_node(e, index["nodes"][e.get("id", "")]) for e in process.iter() if e.tag in NODES]
    flows = [_flow(e, index["nodes"]) for e in process.iter(f"{{{BPMN}}}sequenceFlow")]
    lanes = sorted(lane.get("name", "") for lane in process.iter(f"{{{BPMN}}}lane"))
    facts = _without_nothing({"name": process.get("name"), "lanes": ", ".join(lanes)})
    return Portrait(facts, {item.id: item for item in (*nodes, *flows)}, dict(_places(root)), tuple(index["forms"]))


def _node(element: Element, known: dict[str, Any]) -> Item:
    facts = {name: known.get(name) for name in _INDEXED if name != "type"}
    facts |= {f"assignment.{name}": value for name, value in known.get("assignment", {}).items()}
    facts |= {f"job.{name}": value for name, value in known.get("job", {}).items()}
    facts |= {f"new_status.{name}": value for name, value in known.get("new_status", {}).items()}
    facts |= dict(_details(element))
    actions = {
        action["id"]: _without_nothing({**action, "roles": " ".join(action.get("roles", ()))})
        for action in known.get("actions", ())
        if action.get("id")
    }
    return Item(known["id"], known["type"], known.get("name", ""), _without_nothing(facts), actions, _rest(element))


def _details(element: Element) -> Iterator[tuple[str, Any]]:
    yield "decision", _text(extension(element, SPIFF, "calledDecisionId"))
    result = extension(element, DESK, "result")
    yield "result", None if result is None else result.get("variable")
    if element.tag == f"{{{BPMN}}}boundaryEvent":
        yield "interrupting", element.get("cancelActivity", "true") == "true"
    if element.get("triggeredByEvent") == "true":
        yield "interrupting", None
    yield "default", element.get("default")
    operator = extension(element, SPIFF, "serviceTaskOperator")
    if operator is not None:
        yield "result", operator.get("resultVariable")
        for parameter in operator.iter(f"{{{SPIFF}}}parameter"):
            yield f"parameter.{parameter.get('id', '')}", parameter.get("value")
    for child in element:
        yield from _child(child)
    for attribute in _REFERENCES:
        if element.get(attribute):
            yield "subject", _named(element, attribute)


def _child(child: Element) -> Iterator[tuple[str, Any]]:
    kind = local_name(child)
    if kind == "documentation":
        yield "documentation", _text(child)
    elif kind == "script":
        yield "script", _text(child)
    elif kind == "timerEventDefinition":
        yield "timer", "; ".join(filter(None, (_text(time) for time in child)))
    elif kind == "conditionalEventDefinition":
        yield "condition", "; ".join(filter(None, (_text(each) for each in child)))
    elif kind.endswith("EventDefinition"):
        for attribute in _REFERENCES:
            if child.get(attribute):
                yield "subject", _named(child, attribute)
    elif kind in _LOOPS:
        yield "repetition", _loop(child)


def _loop(element: Element) -> str:
    parts = [local_name(element).removesuffix("LoopCharacteristics")]
    parts += [f"{name}={value}" for name, value in _attributes(element) if not name.startswith("{")]
    parts += [f"{local_name(child)}={_text(child)}" for child in element if _text(child)]
    return " ".join(parts)


def _flow(element: Element, nodes: dict[str, Any]) -> Item:
    def called(attribute: str) -> str:
        end = element.get(attribute, "")
        return nodes.get(end, {}).get("name") or end

    facts = {
        "name": element.get("name"),
        "source": called("sourceRef"),
        "target": called("targetRef"),
        "condition": _text(element.find(f"{{{BPMN}}}conditionExpression")),
    }
    ends = f"{element.get('sourceRef', '')} → {element.get('targetRef', '')}"
    return Item(element.get("id", ""), "sequenceFlow", element.get("name", ""), _without_nothing(facts), rest=ends)


def _named(element: Element, attribute: str) -> str:
    """The name or code of the message, signal, error or escalation that is referred to."""
    target = element.get(attribute, "").rpartition(":")[2]
    for found in element.getroottree().getroot():
        if found.get("id") == target:
            return found.get("name") or found.get("errorCode") or found.get("escalationCode") or target
    return target


def _rest(element: Element) -> str:
    """The element without what lies in it or leads to it, in a form that does not know about spaces and prefixes."""
    parts = [f"{name}={value}" for name, value in _attributes(element)]
    for child in element:
        if child.tag in NODES or local_name(child) in ("incoming", "outgoing", "sequenceFlow", "laneSet"):
            continue
        parts.append(f"<{child.tag}>{(child.text or '').strip()}{_rest(child)}")
    return " ".join(parts)


def _places(root: Element) -> Iterator[tuple[str, str]]:
    for kind in ("Shape", "Edge"):
        for drawn in root.iter(f"{{{DI}}}BPMN{kind}"):
            points = [" ".join(f"{name}={value}" for name, value in _attributes(e)) for e in drawn]
            yield drawn.get("bpmnElement", ""), "; ".join(points)


def _attributes(element: Element) -> list[tuple[str, str]]:
    return sorted((str(name), str(value)) for name, value in element.attrib.items())


def _text(element: Element | None) -> str | None:
    return (element.text or "").strip() or None if element is not None else None


def _without_nothing(facts: Facts) -> Facts:
    return {name: value for name, value in facts.items() if value not in (None, "")}
