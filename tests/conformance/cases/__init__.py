"""All cases, by construct and by pattern."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.case import Case
from tests.conformance.cases import tasks

_GROUPS = {"tasks": tasks}

CASES: dict[str, Case] = {
    f"{group}/{each.name}": replace(each, group=group) for group, module in _GROUPS.items() for each in module.CASES
}
