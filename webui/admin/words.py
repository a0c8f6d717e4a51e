"""Names, days and weeks as the administration's pages say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, get_day_names
from flask import g
from flask.sansio.app import App
from flask_babel import get_locale

from services.people.queries import display_name
from webui.failures import failure
from webui.moments import zone

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def install(app: App) -> None:
    """Make the filters known to the templates."""
    app.jinja_env.filters.update(
        {each.__name__: each for each in (who, failure, to_second, in_zone, in_words, weekday, week_words)}
    )


def who(ref: str | None) -> str:
    """The name behind an actor reference such as "agent:7"; looked up once a request."""
    names: dict[str | None, str] = g.setdefault("actor_names", {})
    if ref not in names:
        names[ref] = display_name(g.session, ref, str(get_locale() or "ru"))
    return names[ref]


def to_second(at: datetime) -> str:
    """ "19 нояб., 14:23:05" in the reader's zone."""
    return str(format_datetime(at, "d MMM, HH:mm:ss", tzinfo=zone(), locale=get_locale() or "ru"))


def in_zone(at: datetime, zone: str) -> str:
    """The value of a datetime-local field in that zone."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def in_words(at: datetime) -> str:
    """ "чт, 19 марта, 18:00" in the zone that the instant carries."""
    return str(format_datetime(at, "EEE, d MMMM, HH:mm", tzinfo=at.tzinfo, locale=get_locale() or "ru"))


def weekday(day: date) -> str:
    """ "чт, 19 марта"."""
    return format_date(day, "EEE, d MMM", locale=get_locale() or "ru")


def week_words(week: Mapping[str, Sequence[Sequence[str]]]) -> str:
    """ "пн–пт 09:00–18:00; сб 10:00–14:00": neighbouring days of equal hours together."""
    names = get_day_names("abbreviated", locale=get_locale() or "ru")
    runs: list[tuple[int, int, str]] = []
    for number, day in enumerate(_DAYS):
        hours = ", ".join(f"{begin}–{end}" for begin, end in week.get(day) or ())
        if runs and runs[-1][1] == number - 1 and runs[-1][2] == hours:
            runs[-1] = (runs[-1][0], number, hours)
        elif hours:
            runs.append((number, number, hours))
    return "; ".join(
        f"{names[first]}{f'–{names[last]}' if last > first else ''} {hours}" for first, last, hours in runs
    )
