"""`bpmdesk migrate-instances` and `bpmdesk repair`: previews, moves and repairs without a page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import due, listeners, repository, runtime
from engine.config import Settings
from services.bootstrap import open_desk
from tests.webui.admin.drawings import errand
from webui.cli import main

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bpmdesk(
    tmp_path: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The command over a desk with one errand under way on the first of two versions."""
    settings = {"DATA_DIR": str(tmp_path / "desk"), "DATABASE_URL": empty_database_url, "LANGUAGE": "en", "DEMO": "0"}
    for name, value in settings.items():
        monkeypatch.setenv(f"BPMDESK_{name}", value)
    monkeypatch.setattr(listeners, "_listeners", listeners.listeners())
    monkeypatch.setattr(due, "_sources", due.sources())

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["bpmdesk", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(end.value.code or 0), said.out, said.err)

    run("migrate")
    desk = open_desk(Settings())
    for content in (errand(), errand(label="Сделано").replace(b'"work"', b'"execute"')):
        with desk.database.transaction() as session:
            for definition in repository.store(session, {"errand.bpmn": content}, author="cli").definitions:
                definition.state = "active"
                if definition.version == 1:
                    runtime.start_process(session, "errand")
                    definition.state = "retired"
    desk.database.dispose()
    return run


def test_a_preview_says_who_stays_and_why(bpmdesk: Run) -> None:
    told = bpmdesk("migrate-instances", "errand", "1", "2")

    assert told.returncode == 1
    assert "mapping    1" in told.stdout
    assert "the new version does not have it" in told.stdout


def test_a_mapped_migration_is_done_here_and_now(bpmdesk: Run) -> None:
    trial = bpmdesk("migrate-instances", "errand", "1", "2", "--map", "work=execute", "--trial")
    done = bpmdesk("migrate-instances", "errand", "1", "2", "--map", "work=execute", "--begin", "a new order")
    standing = bpmdesk("repair", "1")

    assert (trial.returncode, done.returncode) == (0, 0)
    assert "moved      1" in done.stdout
    assert "stands at execute" in standing.stdout


def test_a_repair_tells_where_it_stands_then(bpmdesk: Run) -> None:
    set_ = bpmdesk("repair", "1", "set", "colour", '"red"', "--reason", "mended by hand")
    moved = bpmdesk("repair", "1", "move", "work", "end", "--reason", "mended by hand")

    assert set_.returncode == 0
    assert moved.stdout.startswith("completed")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("repair", "1", "suspend"), "a reason of at least 5 characters"),
        (("repair", "1", "move", "work"), "FROM TO"),
        (("repair", "1", "skip", "nowhere", "--reason", "because"), "Nobody stands at nowhere"),
        (("repair", "1", "set", "x", "red", "--reason", "because"), "written as JSON"),
        (("repair", "1", "due", "1", "2026-03-20T15:00", "--reason", "because"), "time zone"),
        (("repair", "9"), "no such instance"),
        (("migrate-instances", "errand", "1", "9"), "no errand v9"),
        (("migrate-instances", "errand", "1", "1"), "two versions of one process"),
        (("migrate-instances", "errand", "1", "2", "--map", "x"), "OLD=NEW"),
    ],
)
def test_bad_input_is_answered_in_words(bpmdesk: Run, arguments: tuple[str, ...], said: str) -> None:
    told = bpmdesk(*arguments)

    assert told.returncode in (1, 2)
    assert said in told.stderr
    assert "Traceback" not in told.stderr
