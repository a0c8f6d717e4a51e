"""A changed version over a thousand closed tickets, as the command does it: by as many processes as there are cores."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import orjson

from benchmarks.figures import Figure, table
from benchmarks.workplace import workplace
from engine import migrations
from tests.desk import Desk
from webui import builtin

TICKETS = int(os.environ.get("BENCH_TICKETS", "1000"))
LIFECYCLE = "ticket_lifecycle.bpmn"


def figures() -> Iterator[Figure]:
    """The row of this file."""
    with workplace() as desk:
        close_many(desk, TICKETS)
        with tempfile.TemporaryDirectory() as folder:
            changed = Path(folder) / LIFECYCLE
            content = builtin.files()[LIFECYCLE]
            changed.write_bytes(content.replace(b'code="in_progress"', b'code="accepted"'))
            began = time.monotonic()
            sums = replayed(desk, changed)
            seconds = time.monotonic() - began
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sums["verdicts"].items())
    yield Figure(f"replay of {TICKETS} closed tickets", "s", 60 * TICKETS / 1000, (seconds,), verdicts)


def close_many(desk: Desk, count: int) -> None:
    """Tickets of several kinds, all at the end of their lives: straight, paused, late, with a client who answers."""
    for number in range(1, count + 1):
        _live(desk, number)
    desk.advance("30d")


def _live(desk: Desk, number: int) -> None:
    desk.clock.set(desk.clock.at + timedelta(seconds=20))
    ticket = desk.client_writes(f"Не печатает касса {number}", client=f"Клиент {number}")
    desk.operator("Алина").presses("Классифицировать", ticket, type="Инцидент", service="Онлайн-касса")
    person = desk.responsible(ticket)
    person.presses("Приступить к выполнению", ticket)
    if number % 4 == 0:
        until = (desk.clock.at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
        person.presses("Приостановить", ticket, reason="Ждём данные от клиента", resume_at=until)
        desk.client_writes("Серийный номер 17", client=f"Клиент {number}")
    if number % 10:
        person.presses("Выполнено", ticket, result="Заменили ленту")
    else:
        desk.advance("10h")
        person.presses("Выполнено", ticket, result="Заменили кассу")


def replayed(desk: Desk, file: Path) -> dict[str, dict[str, int]]:
    """What `bpmdesk replay FILE --last N` says of this desk."""
    settings = {"BPMDESK_DATA_DIR": str(desk.settings.data_dir), "BPMDESK_SECRET_KEY": desk.settings.secret}
    asked = [sys.executable, "-m", "webui.cli", "replay", str(file), "--last", str(TICKETS), "--format", "json"]
    migrations.stamp(desk.database)
    ran = subprocess.run(asked, env={**os.environ, **settings}, capture_output=True, check=False)
    if not ran.stdout:
        raise RuntimeError(ran.stderr.decode())
    sums: dict[str, dict[str, int]] = orjson.loads(ran.stdout)["sums"]
    return sums


if __name__ == "__main__":
    print(table(figures()))
