"""Corrections change the bytes they name and nothing else."""

from __future__ import annotations

import pytest

from engine.bpmn.lint import fixes
from engine.bpmn.xml import read
from engine.errors import Fix, Stale

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
