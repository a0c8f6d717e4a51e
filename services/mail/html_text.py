"""HTML mails to the text that is kept: no markup survives, quotations stay recognisable."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "iframe"})
_BLOCKS = re.compile(
    r"(address|article|blockquote|center|d[dlt]|div|fieldset|footer|form|h[1-6r]|header|main|nav|[ou]l|p|pre|section|"
    r"table|tbody|tfoot|thead|tr)\Z"
)
_SPACES = re.compile(r"[ \t\xa0]+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def to_text(html: str) -> str:
    """The readable text of an HTML page; text of quotations gets "> " before each line."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects lines; `depth` of quotation and of silent elements is counted, so broken nesting cannot hurt."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[tuple[int, str]] = []
        self._line: list[str] = []
        self._quotes = 0
        self._silent = ""
        self._silent_depth = 0
        self._link = ""

    def text(self) -> str:
        """What has been collected so far."""
        self._break()
        rendered = [f"{'>' * depth} {line}".rstrip() if depth else line for depth, line in self._lines]
        return _EMPTY_LINES.sub("\n\n", "\n".join(rendered)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent and tag == "body":
            self._silent = ""  # a forgotten </head> must not swallow the letter
        if self._silent:
            self._silent_depth += tag == self._silent
        elif tag in _SILENT:
            self._silent, self._silent_depth = tag, 1
        else:
            self._open(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            self._silent_depth -= tag == self._silent
            if self._silent_depth <= 0:
                self._silent = ""
            return
        if tag == "a" and self._link:
            self._close_link()
        if _BLOCKS.match(tag):
            self._break()
        if tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        if tag in ("p", "table", "ul", "ol"):
            self._lines.append((self._quotes, ""))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._line.append(data.replace("\n", " "))

    def _open(self, tag: str, attributes: dict[str, str | None]) -> None:
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
