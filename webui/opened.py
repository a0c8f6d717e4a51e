"""The desk that a command works on: opened with its tables checked, closed when the command is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.config import Settings

if TYPE_CHECKING:
    from engine.db import Database
    from services.bootstrap import Desk


def opened_desk() -> Desk:
    """The desk of the settings; raises ClickException when its tables are of another release."""
    from services.bootstrap import open_desk
    from webui.processes import require_tables

    desk = open_desk(Settings())
    until_the_end(desk.database)
    require_tables(desk)
    return desk


def until_the_end(database: Database) -> Database:
    """Close its connections when the command is done, however it ends."""
    click.get_current_context().call_on_close(database.dispose)
    return database
