"""Counts the mutants that the tests of each room kill: `python -m tests.mutation [ROOM …]`."""

from __future__ import annotations

import argparse
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

from tests.mutation.mutants import Change, broken, change
from tests.mutation.rooms import ROOMS

LEAST_KILLED = 85
"""Per cent of all mutants of a room, the equivalent ones among them. What mutmut calls a timeout does not count: it
also says so of tests that could not be run."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    arguments = parser.parse_args()
    if unknown := set(arguments.rooms) - ROOMS.keys():
        parser.error(f"Expected rooms of {', '.join(ROOMS)}, but got {', '.join(sorted(unknown))}")
    return 0 if all([_is_guarded(name, arguments.processes) for name in arguments.rooms or ROOMS]) else 1


def _is_guarded(name: str, processes: int) -> bool:
    """Break this room and print what came of it; whether its tests noticed enough."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        fates = broken(ROOMS[name], Path(home), processes)
        alive = [change(Path(home), mutant) for mutant, fate in fates.items() if fate != "killed"]
    known = _known_equivalents(ROOMS[name].modules)
    counts = Counter(fates.values())
    killed = 100 * counts["killed"] / len(fates)
    for each in alive:
        if each not in known:
            print(_shown(each), flush=True)
    for each in known - set(alive):
        print(f"No longer alive, leave it out of equivalents.toml:\n{_shown(each)}")
    print(
        f"{name}: {len(fates)} mutants, {dict(counts)}, {sum(each in known for each in alive)} of them equivalent, "
        f"{killed:.1f} % killed, {(time.monotonic() - started) / 60:.1f} minutes",
        flush=True,
    )
    return killed >= LEAST_KILLED


def _known_equivalents(modules: tuple[str, ...]) -> set[Change]:
    listed = tomllib.loads(Path(__file__).with_name("equivalents.toml").read_text(encoding="utf-8"))["same"]
    prefixes = tuple(module.removesuffix(".py").replace("/", ".") + "." for module in modules)
    return {
        Change(each["function"], each["was"], becomes)
        for each in listed
        if each["function"].startswith(prefixes)
        for becomes in each["becomes"]
    }


def _shown(change: Change) -> str:
    lines = [f"  - {line}" for line in change.was.split("\n")] + [f"  + {line}" for line in change.becomes.split("\n")]
    return "\n".join([change.function, *lines])


if __name__ == "__main__":
    raise SystemExit(main())
