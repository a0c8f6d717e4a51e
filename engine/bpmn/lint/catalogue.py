"""All rules of the check by name: what the reference lists and the studio explains."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from engine.bpmn import xml
from engine.bpmn.lint import (
    area,
    command,
    conditions,
    connectors,
    decisions,
    desk,
    foreign,
    forms,
    formulas,
    limits,
    pools,
    references,
    rules,
    semantics,
    soundness,
    standard,
    structure,
    wiring,
)
from engine.bpmn.rule import Rule

FAMILIES: dict[str, tuple[ModuleType, ...]] = {
    "file": (command, xml, limits, foreign, rules),
    "references": (references,),
    "the standard's tables": (standard,),
    "structure": (structure, wiring),
    "pools and lanes": (pools,),
    "semantics": (semantics,),
    "soundness": (soundness, conditions),
    "expressions and timers": (formulas,),
    "connectors and calls": (connectors,),
    "desk": (desk,),
    "picture": (area,),
    "forms": (forms,),
    "decisions": (decisions,),
}


def families() -> dict[str, list[Rule]]:
    """The rules of each family in the order they are declared."""
    return {name: list(_declared(modules)) for name, modules in FAMILIES.items()}


def catalogue() -> dict[str, Rule]:
    """Rule name → rule."""
    return {rule.name: rule for declared in families().values() for rule in declared}


def _declared(modules: tuple[ModuleType, ...]) -> Iterator[Rule]:
    for module in modules:
        yield from (value for value in vars(module).values() if isinstance(value, Rule))
