"""`bpmdesk versions`, `diff` and `rollback`: what was done, what differs, the way back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import due, listeners
from tests.engine.lint.sketch import chain, task
from webui.cli import main

Said = tuple[int, str, str]
"""Exit code, output, errors."""


@pytest.fixture
def bpmdesk(
    tmp_path: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Run the command within this process, on a desk of its own with two versions of the process `desk`."""
    for name, value in {"DATA_DIR": str(tmp_path / "d"), "DATABASE_URL": empty_database_url, "LANGUAGE": "en"}.items():
        monkeypatch.setenv(f"BPMDESK_{name}", value)
    monkeypatch.setattr(listeners, "_listeners", listeners.listeners())
    monkeypatch.setattr(due, "_sources", due.sources())

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["bpmdesk", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    run("migrate")
    for number, name in enumerate(("Работа", "Труд")):
        file = tmp_path / f"{number}.bpmn"
        file.write_bytes(chain(task(name=name)))
        run("deploy", str(file), "--activate")
    return run


def test_versions_lists_all_and_the_journal_of_one(bpmdesk: Callable[..., Said]) -> None:
    code, everything, _ = bpmdesk("versions")
    _, one, _ = bpmdesk("versions", "desk")

    assert code == 0
    assert [line.split()[:3] for line in everything.splitlines()] == [
        ["desk", "v2", "active"],
        ["desk", "v1", "retired"],
    ]
    assert "activated v1 → v2" in one


def test_diff_of_two_versions_tells_in_words_and_by_its_exit_code(bpmdesk: Callable[..., Said]) -> None:
    assert bpmdesk("diff", "desk:1", "desk:2")[:2] == (1, "~ Task “Труд”\n    name: “Работа” → “Труд”\n")
    assert bpmdesk("diff", "desk:2", "desk:2")[:2] == (0, "No difference\n")


def test_diff_takes_files_and_a_version_beside_a_file(bpmdesk: Callable[..., Said], tmp_path: Path) -> None:
    first, second = str(tmp_path / "0.bpmn"), str(tmp_path / "1.bpmn")

    assert "name: “Работа” → “Труд”" in bpmdesk("diff", first, second)[1]
    assert "name: “Работа” → “Труд”" in bpmdesk("diff", "desk:1", second)[1]
    assert json.loads(bpmdesk("diff", first, second, "--format", "json")[1])["changes"][0]["id"] == "work"


def test_rollback_makes_the_older_version_active(bpmdesk: Callable[..., Said]) -> None:
    assert bpmdesk("rollback", "desk", "1")[0] == 0

    assert "desk v1" in next(line for line in bpmdesk("versions")[1].splitlines() if "active" in line)
    assert "rolled back v2 → v1" in bpmdesk("versions", "desk")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("versions", "nothing"),
        ("rollback", "desk", "9"),
        ("diff", "desk:9", "desk:1"),
        ("diff", "no-such-file.bpmn", "desk:1"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(bpmdesk: Callable[..., Said], arguments: tuple[str, ...]) -> None:
    code, _, error = bpmdesk(*arguments)

    assert code == 1
    assert "Traceback" not in error
    assert "Expected" in error or "No such file" in error


def test_bundle_with_errors_is_kept_as_a_draft_and_activated_only_with_a_reason(
    bpmdesk: Callable[..., Said], tmp_path: Path
) -> None:
    file = tmp_path / "shaky.bpmn"
    file.write_bytes(chain(task(name="Иначе"), task(id="lost").replace('<desk:action id="done" label="Готово"/>', "")))

    assert bpmdesk("deploy", str(file))[0] == 1
    assert "desk v3 draft" in bpmdesk("deploy", str(file), "--keep-draft")[1]
    assert bpmdesk("deploy", str(file), "--activate")[0] == 1
    assert "desk v3 active" in bpmdesk("deploy", str(file), "--activate", "--override", "agreed with the client")[1]
    assert "agreed with the client" in bpmdesk("versions", "desk")[1]
