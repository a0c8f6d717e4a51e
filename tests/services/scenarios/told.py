"""Small scenarios for tests: everything defaulted, run on the shipped processes or on a drawing of their own."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from services import rehearsal
from services.rehearsal import Template
from services.scenarios import reading
from services.scenarios.running import Result, run
from webui import builtin

KNOWN = {"topic": "Касса не пробивает чеки", "type": "Инцидент", "service": "Онлайн-касса"}


def scenario(*steps: dict[str, Any], expect: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A scenario of the life of a classified ticket."""
    told = {"scenario": "Проба", "process": "ticket_lifecycle", "given": {"ticket": KNOWN}, "steps": list(steps)}
    return {**told, **({"expect": expect} if expect is not None else {}), **more}


def as_file(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()


@cache
def shipped() -> Template:
    """A desk with the shipped processes."""
    with rehearsal.opened() as desk:
        desk.deploy(builtin.files())
        return desk.template()


def drawn(*files: bytes) -> Template:
    """A desk with these drawings only."""
    with rehearsal.opened() as desk:
        desk.deploy({f"{number}.bpmn": content for number, content in enumerate(files)})
        return desk.template()


def tell(told: dict[str, Any], template: Template | None = None, **more: Any) -> Result:
    """Run it."""
    return run(reading.read(as_file(told), "proba.json"), template or shipped(), file="proba.json", **more)


def differences(result: Result) -> list[tuple[int | None, str]]:
    """What was not as expected, in English, with the numbers of the steps."""
    return [(each.step, each.said.en) for each in result.differences]
