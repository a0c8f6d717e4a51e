"""A case is judged: its drawing is checked, its story is run twice, and both runs must show what is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from engine import iso8601, listeners, repository
from engine.errors import Problem
from engine.listeners import Listeners
from tests.conformance import host, order
from tests.conformance.case import Case, Line
from tests.conformance.in_memory import InMemory
from tests.conformance.reloaded import reloaded
from tests.conformance.seen import Seen

BEGIN = datetime(2026, 3, 16, 9, tzinfo=UTC)
"""A Monday."""
_GATEWAY = re.compile(r"<bpmn:\w+Gateway id=\"(\w+)\"")
_EVENT = re.compile(r"<bpmn:\w+Event id=\"(\w+)\"")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a case showed."""

    case: Case
    in_memory: str
    """passed | failed | – (not run)."""
    reloaded: str
    got: str
    """What was seen, or where it parted from what was expected."""

    @property
    def is_met(self) -> bool:
        return "failed" not in (self.in_memory, self.reloaded)


class Run(Protocol):
    """What both ways to run a story offer."""

    host: host.Host

    def start(self, values: Mapping[str, Any]) -> object: ...
    def complete(self, element: str, action: str, values: Mapping[str, Any]) -> None: ...
    def message(self, name: str, values: Mapping[str, Any]) -> None: ...
    def signal(self, name: str, values: Mapping[str, Any]) -> None: ...
    def press(self, element: str, values: Mapping[str, Any]) -> None: ...
    def let(self, values: Mapping[str, Any]) -> None: ...
    def see(self) -> Seen: ...
    def data(self, element: str) -> Mapping[str, Any]: ...
    def forget(self) -> None: ...
    def findings(self) -> list[str]: ...


class Parted(AssertionError):
    """Expected what is written, but something else was seen."""


def judge(case: Case) -> Verdict:
    """Run the case both ways; never raises."""
    with host.connected(), listeners.using(Listeners()):
        problems = [problem for problem in repository.check(case.files) if problem.severity == "error"]
    if case.refused:
        return _judge_refusal(case, problems)
    if problems:
        rules = ", ".join(sorted({f"{problem.rule} at {problem.element_id}" for problem in problems}))
        unchecked, _ = _attempt(case, stored=case.needs_host)
        return Verdict(case, "failed", "failed", f"refused by {rules}; without the check {unchecked or 'as expected'}")
    memory, seen = ("–", []) if case.needs_host else _attempt(case, stored=False)
    stored, seen_again = _attempt(case, stored=True)
    if memory == stored == "" and [each.in_order for each in seen] != [each.in_order for each in seen_again]:
        stored = f"in memory {_shown(seen)}, reloaded {_shown(seen_again)}"
    got = "; ".join(f"{way}: {text}" for way, text in (("in memory", memory), ("reloaded", stored)) if text not in "–")
    return Verdict(case, _word(memory), _word(stored), got or "as expected")


def _judge_refusal(case: Case, problems: list[Problem]) -> Verdict:
    found = [(problem.rule, problem.element_id or "") for problem in problems]
    rule, element = case.refused or ("", "")
    is_met = any(rule in ("*", broken) and element in ("*", place) for broken, place in found)
    got = "refused by " + ", ".join(f"{rule} at {element}" for rule, element in found) if found else "not refused"
    return Verdict(case, "passed" if is_met else "failed", "–", "as expected" if is_met else got)


def _word(outcome: str) -> str:
    return {"": "passed", "–": "–"}.get(outcome, "failed")


def _shown(seen: list[Seen]) -> str:
    return " / ".join(map(str, seen))


def _attempt(case: Case, *, stored: bool) -> tuple[str, list[Seen]]:
    """Where the run parted from the story (empty when it did not) and everything that was seen."""
    seen: list[Seen] = []
    hidden = hidden_in(case.files)
    with ExitStack() as stack:
        try:
            run: Any = stack.enter_context(reloaded(case.files, BEGIN)) if stored else InMemory(case.files, BEGIN)
            for line in case.story:
                play(run, line, hidden, seen)
        except Parted as parted:
            return str(parted), seen
        except Exception as error:
            return f"{line.text!r} raised {type(error).__name__}: {error}"[:400], seen
    return "", seen


def hidden_in(files: Mapping[str, bytes]) -> frozenset[str]:
    """What the traces of these drawings are compared without."""
    text = b"".join(files.values()).decode()
    gateways, events = _GATEWAY.findall(text), _EVENT.findall(text)
    return frozenset([*gateways, *(f"!{node}" for node in (*gateways, *events))])


def play(run: Any, line: Line, hidden: frozenset[str], seen: list[Seen]) -> None:
    """Make the move of a line and compare what is seen; raises Parted."""
    if line.verb == "?":
        _compare_data(run, line)
        return
    if line.verb == "says":
        told, run.host.told = run.host.told, []
        _expect(order.allows(line.trace, told), line, f"said {' '.join(told) or 'nothing'}")
        return
    if line.raises:
        _expect_refusal(run, line)
        return
    move(run, line)
    run.forget()
    now = run.see().without(hidden)
    seen.append(now)
    _expect(order.allows(line.trace, now.trace), line, str(now))
    _expect(now.is_end == line.is_end and _same_waits(line.waits, now), line, f"{now} ({' '.join(now.dues)})")
    findings = run.findings()
    _expect(not findings, line, "; ".join(findings))


def _expect(holds: bool, line: Line, got: str) -> None:
    if not holds:
        raise Parted(f"after {line.text!r} got {got}")


def _expect_refusal(run: Any, line: Line) -> None:
    try:
        move(run, line)
    except Exception as error:
        _expect(type(error).__name__ == line.raises, line, f"{type(error).__name__}: {error}")
        run.host.told = []
        return
    raise Parted(f"after {line.text!r} got no error")


def _same_waits(expected: tuple[str, ...], now: Seen) -> bool:
    if tuple(sorted(each.partition("@")[0] for each in expected)) != now.waits:
        return False
    dues = list(now.dues)
    for each in expected:
        element, _, left = each.partition("@")
        if left:
            exact = f"{element}@{iso8601.parse_duration(left).total_seconds():.0f}"
            if exact not in dues:
                return False
            dues.remove(exact)
    return True


def _compare_data(run: Any, line: Line) -> None:
    data = run.data(line.subject)
    missing = object()
    wrong = {name: data.get(name) for name, value in line.values.items() if data.get(name, missing) != value}
    _expect(not wrong, line, f"{wrong} in {dict(data)}")


def move(run: Any, line: Line) -> None:
    """Make the move of a line and look at nothing."""
    match line.verb:
        case "start":
            run.start(line.values)
        case "begin":
            run.start(line.values, line.subject)
        case "message" | "signal" | "press":
            getattr(run, line.verb)(line.subject, line.values)
        case "after":
            run.advance(iso8601.parse_duration(line.subject))
        case "jump":
            run.jump(iso8601.parse_duration(line.subject))
        case "work" | "cancel":
            getattr(run, line.verb)()
        case "let":
            run.let(line.values)
        case _:
            element, _, action = line.subject.partition(".")
            run.complete(element, action or "done", line.values)
