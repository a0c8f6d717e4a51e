"""What was known when a step failed; it travels with the error to the incident."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

from engine import redaction

_ROOMS = frozenset({"engine", "services", "webui"})
_INNER = frozenset({"instance", "key"})
MOST_FRAMES = 30
LONGEST_SOURCE = 500


def note(error: BaseException, **facts: Any) -> None:
    """Attach facts to an error; what was attached nearer to the cause stays."""
    known: dict[str, Any] = error.__dict__.setdefault("circumstances", {})
    for name, fact in facts.items():
        known.setdefault(name, fact)


def facts(error: BaseException) -> dict[str, Any]:
    """What is known of an error and of its causes, as it is."""
    found: dict[str, Any] = {}
    for each in causes(error):
        found = {**found, **getattr(each, "circumstances", {})}
    return found


def told(error: BaseException) -> dict[str, Any]:
    """The facts of an error and of its causes, redacted, with the stack; plain JSON."""
    known = facts(error).items()
    found = {name: _redacted(name, fact) for name, fact in known if fact not in (None, {}, "") and name not in _INNER}
    russian = next((text for each in causes(error) if (text := getattr(each, "ru", None))), None)
    return {**found, **({"ru": redaction.text(russian)} if russian else {}), "stack": stack(error)}


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on to the first one."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def stack(error: BaseException) -> list[str]:
    """Where in the desk's own code each error passed, outermost first; no other code, no values, no paths."""
    lines: list[str] = []
    for each in causes(error):
        lines.append(f"{type(each).__name__}: {redaction.text(str(each))}")
        for frame, line in traceback.walk_tb(each.__traceback__):
            module = str(frame.f_globals.get("__name__", ""))
            if module.partition(".")[0] in _ROOMS:
                lines.append(f"  {module}:{line} {frame.f_code.co_name}")
    return lines[:MOST_FRAMES]


def _redacted(name: str, fact: Any) -> Any:
    if name == "expression":
        return str(fact)[:LONGEST_SOURCE]
    return redaction.redacted(fact)
