"""`bpmdesk doctor`: what the desk needs, line by line, and what to do where it is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine import health, migrations
from engine.config import Settings
from services.bootstrap import open_desk
from webui.wording import both

_LOW_DISK = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    well: bool
    detail: str
    advice: str = ""

    def __str__(self) -> str:
        mark = "OK     " if self.well else both("ОШИБКА ", "PROBLEM")
        advice = f"\n          → {self.advice}" if self.advice and not self.well else ""
        return f"{mark} {self.name}: {self.detail}{advice}"


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything; a failing look is a finding, not an end."""
    yield _python()
    for look in (_writing, _disk, _tables, _valkey_and_processes):
        yield from _safely(look, settings)


def _safely(look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from look(settings)
    except Exception as error:
        yield Finding(look.__name__.strip("_"), False, f"{type(error).__name__}: {str(error).splitlines()[0][:200]}")


def _python() -> Finding:
    version = sys.version.split()[0]
    return Finding(
        "Python", sys.version_info >= (3, 11), version, both("нужен 3.11 или новее", "3.11 or newer is needed")
    )


def _writing(settings: Settings) -> Iterator[Finding]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    yield Finding(
        both("каталог данных", "data directory"),
        os.access(settings.data_dir, os.W_OK | os.X_OK),
        str(settings.data_dir.resolve()),
        both("дайте право записи или задайте BPMDESK_DATA_DIR", "grant write access or set BPMDESK_DATA_DIR"),
    )


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.data_dir).free
    yield Finding(
        both("место на диске", "disk"),
        free > _LOW_DISK,
        f"{free // 1024**2} MiB",
        both("освободите место: без него письма и обращения не сохранятся", "free some space: nothing can be stored"),
    )


def _tables(settings: Settings) -> Iterator[Finding]:
    desk = open_desk(settings)
    yield Finding(
        both("база данных", "database"),
        migrations.is_current(desk.database),
        desk.database.engine.url.render_as_string(hide_password=True),
        both("выполните bpmdesk migrate", "run bpmdesk migrate"),
    )
    desk.database.dispose()


def _valkey_and_processes(settings: Settings) -> Iterator[Finding]:
    desk = open_desk(settings)
    seen = health.snapshot(desk.database, settings)
    start = both("запустите bpmdesk up", "run bpmdesk up")
    yield Finding("Redis", not seen.redis, seen.redis or settings.redis, start)
    running = ", ".join(pulse.name for pulse in seen.pulses if pulse.alive) or both("нет", "none")
    yield Finding(both("процессы", "processes"), seen.ticker_alive and seen.workers_alive > 0, running, start)
    last = max((pulse.at for pulse in seen.pulses if pulse.name.startswith("ticker")), default=None)
    said = last.isoformat(timespec="seconds") if last else both("никогда", "never")
    yield Finding(both("последний знак от планировщика", "last sign of the ticker"), seen.ticker_alive, said, start)
    late = {name: delay for name, delay in seen.late.items() if delay.total_seconds() > 60}
    detail = ", ".join(f"{name} {delay}" for name, delay in late.items()) or both("нет", "none")
    yield Finding(both("опоздавшая работа", "late work"), not late, detail, start)
    desk.database.dispose()
