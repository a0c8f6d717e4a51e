"""The Flask application of one desk."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from flask import Flask

from services.bootstrap import Desk
from webui import errors, language, login, moments, page, security
from webui.routes import check_declared

_MIB = 1024 * 1024

BLUEPRINTS = (
    "webui.login",
    "webui.views.tickets",
    "webui.views.actions",
    "webui.views.messages",
    "webui.views.attachments",
    "webui.views.notifications",
    "webui.views.diagram",
    "webui.views.profile",
    "webui.views.chat",
    "webui.views.mailbox",
    "webui.views.health",
    "webui.live",
    "webui.admin",
    "webui.api",
)
"""Modules that each have a `blueprint`."""


def create_app(desk: Desk) -> Flask:
    """The application that serves `desk`; raises RuntimeError when a route does not declare its roles."""
    app = Flask(__name__)
    app.extensions["bpmdesk"] = desk
    app.config.update(_config(desk))
    language.install(app)
    security.install(app)
    login.install(app)
    errors.install(app)
    moments.install(app)
    page.install(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(name).blueprint)
    security.limit(app)
    check_declared(app)
    return app


def _config(desk: Desk) -> dict[str, object]:
    return {
        "SECRET_KEY": desk.settings.secret,
        "SESSION_COOKIE_NAME": "bpmdesk",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": desk.settings.url.startswith("https://"),
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        "MAX_CONTENT_LENGTH": 26 * _MIB,
        "MAX_FORM_MEMORY_SIZE": _MIB,
        "MAX_FORM_PARTS": 200,
        "WTF_CSRF_TIME_LIMIT": None,
        "RATELIMIT_STORAGE_URI": security.limit_storage(desk.settings.redis),
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
        "RATELIMIT_STORAGE_OPTIONS": {"socket_connect_timeout": 0.2} if desk.settings.redis_url else {},
    }
