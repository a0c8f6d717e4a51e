"""Files that no message knows disappear by themselves; those being written do not."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from tests.desk import Desk


def orphan(desk: Desk, *, old: bool) -> Path:
    """A file whose transaction never came to its commit."""
    identifier = secrets.token_hex(16)
    path = desk.settings.data_dir / "attachments" / identifier[:2] / identifier
    path.parent.mkdir(parents=True)
    path.write_bytes(b"lost")
    if old:
        os.utime(path, (0, 0))
    return path


def test_a_start_sweeps_old_orphans_and_spares_what_may_be_in_the_making(desk: Desk) -> None:
    lost, fresh = orphan(desk, old=True), orphan(desk, old=False)

    desk.work()

    assert not lost.exists()
    assert fresh.exists()


def test_the_sweep_comes_again_after_a_day(desk: Desk) -> None:
    desk.work()
    lost = orphan(desk, old=True)

    desk.advance("23h")
    assert lost.exists()
    desk.advance("1h")

    assert not lost.exists()
