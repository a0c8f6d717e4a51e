"""What many relived tickets come to: how many differ, in what, at which nodes, and which got stuck where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

VERDICTS = ("same", "differs", "stuck", "failed")
KINDS = ("path", "statuses", "assignments", "sla", "notifications", "ended", "refused")
MOST_NAMED = 30


@dataclass
class _Counts:
    """Counters that grow ticket by ticket."""

    verdicts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    new: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    gone: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    terms: Counter[tuple[str, str]] = field(default_factory=Counter)
    notices: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    shifts: list[float] = field(default_factory=list)


def sums(outcomes: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Verdicts and differences of tickets, summed up as plain data; nodes and buttons with how many tickets."""
    counts = _Counts()
    for verdict, differences in outcomes:
        counts.verdicts[verdict] += 1
        counts.kinds.update(kind for kind in KINDS if kind in differences)
        _count(counts, differences)
    return {
        "verdicts": {verdict: counts.verdicts[verdict] for verdict in VERDICTS},
        "kinds": {kind: counts.kinds[kind] for kind in KINDS if counts.kinds[kind]},
        "new": _named(counts.new),
        "gone": _named(counts.gone),
        "statuses": [[*key, count] for key, count in counts.statuses.most_common(MOST_NAMED)],
        "terms": [[*key, count] for key, count in sorted(counts.terms.items())],
        "notices": [[*key, count] for key, count in sorted(counts.notices.items())],
        "refused": _plain(counts.refused),
        "waiting": _plain(counts.waiting),
        "failures": _plain(counts.failures),
        "shift_sec": round(median(counts.shifts)) if counts.shifts else 0,
    }


def _count(counts: _Counts, differences: Mapping[str, Any]) -> None:
    path = differences.get("path", {})
    counts.new.update({tuple(node) for node in path.get("new", ())})
    counts.gone.update({tuple(node) for node in path.get("gone", ())})
    _count_statuses(counts, differences.get("statuses", {}))
    for kind, change in differences.get("sla", {}).items():
        counts.terms[kind, _how(change)] += 1
    for kind, change in differences.get("notifications", {}).items():
        counts.notices[kind, "more" if change["after"] > change["before"] else "fewer"] += 1
    counts.refused.update({refused["label"] for refused in differences.get("refused", ())})
    counts.waiting.update(differences.get("waiting", ()))
    if "failed" in differences:
        counts.failures[differences["failed"]["message"]] += 1
    ended = differences.get("ended", {})
    if ended.get("before") and ended.get("after"):
        late = datetime.fromisoformat(ended["after"]) - datetime.fromisoformat(ended["before"])
        counts.shifts.append(late.total_seconds())


def _count_statuses(counts: _Counts, change: Mapping[str, Any]) -> None:
    before, after = set(change.get("before", ())), set(change.get("after", ()))
    counts.statuses.update({(code, "new") for code in after - before} | {(code, "gone") for code in before - after})
    if change and before == after:
        counts.statuses["", "order"] += 1


def _how(change: Mapping[str, Any]) -> str:
    """breached | kept | begun | never | open | slower | faster"""
    before, after = change["before"], change["after"]
    if before is None or after is None:
        return "begun" if before is None else "never"
    if before["met"] != after["met"]:
        if after["met"] is None:
            return "open"
        return "breached" if after["met"] is False else "kept"
    return "slower" if (after["seconds"] or 0) > (before["seconds"] or 0) else "faster"


def _named(counter: Counter[tuple[str, str, str]]) -> list[list[Any]]:
    return [[*node, count] for node, count in counter.most_common(MOST_NAMED)]


def _plain(counter: Counter[str]) -> list[list[Any]]:
    return [[name, count] for name, count in counter.most_common(MOST_NAMED)]
