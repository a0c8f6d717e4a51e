"""Signing in: equal refusals, growing delays, sessions that end."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.clock import FixedClock
from services.bootstrap import Desk
from services.demo import PASSWORD
from services.people.models import Agent
from tests.webui.conftest import Browser

OPERATOR = "operator@desk.localhost"


def _enters(browser: Browser, password: str, email: str = OPERATOR, **more: str) -> tuple[int, str]:
    answer = browser.post("/login", {"email": email, "password": password, **more})
    return answer.status_code, answer.headers.get("Location", "")


def test_the_right_password_opens_the_desk(stranger: Browser) -> None:
    assert _enters(stranger, PASSWORD) == (303, "/tickets")
    assert stranger.get("/tickets").status_code == 200


def test_unknown_people_and_wrong_passwords_get_the_same_answer(stranger: Browser) -> None:
    answers = [
        stranger.post("/login", {"email": email, "password": "guess"}) for email in (OPERATOR, "nobody@desk.localhost")
    ]

    said = [re.findall(r'role="alert">(.*?)</div>', answer.text, re.S) for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert len(said[0]) == 1
    assert said[0] == said[1]


def test_each_further_failure_doubles_the_wait(stranger: Browser, clock: FixedClock) -> None:
    waits = []
    for _ in range(6):
        answer = stranger.post("/login", {"email": OPERATOR, "password": "guess"})
        while answer.status_code == 429:
            waits.append(int(answer.headers["Retry-After"]))
            clock.advance(timedelta(seconds=waits[-1]))
            answer = stranger.post("/login", {"email": OPERATOR, "password": "guess"})

    assert waits == [1, 2, 4]


def test_even_the_right_password_waits(stranger: Browser, clock: FixedClock) -> None:
    for _ in range(3):
        _enters(stranger, "guess")

    assert _enters(stranger, PASSWORD)[0] == 429
    clock.advance(timedelta(seconds=2))
    assert _enters(stranger, PASSWORD)[0] == 303


def test_somebody_elses_failures_cost_me_nothing(stranger: Browser) -> None:
    for _ in range(4):
        _enters(stranger, "guess", email="supervisor@desk.localhost")

    assert _enters(stranger, PASSWORD)[0] == 303


def test_changing_the_uniquifier_ends_all_sessions(desk: Desk, sign_in: Callable[[str], Browser]) -> None:
    operator = sign_in("operator")
    assert operator.get("/tickets").status_code == 200

    with desk.database.transaction() as session:
        agent = session.scalars(select(Agent).where(Agent.email == OPERATOR)).one()
        agent.fs_uniquifier = secrets.token_hex(32)

    assert operator.get("/tickets").status_code == 303


def test_a_session_ends_after_a_week_however_busy(sign_in: Callable[[str], Browser], clock: FixedClock) -> None:
    operator = sign_in("operator")

    clock.advance(timedelta(days=7, seconds=1))

    assert operator.get("/tickets").status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_the_login_leads_to_no_other_site(stranger: Browser, target: str) -> None:
    assert _enters(stranger, PASSWORD, next=target) == (303, "/tickets")


def test_the_login_leads_back_to_where_one_wanted(stranger: Browser) -> None:
    assert stranger.get("/tickets?folder=overdue").headers["Location"] == "/login?next=/tickets?folder%3Doverdue"
    assert _enters(stranger, PASSWORD, next="/tickets?folder=overdue") == (303, "/tickets?folder=overdue")
