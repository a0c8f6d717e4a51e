"""Kill -9 of the worker and of Valkey while two hundred timers wait: each fires exactly once, and soon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from engine import clock, repository, runtime, verify
from engine.config import Settings
from engine.db import Database
from engine.models import ElementLog, History, Job, ProcessInstance
from services.bootstrap import Desk, open_desk
from tests.platform.waiting import until

TIMERS = 200
WAIT = timedelta(seconds=4)
PROCESS = b"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="urn:test" id="survival_file">
  <bpmn:process id="survival" name="Survival" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="wait"/>
    <bpmn:intermediateCatchEvent id="wait" name="Wait">
      <bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing>
      <bpmn:timerEventDefinition id="t1"><bpmn:timeDuration xsi:type="bpmn:tFormalExpression">PT4S</bpmn:timeDuration>
      </bpmn:timerEventDefinition>
    </bpmn:intermediateCatchEvent>
    <bpmn:sequenceFlow id="f2" sourceRef="wait" targetRef="end"/>
    <bpmn:endEvent id="end"><bpmn:incoming>f2</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>
"""
PARENT = """
import sys
from functools import partial
from engine import valkey
from engine.config import Settings
from webui import processes
from webui.supervisor import Program, Supervisor

settings = Settings()
supervisor = Supervisor([
    Program("valkey", valkey.command(settings), last=True),
    Program("worker-1", partial(processes.worker, settings, "worker-1")),
    Program("ticker", partial(processes.ticker, settings)),
], {"PATH": "/usr/bin:/bin"})
supervisor.start()
sys.exit(supervisor.watch(lambda: True, lambda: None))
"""


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    desk = open_desk(settings.model_copy(update={"secret_key": "survival"}))
    with desk.database.transaction() as session:
        repository.deploy(session, {"survival.bpmn": PROCESS}, author="test", activate=True, override_reason="a test")
    yield desk
    desk.database.dispose()


@pytest.fixture
def family(desk: Desk) -> Iterator[psutil.Process]:
    """Valkey, one worker and the ticker under the product's own supervisor."""
    environment = {
        **os.environ,
        "BPMDESK_DATA_DIR": str(desk.settings.data_dir),
        "BPMDESK_DATABASE_URL": desk.settings.database_url,
        "BPMDESK_SECRET_KEY": desk.settings.secret_key,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    parent = subprocess.Popen([sys.executable, "-c", PARENT], env=environment)
    yield psutil.Process(parent.pid)
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(timeout=20) == 0


def children(family: psutil.Process, name: str) -> list[psutil.Process]:
    return [
        process
        for process in family.children()
        if process.status() != psutil.STATUS_ZOMBIE and process.name().startswith(name)
    ]


def is_alive(family: psutil.Process, name: str) -> bool:
    return bool(children(family, name))


def kill(family: psutil.Process, name: str) -> None:
    for process in children(family, name):
        process.kill()
        process.wait(timeout=5)


def has_fired(database: Database, count: int) -> bool:
    with database.reading() as session:
        return (session.scalar(select(func.count()).where(Job.state == "done")) or 0) >= count


def test_each_timer_fires_exactly_once(desk: Desk, family: psutil.Process) -> None:
    until(lambda: is_alive(family, "bpmdesk-worker") and is_alive(family, "valkey"))
    for first in range(0, TIMERS, 20):
        with desk.database.transaction() as session:
            for number in range(first, first + 20):
                runtime.start_process(session, "survival", business_key=f"survival:{number}", actor="system")
    due_at = clock.now() + WAIT

    for name, after in (("bpmdesk-worker", 1), ("valkey", 50), ("bpmdesk-worker", 100)):
        until(partial(has_fired, desk.database, after), seconds=60)
        until(partial(is_alive, family, name))
        kill(family, name)
    until(partial(has_fired, desk.database, TIMERS), seconds=60)

    with desk.database.reading() as session:
        passed = select(ElementLog.instance_id).where(ElementLog.element_id == "wait", ElementLog.event == "completed")
        states = Counter(session.scalars(select(ProcessInstance.state)))
        moves = Counter(session.scalars(select(History.instance_id).where(History.move == "timer")))
        logged = Counter(session.scalars(passed))
        last = session.scalar(select(func.max(Job.ended_at)))
        early = session.scalar(select(func.count()).where(Job.ended_at < Job.due_at))
        assert verify.verify(session) == []
    assert states == {"completed": TIMERS}
    assert set(moves.values()) == {1}
    assert set(logged.values()) == {1}
    assert early == 0
    assert last is not None
    assert last - due_at < timedelta(seconds=20)
