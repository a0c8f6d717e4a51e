"""All cases, by construct and by pattern."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.case import Case
from tests.conformance.cases import boundaries, event_parts, gateways, multi_instance, tasks

_GROUPS = {
    "tasks": tasks,
    "gateways": gateways,
    "multi-instance": multi_instance,
    "boundary events": boundaries,
    "event sub-processes": event_parts,
}

CASES: dict[str, Case] = {
    f"{group}/{each.name}": replace(each, group=group) for group, module in _GROUPS.items() for each in module.CASES
}
