"""The language of the command line."""

from __future__ import annotations

import os


def both(russian: str, english: str) -> str:
    """The text in the language that BPMDESK_LANGUAGE asks for, Russian by default."""
    return english if os.environ.get("BPMDESK_LANGUAGE") == "en" else russian
