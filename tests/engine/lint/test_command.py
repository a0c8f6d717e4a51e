"""`bpmdesk check`: what it prints and what it returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.bpmn.lint.command import command
from tests.engine.lint.sketch import chain, task

WITH_FORM = chain(task('<desk:action id="pause" label="Пауза" form="pause"/>'))
BROKEN = chain(task(id="some", attributes='startQuantity="2"'))


@pytest.fixture(autouse=True)
def russian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BPMDESK_LANGUAGE", raising=False)


def test_json_has_one_entry_a_file_with_its_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.bpmn").write_bytes(chain(task()))
    (tmp_path / "bad.bpmn").write_bytes(BROKEN.replace(b'"desk"', b'"other"'))

    status = command([str(tmp_path)], "json")

    files = {Path(row["file"]).name: row["problems"] for row in json.loads(capsys.readouterr().out)["files"]}
    assert status == 1
    assert files["good.bpmn"] == []
    (problem,) = files["bad.bpmn"]
    assert set(problem) == {"rule", "severity", "element_id", "element_name", "line", "message", "fix"}
    assert (problem["rule"], problem["severity"], problem["element_id"]) == ("token-quantity", "error", "some")


def test_warnings_alone_return_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.bpmn").write_bytes(chain(task(name="")))

    assert command([tmp_path], "text") == 0
    assert "label-required" in capsys.readouterr().out


def test_two_versions_side_by_side_are_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.bpmn").write_bytes(chain(task()))
    (tmp_path / "b.bpmn").write_bytes(chain(task()))

    assert command([tmp_path], "text") == 0
    assert "duplicate-process" in capsys.readouterr().out


def test_text_is_russian_unless_the_language_is_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.bpmn").write_bytes(BROKEN)

    command([tmp_path], "text")
    assert "startQuantity = 2 не исполняется" in capsys.readouterr().out

    monkeypatch.setenv("BPMDESK_LANGUAGE", "en")
    command([tmp_path], "text")
    assert "startQuantity = 2 is not executed" in capsys.readouterr().out


@pytest.mark.parametrize("folder", ["processes", "forms", "processes/forms"])
def test_form_beside_or_in_a_forms_folder_is_found(folder: str, tmp_path: Path) -> None:
    (tmp_path / "processes").mkdir()
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "processes" / "a.bpmn").write_bytes(WITH_FORM)
    assert command([tmp_path / "processes" / "a.bpmn"], "text") == 1

    (tmp_path / folder / "pause.form.json").write_text('{"components": []}')

    assert command([tmp_path / "processes" / "a.bpmn"], "text") == 0


@pytest.mark.parametrize("name", ["missing.bpmn", "nul\0byte.bpmn"])
def test_path_that_cannot_be_read_is_a_finding(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = command([str(tmp_path / name)], "json")

    (row,) = json.loads(capsys.readouterr().out)["files"]
    assert status == 1
    assert [problem["rule"] for problem in row["problems"]] == ["file-unreadable"]


def test_file_of_any_name_is_checked_when_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "drawing.xml").write_bytes(chain(task()))
    (tmp_path / "notes.txt").write_text("hello")

    assert command([tmp_path / "drawing.xml"], "text") == 0
    assert command([tmp_path / "notes.txt"], "text") == 1


def test_huge_file_is_refused_without_reading_it_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "huge.bpmn").open("wb") as huge:
        huge.truncate(4 * 1024**3)

    assert command([tmp_path], "text") == 1
    assert "file-size" in capsys.readouterr().out


def test_empty_folder_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command([tmp_path], "json") == 0
    assert json.loads(capsys.readouterr().out) == {"files": []}


def test_shipped_processes_and_forms_pass(capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(__file__).parents[3]

    assert command([root / "processes", root / "forms"], "text") == 0
    assert "ошибок: 0, предупреждений: 0" in capsys.readouterr().out
