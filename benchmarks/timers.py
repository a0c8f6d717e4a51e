"""Timers: ten thousand due at once, how late one fires while many wait, and what waiting costs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import event, func, select, text

from benchmarks.figures import Figure, table
from benchmarks.workplace import workplace
from engine import due, repository, runtime
from engine.db import Base, Database
from engine.models import Job
from engine.ticker import Ticker
from tests.desk import Desk
from tests.postgres import PostgresServer

TIMERS = 10_000
WAITING = 100_000
LATE = 600
PER_SECOND = 40
BATCH = 25
IDLE_SECONDS = 10
WORKERS = 2
NOWHERE = "redis://127.0.0.1:1/0"
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
TIMED = PROCESS.replace(b"<bpmn:timeDuration>PT1H</bpmn:timeDuration>", b"<bpmn:timeDate>=at</bpmn:timeDate>")


def figures() -> Iterator[Figure]:
    """The rows of this file; the budget of timers a second is given as seconds for all of them."""
    with workplace() as desk:
        arm(desk.database, PROCESS, TIMERS)
        desk.clock.advance(timedelta(hours=2))
        seconds, computing = fire(desk)
        did = _did(desk.database)
    yield Figure(f"{TIMERS} timers due at once, SQLite, one worker", "s", TIMERS / 300, (seconds,), did)
    yield Figure("processor time of that", "s CPU", TIMERS / 300, (computing,), did)
    with _postgres() as database:
        arm(database, TIMED, TIMERS, datetime.now(UTC))
        seconds = _fire_by_workers(database)
        did = _did(database)
    yield Figure(f"{TIMERS} timers due at once, PostgreSQL, {WORKERS} workers", "s", TIMERS / 400, (seconds,), did)
    with _postgres() as database:
        yield from _steady(database)


def arm(database: Database, process: bytes, count: int, at: datetime | None = None) -> None:
    """So many instances that wait for a timer; `at` for the process that asks for it."""
    with database.transaction() as session:
        for definition in repository.store(session, {"patience.bpmn": process}, author="benchmark").definitions:
            repository.activate(session, definition, by="benchmark")
    for _ in range(count // 500):
        with database.transaction() as session:
            for _ in range(500):
                runtime.start_process(session, "patience", variables={"at": at.isoformat()} if at else {})


def fire(desk: Desk) -> tuple[float, float]:
    """Seconds and processor time until nothing is due any more."""
    before, computed = time.perf_counter(), time.process_time()
    _work(desk.database, "benchmark")
    return time.perf_counter() - before, time.process_time() - computed


def _work(database: Database, owner: str) -> None:
    source = due.sources()["jobs"]
    while True:
        with database.transaction() as session:
            ids = source.claim(session, owner, BATCH * 8)
        if not ids:
            return
        for place in range(0, len(ids), BATCH):
            source.execute(database, ids[place : place + BATCH])


def _fire_by_workers(database: Database) -> float:
    """Seconds that so many processes need for all that is due."""
    before = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.timers", database.url]
    root = Path(__file__).parents[1]
    workers = [subprocess.Popen(command, cwd=root, env={**os.environ, "TZ": "UTC"}) for _ in range(WORKERS)]
    if any([worker.wait() for worker in workers]):
        raise RuntimeError("Expected every worker to finish, but one failed")
    return time.perf_counter() - before


def _steady(database: Database) -> Iterator[Figure]:
    """How late timers fire while a hundred thousand wait, and what the ticker asks when nothing is due."""
    arm(database, TIMED, 500, datetime.now(UTC) + timedelta(days=30))
    _multiply(database, WAITING // 500)
    ticker, stop = Ticker(database, NOWHERE, "benchmark"), threading.Event()
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    thread = threading.Thread(target=ticker.run, args=(stop,))
    thread.start()
    try:
        time.sleep(3)
        asked.clear()
        time.sleep(IDLE_SECONDS)
        idle = len([each for each in asked if "heartbeat" not in each and "current_snapshot" not in each])
        late = _lateness(database)
    finally:
        stop.set()
        thread.join()
    did = f"{len(late)} timers, {PER_SECOND}/s, among {WAITING} that wait; worst {max(late):.2f} s"
    yield Figure("lateness in steady load, PostgreSQL (p95 counts)", "s", 2, tuple(late), did)
    did = f"{idle} statements in {IDLE_SECONDS} s with {WAITING} timers waiting, besides the look at the change mark"
    yield Figure("idle cost of the ticker", "SQL/s", 1, (idle / IDLE_SECONDS,), did)


def _multiply(database: Database, times: int) -> None:
    """The jobs that wait, so many times: the ticker looks at nothing else."""
    names = [column.name for column in Base.metadata.tables["job"].columns if column.name != "id"]
    columns = ", ".join(names)
    copied = ", ".join("md5(task_id || series)" if name == "task_id" else name for name in names)
    with database.engine.begin() as connection:
        statement = f"INSERT INTO job ({columns}) SELECT {copied} FROM job, generate_series(2, {times}) AS series"  # noqa: S608
        connection.execute(text(statement))
        connection.execute(text("ANALYZE job"))


def _lateness(database: Database) -> list[float]:
    first = datetime.now(UTC) + timedelta(seconds=4)
    with database.transaction() as session:
        for number in range(LATE):
            at = first + timedelta(seconds=number / PER_SECOND)
            runtime.start_process(session, "patience", business_key="late", variables={"at": at.isoformat()})
    deadline = time.monotonic() + LATE / PER_SECOND + 60
    wanted = select(Job.due_at, Job.ended_at).where(Job.state == "done")
    while time.monotonic() < deadline:
        time.sleep(1)
        with database.reading() as session:
            done = session.execute(wanted).all()
        if len(done) == LATE:
            return [(ended - at).total_seconds() for at, ended in done]
    raise RuntimeError("Expected all timers to fire, but some did not")


@contextmanager
def _postgres() -> Iterator[Database]:
    server = PostgresServer()
    try:
        database = Database(server.start().url)
        Base.metadata.create_all(database.engine)
        yield database
        database.dispose()
    finally:
        server.stop()


def _did(database: Database) -> str:
    with database.reading() as session:
        rows = session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
    return "jobs afterwards: " + ", ".join(f"{count} {state}" for state, count in rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _work(Database(sys.argv[1]), f"worker-{os.getpid()}")
    else:
        print(table(figures()))
