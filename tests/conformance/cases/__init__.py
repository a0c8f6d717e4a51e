"""All cases, by construct and by pattern."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.case import Case
from tests.conformance.cases import (
    boundaries,
    data,
    decisions,
    deeper,
    event_parts,
    events,
    gateways,
    multi_instance,
    parts,
    patterns,
    tasks,
)

_GROUPS = {
    "tasks": tasks,
    "gateways": gateways,
    "events": events,
    "boundary events": boundaries,
    "event sub-processes": event_parts,
    "sub-processes": parts,
    "multi-instance": multi_instance,
    "decisions": decisions,
    "data": data,
    "nested": deeper,
    "patterns": patterns,
}

CASES: dict[str, Case] = {
    f"{group}/{each.name}": replace(each, group=group) for group, module in _GROUPS.items() for each in module.CASES
}
