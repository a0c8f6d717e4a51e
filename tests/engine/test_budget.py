"""One bad instance is stopped with a reason, is not saved, and its neighbours go on."""

from __future__ import annotations

from typing import Any

import pytest

from engine.bpmn import budget
from engine.errors import StepBudgetExceeded
from tests.engine.conftest import Driver
from tests.engine.drawings import boundary, chain, drawing, end, flows, gateway, script, start, timer, user

ENDLESS_FLOWS = chain("start", "count", "again") + flows("again>count", "again>end: n < 0")


def growing(more: str) -> bytes:
    """A loop that makes its variables larger with every lap."""
    return drawing(start(), script("count", more), gateway("again", default="again_count"), end(), ENDLESS_FLOWS)


def after_an_hour(tell: str, key: str) -> bytes:
    return drawing(
        start(),
        user("work", "done"),
        boundary("late", "work", timer("PT1H")),
        tell,
        gateway("again", default="again_end"),
        end(),
        chain("start", "work", "end"),
        flows("late>tell", "tell>again", "again>tell: n > 0", "again>end"),
        key=key,
    )


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [
        ("MOST_STEPS", 50, "50 steps"),
        ("MOST_SECONDS", 0.0, "0 s of computing"),
        ("MOST_HAPPENINGS", 20, "20 events"),
        ("MOST_TASKS", 10, "10 tokens"),
        ("MOST_COPIED", 100, "100 bytes of variables handed on"),
    ],
)
def test_each_limit_stops_an_endless_loop(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, limit: str, value: float, says: str
) -> None:
    monkeypatch.setattr(budget, limit, value)

    with pytest.raises(StepBudgetExceeded, match=says):
        driver.run(growing("n = n + 1"), n=0)


def test_variables_that_grow_without_end_are_stopped_before_they_fill_the_memory(driver: Driver) -> None:
    text = "x" * 9_000

    with pytest.raises(StepBudgetExceeded, match="bytes of variables"):
        driver.run(growing("n = 0\nheap = heap + [text]"), text=text, heap=[])


def test_error_names_the_node_at_which_the_budget_ended(driver: Driver) -> None:
    with pytest.raises(StepBudgetExceeded) as caught:
        driver.run(growing("n = n + 1"), n=0)

    assert caught.value.element_id in ("count", "again")  # type: ignore[attr-defined]


def test_exceeded_budget_is_an_incident_at_once_and_the_neighbours_of_the_batch_go_on(driver: Driver) -> None:
    driver.deploy(after_an_hour(script("tell", "n = n + 1"), "bad"), after_an_hour(script("tell", "n = 0"), "good"))
    first, bad, last = driver.start("good", n=1), driver.start("bad", n=1), driver.start("good", n=1)
    before = driver.instance(bad)

    driver.jump("PT1H")

    [incident] = driver.incidents()
    assert (incident.instance_id, incident.element_id in ("tell", "again")) == (bad, True)
    assert (driver.instance(bad).data, driver.moves(bad)) == (before.data, ["start"])
    assert [driver.state(each) for each in (first, last)] == ["completed", "completed"]


def test_deep_nesting_is_a_budget_and_not_a_crash(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr("engine.bpmn.machine.Task.run", too_deep)

    with pytest.raises(StepBudgetExceeded, match="too deep"):
        driver.run(growing("n = n + 1"), n=0)
