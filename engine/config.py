"""Settings of one installation, read from the environment as BPMDESK_*."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict

_LONGEST_SOCKET_NAME = 100


class Settings(BaseSettings):
    """Everything an administrator sets outside the interface; see docs/reference/settings.md."""

    model_config = SettingsConfigDict(env_prefix="BPMDESK_", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Path("data")
    """Database, attachments, embedded Valkey, secret key."""
    database_url: str = ""
    """SQLAlchemy URL; empty = SQLite in data_dir. PostgreSQL: postgresql+psycopg://…"""
    redis_url: str = ""
    """Empty = embedded Valkey on a unix socket in data_dir."""
    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = ""
    """Address people reach the desk at; empty = http://host:port."""
    mail_host: str = "127.0.0.1"
    mail_port: int = 2525
    """Built-in mailbox (SMTP)."""
    mail_domain: str = "desk.localhost"
    smtp_host: str = ""
    """Outgoing SMTP server; empty = the built-in mailbox."""
    smtp_port: int = 25
    smtp_user: str = ""
    smtp_password: str = ""
    secret_key: str = ""
    """Empty = made once and kept in data_dir/secret.key (mode 600)."""
    clock_file: Path | None = None
    """A file with an offset in seconds; moves the clock of all processes (tests, demonstrations)."""
    language: Literal["ru", "en"] = "ru"
    demo: bool = True
    """Fill an empty database with demonstration data at `bpmdesk up`."""
    workers: int = 1
    web_processes: int = 1
    """Serving processes; one uses one core."""
    web_threads: int = 64
    log_format: Literal["text", "json"] = "text"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'bpmdesk.db').resolve()}"

    @property
    def redis(self) -> str:
        return self.redis_url or f"unix://{_socket_path(self.data_dir.resolve())}"

    @property
    def url(self) -> str:
        return self.base_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @cached_property
    def secret(self) -> str:
        """The key that signs sessions, mail tokens and the history chain."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret.key"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        return path.read_text().strip()


def _socket_path(data_dir: Path) -> Path:
    """A socket in the data directory, or, where that name is longer than the system takes, one that stands for it."""
    path = data_dir / "valkey.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_NAME:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"bpmdesk-{os.getuid()}-{name}.sock"
