"""The rooms that are broken on purpose, and the tests that answer for each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """Modules, and the test files that must notice a change in them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    deselected: tuple[str, ...] = ()
    """Tests that say nothing here: those of speed (a broken copy is slower), and searches at random."""


ROOMS = {
    "expressions": Room(
        modules=("engine/expressions.py", "engine/grammar.py", "engine/functions.py", "engine/values.py"),
        tests=("tests/engine/test_expressions.py",),
        deselected=(
            "tests/engine/test_expressions.py::test_a_typical_condition_costs_about_a_microsecond",
            "tests/engine/test_expressions.py::test_any_text_is_either_a_value_or_a_readable_refusal",
        ),
    ),
    "jobs": Room(
        modules=("engine/jobs.py", "engine/retries.py"),
        tests=("tests/engine/test_jobs.py", "tests/engine/test_incidents.py"),
    ),
    "pruner": Room(
        modules=("engine/bpmn/prune.py",),
        tests=("tests/properties/test_prune_twin.py", "tests/engine/test_flow.py", "tests/engine/test_joins.py"),
    ),
    "stepper": Room(
        modules=("engine/stepper.py", "engine/reconcile.py"),
        tests=(
            "tests/engine/test_locks.py",
            "tests/engine/test_open_rows.py",
            "tests/engine/test_waiting.py",
            "tests/engine/test_jobs.py",
            "tests/engine/test_incidents.py",
            "tests/engine/test_deadlocks.py",
            "tests/engine/test_events_desk.py",
            "tests/engine/test_rebuild.py",
        ),
    ),
    "tables": Room(
        modules=("engine/bpmn/cells.py", "engine/bpmn/dmn.py"),
        tests=("tests/engine/test_dmn.py",),
    ),
}
