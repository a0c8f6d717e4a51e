"""Running one scenario on a throw-away desk: step by step, until it is told or cannot go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock, iso8601
from engine.models import ElementLog, ProcessDefinition
from services import rehearsal
from services.lines.models import Message
from services.notifications.models import Notification
from services.rehearsal import Template
from services.scenarios import words
from services.scenarios.acting import Cast
from services.scenarios.coverage import Visits, visits
from services.scenarios.expectations import Mark, Now, compare
from services.scenarios.language import Expect, Scenario, Step
from services.scenarios.reasons import TooLong, why
from services.scenarios.said import Said

CPU_SECONDS = 5.0
"""Of computing for one scenario: fifty times what an honest one takes."""


@dataclass(frozen=True, slots=True)
class Told:
    """One step of the story and when it was on the clock of the scenario."""

    said: Said
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that was not as expected."""

    step: int | None
    """From one; None = at the end, or before the first step."""
    said: Said


@dataclass
class Result:
    """What became of a scenario."""

    name: str
    process: str
    file: str
    told: list[Told] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    visits: dict[str, Visits] = field(default_factory=dict)
    """By process key."""
    cpu_sec: float = 0.0
    was_run: bool = True
    """False when there was no time left for it."""

    @property
    def passed(self) -> bool:
        return not self.differences


def run(scenario: Scenario, template: Template, *, file: str = "", seconds: float = CPU_SECONDS) -> Result:
    """Tell the scenario on a desk of its own; everything that is wrong is in the result, nothing is raised."""
    result = Result(scenario.scenario, scenario.process, file)
    began = time.thread_time()
    with rehearsal.opened(begin=iso8601.parse_instant(scenario.given.clock), reference=template) as desk:
        _Play(desk, scenario, result, began + seconds).go()
        result.visits = _visits(desk)
    result.cpu_sec = time.thread_time() - began
    return result


class _Play:
    """One scenario under way."""

    def __init__(self, desk: rehearsal.Desk, scenario: Scenario, result: Result, until: float) -> None:
        self._desk = desk
        self._scenario = scenario
        self._result = result
        self._until = until
        self._cast = Cast(desk, scenario.process, scenario.given, self._checkpoint)
        self._mark = Mark()
        self._names = _names(desk, scenario.process)

    def go(self) -> None:
        """Begin, all steps, the end; stops at the first step that is not possible."""
        if not self._attempt(None, self._cast.begin):
            return
        for number, step in enumerate(self._scenario.steps, 1):
            self._result.told.append(Told(words.told(step, self._names), clock.now()))
            if not self._attempt(number, self._doing(number, step)):
                return
        self._mark = Mark()
        self._attempt(None, lambda: self._expect(None, self._scenario.expect or Expect()))

    def _doing(self, number: int, step: Step) -> Callable[[], None]:
        def act() -> None:
            self._checkpoint()
            if step.expect is not None:
                self._expect(number, step.expect)
            else:
                self._cast.act(step)

        return act

    def _attempt(self, number: int | None, act: Callable[[], None]) -> bool:
        try:
            act()
        except Exception as error:
            self._result.differences.append(Difference(number, why(error)))
            return False
        return True

    def _checkpoint(self) -> None:
        if time.thread_time() > self._until:
            raise TooLong

    def _expect(self, number: int | None, expected: Expect) -> None:
        with self._desk.look() as session:
            now = Now(session, self._cast.instance(session), self._cast.ticket(session), self._mark, self._names)
            found = list(compare(expected, now))
            self._mark = _mark(session)
        self._result.differences.extend(Difference(number, said) for said in found)


def _names(desk: rehearsal.Desk, process: str) -> dict[str, str]:
    """What elements and buttons are called; those of the scenario's own process win."""
    names: dict[str, str] = {}
    with desk.look() as session:
        active = select(ProcessDefinition).where(ProcessDefinition.state == "active")
        for definition in sorted(session.scalars(active), key=lambda each: each.key == process):
            for element, node in definition.index["nodes"].items():
                names |= {action["id"]: action.get("label", action["id"]) for action in node.get("actions", ())}
                if node.get("name"):
                    names[element] = names[f"{definition.key}/{element}"] = node["name"]
    return names


def _mark(session: Session) -> Mark:
    def newest(column: Any) -> int:
        return session.scalar(select(func.max(column))) or 0

    return Mark(newest(ElementLog.id), newest(Notification.id), newest(Message.id))


def _visits(desk: rehearsal.Desk) -> dict[str, Visits]:
    found: dict[str, Visits] = {}
    with desk.look() as session:
        active = select(ProcessDefinition).where(ProcessDefinition.state == "active")
        for definition in session.scalars(active):
            of_process = select(ElementLog).where(ElementLog.process_key == definition.key)
            rows = session.scalars(of_process.order_by(ElementLog.instance_id, ElementLog.id)).all()
            for instance_id in sorted({row.instance_id for row in rows}):
                own = [row for row in rows if row.instance_id == instance_id]
                found.setdefault(definition.key, Visits()).add(visits(own, definition.index))
    return found
