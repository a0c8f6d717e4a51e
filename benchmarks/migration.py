"""Three hundred running tickets change their version: the preview, the move with a kill in its middle, the way back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.figures import Figure, table
from benchmarks.workplace import workplace
from engine import migrating, migration, route
from engine.models import Migration, ProcessDefinition
from tests.desk import Desk
from tests.lifecycle import deploy_changed

TICKETS = 300
MAPPING = {"in_progress": "solving"}


def figures() -> Iterator[Figure]:
    """The rows of this file."""
    with workplace() as desk:
        _fill(desk)
        with desk.change() as session:
            before, after = (version.id for version in deploy_changed(session))
        preview, verdicts = _timed(lambda: _preview(desk, before, after))
        yield Figure(f"preview of {TICKETS} running tickets", "s", 3.0, (preview,), f"verdicts: {_counted(verdicts)}")
        order = _begin(desk, before, after)
        kill, halfway = _timed(lambda: _killed(desk, order))
        rest, moved = _timed(lambda: _work(desk, order))
        yield Figure(f"migration of {TICKETS} tickets, killed at 110", "s", 10.0, (kill + rest,), f"{halfway}, {moved}")
        with desk.change() as session:
            migration.undo(session, migration.one(session, order), by="benchmark")
        undo, undone = _timed(lambda: _work(desk, order))
        yield Figure(f"undoing a migration of {TICKETS} tickets", "s", 10.0, (undo,), undone)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    before = time.perf_counter()
    found = work()
    return time.perf_counter() - before, found


def _fill(desk: Desk) -> None:
    """A third each waits for classification, for somebody to take it, for its solution."""
    numbers = [desk.client_writes("Касса не пробивает чеки", client=f"Клиент {n}") for n in range(TICKETS)]
    for number in numbers[TICKETS // 3 :]:
        desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service="Онлайн-касса")
    for number in numbers[2 * TICKETS // 3 :]:
        desk.responsible(number).presses("Приступить к выполнению", number)


def _preview(desk: Desk, before: int, after: int) -> list[str]:
    with desk.look() as session:
        ends = (session.get_one(ProcessDefinition, each) for each in (before, after))
        return [verdict.outcome for verdict in migration.preview(session, *ends, MAPPING)]


def _begin(desk: Desk, before: int, after: int) -> int:
    with desk.change() as session:
        ends = (session.get_one(ProcessDefinition, each) for each in (before, after))
        return migration.begin(session, *ends, MAPPING, by="benchmark", comment="measuring").id


def _killed(desk: Desk, order: int) -> str:
    """The worker dies while it moves the 110th ticket: its batch is rolled back."""
    moved, carry_over = [], route.carry_over

    def dying(*given: Any, **more: Any) -> None:
        moved.append(1)
        if len(moved) == 110:
            raise KeyboardInterrupt
        carry_over(*given, **more)

    route.carry_over = dying
    try:
        migrating.execute(desk.database, [order])
    except KeyboardInterrupt:
        return f"after the kill {_states(desk, order)}"
    finally:
        route.carry_over = carry_over
    raise AssertionError("the worker was not killed")


def _work(desk: Desk, order: int) -> str:
    while _is_under_way(desk, order):
        migrating.execute(desk.database, [order])
    return f"at the end {_states(desk, order)}"


def _is_under_way(desk: Desk, order: int) -> bool:
    with desk.look() as session:
        return session.get_one(Migration, order).state in migration.UNDER_WAY


def _states(desk: Desk, order: int) -> str:
    with desk.look() as session:
        return _counted([item.state for item in migration.items(session, migration.one(session, order))])


def _counted(words: list[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items()))


if __name__ == "__main__":
    print(table(figures()))
