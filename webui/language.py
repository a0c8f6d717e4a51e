"""Russian and English: which one a person reads, and the catalogues compiled from their sources."""

from __future__ import annotations

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, request
from flask_babel import Babel

LANGUAGES = ("ru", "en")
COOKIE = "bpmdesk_language"
_SOURCES = Path(__file__).parent / "translations"


def install(app: Flask) -> None:
    """Compile the catalogues into the data directory and choose the language of each request."""
    desk = app.extensions["bpmdesk"]
    compiled = desk.settings.data_dir.resolve() / "translations"
    compile_catalogues(compiled)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(compiled)
    app.config["BABEL_DEFAULT_LOCALE"] = desk.settings.language
    Babel(app, locale_selector=chosen)


def chosen() -> str:
    """The person's own choice, the cookie's, the browser's, the installation's – the first there is."""
    agent = g.get("agent")
    wish = agent.language if agent else request.cookies.get(COOKIE)
    if wish in LANGUAGES:
        return str(wish)
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def compile_catalogues(target: Path) -> None:
    """Write the .mo files that are missing in `target` or older than their sources."""
    for language in LANGUAGES:
        source = _SOURCES / language / "LC_MESSAGES" / "messages.po"
        binary = target / language / "LC_MESSAGES" / "messages.mo"
        if binary.exists() and binary.stat().st_mtime >= source.stat().st_mtime:
            continue
        binary.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as text:
            catalogue = read_po(text, locale=language)
        whole = binary.with_suffix(".new")
        with whole.open("wb") as out:
            write_mo(out, catalogue)
        whole.replace(binary)
