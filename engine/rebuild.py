"""The state of an instance made again from its history: every move repeated on the versions that it ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository
from engine.bpmn import surgery
from engine.bpmn.budget import Budget
from engine.bpmn.likeness import difference, likeness
from engine.bpmn.machine import Machine
from engine.bpmn.program import Program
from engine.bpmn.script_engine import Environment, ScriptEngine
from engine.bpmn.tape import Tape
from engine.bpmn.transplant import Transplant, settle
from engine.errors import EngineError
from engine.models import History, ProcessInstance
from engine.places import keys_at


class NotRebuildable(EngineError):
    """Expected a history with all answers, but this one was begun by an older release."""


class Diverged(EngineError):
    """Expected the history to lead to the same state again, but a step went another way."""


@dataclass
class Replay:
    """An instance on its way through its history."""

    session: Session
    program: Program | None = None
    data: bytes | None = None
    """The state after the last step; None before the first and after the end."""
    before: bytes | None = None
    """The state before the last migration."""
    ended: bool = False


Repetition = Callable[[Machine, History, list[str]], object]
"""Machine, row of the history, keys of the tasks that the move addressed."""


def _begin(machine: Machine, row: History, _keys: list[str]) -> None:
    machine.begin(row.data["variables"], row.element_id)


def _complete(machine: Machine, row: History, keys: list[str]) -> None:
    machine.complete(keys[0], {**row.data["variables"], "action": row.data["action"]})


def _press(machine: Machine, row: History, keys: list[str]) -> None:
    machine.fire(keys[0], {**row.data["variables"], "action": row.data["action"]})


def _catch(machine: Machine, row: History, keys: list[str]) -> None:
    machine.fire_all(keys, row.data["variables"])


def _fire(machine: Machine, _row: History, keys: list[str]) -> None:
    machine.fire(keys[0])


def _execute(machine: Machine, _row: History, keys: list[str]) -> None:
    machine.execute(keys[0])


def _resume(machine: Machine, row: History, keys: list[str]) -> None:
    for key, at in zip(keys, row.data["due"], strict=True):
        surgery.set_due(machine, key, _instant(at))


def _set_variable(machine: Machine, row: History, keys: list[str]) -> None:
    surgery.set_variable(machine, row.data["variable"], row.data["after"], keys[0] if keys else None)


_instant = datetime.fromisoformat

REPETITIONS: dict[str, Repetition] = {
    "start": _begin,
    "complete": _complete,
    "trigger": _press,
    "message": _catch,
    "signal": _catch,
    "timer": _fire,
    "async": _execute,
    "rearm": lambda machine, row, keys: None,
    "reconsider": lambda machine, row, keys: None,
    "suspend": lambda machine, row, keys: None,
    "resume": _resume,
    "move-token": lambda machine, row, keys: surgery.move(machine, keys[0], row.data["to"]),
    "repeat": lambda machine, row, keys: surgery.repeat(machine, keys[0]),
    "skip": lambda machine, row, keys: surgery.skip(machine, keys[0]),
    "set-variable": _set_variable,
    "set-due": lambda machine, row, keys: surgery.set_due(machine, keys[0], _instant(row.data["after"])),
    "migrate-undo": lambda machine, row, keys: None,
}
"""How each move of the stepper is made again."""


def rebuild(session: Session, instance: ProcessInstance) -> bytes | None:
    """The state that the history leads to; None when it leads to the end. Raises NotRebuildable or Diverged."""
    replay = Replay(session)
    for row in session.scalars(select(History).where(History.instance_id == instance.id).order_by(History.n)):
        _check(row, replay)
        try:
            _repeat(replay, row)
        except (NotRebuildable, Diverged):
            raise
        except Exception as error:
            raise Diverged(
                f"Step {row.n} ({row.move}) cannot be made again: {type(error).__name__}: {error}"
            ) from error
    return replay.data


def compare(session: Session, instance: ProcessInstance) -> str:
    """How the stored state differs from the one that the history leads to; empty when it does not."""
    rebuilt = rebuild(session, instance)
    if rebuilt is None or instance.data is None:
        return "" if rebuilt is instance.data else _only_one_ended(rebuilt)
    program = repository.program_of(session, instance)
    one, other = (
        likeness(_machine(program, data, Environment(instance.started_at, dict, _silent)))
        for data in (rebuilt, instance.data)
    )
    return difference(other, one)


def _check(row: History, replay: Replay) -> None:
    if "left_out" in row.data:
        raise NotRebuildable(f"Step {row.n} left out {row.data['left_out']} bytes of answers: they were too long")
    if row.n == 1 and "versions" not in row.data:
        raise NotRebuildable
    if replay.ended:
        raise Diverged(f"Step {row.n} follows the end of the process")


def _repeat(replay: Replay, row: History) -> None:
    match row.move:
        case "cancel":
            replay.data, replay.ended = None, True
        case "migrate":
            _migrate(replay, row)
        case "migrate-undo":
            replay.data = replay.before
            _step(replay, row)
        case _:
            _step(replay, row)


def _migrate(replay: Replay, row: History) -> None:
    """Carry the state over as it was done then; the step itself changes nothing more."""
    old, replay.before = replay.program, replay.data
    if old is None or replay.data is None:
        raise Diverged(f"Step {row.n} migrates what has not begun")
    plan = Transplant(old, _program(replay, row), row.data["process"], row.data["mapping"])
    crossing = plan.examine(replay.data, ScriptEngine(Environment(row.at, dict, _silent)))
    if crossing.obstacles:
        raise Diverged(f"Step {row.n} cannot be migrated: {crossing.obstacles[0].en}")
    replay.data = crossing.data
    _step(replay, row, lambda machine: settle(machine, crossing.renewed))


def _step(replay: Replay, row: History, move: Callable[[Machine], None] | None = None) -> None:
    program = replay.program = _program(replay, row)
    tape = Tape(row.data.get("tape", ()))
    machine = _machine(program, replay.data, Environment(row.at, dict, _silent, tape))
    machine.is_watching = "unwatched" not in row.data
    if move is not None:
        move(machine)
    elif (again := REPETITIONS.get(row.move)) is not None:
        again(machine, row, keys_at(machine, row.data.get("places", ())))
    else:
        raise NotRebuildable(f"Step {row.n} is a {row.move}, which cannot be made again")
    machine.run()
    if row.data.get("rearmed") or row.move == "rearm":
        machine.rearm()
    if tape.unplayed:
        raise Diverged(f"Step {row.n} ({row.move}) asked for fewer answers than it was given: {tape.unplayed} are left")
    replay.ended = machine.completed
    replay.data = None if replay.ended else machine.encoded()


def _program(replay: Replay, row: History) -> Program:
    """The versions that the step ran: those of the step before, unless it says others."""
    if "versions" in row.data or replay.program is None:
        return repository.program(replay.session, *row.data["versions"])
    return replay.program


def _machine(program: Program, data: bytes | None, environment: Environment) -> Machine:
    machine = Machine(program, environment, data, lambda _: None)
    machine.budget = Budget(inf)
    return machine


def _silent(*_: Any) -> None:
    """A connector whose answer is not on the tape gave none."""


def _only_one_ended(rebuilt: bytes | None) -> str:
    return "the history leads to the end" if rebuilt is None else "the history does not lead to the end"
