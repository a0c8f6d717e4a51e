"""Requests of other sites, and the headers that keep the page to itself."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests.webui.conftest import Browser

POLICY = (
    "default-src 'self'",
    "script-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
)


def test_a_post_without_the_token_changes_nothing(app: Flask, sign_in: Callable[[str], Browser]) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    operator = sign_in("operator")

    refused = operator.post("/profile/presence", {"presence": "dnd"})
    token = re.search(r'name="csrf-token" content="([^"]+)"', operator.get("/tickets").text)
    assert token is not None
    done = operator.post("/profile/presence", {"presence": "away", "csrf_token": token[1]})

    assert refused.status_code == 400
    assert done.status_code == 303
    assert 'title="Нет на месте"' in operator.get("/tickets").text


def test_the_draft_needs_the_token_too(
    app: Flask, sign_in: Callable[[str], Browser], client_writes: Callable[..., int]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    number = client_writes()

    assert sign_in("operator").client.put(f"/tickets/{number}/draft", data={"text": "x"}).status_code == 400


def test_another_origin_is_refused(sign_in: Callable[[str], Browser]) -> None:
    operator = sign_in("operator")

    foreign = operator.post("/profile/presence", {"presence": "dnd"}, headers={"Origin": "https://evil.example"})
    own = operator.post("/profile/presence", {"presence": "away"}, headers={"Origin": "http://localhost"})

    assert foreign.status_code == 403
    assert own.status_code == 303


@pytest.mark.parametrize(
    "address", ["/login", "/tickets", "/health", "/chat/support", "/nowhere", "/static/icons/mark.svg", "/live/poll"]
)
def test_every_answer_carries_the_headers(stranger: Browser, address: str) -> None:
    answer = stranger.get(address)
    headers = answer.headers
    answer.close()

    for directive in POLICY:
        assert directive in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Request-Id"]


def test_pages_have_no_inline_style_or_script(
    sign_in: Callable[[str], Browser], client_writes: Callable[..., int]
) -> None:
    number = client_writes()
    operator = sign_in("operator")

    for address in ("/tickets", f"/tickets/{number}", f"/tickets/{number}?tab=extra", "/tickets/new", "/profile"):
        page = operator.get(address).text
        assert not re.search(r"<[^>]+\sstyle=", page), address
        assert not re.search(r"<[^>]+\son[a-z]+=", page), address
        assert not re.search(r"<script(?![^>]*\ssrc=)", page), address
