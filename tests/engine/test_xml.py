"""What the hardened reader lets in and what it refuses."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.bpmn.xml import MOST_BYTES, XmlRefused, local_name, read

BOMB = b'<!DOCTYPE a [<!ENTITY a "x">' + b"".join(
    b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"&a;" * 10) for n in range(12)
)


@pytest.mark.parametrize(
    "content",
    [
        b"<a/>",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<a/>',
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?><a/>",
        "<a имя='значение'><!-- note --><?pi x?></a>".encode(),
        b'<a xmlns="urn:foreign"/>',
    ],
)
def test_plain_xml_is_read(content: bytes) -> None:
    assert local_name(read(content, "a.bpmn")) == "a"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "xml-syntax"),
        (b"not xml", "xml-syntax"),
        (b"<a>", "xml-syntax"),
        (b"<a></b>", "xml-syntax"),
        (b"<x:a/>", "xml-syntax"),
        (b"<a>&unknown;</a>", "xml-syntax"),
        (b"<a b='1' b='2'/>", "xml-syntax"),
        (b"<a>" * 5000, "xml-syntax"),
        (b"<a>" * 300 + b"</a>" * 300, "xml-syntax"),
        (b"<!DOCTYPE a><a/>", "xml-doctype"),
        (b"<?xml version='1.0'?><!-- x --><!doctype a><a/>", "xml-doctype"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "xml-doctype"),
        (BOMB + b"]><a>&a11;</a>", "xml-doctype"),
        ("<a>ночь</a>".encode("cp1251"), "file-encoding"),
        (b'<?xml version="1.0" encoding="windows-1251"?><a/>', "file-encoding"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "file-encoding"),
        ('<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"), "file-encoding"),
        ("<!DOCTYPE a><a/>".encode("utf-16-le"), "file-encoding"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "file-encoding"),
        (b"PK\x03\x04\x00\x00", "file-encoding"),
        (b"<a>" + b"x" * MOST_BYTES + b"</a>", "file-size"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_anything_else_is_refused_with_a_reason(content: bytes, rule: str) -> None:
    started = time.perf_counter()

    with pytest.raises(XmlRefused) as refusal:
        read(content, "a.bpmn")

    assert refusal.value.problem.rule == rule
    assert refusal.value.problem.file == "a.bpmn"
    assert time.perf_counter() - started < 0.5


def test_line_of_the_damage_is_told() -> None:
    with pytest.raises(XmlRefused) as refusal:
        read(b"<a>\n<b>\n</c>\n</a>", "a.bpmn")

    assert refusal.value.problem.line == 3


def test_xinclude_and_schema_hints_do_not_reach_for_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("canary")
    content = (
        f'<a xmlns:xi="http://www.w3.org/2001/XInclude" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:noNamespaceSchemaLocation="{secret.as_uri()}"><xi:include href="{secret.as_uri()}" parse="text"/></a>'
    )

    root = read(content.encode(), "a.bpmn")

    assert "canary" not in "".join(str(text) for text in root.itertext())
