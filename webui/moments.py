"""Instants and spans as people read them, in the reader's language and zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date
from flask import Flask, g
from markupsafe import Markup, escape

from engine import clock
from webui.language import gettext, spoken


class _HasMoment(Protocol):
    @property
    def at(self) -> datetime: ...


_Dated = TypeVar("_Dated", bound=_HasMoment)
_DEFAULT_ZONE = "Europe/Moscow"


def install(app: Flask) -> None:
    """Make the filters known to the templates."""
    filters = (moment, full, at, at_seconds, day, span, figures, local_input, groupby_day, clock_time)
    app.jinja_env.filters.update({function.__name__: function for function in filters})
    app.jinja_env.filters["time"] = stamp


def zone() -> ZoneInfo:
    """The zone of the person who reads the page."""
    agent = g.get("agent")
    try:
        return ZoneInfo(agent.zone if agent else _DEFAULT_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(_DEFAULT_ZONE)


def moment(instant: datetime) -> str:
    """Short: "14:05" today, "завтра, 09:00", "3 ноября, 11:24", with the year in other years."""
    local, today = instant.astimezone(zone()), clock.now().astimezone(zone()).date()
    days = (local.date() - today).days
    if days == 0:
        return at(instant)
    if days in (-1, 1):
        return f"{gettext('завтра') if days == 1 else gettext('вчера')}, {at(instant)}"
    return f"{day(instant)}, {at(instant)}"


def brief(instant: datetime) -> str:
    """The shortest that is still clear: "16:30" within half a day, "завтра", "24 нояб."."""
    local, now = instant.astimezone(zone()), clock.now().astimezone(zone())
    if local.date() == now.date() or local - now < timedelta(hours=12):
        return at(instant)
    if (local.date() - now.date()).days == 1:
        return gettext("завтра")
    return _written(local.date(), "d MMM", spoken())


def day(instant: datetime) -> str:
    """ "3 ноября", with the year when it is not this one."""
    local = instant.astimezone(zone())
    same = local.year == clock.now().astimezone(zone()).year
    return _written(local.date(), "d MMMM" if same else "d MMMM y", spoken())


def at(instant: datetime) -> str:
    """ "14:05"."""
    return f"{instant.astimezone(zone()):%H:%M}"


def at_seconds(instant: datetime) -> str:
    """ "14:05:31"."""
    return f"{instant.astimezone(zone()):%H:%M:%S}"


def groupby_day(events: Iterable[_Dated]) -> list[tuple[str, list[_Dated]]]:
    """Things with an `at`, by the reader's days, in their order."""
    return [(name, list(group)) for name, group in groupby(events, key=lambda event: day(event.at))]


def full(instant: datetime) -> str:
    """With seconds, year and zone, for the hint over a time."""
    local = instant.astimezone(zone())
    written = _written(local.date(), "d MMMM y", spoken())
    return f"{written}, {local:%H:%M:%S}, {local:%Z} (UTC{_offset(instant)})"


@lru_cache(maxsize=4096)
def _written(on: date, pattern: str, language: str) -> str:
    """A long talk names the same few days a thousand times, and writing one out is slow."""
    return format_date(on, pattern, locale=language)


def stamp(instant: datetime | None) -> Markup:
    """A <time> element: short inside, full on hover."""
    if instant is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        instant.isoformat(), full(instant), escape(moment(instant))
    )


def clock_time(instant: datetime) -> Markup:
    """A <time> element under a heading that names the day."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(instant.isoformat(), full(instant), at(instant))


def span(seconds: float) -> str:
    """ "2 д 3 ч", "1 ч 20 м", "18 м 42 с", "40 с"."""
    hours, rest = divmod(int(abs(seconds)), 3600)
    minutes, left = divmod(rest, 60)
    if hours and not minutes:
        return gettext("%(h)d ч", h=hours)
    if hours:
        return gettext("%(h)d ч %(m)02d м", h=hours, m=minutes)
    if minutes >= 30 or (minutes and not left):
        return gettext("%(m)d м", m=minutes)
    return gettext("%(m)d м %(s)02d с", m=minutes, s=left) if minutes else gettext("%(s)d с", s=left)


def figures(seconds: float) -> str:
    """ "9:58:18"."""
    hours, rest = divmod(int(abs(seconds)), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


def local_input(instant: datetime) -> str:
    """The value of a datetime-local field in the reader's zone."""
    return instant.astimezone(zone()).strftime("%Y-%m-%dT%H:%M")


def _offset(instant: datetime) -> str:
    offset = instant.astimezone(zone()).strftime("%z")
    return f"{offset[0]}{int(offset[1:3])}" + (f":{offset[3:]}" if offset[3:] != "00" else "")
