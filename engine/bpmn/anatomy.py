"""What belongs together in a drawing without a sequence flow: links, event sub-processes, compensation handlers."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.bpmn.xml import BPMN

Element = etree._Element


def event_sub_processes(scope: Element) -> list[Element]:
    """Those that lie directly in the scope."""
    return [child for child in scope.iterfind(f"{{{BPMN}}}subProcess") if is_event_sub_process(child)]


def is_event_sub_process(element: Element) -> bool:
    return element.get("triggeredByEvent") == "true"


def scope_of(node: Element) -> Element:
    """The process or sub-process around a node; an event sub-process belongs to the scope it watches over."""
    scope = node.getparent()
    while scope is not None and is_event_sub_process(scope):
        scope = scope.getparent()
    if scope is None:
        raise ValueError("Expected a node of a process, but it lies outside")
    return scope


def link_names(node: Element) -> list[str]:
    """The names of the link events that the node is or has."""
    return [link.get("name", "").strip() for link in node.iterfind(f"{{{BPMN}}}linkEventDefinition")]


def links(scope: Element) -> Iterator[tuple[Element, list[Element]]]:
    """Every throwing link that lies directly in the scope, with the catching ones of its name."""
    catching = list(scope.iterfind(f"{{{BPMN}}}intermediateCatchEvent"))
    for throwing in scope.iterfind(f"{{{BPMN}}}intermediateThrowEvent"):
        for name in link_names(throwing):
            yield throwing, [each for each in catching if name in link_names(each)]


def compensated(scope: Element) -> dict[str, Element]:
    """Ids of the activities of the scope that can be undone → what undoes them."""
    return {activity: handler for level in _levels(scope) for activity, handler in _undone(level)}


def undoable_scopes(scope: Element) -> list[Element]:
    """The sub-processes of the scope that are undone by undoing what was done inside."""
    known = compensated(scope)
    return [
        child
        for level in _levels(scope)
        for child in level.iterfind(f"{{{BPMN}}}subProcess")
        if not is_event_sub_process(child)
        and child.get("id") not in known
        and child.get("isForCompensation") != "true"
        and can_be_undone(child)
    ]


def undone_ids(scope: Element) -> set[str]:
    """Ids of the activities that a compensation event of the scope may name."""
    return {*compensated(scope), *(inner.get("id", "") for inner in undoable_scopes(scope))}


def can_be_undone(scope: Element) -> bool:
    """Whether anything inside has a compensation handler."""
    return bool(compensated(scope) or undoable_scopes(scope))


def _levels(scope: Element) -> Iterator[Element]:
    yield scope
    for inner in event_sub_processes(scope):
        yield from _levels(inner)


def _undone(level: Element) -> Iterator[tuple[str, Element]]:
    nodes = {node.get("id"): node for node in level}
    for event in level.iterfind(f"{{{BPMN}}}boundaryEvent"):
        if event.find(f"{{{BPMN}}}compensateEventDefinition") is not None:
            for line in level.iterfind(f"{{{BPMN}}}association"):
                ends = {line.get("sourceRef"), line.get("targetRef")}
                handler = nodes.get(next(iter(ends - {event.get("id")}), None))
                if event.get("id") in ends and handler is not None and handler.get("isForCompensation") == "true":
                    yield event.get("attachedToRef", ""), handler
