"""The laws of the architecture that no import contract can express."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("engine", "services", "webui")


def sources(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from (path for path in sorted((ROOT / room).rglob("*.py")) if "node_modules" not in path.parts)


def calls(path: Path) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def test_only_the_database_module_commits() -> None:
    committing = {
        str(path.relative_to(ROOT))
        for path in sources(*ROOMS)
        for call in calls(path)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit"
    }

    assert committing == {"engine/db.py"}


def test_only_the_clock_reads_the_time() -> None:
    reading = {
        str(path.relative_to(ROOT))
        for path in sources(*ROOMS)
        for call in calls(path)
        if ast.unparse(call.func) in {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    }

    assert reading == {"engine/clock.py"}


def test_the_engine_knows_nothing_of_tickets() -> None:
    allowed = {"engine/migrations/versions"}
    names = {
        f"{path.relative_to(ROOT)}: {node.id}"
        for path in sources("engine")
        if str(path.parent.relative_to(ROOT)) not in allowed
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and "ticket" in node.id.lower()
    }

    assert names == set()


@pytest.mark.parametrize("path", list(sources("engine", "services")), ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_stay_readable(path: Path) -> None:
    if "versions" in path.parts:
        return
    text = path.read_text()

    assert len(text.splitlines()) <= 400
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_no_file_names_a_package_host() -> None:
    texts = [*(ROOT / "requirements").glob("*.txt"), ROOT / "webui/ui/package-lock.json", ROOT / "pyproject.toml"]
    pattern = re.compile(r'"resolved"|--(?:extra-)?index-url|--find-links|registry\.|pypi\.|files\.pythonhosted')

    assert [path.name for path in texts if pattern.search(path.read_text())] == []
