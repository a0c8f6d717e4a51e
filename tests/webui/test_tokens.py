"""The page of the API's tokens: made once, shown once, revoked at once; for admins only."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from services.access.models import ApiToken
from services.bootstrap import Desk
from services.people.queries import by_email
from tests.webui.conftest import Browser

SignIn = Callable[[str], Browser]


def person(desk: Desk, who: str) -> int:
    with desk.database.reading() as session:
        agent = by_email(session, f"{who}@desk.localhost")
        assert agent is not None
        return agent.id


def test_a_token_is_shown_once_and_works(sign_in: SignIn, desk: Desk, app: Flask) -> None:
    admin = sign_in("admin")
    form = {"name": "Обмен", "agent": person(desk, "analyst"), "scope": "definitions:read", "days": "30"}

    page = admin.post("/admin/tokens", form)

    found = re.search(r"bpmd_[\w-]{43}", page.text)
    assert found is not None
    header = {"Authorization": f"Bearer {found[0]}"}
    assert app.test_client().get("/api/v1/definitions", headers=header).status_code == 200
    assert found[0] not in admin.get("/admin/tokens").text


def test_a_revoked_token_is_refused_at_once(sign_in: SignIn, desk: Desk, app: Flask) -> None:
    admin = sign_in("admin")
    made = admin.post("/admin/tokens", {"agent": person(desk, "admin"), "scope": "definitions:read"}).text
    secret = re.findall(r"bpmd_[\w-]{43}", made)[0]
    with desk.database.reading() as session:
        number = session.scalars(select(ApiToken.id)).one()

    admin.post(f"/admin/tokens/{number}/revoke")

    answer = app.test_client().get("/api/v1/definitions", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    assert "отозван" in admin.get("/admin/tokens").text


def test_what_the_person_may_not_do_is_refused_in_words(sign_in: SignIn, desk: Desk) -> None:
    form = {"agent": person(desk, "operator"), "scope": "definitions:activate", "name": "x"}

    answer = sign_in("admin").post("/admin/tokens", form)

    assert answer.status_code == 422
    assert "токен не может больше него" in answer.text


def test_only_admins_see_the_page(sign_in: SignIn) -> None:
    assert sign_in("analyst").get("/admin/tokens").status_code == 403
