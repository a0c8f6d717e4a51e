"""A process or sub-process of a drawing, read into one spec, or into several where events watch over it."""

from __future__ import annotations

from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.control import SimpleBpmnTask
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition

from engine.bpmn import anatomy, compensation, joins, scopes, specs
from engine.bpmn.event_parsers import HandlerEventParser
from engine.bpmn.extensions import NODES


class _Scope(BpmnProcessSpec):
    """A process or sub-process whose end counts tokens in the desk's own way."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in (f"{self.name}.EndJoin", "End"):
            del self.task_specs[name]
        self.end: joins.ScopeEnd = joins.ScopeEnd(self, f"{self.name}.EndJoin")
        self.end.connect(SimpleBpmnTask(self, "End"))


class ScopeParser(ProcessParser):
    """The content of a scope, or, when it has event sub-processes, its body and their handlers side by side."""

    is_body = False

    def create_spec(self) -> _Scope:
        return _Scope(name=self.bpmn_id, description=self.get_name(), filename=self.filename)

    def add_tasks(self) -> None:
        handlers = anatomy.event_sub_processes(self.node)
        self.spec.is_part = anatomy.is_event_sub_process(self.node)
        if handlers:
            self._add_parts(handlers)
        else:
            self._add_content()

    def undoing(self, scope: etree._Element) -> str:
        """The name of the spec that undoes what was done in the scope."""
        return self._beside(_UndoParser, scope)

    def _add_content(self) -> None:
        """The blank start begins, or the only one there is; at any other one the host begins by its id."""
        starts = [self.parse_node(node) for node in self.xpath("./bpmn:startEvent")]
        if not starts:
            raise ValidationException("Expected a start event, but there is none", self.node)
        blank = [each for each in starts if isinstance(each.trigger, NoneEventDefinition)]
        self.spec.start.outputs = (blank or starts)[:1]
        self.spec.begins_by_itself = bool(blank) or len(starts) == 1

    def _add_parts(self, handlers: list[etree._Element]) -> None:
        name = self._beside(_BodyParser, self.node)
        inside = self.parser.process_parsers[name].get_spec()
        body = scopes.Body(self.spec, name, subworkflow_spec=name)
        split = specs.BoundarySplit(self.spec, f"{name}.BoundaryEventSplit")
        join = specs.BoundaryJoin(self.spec, f"{name}.BoundaryEventJoin", split_task=split.name, cancel=True)
        body.first, body.starts = split.name, frozenset(each.bpmn_id for each in inside.bpmn_start_events)
        self.spec.start.connect(split)
        self.spec.begins_by_itself = inside.begins_by_itself
        for branch, target in [(body, self.spec.end), *(self._handler(node) for node in handlers)]:
            split.connect(branch)
            branch.connect(join)
            branch.connect(target)

    def _handler(self, node: etree._Element) -> tuple[Any, Any]:
        starts = node.findall(full_tag("startEvent"))
        if len(starts) != 1:
            raise ValidationException("Expected an event sub-process with one start event", node)
        event = HandlerEventParser(self, scopes.HandlerEvent, starts[0], self.nsmap, lane=self.lane).create_task()
        handler = self.parse_node(node)
        handler.connect(self.spec.end)
        return event, handler

    def _beside(self, kind: type[_PartParser], scope: etree._Element) -> str:
        """The name of another spec made of the same element."""
        part = kind(self.parser, scope, self.nsmap, self.data_stores, filename=self.filename, lane=self.lane)
        part.parent = self
        if not isinstance(self.parser.process_parsers.setdefault(part.bpmn_id, part), kind):
            raise ValidationException(f"Expected no element with the id {part.bpmn_id}, but there is one", scope)
        return part.bpmn_id

    def _index_process_nodes(self) -> None:
        """Actions and parameters have ids too, often the same as a node's: the node wins. Links count as flows."""
        super()._index_process_nodes()
        self.nodes_by_id.update({node.get("id"): node for node in self.node.iter() if node.tag in NODES})
        for throwing, catching in anatomy.links(self.node):
            if len(catching) != 1:
                raise ValidationException("Expected one catching link event of this name in the scope", throwing)
            flow = etree.Element(
                full_tag("sequenceFlow"), sourceRef=throwing.get("id", ""), targetRef=catching[0].get("id", "")
            )
            self.outgoing_sequence_flows.setdefault(throwing.get("id"), []).append(flow)


class _PartParser(ScopeParser):
    suffix = ""

    @property
    def bpmn_id(self) -> str:
        return f"{self.node.get('id')}{self.suffix}"


class _BodyParser(_PartParser):
    """The content of a scope without its event sub-processes."""

    suffix = ".body"
    is_body = True

    def add_tasks(self) -> None:
        self.spec.is_part = True
        self._add_content()


class _UndoParser(_PartParser):
    """What undoes the activities of a scope, one after the other."""

    suffix = ".undo"

    def add_tasks(self) -> None:
        following = compensation.Next(self.spec, f"{self.bpmn_id}.next")
        following.bpmn_id = None
        self.spec.start.connect(following)
        following.connect_default(self.spec.end)
        for handler in anatomy.compensated(self.node).values():
            name = handler.get("id", "")
            following.offer(name, self.parse_node(handler))
            self.spec.task_specs[name].connect(following)
        for scope in anatomy.undoable_scopes(self.node):
            name = f"{scope.get('id')}.undoing"
            undo = compensation.UndoScope(self.spec, name, subworkflow_spec=self.undoing(scope))
            undo.bpmn_id = None
            following.offer(name, undo)
            undo.connect(following)
