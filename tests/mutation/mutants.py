"""The mutants of one room: a copy of the last commit is broken in every way that mutmut knows, each way alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.rooms import Room

REPOSITORY = Path(__file__).parents[2]
LEFT_ALONE = [
    "[а-яё]",  # texts for people: their words are no behaviour
    '"Expected ',
    r"(raise|return) \w+Error\($",
    r"log\.\w+\(",
]
"""Lines that match are not broken."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a mutant does: lines of a function that were replaced; `becomes` is empty where they are left out."""

    function: str
    was: str
    becomes: str


def broken(room: Room, copy: Path, processes: int) -> dict[str, str]:
    """Mutant → killed, survived, timeout or another word of mutmut; takes minutes."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x"], cwd=copy, input=archive, check=True)
    with (copy / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(_settings(room))
    _mutmut(copy, "run", "--max-children", str(processes))
    return dict(line.split(": ") for line in _mutmut(copy, "results", "--all", "true").split("\n") if ": " in line)


def _settings(room: Room) -> str:
    """The forkserver, because a fork of a process that ran the tests would find its caches filled by the whole code."""
    values = {
        "source_paths": ["engine", "services", "webui"],
        "only_mutate": room.modules,
        "also_copy": ["processes", "forms"],
        "do_not_mutate_patterns": LEFT_ALONE,
        "pytest_add_cli_args_test_selection": room.tests,
        "pytest_add_cli_args": [
            "--hypothesis-seed=0",
            "--timeout=30",  # a loop without an end is a failure of the test that it runs in
            *(f"--deselect={test}" for test in room.deselected),
        ],
        "process_isolation": "forkserver",
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(["", "[tool.mutmut]", "use_git_change_detection = false", *lines, ""])


def change(copy: Path, mutant: str) -> Change:
    """What this mutant changes."""
    module, _, mangled = mutant.rpartition(".")
    name = mangled.rpartition("__mutmut_")[0].removeprefix("x").removeprefix("_").strip("ǁ").replace("ǁ", ".")
    lines = _mutmut(copy, "show", mutant).split("@@\n", 1)[1].split("\n")
    was, becomes = ("\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Change(f"{module}.{name}", was, becomes)


def _mutmut(copy: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments], cwd=copy, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"Expected mutmut {arguments[0]} to end well, but it said: {done.stdout[-2000:]}{done.stderr}"
        )
    return done.stdout
