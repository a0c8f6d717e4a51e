"""Prints what the engine makes of each case: `python -m tests.conformance [--format json] [NAME …]`."""

from __future__ import annotations

import argparse
import json
import logging
import sys

import structlog

from tests.conformance.cases import CASES
from tests.conformance.judge import Verdict, judge

WIDTH = 78


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("names", nargs="*", metavar="NAME", help="part of a name, of a group, or pattern:5")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    wanted = [name for name, case in CASES.items() if _is_wanted(name, case.patterns, arguments.names)]
    verdicts = {name: judge(CASES[name]) for name in wanted}
    print(_json(verdicts) if arguments.format == "json" else _text(verdicts))
    return 0 if verdicts and all(verdict.is_met for verdict in verdicts.values()) else 1


def _is_wanted(name: str, patterns: tuple[str, ...], asked: list[str]) -> bool:
    return not asked or any(each in name or each in [f"pattern:{n}" for n in patterns] for each in asked)


def _text(verdicts: dict[str, Verdict]) -> str:
    lines = [f"{'case':{WIDTH}} {'patterns':10} {'in memory':9} {'reloaded':9}"]
    for name, verdict in verdicts.items():
        patterns = " ".join(verdict.case.patterns)
        lines.append(f"{name:{WIDTH}} {patterns:10} {verdict.in_memory:9} {verdict.reloaded:9}")
        if verdict.case.refused or not verdict.is_met:
            lines += [f"    expected: {verdict.case.expected}", f"    got:      {verdict.got}"]
    met = sum(verdict.is_met for verdict in verdicts.values())
    refused = sum(verdict.case.refused is not None for verdict in verdicts.values())
    patterns = sorted({n for verdict in verdicts.values() for n in verdict.case.patterns}, key=int)
    lines.append(
        f"\n{len(verdicts)} cases ({refused} of them refusals, {len(patterns)} patterns): "
        f"{met} met, {len(verdicts) - met} not"
    )
    return "\n".join(lines)


def _json(verdicts: dict[str, Verdict]) -> str:
    rows = [
        {
            "case": name,
            "construct": verdict.case.group,
            "patterns": verdict.case.patterns,
            "clause": verdict.case.clause,
            "expected": verdict.case.expected,
            "got": verdict.got,
            "in_memory": verdict.in_memory,
            "reloaded": verdict.reloaded,
        }
        for name, verdict in verdicts.items()
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2)


if __name__ == "__main__":
    sys.exit(main())
