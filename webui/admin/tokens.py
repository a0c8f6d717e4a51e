"""Tokens of the HTTP API: who has one, what it opens, when it was used; made and revoked here."""

from __future__ import annotations

from datetime import timedelta

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine import clock
from engine.errors import Forbidden, NotFound
from services.access import tokens as access
from services.people import queries as people
from services.people.queries import by_id
from webui.admin.blueprint import ADMIN, blueprint
from webui.language import gettext, spoken
from webui.routes import Visit, leave_to, route

LIVES = (30, 90, 365)
"""Days a token may live; 0 = until it is revoked."""


@route(blueprint, "/tokens", roles=ADMIN)
def tokens(visit: Visit) -> ResponseReturnValue:
    return _page(visit)


@route(blueprint, "/tokens", roles=ADMIN, methods=["POST"])
def create_token(visit: Visit) -> ResponseReturnValue:
    """The secret is shown in the answer to this request and never again."""
    days = request.form.get("days", type=int) or 0
    try:
        _, secret = access.create(
            visit.session,
            by_id(visit.session, request.form.get("agent", type=int) or 0),
            name=request.form.get("name", ""),
            scopes=request.form.getlist("scope"),
            by=visit.agent.ref,
            expires_at=clock.now() + timedelta(days=days) if days in LIVES else None,
        )
    except NotFound:
        return _page(visit, error=gettext("Выберите сотрудника и хотя бы одно право токена.")), 422
    except Forbidden:
        return _page(visit, error=gettext("У этого сотрудника нет такого права: токен не может больше него.")), 422
    return _page(visit, secret=secret)


@route(blueprint, "/tokens/<int:token_id>/revoke", roles=ADMIN, methods=["POST"])
def revoke_token(visit: Visit, token_id: int) -> ResponseReturnValue:
    access.revoke(visit.session, token_id)
    return leave_to(url_for("admin.tokens"))


def _page(visit: Visit, *, secret: str = "", error: str = "") -> str:
    return render_template(
        "admin/tokens.html",
        tokens=access.all_tokens(visit.session),
        people=people.active(visit.session),
        scopes=[(scope.name, scope.ru if spoken() == "ru" else scope.en) for scope in access.SCOPES.values()],
        lives=LIVES,
        now=clock.now(),
        secret=secret,
        error=error,
        form=request.form,
    )
