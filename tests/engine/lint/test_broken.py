"""Every file of the folder of broken drawings is told exactly what is wrong with it: nothing missing, nothing extra."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import connectors
from engine.bpmn.lint import check_files
from services import connectors as _registered  # noqa: F401 – the catalogue of the desk

FOLDER = Path(__file__).parents[2] / "fixtures" / "broken"
FILES = sorted(FOLDER.glob("*.bpmn"))
STATUSES = ("new", "accepted")


def found(file: Path) -> list[str]:
    """rule@element of every finding."""
    problems = check_files(
        {file.name: file.read_bytes()},
        connectors=connectors.catalogue(),
        statuses=STATUSES,
        forms=(),
        decision_ids=(),
    )
    return sorted(f"{problem.rule}@{problem.element_id or '-'}" for problem in problems)


def test_folder_is_large() -> None:
    assert len(FILES) >= 60


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_findings_are_complete_and_no_other(file: Path) -> None:
    expected = file.with_suffix(".expected").read_text(encoding="utf-8").split("\n")

    assert found(file) == sorted(filter(None, expected))
