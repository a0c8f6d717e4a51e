"""Drawings in the style of other tools: read, told what they lack, corrected without touching what is foreign."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from engine.bpmn.lint import check_files, fixes, foreign
from engine.bpmn.lint.command import command
from engine.bpmn.xml import read
from engine.errors import Problem

FOLDER = Path(__file__).parents[2] / "fixtures" / "foreign"
FILES = sorted(FOLDER.glob("*.bpmn"))
DRAWINGS = {"adonis", "bpmn_io", "signavio", "visio"}
OURS = re.compile(rb"\{http://www\.omg\.org/spec/(BPMN|DD)/")


def checked(content: bytes) -> list[Problem]:
    return check_files({"a.bpmn": content}, connectors=None, statuses=None, forms=None)


def foreign_parts(content: bytes) -> list[tuple[str, list[tuple[str, str]], str]]:
    """Everything in the file that is not BPMN: elements with their attributes and text, attributes on BPMN elements."""
    parts = []
    for element in read(content, "a.bpmn").iter():
        ours = bool(OURS.match(element.tag.encode()))
        attributes = [(str(k), str(v)) for k, v in element.items() if not ours or str(k).startswith("{")]
        if attributes or not ours:
            parts.append((element.tag, attributes, "" if ours else (element.text or "").strip()))
    return parts


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_drawing_is_told_what_it_lacks(file: Path) -> None:
    content = file.read_bytes()

    problems = checked(content)

    assert foreign.is_foreign(content, problems)
    for language in ("ru", "en"):
        assert len(foreign.needs(problems, language)) >= 2
    named = [problem for problem in problems if problem.rule == "not-executable-drawing"]
    assert len(named) == (file.name.split(".")[0] in DRAWINGS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_corrections_keep_what_is_foreign(file: Path) -> None:
    content = file.read_bytes()
    offered = [problem.fix for problem in checked(content) if problem.fix]

    corrected = fixes.apply_all(content, offered)

    kept = [part for part in foreign_parts(content) if not any("ghost" in value for _, value in part[1])]
    assert foreign_parts(corrected) == kept
    assert corrected[:3] == content[:3]
    assert corrected.count(b"<![CDATA[") == content.count(b"<![CDATA[")
    untouched = [line for line in content.splitlines() if line in corrected.splitlines()]
    assert len(untouched) >= len(content.splitlines()) - len(offered)


def test_file_without_corrections_stays_byte_for_byte(tmp_path: Path) -> None:
    for file in FILES:
        shutil.copy(file, tmp_path)
    command([tmp_path], "text", correct=True)
    once = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    command([tmp_path], "text", correct=True)

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == once
    assert once["signavio.bpmn"] == (FOLDER / "signavio.bpmn").read_bytes()
    assert once["camunda7.bpmn"] != (FOLDER / "camunda7.bpmn").read_bytes()


def test_command_corrects_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(FOLDER / "camunda7.bpmn", tmp_path)

    command([tmp_path], "json", correct=True)

    (row,) = json.loads(capsys.readouterr().out)["files"]
    assert len(row["corrected"]) == 2
    assert {problem["rule"] for problem in row["problems"] if problem["fix"]} == set()
    assert b">approved<" in (tmp_path / "camunda7.bpmn").read_bytes()


def test_command_shows_what_is_missing_in_a_block_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    command([FOLDER / "visio.bpmn"], "text")

    told = capsys.readouterr().out
    block = told[told.index("Чтобы исполнять этот рисунок") :].splitlines()
    assert block[1].strip() == "– отметить процесс исполняемым (isExecutable): Page-1"
    assert "Принять звонок, Перезвонить" in block[2]


def test_unwritable_file_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(FOLDER / "camunda7.bpmn", tmp_path)

    def refuse(path: Path, content: bytes) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)

    assert command([tmp_path], "text", correct=True) == 1
