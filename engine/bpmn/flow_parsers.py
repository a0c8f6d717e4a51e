"""Sequence flows read from a drawing: what leaves a node, and on which condition."""

from __future__ import annotations

from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.util import full_tag


class Flows:
    """What leaves a node: one token along every flow, along those with a condition only when it holds."""

    node: Any
    task: Any
    process_parser: Any

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
