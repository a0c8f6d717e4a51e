"""One row of the table of figures: what was measured, how often, and the budget it is held against."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Figure:
    """Samples of one quantity with its budget; both in `unit`."""

    name: str
    unit: str
    budget: float
    samples: tuple[float, ...]
    did: str
    """What was done, with counts, so that a fast nothing shows."""

    @property
    def median(self) -> float:
        return median(self.samples)

    @property
    def p95(self) -> float:
        return quantiles(self.samples, n=20)[-1] if len(self.samples) > 1 else self.samples[0]

    @property
    def ratio(self) -> float:
        """Part of the budget that the median uses up."""
        return self.median / self.budget


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of this process for one call."""
    before = time.process_time()
    work()
    return time.process_time() - before


def table(figures: Iterable[Figure]) -> str:
    """Figure, median, p95, budget and ratio of every row, and what it did."""
    rows = [("figure", "median", "p95", "budget", "ratio", "did")]
    for figure in figures:
        numbers = (f"{value:.3g} {figure.unit}" for value in (figure.median, figure.p95, figure.budget))
        rows.append((figure.name, *numbers, f"{figure.ratio:.2f}", figure.did))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
