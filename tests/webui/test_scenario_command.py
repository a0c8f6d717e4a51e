"""`bpmdesk check --scenarios`: what passed, what differed, what nobody visits – as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.services.scenarios.told import as_file, scenario
from webui import builtin, scenarios

LIFECYCLE = builtin.files()["ticket_lifecycle.bpmn"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The life of a ticket with one scenario beside it; what it calls and asks is not there."""
    monkeypatch.setenv("BPMDESK_LANGUAGE", "en")
    (tmp_path / "ticket_lifecycle.bpmn").write_bytes(LIFECYCLE)
    told = scenario({"press": "take"}, expect={"status": "in_progress"})
    (tmp_path / "story.json").write_bytes(as_file(told))
    return tmp_path


def test_what_passed_and_what_nobody_visits_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = scenarios.command([folder], "text")

    said = capsys.readouterr().out
    assert code == 0
    assert "✓ story.json  Проба" in said
    assert "Scenarios: 1, failed: 0." in said
    assert "Coverage of ticket_lifecycle" in said
    assert "not visited: Классификация [classify]" in said
    assert "Coverage of escalation" not in said


def test_what_differed_is_said_with_its_step_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wrong.json").write_bytes(as_file(scenario({"expect": {"status": "closed"}})))

    code = scenarios.command([folder], "text")

    said = capsys.readouterr().out
    assert code == 1
    assert "✗ wrong.json" in said
    assert "step 1. Expected: status «Closed»" in said
    assert "status: expected «Closed», got «Accepted»" in said


def test_a_mistake_is_found_before_anything_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wrong.json").write_bytes(as_file(scenario({"press": "tke"})))

    code = scenarios.command([folder], "text")

    said = capsys.readouterr().out
    assert code == 1
    assert "wrong.json: step 1: Expected a known button" in said
    assert "✓" not in said


def test_a_broken_drawing_is_found_before_anything_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ticket_lifecycle.bpmn").write_bytes(LIFECYCLE.replace(b'targetRef="tell_line"', b'targetRef="nowhere"'))

    assert scenarios.command([folder], "text") == 1
    assert "No scenario was run" in capsys.readouterr().out


def test_machines_read_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenarios.command([folder], "json")

    told = json.loads(capsys.readouterr().out)
    assert [(row["file"], row["passed"]) for row in told["scenarios"]] == [("story.json", True)]
    assert told["coverage"]["ticket_lifecycle"]["nodes"] < 100
    assert told["problems"] == []


def test_a_neighbouring_form_wins_over_the_built_in_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "forms").mkdir()
    lax = builtin.files()["classify.form.json"].replace(b'"required": true', b'"required": false')
    (folder / "forms" / "classify.form.json").write_bytes(lax)
    told = scenario({"press": "classify", "form": {"topic": "x"}}, given={}, expect={"status": "accepted"})
    (folder / "story.json").write_bytes(as_file(told))

    code = scenarios.command([folder / "ticket_lifecycle.bpmn", folder / "story.json"], "text")

    assert code == 0, capsys.readouterr().out


def test_other_json_in_a_folder_is_no_scenario(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "package.json").write_text('{"name": "x"}')

    assert scenarios.command([folder], "text") == 0
    assert "package.json" not in capsys.readouterr().out


def test_without_a_path_the_built_in_processes_are_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scenarios.command([], "text") == 0
    assert "nodes 100 %, flows 100 %" in capsys.readouterr().out
