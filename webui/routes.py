"""How a view is declared: who may come in, and the one transaction it runs in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engine.db import Database
from services.bootstrap import Desk
from services.people.models import Agent

PUBLIC = "public"
"""Anybody, without knowing who it is."""
CLIENT = "client"
"""A client; the view itself checks the visitor's secret."""
STAFF = ("operator", "supervisor", "analyst", "admin")
TICKET_STAFF = ("operator", "supervisor", "admin")

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Roles = str | Sequence[str]
View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: its database session, who makes it, and the desk it is made to."""

    session: Session
    desk: Desk
    signed_in: Agent | None

    @property
    def agent(self) -> Agent:
        """The signed-in person; a view that asks for one must not be public."""
        if self.signed_in is None:
            raise RuntimeError("Expected a route for staff, but nobody is signed in")
        return self.signed_in


def route(
    blueprint: Blueprint, rule: str, *, roles: Roles, methods: Sequence[str] = ("GET",)
) -> Callable[[View], View]:
    """Declare the decorated view at `rule`, open to `roles`: role names, PUBLIC or CLIENT.

    The view gets a Visit first. Safe methods only read; all others run in one transaction that is
    committed before the answer leaves, or rolled back when the answer says that it was refused (4xx, 5xx).
    """

    def declare(view: View) -> View:
        @wraps(view)
        def enter(**values: Any) -> Response:
            database = current_desk().database
            if request.method in _SAFE:
                return _read(database, view, roles, values)
            return _write(database, view, roles, values)

        enter.roles = roles  # type: ignore[attr-defined]
        blueprint.add_url_rule(rule, view.__name__, enter, methods=list(methods))
        return view

    return declare


def current_desk() -> Desk:
    """The desk this application serves."""
    desk: Desk = current_app.extensions["bpmdesk"]
    return desk


def check_declared(app: Flask) -> None:
    """Raise RuntimeError unless every route says who may use it."""
    silent = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not hasattr(app.view_functions[rule.endpoint], "roles")
    ]
    if silent:
        raise RuntimeError(f"Expected every route to declare its roles, but these do not: {', '.join(silent)}")


def is_fragment() -> bool:
    """Whether the page asks for a part of itself, not a person for a page."""
    return request.headers.get("HX-Request") == "true"


def leave_to(address: str) -> Response:
    """Send the browser to `address`, from a page as well as from a part of one."""
    if not is_fragment():
        return make_response(redirect(address, 303))
    response = make_response("", 200)
    response.headers["HX-Redirect"] = address
    return response


def _read(database: Database, view: View, roles: Roles, values: dict[str, Any]) -> Response:
    with database.reading() as session:
        return _answer(session, view, roles, values)


def _write(database: Database, view: View, roles: Roles, values: dict[str, Any]) -> Response:
    with database.transaction() as session:
        response = _answer(session, view, roles, values)
        if response.status_code >= 400:
            session.rollback()
    return response


def _answer(session: Session, view: View, roles: Roles, values: dict[str, Any]) -> Response:
    from webui.login import signed_in_agent

    agent = signed_in_agent(session)
    g.session, g.agent = session, agent
    try:
        refusal = _refusal(agent, roles)
        return refusal or make_response(view(Visit(session, current_desk(), agent), **values))
    except Exception:
        if agent is not None and agent in session:
            session.expunge(agent)  # the page of the error speaks to this person after the rollback
        raise


def _refusal(agent: Agent | None, roles: Roles) -> Response | None:
    if roles in (PUBLIC, CLIENT):
        return None
    if agent is None:
        return _to_login()
    if not may(agent, roles):
        abort(403)
    return None


def may(agent: Agent, roles: Roles) -> bool:
    """Whether one of the person's roles opens a route of these roles; an admin may everything."""
    held = {role.name for role in agent.roles}
    return "admin" in held or not held.isdisjoint(roles)


def _to_login() -> Response:
    if request.method not in _SAFE or is_fragment():
        response = leave_to(url_for("login.form"))
        response.status_code = 401
        return response
    return make_response(redirect(url_for("login.form", next=request.full_path.rstrip("?")), 303))
