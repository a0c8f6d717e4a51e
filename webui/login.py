"""Signing in and out: argon2 passwords, a growing delay after failures, sessions that can be revoked."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from engine import clock
from services.people import queries
from services.people.models import Agent
from services.people.passwords import hashed
from webui.language import gettext
from webui.routes import PUBLIC, STAFF, Visit, route

blueprint = Blueprint("login", __name__)

_ABSOLUTE = timedelta(days=7)
"""A session ends this long after signing in, however busy it is; PERMANENT_SESSION_LIFETIME ends an idle one."""
_LONGEST = timedelta(minutes=15)
_KEPT = 10_000
_hasher = PasswordHasher()


def install(app: Flask) -> None:
    """Give the application its memory of failed attempts."""
    app.extensions["attempts"] = Attempts()


@route(blueprint, "/login", roles=PUBLIC)
def form(visit: Visit) -> ResponseReturnValue:
    if visit.signed_in is not None:
        return redirect(_next_page(), 303)
    return _page("")


@route(blueprint, "/login", roles=PUBLIC, methods=["POST"])
def enter(visit: Visit) -> ResponseReturnValue:
    email, password = request.form.get("email", "")[:255], request.form.get("password", "")[:1000]
    attempts: Attempts = current_app.extensions["attempts"]
    keys = (f"user:{email.strip().lower()}", f"address:{request.remote_addr}")
    wait = attempts.wait(keys)
    if wait:
        said = gettext("Слишком много попыток. Подождите и попробуйте снова через %(n)d с.", n=wait)
        return _refused(said, 429, wait)
    agent = authenticate(visit.session, email, password)
    if agent is None:
        attempts.failed(keys)
        return _refused(gettext("Почта или пароль не подходят."), 401)
    attempts.forget(keys[0])
    _start(agent)
    return redirect(_next_page(), 303)


@route(blueprint, "/logout", roles=STAFF, methods=["POST"])
def leave(visit: Visit) -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("login.form"), 303)


def authenticate(database: Session, email: str, password: str) -> Agent | None:
    """The active person with that password; an unknown address takes the same time as a wrong password."""
    agent = queries.by_email(database, email)
    stored = agent.password if agent and agent.active and agent.password else _nobody()
    try:
        fits = _hasher.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return None
    return agent if fits and agent is not None and stored == agent.password else None


def signed_in_agent(database: Session) -> Agent | None:
    """Who makes this request; None for strangers, for ended and for revoked sessions."""
    key, since = session.get("agent"), session.get("since")
    if not key or not isinstance(since, float):
        return None
    if clock.now().timestamp() - since > _ABSOLUTE.total_seconds():
        session.clear()
        return None
    known = select(Agent).where(Agent.fs_uniquifier == key, Agent.active).options(joinedload(Agent.roles))
    return database.scalars(known).unique().one_or_none()


@dataclass(slots=True)
class _Failures:
    count: int
    last: datetime


_FREE = {"user": 3, "address": 20}
"""Failures that cost no waiting; many people may share one address."""


class Attempts:
    """Failed attempts per user and per address; each further failure doubles the time to wait."""

    def __init__(self) -> None:
        self._failures: dict[str, _Failures] = {}
        self._lock = threading.Lock()

    def wait(self, keys: tuple[str, ...]) -> int:
        """Seconds until the next attempt is looked at; 0 = now."""
        with self._lock:
            return max(self._wait_for(key) for key in keys)

    def failed(self, keys: tuple[str, ...]) -> None:
        """Remember one more failure for each key."""
        with self._lock:
            if len(self._failures) > _KEPT:
                self._failures.clear()
            for key in keys:
                before = self._failures.get(key)
                self._failures[key] = _Failures((before.count if before else 0) + 1, clock.now())

    def forget(self, key: str) -> None:
        """The person got in: start counting anew."""
        with self._lock:
            self._failures.pop(key, None)

    def _wait_for(self, key: str) -> int:
        failures = self._failures.get(key)
        over = failures.count - _FREE[key.partition(":")[0]] if failures else -1
        if failures is None or over < 0:
            return 0
        delay = min(timedelta(seconds=2 ** min(over, 20)), _LONGEST)
        left = (failures.last + delay - clock.now()).total_seconds()
        return max(0, round(left + 0.49))


def _start(agent: Agent) -> None:
    language = session.get("language")
    session.clear()
    session.permanent = True
    session.update(agent=agent.fs_uniquifier, since=clock.now().timestamp(), language=language)


_nobody_hash: str = ""


def _nobody() -> str:
    global _nobody_hash
    if not _nobody_hash:
        _nobody_hash = hashed("nobody has this password")
    return _nobody_hash


def _next_page() -> str:
    wanted = request.values.get("next", "")
    safe = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if safe else url_for("tickets.registry")


def _refused(message: str, status: int, wait: int = 0) -> ResponseReturnValue:
    headers = {"Retry-After": str(wait)} if wait else {}
    return _page(message), status, headers


def _page(message: str) -> str:
    email, target = request.form.get("email", ""), request.values.get("next", "")
    return render_template("login.html", message=message, email=email, next=target)
