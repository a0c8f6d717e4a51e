"""Corrections change the bytes they name and nothing else."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.bpmn.lint import check_files, fixes
from engine.bpmn.xml import read
from engine.errors import Fix, Problem, Stale
from tests.engine.lint.examples import EXAMPLES
from tests.engine.lint.fragments import choice
from tests.engine.lint.sketch import chain, task

FILE = """\ufeff<?xml version='1.0'  encoding="UTF-8"?>
<!-- <b x="9"/> -->
<a  z = 'q &amp; "r"'   x='1' xmlns:y="urn:y">
    <b x="2" y:x=">3"/><?pi <b/> ?>
\t<c><![CDATA[<b/>]]> text &#65;</c>\r
    <d y="x='1'" />
</a>
"""


def applied(*edits: object) -> str:
    return fixes.apply(FILE.encode(), Fix("", "", edits)).decode()  # type: ignore[arg-type]


ROOT = read(FILE.encode(), "a")
B, C, D = ROOT


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (fixes.set_attribute(ROOT, "x", "<7>"), "x='1' xmlns", 'x="&lt;7&gt;" xmlns'),
        (fixes.set_attribute(D, "x", "5"), "y=\"x='1'\" />", 'y="x=\'1\'" x="5" />'),
        (fixes.unset(B, "x"), '<b x="2" y:x', "<b y:x"),
        (fixes.unset(D, "missing"), "", ""),
        (fixes.set_text(C, "a & b"), "<![CDATA[<b/>]]> text &#65;", "a &amp; b"),
        (fixes.set_text(D, "t"), "<d y=\"x='1'\" />", "<d y=\"x='1'\" >t</d>"),
        (fixes.delete(C), "\n\t<c><![CDATA[<b/>]]> text &#65;</c>", ""),
        (fixes.delete(D), "\r\n    <d y=\"x='1'\" />", ""),
        (fixes.insert(D, "<{p}e>1</{p}e>"), "'1'\" />", "'1'\" >\r\n      <e>1</e>\r\n    </d>"),
        (fixes.append(D, "<{p}e/>"), "'1'\" />", "'1'\" />\r\n    <e/>"),
    ],
)
def test_edit_changes_its_place_only(edit: object, before: str, after: str) -> None:
    assert applied(edit) == FILE.replace(before, after, 1)


def test_prefix_of_the_place_is_kept() -> None:
    content = b"<m:a xmlns:m='urn:m'><m:b/></m:a>"
    (b,) = read(content, "a")

    changed = fixes.apply(content, Fix("", "", (fixes.insert(b, "<{p}c>x</{p}c>"), fixes.append(b, "<{p}d/>"))))

    assert changed == b"<m:a xmlns:m='urn:m'><m:b><m:c>x</m:c></m:b><m:d/></m:a>"


def test_corrections_that_touch_each_other_are_not_mixed() -> None:
    one, other = Fix("", "", (fixes.delete(C),)), Fix("", "", (fixes.set_text(C, "t"), fixes.unset(ROOT, "x")))

    assert fixes.apply_all(FILE.encode(), [one, other]) == fixes.apply(FILE.encode(), one)


def test_correction_of_another_state_of_the_file_is_refused() -> None:
    fix = Fix("", "", (fixes.delete(D),))
    once = fixes.apply(FILE.encode(), fix)

    with pytest.raises(Stale):
        fixes.apply(once, fix)


FIXABLE = {
    "assignment-place",
    "attribute-exclusion",
    "boolean-value",
    "condition-not-read",
    "conditional-flows",
    "dangling-reference",
    "default-flow",
    "default-flow-condition",
    "default-flow-place",
    "error-interrupts",
    "executable-unsaid",
    "flow-listing",
    "foreign-expression",
    "gateway-direction",
    "hotkey-twice",
    "job-place",
    "lane-member",
    "missing-id",
    "no-duplicate-sequence-flows",
    "picture-of-nothing",
    "superfluous-termination",
    "target-namespace",
    "token-quantity",
}


BROKEN = {rule: EXAMPLES[rule].bad["a.bpmn"] for rule in FIXABLE} | {
    "conditional-flows": choice("exclusive", attributes=""),
    "default-flow": chain(task(attributes='default="gone"')),
}


def checked(content: bytes) -> list[Problem]:
    return check_files({"a.bpmn": content}, connectors=None, statuses=None, forms=None)


def rules(problems: list[Problem]) -> Counter[str]:
    return Counter(problem.rule for problem in problems)


def test_rules_that_offer_a_correction_in_their_example() -> None:
    bundles = {rule: example.bad for rule, example in EXAMPLES.items()}
    bundles |= {rule: {"a.bpmn": content} for rule, content in BROKEN.items()}

    offered = {
        rule
        for rule, files in bundles.items()
        if any(p.rule == rule and p.fix for p in check_files(files, connectors=None, statuses=None, forms=None))
    }

    assert offered == FIXABLE


@pytest.mark.parametrize("rule", sorted(FIXABLE))
def test_correction_removes_its_finding_and_brings_no_other(rule: str) -> None:
    content = BROKEN[rule]
    before = checked(content)
    found = [problem for problem in before if problem.rule == rule and problem.fix]

    after = checked(fixes.apply_all(content, [problem.fix for problem in found if problem.fix]))

    assert found
    assert not [problem for problem in after if problem.rule == rule and problem.fix]
    assert rules(after) <= rules(before)
    for problem in found:
        assert problem.fix
        assert problem.fix.ru != problem.fix.en
