"""The schema through time: every release can bring the database of an older one up to its own tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from engine.db import Base, Database

_HERE = Path(__file__).parent


def upgrade(database: Database) -> bool:
    """Bring the tables up to this release; False when they already were. The caller has imported every model."""
    with database.engine.begin() as connection:
        _lock(connection)
        if _revision(connection) == _head():
            return False
        command.upgrade(_config(connection), "head")
    return True


def is_current(database: Database) -> bool:
    """True when the tables are those of this release."""
    with database.engine.connect() as connection:
        return _revision(connection) == _head()


def stamp(database: Database) -> None:
    """Say that the tables are those of this release, for a database that was made from the models themselves."""
    with database.engine.begin() as connection:
        command.stamp(_config(connection), "head")


def differences(database: Database) -> list[Any]:
    """What the models say and the tables do not, as alembic's operations; empty when they agree."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def write(database: Database, message: str) -> str:
    """Write the migration from the tables of `database` to the present models; returns the file's path."""
    number = len(list((_HERE / "versions").glob("*.py"))) + 1
    with database.engine.connect() as connection:
        script = command.revision(_config(connection), message, autogenerate=True, rev_id=f"{number:04d}")
    if script is None or isinstance(script, list):
        raise RuntimeError("Expected one migration file")
    return str(script.path)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _head() -> str | None:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    return ScriptDirectory.from_config(config).get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _lock(connection: Connection) -> None:
    """Two processes that start at once migrate one after the other (SQLite locks by itself)."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7263514)")
