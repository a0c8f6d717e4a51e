"""States of the first release, whose tree held what was foreseen and whose joins went by history, go on."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from engine.bpmn.machine import Machine
from engine.bpmn.script_engine import Environment
from tests.engine.walk import BEGIN, program

STATES = json.loads((Path(__file__).parents[1] / "fixtures" / "first_states.json").read_text(encoding="utf-8"))
JOINED = {"people": ["x", "y", "z"], "k_a": 0, "k_b": 1}


def _after(name: str) -> Machine:
    """The instance after the moves of its story, reloaded between them."""
    stored: dict[str, Any] = STATES[name]
    built = program(stored["drawing"].encode())
    machine = Machine(
        built, Environment(BEGIN, dict, lambda *_: None), base64.b64decode(stored["state"]), lambda _: None
    )
    for element in stored["moves"]:
        wait = next(each for each in machine.waits() if each.element_id == element)
        if wait.kind == "user":
            machine.complete(wait.key, {f"k2_{element}": 1})
        else:
            machine.fire(wait.key)
        machine.run()
        if not machine.completed:
            machine = Machine(built, Environment(BEGIN, dict, lambda *_: None), machine.encoded(), lambda _: None)
    return machine


@pytest.mark.parametrize("name", [name for name in STATES if not name.startswith("side")])
def test_instance_goes_on_to_the_next_task(name: str) -> None:
    machine = _after(name)

    assert [wait.element_id for wait in machine.waits()] == ["after"]
    assert machine.stuck() == []


@pytest.mark.parametrize("name", [name for name in STATES if "two of three tokens" in name])
def test_tokens_that_waited_bring_their_variables(name: str) -> None:
    machine = _after(name)

    assert machine.data_of(machine.waits()[0].key) == {**JOINED, "k2_c": 1}


def test_ended_side_branches_do_not_keep_an_instance_open() -> None:
    assert _after("side branches of events").completed
