"""One parent for all processes of a desk: starts them, restarts what dies, and leaves no orphan behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

DEATHS_A_MINUTE = 5
"""A process that dies more often than this takes the desk down: something is wrong that a restart does not mend."""
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.1
_FIRST_PAUSE = 0.2
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    needed_at_start: bool = False
    """Its death before the desk is ready ends the start."""
    last: bool = False
    """It is stopped after all the others."""


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
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

    def _mourn(self, child: _Child, process: subprocess.Popen[bytes], now: float) -> bool:
        _signal_group(process, signal.SIGKILL)
        child.process = None
        child.deaths = [at for at in child.deaths if now - at < 60] + [now]
        if len(child.deaths) > DEATHS_A_MINUTE or (child.program.needed_at_start and not self._ready):
            return False
        child.start_at = now + _FIRST_PAUSE * 2 ** (len(child.deaths) - 1)
        self._say(f"{child.program.name}: ended ({_cause(process.returncode)}), starts again")
        return True

    def _spawn(self, child: _Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - our own command lines
            child.program.command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(_die_with, os.getpid()) if sys.platform == "linux" else None,
        )

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


def _die_with(parent: int) -> None:
    """Runs in the child before its program: ask the kernel for SIGTERM when the supervisor is gone, however it went."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        _signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(process.poll() is None for process in processes):
        time.sleep(0.02)
    for process in processes:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """The child leads a group of its own, so its children are reached too – even when it is dead already."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _cause(code: int) -> str:
    if code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
