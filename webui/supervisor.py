"""One parent for all processes of a desk: starts them, restarts what dies, and leaves no orphan behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from webui import children
from webui.children import Process

DEATHS_A_MINUTE = 5
"""A process that dies more often than this takes the desk down: something is wrong that a restart does not mend."""
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.1
_FIRST_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep running."""

    name: str
    run: Sequence[str] | Callable[[], object]
    """A command line, or a function to run in a fork."""
    needed_at_start: bool = False
    """Its death before the desk is ready ends the start."""
    last: bool = False
    """It is stopped after all the others."""


@dataclass
class _Child:
    program: Program
    process: Process | None = None
    deaths: list[float] = field(default_factory=list)
    start_at: float = 0.0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps the programs running until a signal, or until one of them cannot be kept running."""

    def __init__(
        self, programs: Sequence[Program], environment: Mapping[str, str], say: Callable[[str], None] = print
    ) -> None:
        self._children = [_Child(program) for program in programs]
        self._environment = dict(environment)
        self._say = say
        self._stopping = False
        self._ready = False

    def start(self) -> None:
        """Start every program; from now on SIGINT and SIGTERM ask for the end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        for child in self._children:
            self._spawn(child)

    def watch(self, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        """Watch the children until the end; returns the exit code of the desk."""
        try:
            while not self._stopping:
                if not self._ready and is_ready():
                    self._ready = True
                    on_ready()
                failed = next((child for child in self._children if not self._keep(child)), None)
                if failed:
                    self._say(f"{failed.program.name}: gives up, the desk stops")
                    return 1
                time.sleep(_POLL_SECONDS)
            return 0
        finally:
            self.stop()

    def stop(self) -> None:
        """End every child and its children: asked first, killed after a while."""
        for last in (False, True):
            _end([child.process for child in self._children if child.process and child.program.last is last])

    def pids(self) -> dict[str, int]:
        """The running processes by name."""
        return {child.program.name: child.process.pid for child in self._children if child.process and child.alive}

    def _keep(self, child: _Child) -> bool:
        """Restart the child if it is dead and its pause is over; False when it is beyond help."""
        if child.alive:
            return True
        now = time.monotonic()
        if child.process is not None:
            return self._mourn(child, child.process, now)
        if now >= child.start_at:
            self._spawn(child)
        return True

    def _mourn(self, child: _Child, process: Process, now: float) -> bool:
        _signal_group(process, signal.SIGKILL)
        child.process = None
        child.deaths = [at for at in child.deaths if now - at < 60] + [now]
        if len(child.deaths) > DEATHS_A_MINUTE or (child.program.needed_at_start and not self._ready):
            return False
        child.start_at = now + _FIRST_PAUSE * 2 ** (len(child.deaths) - 1)
        self._say(f"{child.program.name}: ended ({_cause(process.returncode or 0)}), starts again")
        return True

    def _spawn(self, child: _Child) -> None:
        run = child.program.run
        child.process = (
            children.fork(child.program.name, run) if callable(run) else children.execute(run, self._environment)
        )

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


def _end(processes: Sequence[Process]) -> None:
    for process in processes:
        _signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(process.poll() is None for process in processes):
        time.sleep(0.02)
    for process in processes:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: Process, number: int) -> None:
    """The child leads a group of its own, so its children are reached too – even when it is dead already."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _cause(code: int) -> str:
    if code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
