"""The check of drawings: an ordinary one, and the largest that is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, cpu_seconds
from engine.bpmn.lint import check_files
from engine.bpmn.lint.limits import MOST_NODES
from engine.errors import Problem
from tests.engine.lint.blocks import rows

TICKET = Path(__file__).parents[1] / "processes" / "ticket_lifecycle.bpmn"
ROUNDS = 30


def figures() -> Iterator[Figure]:
    """Milliseconds of the processor for one check, from the bytes to the findings."""
    yield _figure("lint of 35 nodes", 50, rows(35))
    yield _figure("lint of the shipped ticket process", 50, TICKET.read_bytes())
    yield _figure(f"lint of {MOST_NODES} nodes", 1_000, rows(MOST_NODES))


def _figure(name: str, budget: float, content: bytes) -> Figure:
    def check() -> list[Problem]:
        return check_files({"a.bpmn": content}, connectors=None, statuses=None, forms=None)

    samples = [cpu_seconds(check) * 1_000 for _ in range(ROUNDS)]
    did = f"{len(content) // 1024} KiB, {len(check())} findings"
    return Figure(name, "ms", budget, tuple(samples), did)
