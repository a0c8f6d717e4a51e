"""`bpmdesk up` starts everything, says where, starts again at once, and ends without a trace."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.platform.waiting import until

ROOT = Path(__file__).parents[2]


class Up:
    """One running `bpmdesk up` and what it printed."""

    def __init__(self, home: Path, **more: str) -> None:
        self._output = home / f"up-{len(list(home.glob('up-*')))}.log"
        environment = {
            "BPMDESK_DATA_DIR": str(home / "desk"),
            "BPMDESK_DATABASE_URL": "",
            "BPMDESK_LANGUAGE": "en",
            "BPMDESK_DEMO": "0",
            "BPMDESK_PORT": "18080",
            "BPMDESK_MAIL_PORT": "12525",
            "PYTHONPATH": str(ROOT),
        }
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webui.cli", "up"],
                env={**os.environ, **environment, **more},
                cwd=home,
                stdout=output,
                stderr=output,
            )

    @property
    def said(self) -> str:
        return self._output.read_text()

    def until_ready(self) -> str:
        until(lambda: "Ctrl-C" in self.said or self.process.poll() is not None, seconds=90)
        found = re.search(r"Address +(\S+)", self.said)
        assert found, self.said
        return found[1]

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for left in psutil.process_iter(["environ"]):
        if (left.info["environ"] or {}).get("BPMDESK_DATA_DIR") == str(tmp_path / "desk"):
            left.kill()


def test_start_and_end(home: Path) -> None:
    desk = Up(home)
    url = desk.until_ready()
    family = desk.family()

    with urllib.request.urlopen(f"{url}/login") as answer:  # noqa: S310 - our own server
        assert answer.status == 200
    desk.process.send_signal(signal.SIGINT)

    assert desk.process.wait(timeout=15) == 0
    assert len(family) >= 5
    assert not [process for process in family if process.is_running()]
    assert re.search(r"Password +\S{12,}", desk.said)
    assert "Traceback" not in desk.said


def test_a_second_start_knows_everything_and_a_double_one_is_refused(home: Path) -> None:
    first = Up(home)
    url = first.until_ready()

    double = Up(home)

    assert double.process.wait(timeout=30) == 1
    assert url in double.said
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(timeout=15) == 0
    again = Up(home)
    again.until_ready()
    assert "Password" not in again.said
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(timeout=15) == 0
