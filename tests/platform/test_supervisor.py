"""The supervisor keeps its programs running and takes every process with it when it ends, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.platform.waiting import until

SLEEP = ["sleep", "300.125"]
PARENT = """
import sys
from webui.supervisor import Program, Supervisor

sleeper = [sys.executable, "-c", "import subprocess, sys; subprocess.run(['sleep', '300.125'])"]
programs = [Program("one", sleeper), Program("two", ["sleep", "300.125"], last=True)]
if "failing" in sys.argv:
    programs.append(Program("three", ["false"], needed_at_start="early" in sys.argv))
supervisor = Supervisor(programs, {"PATH": "/usr/bin:/bin"}, say=lambda text: print(text, flush=True))
supervisor.start()
sys.exit(supervisor.watch(lambda: "early" not in sys.argv, lambda: print("ready", flush=True)))
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    before = {process.pid for process in psutil.process_iter()}

    def run(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PARENT, *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    for left in psutil.process_iter(["cmdline"]):
        if left.pid not in before and left.info["cmdline"] == SLEEP:
            left.kill()


def _family(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_without_orphans(start: Callable[..., subprocess.Popen[str]], number: signal.Signals) -> None:
    parent = start()
    until(lambda: len(_family(parent.pid)) == 3)
    family = _family(parent.pid)

    os.kill(parent.pid, number)

    assert parent.wait(timeout=15) == 0
    assert _gone(family)


def test_a_killed_supervisor_takes_its_children_along(start: Callable[..., subprocess.Popen[str]]) -> None:
    parent = start()
    until(lambda: len(_family(parent.pid)) == 3)
    children = psutil.Process(parent.pid).children()

    parent.kill()
    parent.wait()

    until(lambda: _gone(children))


def test_a_killed_child_is_started_again(start: Callable[..., subprocess.Popen[str]]) -> None:
    parent = start()
    until(lambda: len(_family(parent.pid)) == 3)
    before = {child.pid for child in psutil.Process(parent.pid).children()}

    for child in psutil.Process(parent.pid).children():
        child.kill()

    until(lambda: len(now := {c.pid for c in psutil.Process(parent.pid).children()}) == 2 and not now & before)


def test_a_child_that_cannot_live_takes_the_desk_down(start: Callable[..., subprocess.Popen[str]]) -> None:
    parent = start("failing")
    until(lambda: len(_family(parent.pid)) >= 3)
    family = _family(parent.pid)

    output, _ = parent.communicate(timeout=30)

    assert parent.returncode == 1
    assert "three: gives up" in output
    assert _gone(family)


def test_a_failed_start_ends_at_once(start: Callable[..., subprocess.Popen[str]]) -> None:
    parent = start("failing", "early")

    output, _ = parent.communicate(timeout=5)

    assert parent.returncode == 1
    assert "ready" not in output
