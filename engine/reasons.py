"""Why somebody changed by hand what runs by itself: required, and kept in the history."""

from __future__ import annotations

from engine.errors import Refused

SHORTEST = 5
LONGEST = 500


def checked(text: str) -> str:
    """The reason without the space around it, cut to 500 characters; raises Refused below five."""
    reason = text.strip()[:LONGEST]
    if len(reason) < SHORTEST:
        raise Refused(
            f"Expected a reason of at least {SHORTEST} characters",
            "Напишите причину, не короче пяти знаков: она останется в истории",
        )
    return reason
