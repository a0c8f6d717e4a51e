"""How late timers fire on a running desk: ticker, queue and worker as `bpmdesk up` starts them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.figures import Figure, table
from benchmarks.timers import PROCESS
from engine import history, repository, runtime
from engine.config import Settings
from engine.models import Job
from tests.e2e.running_desk import RunningDesk

TIMERS = 300
SPREAD_MS = 50
LEAD_SEC = 4


def figures() -> Iterator[Figure]:
    """The rows of this file."""
    with tempfile.TemporaryDirectory() as folder:
        desk = RunningDesk(Path(folder) / "desk", datetime.now(UTC))
        desk.start()
        try:
            _arm(desk)
            desk.ask(_all_fired, seconds=60, what="all timers to fire")
            late = desk.read(_lateness)
        finally:
            desk.stop()
    assert isinstance(late, tuple)
    did = f"{len(late)} timers, one each {SPREAD_MS} ms; worst {max(late):.2f} s"
    yield Figure("lateness of a timer on a running desk (p95 counts)", "s", 2, late, did)


def _arm(desk: RunningDesk) -> None:
    database = desk.database
    settings = Settings(data_dir=desk.home / "data")
    history.install_key(settings.secret.encode())
    timed = PROCESS.replace(b"<bpmn:timeDuration>PT1H</bpmn:timeDuration>", b"<bpmn:timeDate>=at</bpmn:timeDate>")
    with database.transaction() as session:
        repository.deploy(session, {"patience.bpmn": timed}, author="benchmark", activate=True)
        begin = datetime.now(UTC) + timedelta(seconds=LEAD_SEC)
        for place in range(TIMERS):
            at = begin + timedelta(milliseconds=place * SPREAD_MS)
            runtime.start_process(session, "patience", variables={"at": at.isoformat()})
    database.dispose()


def _all_fired(session: Session) -> bool:
    count = select(func.count()).select_from(Job).where(Job.process_key == "patience", Job.state == "done")
    return bool(session.scalar(count) == TIMERS)


def _lateness(session: Session) -> tuple[float, ...]:
    wanted = select(Job.due_at, Job.ended_at).where(Job.process_key == "patience")
    return tuple((ended - due).total_seconds() for due, ended in session.execute(wanted))


if __name__ == "__main__":
    print(table(figures()))
