"""Child processes of the supervisor: a command that is executed, or a function that runs in a fork."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from click import ClickException

_PR_SET_NAME = 15
_PR_SET_PDEATHSIG = 1
_ON_LINUX = sys.platform == "linux"


class Process(Protocol):
    """What the supervisor needs of a child."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...


def execute(command: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Start a program in a session of its own that ends with this process."""
    return subprocess.Popen(  # noqa: S603 - our own command lines
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=partial(_die_with, os.getpid()) if _ON_LINUX else None,
    )


def fork(name: str, run: Callable[[], object]) -> Process:
    """Run a function in a copy of this process: what was imported before is there at once and takes memory once.

    This process must have no thread and no open connection to the database.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    gc.freeze()
    pid = os.fork()
    if pid:
        return _Fork(pid)
    _become(name, parent)
    os._exit(_run(run))


class _Fork:
    """A forked child, with the part of Popen's manners that the supervisor uses."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._reap(os.WNOHANG)

    def wait(self) -> int:
        return self._reap(0) or 0

    def _reap(self, options: int) -> int | None:
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:
                pid, status = self.pid, 0
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _become(name: str, parent: int) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if _ON_LINUX:
        _die_with(parent)
        ctypes.CDLL(None).prctl(_PR_SET_NAME, f"bpmdesk-{name}".encode()[:15])


def _run(run: Callable[[], object]) -> int:
    code: object = 0
    try:
        run()
    except SystemExit as end:
        code = end.code
    except ClickException as error:
        error.show()
        code = error.exit_code
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def _die_with(parent: int) -> None:
    """Runs in the child: ask the kernel for SIGTERM when the supervisor is gone, however it went."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
