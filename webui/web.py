"""The web server process: gunicorn with threads, because every open page holds one for its live updates."""

from __future__ import annotations

import gc
from typing import Any

from gunicorn.app.base import BaseApplication

from engine.config import Settings


class WebServer(BaseApplication):  # type: ignore[misc]
    """The application is loaded in the serving process only; the parent stays small."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        values = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": self._settings.web_processes,
            "worker_class": "gthread",
            "threads": self._settings.web_threads,
            "timeout": 60,
            "graceful_timeout": 2,
            "control_socket_disable": True,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "bpmdesk-web",
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from engine import queue
        from services.bootstrap import open_desk
        from webui.app import create_app

        desk = open_desk(self._settings)
        queue.wake_after_steps(self._settings.redis)
        app = create_app(desk)
        _keep_out_of_collections()
        return app


def _keep_out_of_collections() -> None:
    """What lives as long as the process is not searched for garbage again: a page would wait 0.1 s for that."""
    gc.collect()
    gc.freeze()
