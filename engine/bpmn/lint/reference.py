"""The page docs/reference/lint-rules.md, written from the rules: `python -m engine.bpmn.lint.reference`."""

from __future__ import annotations

import re

from engine.bpmn.lint.catalogue import families
from engine.bpmn.rule import Rule

_HEAD = """# Rules of the check

`bpmdesk check PATH…`, the upload in the admin's page and every deployment look for the same things. All findings come
at once, each with its file, element and line. A file with an *error* never becomes active; a *warning* is worth a look,
an *info* only a note. “…” stands for what the finding names.

This page is written by `python -m engine.bpmn.lint.reference`.
"""
_TABLE = "| rule | severity | what to do | что сделать |\n|---|---|---|---|\n"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def reference() -> str:
    """The whole page."""
    parts = [_HEAD]
    for family, rules in families().items():
        parts.append(f"\n## {family[0].upper()}{family[1:]}\n\n{_TABLE}")
        parts += [_row(rule) for rule in rules]
    return "".join(parts)


def _row(rule: Rule) -> str:
    return f"| `{rule.name}` | {rule.severity} | {_sentence(rule.en)} | {_sentence(rule.ru)} |\n"


def _sentence(template: str) -> str:
    plain = _PLACEHOLDER.sub("…", template.replace("{{", "\0").replace("}}", "\1"))
    return plain.replace("\0", "{").replace("\1", "}").replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    print(reference(), end="")
