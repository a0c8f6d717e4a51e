"""Russian and English: which one a person reads, and the catalogues compiled from their sources."""

from __future__ import annotations

import os
from pathlib import Path

import flask_babel
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, request

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
    flask_babel.Babel(app, locale_selector=chosen)
    app.jinja_env.globals["get_locale"] = flask_babel.get_locale


def gettext(message: str, **values: object) -> str:
    """The message in the reader's language, with its values."""
    return str(flask_babel.gettext(message, **values))


def spoken() -> str:
    """The language of this request: "ru" or "en"."""
    return str(flask_babel.get_locale() or LANGUAGES[0])


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
        sources = sorted((_SOURCES / language / "LC_MESSAGES").glob("*.po"))
        binary = target / language / "LC_MESSAGES" / "messages.mo"
        if binary.exists() and binary.stat().st_mtime >= max(source.stat().st_mtime for source in sources):
            continue
        binary.parent.mkdir(parents=True, exist_ok=True)
        catalogue = _together(sources, language)
        whole = binary.with_suffix(f".{os.getpid()}")  # serving processes that start together write one each
        with whole.open("wb") as out:
            write_mo(out, catalogue)
        whole.replace(binary)


def _together(sources: list[Path], language: str) -> Catalog:
    """One catalogue of all source files; a message of a later file wins."""
    whole = Catalog(locale=language)
    for source in sources:
        with source.open("rb") as text:
            for message in read_po(text, locale=language):
                if message.id:
                    whole[message.id] = message
    return whole
