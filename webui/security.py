"""What every answer and every request must satisfy: headers, origin, tokens against forgery, limits."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect

POLICY = (
    "default-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LIMITS = {
    "login.enter": "60 per minute",
    "chat.begin": "20 per minute",
    "chat.send": "60 per minute",
    "chat.upload": "20 per minute",
}
_API_LIMIT = "1200 per minute"
"""Of each operation and address."""

csrf = CSRFProtect()


def install(app: Flask) -> None:
    """Check the origin and the token of whatever changes something; put the headers on every answer."""
    app.before_request(_check_origin)
    csrf.init_app(app)
    app.after_request(_protect)


def limit(app: Flask) -> None:
    """Slow down who logs in or writes too often from one address; counts in Redis, without it in memory."""
    limiter = Limiter(get_remote_address, app=app)
    calls = {endpoint: _API_LIMIT for endpoint in app.view_functions if endpoint.startswith("api.")}
    for endpoint, rate in {**_LIMITS, **calls}.items():
        if endpoint in app.view_functions:
            app.view_functions[endpoint] = _limited(limiter, rate, app.view_functions[endpoint])


def _limited(limiter: Limiter, rate: str, view: Any) -> Any:
    limited: Any = limiter.limit(rate)(view)
    limited.roles = view.roles
    return limited


def limit_storage(redis: str) -> str:
    """The address of the counters for a Redis address of the settings."""
    return redis.replace("unix://", "redis+unix://", 1)


def _check_origin() -> None:
    origin = request.headers.get("Origin")
    if request.method in _SAFE or origin is None:
        return
    if urlsplit(origin).netloc != request.host:
        abort(403, "Expected a request of this site, it comes from another")


def _protect(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
