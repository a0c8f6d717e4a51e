"""What every template may use: asset addresses, words of the catalogs, the shell of the staff pages."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import get_timezone_location
from flask import Flask, g, url_for
from flask_babel import lazy_gettext

from engine import clock
from services.access.rights import Right
from services.access.rights import may as has_right
from services.notifications import live
from services.notifications import queries as notifications
from services.people.models import Agent
from services.tickets import queries as tickets
from webui.language import gettext, spoken
from webui.moments import zone
from webui.routes import current_desk, may

PRIORITIES = {
    "low": (lazy_gettext("Низкий"), "low"),
    "medium": (lazy_gettext("Средний"), "mid"),
    "high": (lazy_gettext("Высокий"), "high"),
    "critical": (lazy_gettext("Критический"), "crit"),
}
"""Code → word and glyph."""
PRESENCES = {
    "free": (lazy_gettext("Свободен"), "free"),
    "away": (lazy_gettext("Нет на месте"), "away"),
    "busy": (lazy_gettext("Занят для новых"), "busy"),
    "dnd": (lazy_gettext("Не беспокоить"), "dnd"),
    "offline": (lazy_gettext("Не в сети"), "off"),
}
SHAPES = {"class": "class", "open": "new", "work": "work", "wait": "wait", "done": "done"}
"""Shape of a status → its glyph."""
_DIST = Path(__file__).parent / "static" / "dist"


def install(app: Flask) -> None:
    """Give the templates their globals."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=asset,
        clock_now=clock.now,
        priorities=PRIORITIES,
        presences=PRESENCES,
        shapes=SHAPES,
        shell=shell,
        status_name=status_name,
        initials=initials,
        short_name=short_name,
        has_right=has_right,
        Right=Right,
    )


def asset(name: str) -> str:
    """The address of a built file, with its hash so that it may be cached for ever."""
    version = _manifest(_stamp()).get(name, "")
    return url_for("static", filename=f"dist/{name}", v=version or None)


def shell() -> dict[str, Any]:
    """What the rail and the top bar of a staff page show."""
    agent: Agent = g.agent
    return {
        "agent": agent,
        "folders": _folders(agent),
        "zone_city": get_timezone_location(zone(), locale=spoken(), return_city=True),
        "mailbox": current_desk().settings.demo or may(agent, ("admin",)),
        "unread": notifications.unread_count(g.session, agent),
        "live_from": live.latest_id(g.session),
    }


@dataclass(frozen=True, slots=True)
class FolderLink:
    """One folder of the rail."""

    key: str
    name: str
    count: int


def _folders(agent: Agent) -> list[FolderLink]:
    counts = tickets.folder_counts(g.session, agent)
    language = spoken()
    return [FolderLink(folder.key, folder.name(language), counts[folder.key]) for folder in tickets.FOLDERS.values()]


def status_name(status: Any) -> str:
    """The status in the reader's language."""
    if status is None:
        return gettext("Новое")
    return str(status.name_en if spoken() == "en" else status.name_ru)


def initials(name: str) -> str:
    """ "АЧ" for "Алина Чернова"."""
    words = [word for word in re.split(r"[\W_]+", name) if word]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def short_name(name: str) -> str:
    """ "А. Чернова" for "Алина Чернова"."""
    words = name.split()
    return f"{words[0][0]}. {words[-1]}" if len(words) > 1 else name


def _stamp() -> float:
    try:
        return (_DIST / "manifest.json").stat().st_mtime
    except FileNotFoundError:
        return 0.0


@lru_cache(maxsize=1)
def _manifest(stamp: float) -> dict[str, str]:
    if not stamp:
        return {}
    names: dict[str, str] = json.loads((_DIST / "manifest.json").read_text())
    return names
