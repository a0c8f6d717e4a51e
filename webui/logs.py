"""How a process of the desk logs: one line an event, as text or JSON, with nothing secret in it."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from engine.config import Settings

_SECRET = re.compile(r"password|secret|token|authorization|cookie", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(\w+://[^:/@\s]*:)[^@\s]+@")


_process = ""


def configure(settings: Settings, process: str) -> None:
    """Log to standard error under the name of the process; a fork may call it again with its own name."""
    global _process
    _process = process
    as_json = settings.log_format == "json"
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper("iso", utc=True),
            structlog.processors.format_exc_info,
            _add_process,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_StandardError,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")


class _StandardError:
    """Writes to whatever standard error is at that moment: tests and terminals change it under a running program."""

    def __init__(self, *_names: Any) -> None:
        pass

    def msg(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    log = debug = info = warning = warn = error = err = critical = fatal = exception = msg


def _add_process(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {"process": _process, **event}


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Hide values under secret names, and passwords inside addresses."""
    return {name: "***" if _SECRET.search(name) else _without_password(value) for name, value in event.items()}


def _without_password(value: Any) -> Any:
    return _IN_ADDRESS.sub(r"\1***@", value) if isinstance(value, str) else value
