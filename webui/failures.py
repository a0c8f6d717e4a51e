"""Failures of the process in words."""

from __future__ import annotations

import re

_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*: (?=\S)")


def failure(message: str) -> str:
    """What failed, without the name of the exception that said it."""
    return _EXCEPTION.sub("", message)
