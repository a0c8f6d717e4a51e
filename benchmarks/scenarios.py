"""Scenarios: a throw-away desk opened and thrown away, one story of six steps on it, all shipped stories together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from benchmarks.figures import Figure
from services import rehearsal
from services.rehearsal import Template
from services.scenarios import operations, reading
from services.scenarios.running import run
from webui import builtin

STORY = "pause_until_time.json"
ROUNDS = 20


def figures() -> Iterator[Figure]:
    """The rows of this file."""
    template = _template()
    yield _open(template)
    yield _story(template)
    yield _all(template)


def _template() -> Template:
    with rehearsal.opened() as desk:
        desk.deploy(builtin.files())
        return desk.template()


def _open(template: Template) -> Figure:
    def opened() -> None:
        with rehearsal.opened(reference=template):
            pass

    opened()
    samples = tuple(_milliseconds(opened) for _ in range(10 * ROUNDS))
    size = len(template.content) // 1024
    return Figure("a throw-away desk", "ms", 10, samples, f"{len(samples)} desks of {size} KiB, processes deployed")


def _story(template: Template) -> Figure:
    scenario = reading.read(builtin.scenarios()[STORY], STORY)
    assert run(scenario, template).passed
    samples = tuple(_milliseconds(lambda: run(scenario, template)) for _ in range(ROUNDS))
    return Figure("a scenario of six steps", "ms", 150, samples, f"{ROUNDS} runs of {len(scenario.steps)} steps")


def _all(template: Template) -> Figure:
    files = builtin.scenarios()
    report = operations.run_all(files, template)
    assert report.passed
    steps = sum(len(result.told) for result in report.results)
    samples = tuple(_milliseconds(lambda: operations.run_all(files, template)) / 1000 for _ in range(3))
    return Figure("all shipped scenarios", "s", 2, samples, f"{len(files)} scenarios, {steps} steps, all passed")


def _milliseconds(work: Callable[[], object]) -> float:
    """Processor time of this thread."""
    before = time.thread_time()
    work()
    return (time.thread_time() - before) * 1000
