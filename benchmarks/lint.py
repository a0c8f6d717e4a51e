"""The check of drawings: an ordinary one, and the largest that is allowed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from engine.bpmn.lint import check_files
from engine.bpmn.lint.limits import MOST_NODES
from tests.engine.lint.blocks import rows

TICKET = Path(__file__).parents[1] / "processes" / "ticket_lifecycle.bpmn"
ROUNDS = 30


def figures() -> Iterator[Figure]:
    """Milliseconds of one check, from the bytes to the findings."""
    yield _figure("lint of 35 nodes", 50, rows(35))
    yield _figure("lint of the shipped ticket process", 50, TICKET.read_bytes())
    yield _figure(f"lint of {MOST_NODES} nodes", 1_000, rows(MOST_NODES))


def _figure(name: str, budget: float, content: bytes) -> Figure:
    samples = []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        found = check_files({"a.bpmn": content}, connectors=None, statuses=None, forms=None)
        samples.append((time.perf_counter() - before) * 1_000)
    did = f"{len(content) // 1024} KiB, {len(found)} findings"
    return Figure(name, "ms", budget, tuple(samples), did)
