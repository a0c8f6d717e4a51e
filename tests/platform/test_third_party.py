"""Every pinned package is named with its licence, and none of them binds the desk."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def named() -> dict[str, str]:
    return dict(re.findall(r"^\| (\S+) \| (.+) \|$", (ROOT / "THIRD_PARTY.md").read_text(), re.MULTILINE))


def test_python_packages_are_named() -> None:
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "runtime.txt").read_text(), re.MULTILINE)

    assert set(pinned) - set(named()) == set()


def test_browser_packages_are_named() -> None:
    lock = json.loads((ROOT / "webui" / "ui" / "package-lock.json").read_text())
    shipped = {
        path.removeprefix("node_modules/")
        for path, package in lock["packages"].items()
        if path and not package.get("dev") and not package.get("optional")
    }

    assert shipped - set(named()) == set()


def test_no_licence_binds_the_desk() -> None:
    binding = re.compile(r"(?<!Lesser )(?<!L)(?<!A)GPL|AGPL|Affero")

    assert [(name, text) for name, text in named().items() if binding.search(text.replace("(LGPL)", ""))] == []
