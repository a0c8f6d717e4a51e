"""Whatever people write is shown as text."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from flask import Flask

from tests.webui.conftest import Browser

HOSTILE = "<script>alert(1)</script>"
QUOTED = '"><img src=x onerror=alert(1)>'


def test_hostile_texts_are_shown_escaped_everywhere(app: Flask, sign_in: Callable[[str], Browser]) -> None:
    client = Browser(app.test_client())
    files = [(BytesIO(b"plain"), f"{QUOTED}.txt")]
    client.client.post(
        "/chat/support/messages",
        data={"name": f"Пётр {HOSTILE}{QUOTED}", "text": f"{HOSTILE} {QUOTED}", "files": files},
        content_type="multipart/form-data",
    )
    operator = sign_in("operator")
    operator.client.put("/tickets/1/draft", data={"text": f"</textarea>{HOSTILE}"})
    operator.post("/tickets/1/topic", {"topic": f"{HOSTILE}{QUOTED}"})

    pages = {
        address: operator.get(address).text
        for address in (
            "/tickets",
            f"/tickets?q={HOSTILE}",
            "/tickets/1",
            "/tickets/1?tab=extra",
            "/tickets/1?tab=history",
            "/notifications",
        )
    }
    pages["chat"] = client.get("/chat/support").text

    assert "&lt;script&gt;" in pages["/tickets/1"]
    assert "onerror" in pages["/tickets/1"]
    for address, page in pages.items():
        assert HOSTILE not in page, address
        assert "<img" not in page, address


def test_a_file_is_only_ever_a_download(app: Flask, sign_in: Callable[[str], Browser]) -> None:
    client = Browser(app.test_client())
    page = b"<html><script>alert(1)</script>"
    client.client.post(
        "/chat/support/messages",
        data={"name": "Пётр", "text": "Файл", "files": [(BytesIO(page), "page.html")]},
        content_type="multipart/form-data",
    )
    shown = sign_in("operator").get("/tickets/1").text
    identifier = shown.partition("/attachments/")[2][:32]

    sent = sign_in("operator").get(f"/attachments/{identifier}")
    foreign = Browser(app.test_client()).get(f"/chat/support/attachments/{identifier}")
    own = client.get(f"/chat/support/attachments/{identifier}")

    assert sent.get_data() == page
    assert sent.headers["Content-Disposition"].startswith("attachment")
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert sent.headers["Content-Security-Policy"].startswith("sandbox")
    assert sent.mimetype == "application/octet-stream"
    assert foreign.status_code == 404
    assert own.get_data() == page
    for answer in (sent, foreign, own):
        answer.close()
