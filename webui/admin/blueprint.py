"""The blueprint of the administration and who may enter it."""

from __future__ import annotations

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from webui.admin import alarm, sections, words

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

STUDIO = ("analyst", "admin")
"""Processes, their instances and their failures."""
ADMIN = ("admin",)
"""Other people's mail and the machines."""


@blueprint.record_once
def _install(state: BlueprintSetupState) -> None:
    words.install(state.app)
    state.app.jinja_env.globals.update(admin_sections=sections.shown, engine_alarm=alarm.current)
