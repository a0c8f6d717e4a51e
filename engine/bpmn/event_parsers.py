"""The events of a drawing, read into the desk's own classes."""

from __future__ import annotations

from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.event_parsers import EventDefinitionParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition

from engine.bpmn import anatomy, compensation, events, gateways, scopes, xml
from engine.bpmn.extensions import event_kind
from engine.bpmn.flow_parsers import Flows


class EventParser(Flows, EventDefinitionParser):
    """Reads the one definition of an event into the desk's own class."""

    definitions = frozenset({None, "message", "signal", "timer", "error", "escalation", "conditional", "terminate"})

    def create_task(self) -> Any:
        return self.spec_class(self.spec, self.bpmn_id, event_definition=self.definition(), **self.bpmn_attributes)

    def definition(self) -> EventDefinition:
        kind = event_kind(self.node)
        if kind not in self.definitions:
            self.raise_validation_exception(f"Expected an event that the engine executes, but this one is {kind}")
        return NoneEventDefinition() if kind in (None, "link") else getattr(self, f"_{kind}")(self._first(kind))

    def _first(self, kind: str) -> etree._Element:
        found: etree._Element = self.node.find(full_tag(f"{kind}EventDefinition"))
        return found

    def _timer(self, node: etree._Element) -> events.Timer:
        texts = [child.text or "" for child in node if xml.local_name(child).startswith("time")]
        if len(texts) != 1 or not texts[0].strip():
            self.raise_validation_exception("Expected a timer with exactly one time")
        return events.Timer(texts[0])

    def _message(self, node: etree._Element) -> events.Message:
        return events.Message(self._name(node, "messageRef", self.process_parser.parser.messages))

    def _signal(self, node: etree._Element) -> events.Signal:
        return events.Signal(self._name(node, "signalRef", self.process_parser.parser.signals))

    def _error(self, node: etree._Element) -> events.Error:
        return events.Error(self._code(node, "errorRef", self.process_parser.parser.errors, "error_code"))

    def _escalation(self, node: etree._Element) -> events.Escalation:
        codes = self.process_parser.parser.escalations
        return events.Escalation(self._code(node, "escalationRef", codes, "escalation_code"))

    def _conditional(self, node: etree._Element) -> events.Condition:
        text = (node.findtext(full_tag("condition")) or "").strip()
        if not text:
            self.raise_validation_exception("Expected a condition, but the event has none")
        return events.Condition(text)

    def _terminate(self, node: etree._Element) -> events.Terminate:
        return events.Terminate()

    def _name(self, node: etree._Element, attribute: str, names: dict[str, str | None]) -> str:
        """The name of the message or signal: its own, else its id, else the event's."""
        reference = node.get(attribute)
        if reference is not None and reference not in names:
            self.raise_validation_exception(f"Expected {attribute} {reference} to be defined in the file")
        name = (names.get(reference) or reference) if reference else self.node.get("name")
        return name or self.bpmn_id

    def _code(self, node: etree._Element, attribute: str, codes: dict[str, Any], field: str) -> str | None:
        reference = node.get(attribute)
        if reference is None:
            return None
        if reference not in codes:
            self.raise_validation_exception(f"Expected {attribute} {reference} to be defined in the file")
        known: dict[str, str | None] = codes[reference]
        return known[field] or known["name"]


class StartEventParser(EventParser):
    def create_task(self) -> Any:
        task = super().create_task()
        if anatomy.is_event_sub_process(self.node.getparent()):
            task.bpmn_id = None  # what it waits for, the event of the handler waits for
        self.spec.start.connect(task)
        return task


class HandlerEventParser(EventParser):
    """The start event of an event sub-process, as the scope around it sees it."""

    definitions = EventParser.definitions - {None, "terminate"}

    def create_task(self) -> Any:
        cancels = self.node.get("isInterrupting", "true") == "true"
        return self.spec_class(
            self.spec, self.bpmn_id, event_definition=self.definition(), cancel_activity=cancels, **self.bpmn_attributes
        )


class BoundaryEventParser(EventParser):
    definitions = EventParser.definitions - {None, "terminate"}

    def create_task(self) -> Any:
        cancels = self.node.get("cancelActivity", "true") == "true"
        return self.spec_class(
            self.spec, self.bpmn_id, event_definition=self.definition(), cancel_activity=cancels, **self.bpmn_attributes
        )


class CatchEventParser(EventParser):
    definitions = frozenset({None, "message", "signal", "timer", "conditional", "link"})


class ThrowEventParser(EventParser):
    definitions = frozenset({None, "message", "signal", "escalation", "link"})

    def create_task(self) -> Any:
        return self._compensation() if event_kind(self.node) == "compensate" else super().create_task()

    def _compensation(self) -> Any:
        scope = anatomy.scope_of(self.node)
        name = self.process_parser.undoing(scope)
        task = compensation.Compensate(self.spec, self.bpmn_id, subworkflow_spec=name, **self.bpmn_attributes)
        task.activity = self._first("compensate").get("activityRef")
        if task.activity and task.activity not in anatomy.undone_ids(scope):
            self.raise_validation_exception(f"Expected {task.activity} to have a compensation handler in this scope")
        return task


class EndEventParser(ThrowEventParser):
    definitions = EventParser.definitions - {"timer", "conditional"}

    def create_task(self) -> Any:
        if self.process_parser.is_body:
            self.spec_class = scopes.BodyEnd
        task = super().create_task()
        task.connect(self.spec.end)
        return task


class EventGatewayParser(EventParser):
    def definition(self) -> EventDefinition:
        return gateways.FirstOf()
