"""What a case is: a drawing, a story of moves with what must be seen after each, or the rule that refuses it.

A line of a story is `move: trace | waits`:

    start n=1: start a | b late@PT1H     what happened, then everything the instance waits for
    a: a | stuck:j           a join that nothing can set free any more, told as an incident
    b.done x=2: b end | done             a task is completed with an action; `done` is the end of the instance
    message m | signal s | press s       an event from outside, a button
    after PT1H | jump P3D | work         time passes with workers, without them; work in the background
    let x=5                              a fact of the host changes, computed timers and conditions look again
    ? b: x=2                             the variables at a wait
    says one two                         what the connectors were told since the last such line
    b: raises BpmnError                  the move is refused and nothing is changed; the last line of a story
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.conformance import order


@dataclass(frozen=True, slots=True)
class Line:
    """One move and what must be seen after it."""

    verb: str
    subject: str
    values: Mapping[str, Any]
    trace: order.Order
    waits: tuple[str, ...]
    is_end: bool
    raises: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """One promise of the standard."""

    name: str
    files: Mapping[str, bytes]
    story: tuple[Line, ...] = ()
    refused: tuple[str, str] | None = None
    """Rule and element of the finding that refuses the drawing."""
    patterns: tuple[str, ...] = ()
    """Numbers of control-flow patterns."""
    clause: str = ""
    """Where the standard says so, or why the case expects what it does."""
    needs_host: bool = False
    """Several instances or records take part: there is no run in memory alone."""
    group: str = ""

    @property
    def expected(self) -> str:
        if self.refused:
            return "refused by {} at {}".format(*self.refused)
        return "; ".join(line.text for line in self.story)


VERBS = frozenset(
    {"start", "message", "signal", "press", "after", "jump", "work", "let", "?", "says", "begin", "cancel"}
)


def case(
    name: str,
    *files: bytes,
    story: str = "",
    refused: str = "",
    patterns: str = "",
    clause: str = "",
    needs_host: bool = False,
    others: Mapping[str, bytes] | None = None,
) -> Case:
    """A case with its story as text; `refused` is "rule at element"."""
    named = {f"{number}.bpmn": content for number, content in enumerate(files)} | dict(others or {})
    lines = tuple(line(text.strip()) for text in story.strip().splitlines() if text.strip())
    rule, _, element = refused.partition(" at ")
    return Case(name, named, lines, (rule, element) if refused else None, tuple(patterns.split()), clause, needs_host)


def line(text: str) -> Line:
    """A line of a story from its text."""
    if text.startswith("says"):
        return Line("says", "", {}, order.parse(text.removeprefix("says")), (), False, "", text)
    move, _, seen = text.partition(": ")
    if text.startswith("?"):
        move, seen = f"{move} {seen}", ""
    words = move.split()
    verb, rest = (words[0], words[1:]) if words[0] in VERBS else ("complete", words)
    subject = next((word for word in rest if "=" not in word), "")
    values = {name: _value(value) for name, _, value in (word.partition("=") for word in rest if "=" in word)}
    raises = seen.removeprefix("raises ").strip() if seen.startswith("raises ") else ""
    trace, _, waits = ("" if raises else seen).partition("|")
    awaited = tuple(sorted(waits.split()))
    is_end = awaited == ("done",)
    return Line(verb, subject, values, order.parse(trace), () if is_end else awaited, is_end, raises, text)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
