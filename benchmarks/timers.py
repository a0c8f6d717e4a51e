"""Ten thousand timers due at once: claimed and fired in batches, as the ticker and one worker do it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select

from benchmarks.figures import Figure, table
from benchmarks.workplace import workplace
from engine import due, repository, runtime
from engine.models import Job
from tests.desk import Desk

TIMERS = 10_000
BATCH = 25
PROCESS = b"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:benchmark">
  <bpmn:process id="patience" name="Patience" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
    <bpmn:intermediateCatchEvent id="wait" name="Wait">
      <bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing>
      <bpmn:timerEventDefinition id="t"><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>
    </bpmn:intermediateCatchEvent>
    <bpmn:endEvent id="end" name="End"><bpmn:incoming>f2</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="wait"/>
    <bpmn:sequenceFlow id="f2" sourceRef="wait" targetRef="end"/>
  </bpmn:process>
</bpmn:definitions>
"""


def figures() -> Iterator[Figure]:
    """The rows of this file; the budget of timers a second is given as seconds for all of them."""
    with workplace() as desk:
        _arm(desk)
        desk.clock.advance(timedelta(hours=2))
        seconds = _fire(desk)
        did = _did(desk)
    yield Figure(f"{TIMERS} timers due at once, SQLite, one worker", "s", TIMERS / 300, (seconds,), did)


def _arm(desk: Desk) -> None:
    with desk.change() as session:
        repository.deploy(session, {"patience.bpmn": PROCESS}, author="benchmark", activate=True)
    for _ in range(TIMERS // 500):
        with desk.change() as session:
            for _ in range(500):
                runtime.start_process(session, "patience")


def _fire(desk: Desk) -> float:
    source, before = due.sources()["jobs"], time.perf_counter()
    while True:
        with desk.change() as session:
            ids = source.claim(session, "benchmark", BATCH * 8)
        if not ids:
            return time.perf_counter() - before
        for place in range(0, len(ids), BATCH):
            source.execute(desk.database, ids[place : place + BATCH])


def _did(desk: Desk) -> str:
    with desk.look() as session:
        rows = session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
    return "jobs afterwards: " + ", ".join(f"{count} {state}" for state, count in rows)


if __name__ == "__main__":
    print(table(figures()))
