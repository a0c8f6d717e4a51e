"""A desk started the way a person starts it, with a clock that can be moved and a browser that looks at it."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from threading import Event

from sqlalchemy.orm import Session

from engine.db import Database

PASSWORD = "demo-bpmdesk-2026"
START_LIMIT_SEC = 90
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningDesk:
    """`bpmdesk up` in a data directory of its own."""

    home: Path
    starts_at: datetime
    port: int = field(default_factory=free_port)
    mail_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home / "up.log"

    @property
    def database(self) -> Database:
        return Database(f"sqlite:///{self.home / 'data' / 'bpmdesk.db'}")

    def start(self) -> None:
        """Start all processes and wait until the desk answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.move_clock_to(self.starts_at)
        environment = os.environ | {
            "BPMDESK_DATA_DIR": str(self.home / "data"),
            "BPMDESK_PORT": str(self.port),
            "BPMDESK_MAIL_PORT": str(self.mail_port),
            "BPMDESK_CLOCK_FILE": str(self.home / "clock"),
            "BPMDESK_DATABASE_URL": "",
        }
        command = [str(Path(sys.executable).parent / "bpmdesk"), "up"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.wait_until(self._answers, START_LIMIT_SEC, "the desk to answer")

    def stop(self) -> None:
        """Ctrl-C, as a person would."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)

    def now(self) -> datetime:
        offset = float((self.home / "clock").read_text())
        return datetime.now(UTC) + timedelta(seconds=offset)

    def move_clock_to(self, instant: datetime) -> None:
        """Set the clock of all processes of this desk; it goes on running from there."""
        offset = (instant - datetime.now(UTC)).total_seconds()
        scratch = self.home / "clock.new"
        scratch.write_text(f"{offset:.3f}")
        scratch.replace(self.home / "clock")

    def advance(self, **by: float) -> None:
        """Move the clock on by a timedelta's words: hours=2, minutes=5 …"""
        self.move_clock_to(self.now() + timedelta(**by))

    def send_mail(self, sender: str, recipient: str, subject: str, text: str, **headers: str) -> None:
        """A real mail over SMTP to the built-in mailbox."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, recipient, subject
        mail["Message-ID"] = f"<{os.urandom(8).hex()}@example.org>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.mail_port, timeout=10) as smtp:
            smtp.send_message(mail)

    def ask(self, question: object, seconds: float = 30, what: str = "") -> object:
        """Wait until `question(session)` gives a true answer, and return it."""
        database = self.database
        answers: list[object] = []

        def answered() -> bool:
            answers.append(_asked(database, question))
            return bool(answers[-1])

        try:
            self.wait_until(answered, seconds, what or "an answer from the database")
        finally:
            database.dispose()
        return answers[-1]

    def read(self, question: object) -> object:
        """The answer of `question(session)` right now."""
        database = self.database
        try:
            return _asked(database, question)
        finally:
            database.dispose()

    def wait_until(self, condition: object, seconds: float, what: str) -> None:
        """Poll `condition` until it holds; fails with the desk's own log when it does not."""
        deadline = datetime.now(UTC) + timedelta(seconds=seconds)
        pause = Event()
        while not _call(condition):
            if self.process and self.process.poll() is not None:
                raise AssertionError(f"The desk ended while waiting for {what}:\n{self.tail()}")
            if datetime.now(UTC) > deadline:
                raise AssertionError(f"Waited {seconds} s for {what}:\n{self.tail()}")
            pause.wait(0.1)

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:  # noqa: S310 - our own address
                json.load(answer)
                return True
        except (urllib.error.URLError, OSError, ValueError):
            return False


def _asked(database: Database, question: object) -> object:
    with database.reading() as session:
        answer = _call(question, session)
        session.expunge_all()
        return answer


def _call(function: object, *arguments: Session) -> object:
    assert callable(function)
    return function(*arguments)
