"""The processes of a desk, one function each: they run until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import socket
import threading

from click import ClickException

from engine import migrations
from engine import worker as batches
from engine.config import Settings
from engine.ticker import Ticker
from services.bootstrap import Desk, open_desk
from services.mail import mailbox as post
from webui import logs
from webui.web import WebServer
from webui.wording import both


def web(settings: Settings) -> None:
    """The web server."""
    logs.configure(settings, "web")
    WebServer(settings).run()


def worker(settings: Settings, name: str) -> None:
    """One worker; as many as there are cores to spare."""
    desk = _open(settings, name)
    batches.run(desk.database, settings.redis, f"{name}@{socket.gethostname()}")


def ticker(settings: Settings) -> None:
    """The sweeper; a second one does no harm."""
    desk = _open(settings, "ticker")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Ticker(desk.database, settings.redis, f"ticker@{socket.gethostname()}").run(stop)


def mailbox(settings: Settings) -> None:
    """The SMTP server of the built-in mailbox."""
    post.run(_open(settings, "mailbox"))


def require_tables(desk: Desk) -> None:
    """Raises ClickException when the database is of another release."""
    if not migrations.is_current(desk.database):
        raise ClickException(
            both(
                "База не этой версии: выполните bpmdesk migrate", "The database is of another release: bpmdesk migrate"
            )
        )


def _open(settings: Settings, name: str) -> Desk:
    logs.configure(settings, name)
    desk = open_desk(settings)
    require_tables(desk)
    return desk
