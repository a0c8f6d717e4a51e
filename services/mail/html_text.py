"""HTML mails to the text that is kept: no markup survives, quotations stay recognisable."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import nh3

MAX_HTML = 300_000
"""Characters that are read, without pictures written into the page: the cleaner's time grows faster than its input."""

_BLOCKS = re.compile(
    r"(address|article|blockquote|center|d[dlt]|div|fieldset|footer|form|h[1-6r]|header|main|nav|[ou]l|p|pre|section|"
    r"table|tbody|tfoot|thead|tr)\Z"
)
_KEPT = {
    *("a", "address", "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "header"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "main", "nav", "ol", "p", "pre", "section", "table"),
    *("tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
}
_DROPPED = {"script", "style", "title", "template", "noscript", "svg", "math", "object", "iframe"}
_DATA = re.compile(r"data:[a-z0-9/+.-]{1,100};base64,[A-Za-z0-9+/=\s]*")
_SPACES = re.compile(r"[ \t\xa0]+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def to_text(html: str) -> str:
    """The readable text of an HTML page's beginning; text of quotations gets "> " before each line."""
    reader = _Reader()
    # the cleaner stands every markup, the parser of the standard library needs endless time for some
    reader.feed(nh3.clean(without_pictures(html)[:MAX_HTML], tags=_KEPT, clean_content_tags=_DROPPED, link_rel=None))
    reader.close()
    return reader.text()


def without_pictures(html: str) -> str:
    """The page without the pictures that are written into it."""
    return _DATA.sub("", html)


class _Reader(HTMLParser):
    """Collects lines with their depth of quotation."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[tuple[int, str]] = []
        self._line: list[str] = []
        self._quotes = 0
        self._link = ""

    def text(self) -> str:
        """What has been collected so far."""
        self._break()
        rendered = [f"{'>' * depth} {line}".rstrip() if depth else line for depth, line in self._lines]
        return _EMPTY_LINES.sub("\n\n", "\n".join(rendered)).strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            self._close_link()
        if _BLOCKS.match(tag):
            self._break()
        if tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        if tag in ("p", "table", "ul", "ol"):
            self._lines.append((self._quotes, ""))

    def handle_data(self, data: str) -> None:
        self._line.append(data.replace("\n", " "))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if _BLOCKS.match(tag) or tag in ("br", "li"):
            self._break(keep_empty=tag == "br")
        if tag == "blockquote":
            self._quotes = min(self._quotes + 1, 20)
        elif tag == "li":
            self._line.append("- ")
        elif tag in ("td", "th"):
            self._line.append(" ")
        elif tag == "img":
            self._line.append(attributes.get("alt") or "")
        elif tag == "a":
            self._link = attributes.get("href") or ""
            self._link_start = len(self._line)

    def _close_link(self) -> None:
        shown = "".join(self._line[self._link_start :]).strip()
        if self._link.startswith(("http://", "https://")) and self._link not in shown:
            self._line.append(f" <{self._link}>" if shown else self._link)
        self._link = ""

    def _break(self, keep_empty: bool = False) -> None:
        line = _SPACES.sub(" ", "".join(self._line)).strip()
        self._line = []
        self._link_start = 0
        if line or keep_empty:
            self._lines.append((self._quotes, line))
