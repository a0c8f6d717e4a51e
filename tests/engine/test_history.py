"""The signature of a step covers every field and the step before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from engine import history

STEP: dict[str, Any] = {
    "before": "a" * 64,
    "instance_id": 1,
    "n": 2,
    "move": "complete",
    "element_id": "work",
    "actor": "agent:7",
    "at": datetime(2026, 3, 16, 9, tzinfo=UTC),
    "data": {"action": "take"},
}


@pytest.fixture(autouse=True)
def _key() -> Iterator[None]:
    before = history._key
    history.install_key(b"one")
    yield
    history.install_key(before)


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("before", "b" * 64),
        ("instance_id", 2),
        ("n", 3),
        ("move", "trigger"),
        ("element_id", "rest"),
        ("actor", "agent:8"),
        ("at", datetime(2026, 3, 16, 9, 0, 1, tzinfo=UTC)),
        ("data", {"action": "drop"}),
    ],
)
def test_every_field_is_signed(field: str, other: Any) -> None:
    assert history.signature(**{**STEP, field: other}) != history.signature(**STEP)


def test_order_of_the_data_does_not_matter() -> None:
    one = history.signature(**{**STEP, "data": {"a": 1, "b": 2}})

    assert history.signature(**{**STEP, "data": {"b": 2, "a": 1}}) == one


def test_another_key_signs_otherwise() -> None:
    one = history.signature(**STEP)

    history.install_key(b"two")

    assert history.signature(**STEP) != one
