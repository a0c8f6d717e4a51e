"""Puts into the wheel what is made, not written: browser files, message catalogues, built-in processes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildHook(BuildHookInterface):
    """An editable installation uses the work tree as it is; a wheel gets everything it needs to run alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        if (root / "Makefile").exists() and not (root / "webui/static/dist/manifest.json").exists():
            subprocess.run(["make", "assets"], cwd=root, check=True)  # noqa: S607 - whichever make there is
        build_data["artifacts"] += ["webui/static/dist/**", "webui/translations/**/*.mo"]
        built_in = [folder for folder in ("processes", "forms") if (root / folder).exists()]
        build_data["force_include"] |= {str(root / folder): f"webui/builtin/{folder}" for folder in built_in}
