"""One's own settings: presence, language, theme, zone."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from services.people import operations
from webui.language import LANGUAGES
from webui.routes import STAFF, Visit, route

blueprint = Blueprint("profile", __name__)


@route(blueprint, "/profile", roles=STAFF)
def settings(visit: Visit) -> ResponseReturnValue:
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/")))
    return render_template("profile.html", zones=zones)


@route(blueprint, "/profile", roles=STAFF, methods=["POST"])
def save(visit: Visit) -> ResponseReturnValue:
    operations.set_preferences(
        visit.session,
        visit.agent,
        language=request.form.get("language", visit.agent.language),
        theme=request.form.get("theme", visit.agent.theme),
        zone=request.form.get("zone", visit.agent.zone),
    )
    return redirect(url_for("profile.settings"), 303)


@route(blueprint, "/profile/presence", roles=STAFF, methods=["POST"])
def presence(visit: Visit) -> ResponseReturnValue:
    operations.set_presence(visit.session, visit.agent, request.form.get("presence", ""))
    return _back()


@route(blueprint, "/profile/language", roles=STAFF, methods=["POST"])
def language(visit: Visit) -> ResponseReturnValue:
    wish = request.form.get("language", "")
    agent = visit.agent
    if wish in LANGUAGES:
        operations.set_preferences(visit.session, agent, language=wish, theme=agent.theme, zone=agent.zone)
    return _back()


def _back() -> Response:
    target = request.form.get("next", "")
    safe = target.startswith("/") and not target.startswith(("//", "/\\"))
    return redirect(target.rstrip("?") if safe else url_for("tickets.registry"), 303)
