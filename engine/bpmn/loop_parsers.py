"""Repeated activities read from a drawing: standard loops and multi-instances."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition

from engine.bpmn import loops
from engine.bpmn.event_parsers import ThrowEventParser
from engine.bpmn.flow_parsers import Flows, id_of, text_of


class Repeatable(Flows):
    """What an activity says about its repetition."""

    STANDARD_LOOP_CLASS = loops.StandardLoop
    spec: Any
    bpmn_id: str
    nsmap: Any
    _copy_task_attrs: Callable[[Any], None]

    def _add_multiinstance_task(self, drawn: etree._Element) -> None:
        original = self.spec.task_specs.pop(self.task.name)
        self.task = loops.MultiInstance(self.spec, original.name, self._instances(drawn), description="Multi-instance")
        self._copy_task_attrs(original)

    def _instances(self, drawn: etree._Element) -> loops.Instances:
        cardinality, collection = text_of(drawn, "loopCardinality"), text_of(drawn, "loopDataInputRef")
        if (cardinality is None) == (collection is None):
            raise ValidationException("Expected either a number of instances or a collection", self.node)
        return loops.Instances(
            drawn.get("isSequential") == "true",
            cardinality,
            collection,
            id_of(drawn, "inputDataItem"),
            text_of(drawn, "loopDataOutputRef"),
            id_of(drawn, "outputDataItem"),
            text_of(drawn, "completionCondition"),
            drawn.get("behavior", "All"),
            self._behaviour_event(drawn),
            [self._complex_behaviour(each) for each in drawn.iter(full_tag("complexBehaviorDefinition"))],
        )

    def _behaviour_event(self, drawn: etree._Element) -> EventDefinition | None:
        names = {"None": "noneBehaviorEventRef", "One": "oneBehaviorEventRef"}
        name = names.get(drawn.get("behavior", "All"))
        reference = drawn.get(name) if name else None
        if reference is None:
            return None
        found = next((each for each in self.node.getroottree().iter() if each.get("id") == reference), None)
        if found is None:
            raise ValidationException(f"Expected the event definition {reference} in the file", self.node)
        holder = etree.Element(full_tag("implicitThrowEvent"), id=self.bpmn_id)
        holder.append(deepcopy(found))
        return self._thrown(holder)

    def _complex_behaviour(self, drawn: etree._Element) -> tuple[str, EventDefinition]:
        condition, event = text_of(drawn, "condition"), drawn.find(full_tag("event"))
        if condition is None or event is None:
            raise ValidationException("Expected a condition and an event in each complex behaviour", self.node)
        return condition, self._thrown(event)

    def _thrown(self, event: etree._Element) -> EventDefinition:
        return _ImplicitThrowParser(self.process_parser, None, event, self.nsmap).definition()


class _ImplicitThrowParser(ThrowEventParser):
    """The event of a multi-instance that is thrown when an instance completes."""

    definitions = frozenset({"message", "signal", "escalation", "error"})
