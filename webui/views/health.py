"""Whether the desk is alive, for whoever watches it."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from engine import clock
from webui.routes import PUBLIC, Visit, route

blueprint = Blueprint("health", __name__)


@route(blueprint, "/health", roles=PUBLIC)
def health(visit: Visit) -> ResponseReturnValue:
    visit.session.execute(text("SELECT 1"))
    return jsonify(status="ok", now=clock.now().isoformat())
