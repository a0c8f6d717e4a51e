"""A desk for the tests of the services: shipped processes, demonstration people and catalogs, no tickets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.clock import FixedClock
from engine.config import Settings
from tests.desk import Desk


@pytest.fixture
def desk(settings: Settings, clock: FixedClock) -> Iterator[Desk]:
    """Monday noon in Moscow; Алина, Рустам and Олег are on the line."""
    desk = Desk(settings, clock)
    yield desk
    desk.close()
