"""Orders of events as they are written in a case: one after another, or side by side in braces.

`a {b c, d} e` means: `a` first, then `b` before `c` with `d` anywhere beside them, then `e`. `!a` is a cancellation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

Order = str | tuple[str, tuple[Any, ...]]
"""A single event, or ("one after another" | "side by side", parts)."""
AFTER, BESIDE = "after", "beside"


def parse(text: str) -> Order:
    """The order that is written; raises ValueError for unbalanced braces."""
    tokens = re.findall(r"[{},]|[^\s{},]+", text)
    order = _sequence(tokens)
    if tokens:
        raise ValueError(f"Expected balanced braces in {text!r}")
    return order


def allows(order: Order, events: Iterable[str]) -> bool:
    """Whether these events, all of them and no others, came in this order."""
    rests = {order}
    for event in events:
        rests = {rest for each in rests for rest in _after(each, event)}
    return any(_is_empty(rest) for rest in rests)


def _sequence(tokens: list[str]) -> Order:
    parts: list[Order] = []
    while tokens and tokens[0] not in ",}":
        token = tokens.pop(0)
        parts.append(_group(tokens) if token == "{" else token)
    return AFTER, tuple(parts)


def _group(tokens: list[str]) -> Order:
    parts = [_sequence(tokens)]
    while tokens and tokens[0] == ",":
        tokens.pop(0)
        parts.append(_sequence(tokens))
    if not tokens or tokens.pop(0) != "}":
        raise ValueError("Expected a closing brace")
    return BESIDE, tuple(parts)


def _after(order: Order, event: str) -> Iterator[Order]:
    """What may still come once `event` has come first."""
    if isinstance(order, str):
        if order == event:
            yield AFTER, ()
        return
    kind, parts = order
    for position, part in enumerate(parts):
        for rest in _after(part, event):
            before = parts[:position] if kind == BESIDE else ()
            yield kind, (*before, rest, *parts[position + 1 :])
        if kind == AFTER and not _is_empty(part):
            return


def _is_empty(order: Order) -> bool:
    return not isinstance(order, str) and all(_is_empty(part) for part in order[1])
