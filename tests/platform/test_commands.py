"""Commands answer bad input in words and an exit code, never with a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import anchors, due, history, listeners
from engine.db import Database
from webui.cli import main

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path, empty_database_url: str) -> dict[str, str]:
    """A desk of its own, over an empty database."""
    return {
        "BPMDESK_DATA_DIR": str(tmp_path / "desk"),
        "BPMDESK_DATABASE_URL": empty_database_url,
        "BPMDESK_LANGUAGE": "en",
        "BPMDESK_DEMO": "0",
    }


@pytest.fixture
def bpmdesk(
    tmp_path: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run the command as the console script does, but within this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(listeners, "_listeners", listeners.listeners())
    monkeypatch.setattr(due, "_sources", due.sources())

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        for name, value in {**environment, **more}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["bpmdesk", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(end.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def process(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run the command in a process of its own."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "webui.cli", *arguments]
        whole = {**os.environ, **environment, "PYTHONPATH": str(ROOT), **more}
        return subprocess.run(command, capture_output=True, text=True, env=whole, cwd=tmp_path, timeout=60)

    return run


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.bpmn"
    path.write_bytes(b"\x00<definitions")
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["up", "--port", "99999"],
        ["check"],
        ["check", "missing.bpmn"],
        ["check", "broken.bpmn"],
        ["try", "missing.bpmn"],
        ["try", "broken.bpmn"],
        ["try", "broken.bpmn", "--for", "a while"],
        ["try", "broken.bpmn", "--data", "{"],
        ["sla", "solve", "missing.json"],
        ["sla", "solve", "broken.bpmn"],
        ["deploy", "missing.bpmn"],
        ["deploy", "broken.bpmn"],
        ["deploy", "."],
        ["verify", "--format", "xml"],
        ["verify"],
    ],
    ids=" ".join,
)
def test_bad_input_is_refused_in_words(bpmdesk: Run, broken: Path, arguments: list[str]) -> None:
    done = bpmdesk(*arguments)

    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stdout + done.stderr
    assert (done.stdout + done.stderr).strip()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BPMDESK_PORT", "eighty"),
        ("BPMDESK_LOG_FORMAT", "xml"),
        ("BPMDESK_DATABASE_URL", "nonsense"),
        ("BPMDESK_DATA_DIR", "/proc/nowhere"),
    ],
)
def test_a_wrong_setting_is_named(bpmdesk: Run, name: str, value: str) -> None:
    done = bpmdesk("verify", **{name: value})

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Internal error" not in done.stderr


@pytest.mark.parametrize("name", ["worker", "ticker", "mailbox"])
def test_a_process_without_tables_says_so(process: Run, name: str) -> None:
    done = process(name)

    assert done.returncode == 1
    assert "bpmdesk migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_migrate_twice(bpmdesk: Run) -> None:
    first, second = bpmdesk("migrate"), bpmdesk("migrate")

    assert (first.returncode, first.stdout.strip()) == (0, "The tables are up to date now")
    assert (second.returncode, second.stdout.strip()) == (0, "The tables were up to date")


def test_deploy_a_refused_bundle_names_file_and_element(bpmdesk: Run, broken: Path) -> None:
    bpmdesk("migrate")

    done = bpmdesk("deploy", "broken.bpmn")

    assert done.returncode == 1
    assert "broken.bpmn" in done.stderr


def test_deploy_the_built_in_processes(bpmdesk: Run) -> None:
    bpmdesk("migrate")

    done = bpmdesk("deploy", str(ROOT / "processes"), str(ROOT / "forms"), "--activate")

    assert done.returncode == 0, done.stderr
    assert "ticket_lifecycle v1 active" in done.stdout


def test_verify_tells_json(bpmdesk: Run) -> None:
    bpmdesk("migrate")

    told = json.loads(bpmdesk("verify", "--format", "json").stdout)

    assert (told["findings"], told["instances"]) == ([], 0)


def test_verify_shows_the_newest_anchor(bpmdesk: Run, empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_key", b"k" * 32)
    monkeypatch.setenv("BPMDESK_SECRET_KEY", "k" * 32)
    bpmdesk("migrate")
    database = Database(empty_database_url)
    with database.transaction() as session:
        written = anchors.write(session)
        assert written is not None
        sealed = written.hash
    database.dispose()

    text, told = bpmdesk("verify"), json.loads(bpmdesk("verify", "--format", "json").stdout)

    assert (text.returncode, text.stderr) == (0, "")
    assert sealed in text.stdout
    assert (told["anchor"]["n"], told["anchor"]["hash"]) == (1, sealed)


def test_doctor_says_what_to_do(bpmdesk: Run) -> None:
    bpmdesk("migrate")

    done = bpmdesk("doctor")

    assert done.returncode == 1
    assert "OK      database" in done.stdout
    assert "PROBLEM Redis" in done.stdout
    assert "run bpmdesk up" in done.stdout


def test_russian_is_the_default_language(process: Run) -> None:
    assert "Запустить всё" in process("--help", BPMDESK_LANGUAGE="").stdout


def test_the_log_stays_out_of_the_answer(bpmdesk: Run, tmp_path: Path) -> None:
    broken = tmp_path / "late.bpmn"
    broken.write_text(TIMER_THEN_UNKNOWN_NAME)

    tried = bpmdesk("try", str(broken), "--format", "json")

    assert json.loads(tried.stdout)["state"] == "incident"
    assert "job failed" in tried.stderr


TIMER_THEN_UNKNOWN_NAME = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:test">
  <bpmn:process id="late" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:intermediateCatchEvent id="wait" name="Wait"><bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing>
      <bpmn:timerEventDefinition id="t"><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>
    </bpmn:intermediateCatchEvent>
    <bpmn:scriptTask id="set" name="Set"><bpmn:incoming>b</bpmn:incoming><bpmn:outgoing>c</bpmn:outgoing>
      <bpmn:script>x = nobody_knows</bpmn:script></bpmn:scriptTask>
    <bpmn:endEvent id="end" name="End"><bpmn:incoming>c</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="wait"/>
    <bpmn:sequenceFlow id="b" sourceRef="wait" targetRef="set"/>
    <bpmn:sequenceFlow id="c" sourceRef="set" targetRef="end"/>
  </bpmn:process>
</bpmn:definitions>
"""
