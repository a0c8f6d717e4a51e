"""The one way XML enters the engine: small, UTF-8, without DTD, entities or network."""

from __future__ import annotations

import re

from lxml import etree

from engine.bpmn.rule import Rule
from engine.errors import XmlRefused

__all__ = ["BPMN", "DESK", "DMN", "MOST_BYTES", "SPIFF", "XSI", "XmlRefused", "local_name", "read"]

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
DESK = "urn:bpmdesk:1"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

MOST_BYTES = 1024 * 1024

SYNTAX = Rule(
    "xml-syntax",
    "error",
    "Файл не читается как XML ({reason}). Откройте его в редакторе схем и сохраните заново.",
    "The file cannot be read as XML ({reason}). Open it in a modeler and save it again.",
)
SIZE = Rule(
    "file-size",
    "error",
    "Файл больше 1 МиБ ({size} байт). Разделите схему на вызываемые процессы.",
    "The file is larger than 1 MiB ({size} bytes). Split the drawing into called processes.",
)
ENCODING = Rule(
    "file-encoding",
    "error",
    "Файл не в кодировке UTF-8. Сохраните его как UTF-8.",
    "The file is not in UTF-8. Save it as UTF-8.",
)
DOCTYPE = Rule(
    "xml-doctype",
    "error",
    "DOCTYPE и ENTITY запрещены. Удалите их: схемам они не нужны.",
    "DOCTYPE and ENTITY are forbidden. Remove them: drawings do not need them.",
)

_FORBIDDEN = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"']{0,40})[\"']")


def read(content: bytes, name: str) -> etree._Element:
    """The root element of a file; raises XmlRefused whose problem says what is wrong and where."""
    _check_size(content, name)
    _check_encoding(content, name)
    _check_prolog(content, name)
    try:
        return etree.fromstring(content, _parser())
    except etree.XMLSyntaxError as error:
        reason = str(error.msg)[:200]
        raise XmlRefused(SYNTAX.problem(name, line=error.lineno, reason=reason)) from None
    except ValueError:
        raise XmlRefused(ENCODING.problem(name)) from None


def local_name(element: etree._Element) -> str:
    """The name of the element without its namespace."""
    return etree.QName(element).localname


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )


def _check_size(content: bytes, name: str) -> None:
    if len(content) > MOST_BYTES:
        raise XmlRefused(SIZE.problem(name, size=len(content)))


def _check_encoding(content: bytes, name: str) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise XmlRefused(ENCODING.problem(name)) from None
    declared = _DECLARATION.match(content.removeprefix(b"\xef\xbb\xbf"))
    if b"\x00" in content or (declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii")):
        raise XmlRefused(ENCODING.problem(name))


def _check_prolog(content: bytes, name: str) -> None:
    found = _FORBIDDEN.search(content)
    if found:
        raise XmlRefused(DOCTYPE.problem(name, line=content.count(b"\n", 0, found.start()) + 1))
