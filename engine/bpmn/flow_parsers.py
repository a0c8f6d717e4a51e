"""Sequence flows read from a drawing: what leaves a node, and on which condition."""

from __future__ import annotations

from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.util import full_tag

from engine.bpmn.xml import local_name

_ENDS_OTHERWISE = frozenset({"endEvent", "eventBasedGateway"})


class Flows:
    """What leaves a node: one token along every flow, along those with a condition only when it holds."""

    node: Any
    task: Any
    process_parser: Any

    def parse_node(self) -> Any:
        """The node where a token comes in; a branch that stops without an end event ends there."""
        entry = super().parse_node()  # type: ignore[misc]
        has_exit = bool(self.process_parser.get_outgoing_sequence_flows(self.node.get("id")))
        if not has_exit and local_name(self.node) not in _ENDS_OTHERWISE and not _is_apart(self.node):
            self.task.connect(self.task._wf_spec.end)
        return entry

    def handles_multiple_outgoing(self) -> bool:
        return True

    def connect_outgoing(self, following: Any, flow: etree._Element, is_default: bool) -> None:
        condition = condition_of(flow)
        if is_default and flow.get("id"):
            self.task.connect_default(following)
        elif condition:
            self.task.connect_if(condition, following)
        else:
            self.task.connect(following)


def _is_apart(node: etree._Element) -> bool:
    """Whether the node stands beside the flow."""
    return node.get("isForCompensation") == "true" or node.get("triggeredByEvent") == "true"


def text_of(parent: etree._Element, name: str) -> str | None:
    """The text of a child; None when it is missing or blank."""
    found = parent.find(full_tag(name))
    return ((found.text or "").strip() or None) if found is not None else None


def id_of(parent: etree._Element, name: str) -> str | None:
    """The id of a child."""
    found = parent.find(full_tag(name))
    return found.get("id") if found is not None else None


def condition_of(flow: etree._Element) -> str:
    """The condition of a sequence flow; empty when it has none."""
    return text_of(flow, "conditionExpression") or ""
