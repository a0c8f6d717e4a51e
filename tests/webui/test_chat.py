"""The client's chat: without a script, for one visitor only, escaped, with friendly refusals."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from tests.webui.conftest import Browser


def _writes(browser: Browser, text: str, **fields: str) -> None:
    answer = browser.post("/chat/support/messages", {"name": "Пётр", "text": text, **fields})
    assert answer.status_code == 303, answer.text


def test_a_client_writes_and_reads_the_answer_without_a_script(app: Flask, sign_in: Callable[[str], Browser]) -> None:
    client = Browser(app.test_client())
    _writes(client, "Касса молчит")
    operator = sign_in("operator")
    operator.post("/tickets/1/messages", {"text": "Уже смотрим", "kind": "out"})
    operator.post("/tickets/1/messages", {"text": "Это между нами", "kind": "note"})

    page = client.get("/chat/support").text

    assert "Касса молчит" in page
    assert "Уже смотрим" in page
    assert "Это между нами" not in page


def test_another_visitor_sees_nothing_of_it(app: Flask) -> None:
    _writes(Browser(app.test_client()), "Мой секрет")
    other = Browser(app.test_client())
    other.client.set_cookie("bpmdesk_chat_1", "g" * 43, path="/chat/support")

    page = other.get("/chat/support")
    stream = other.get("/chat/support/live")

    assert "Мой секрет" not in page.text
    assert stream.status_code == 404


def test_the_secret_is_unreadable_for_scripts_and_not_stored(app: Flask) -> None:
    client = Browser(app.test_client())

    answer = client.post("/chat/support/messages", {"name": "Пётр", "text": "Касса"})

    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("bpmdesk_chat"))
    secret = cookie.partition("=")[2].partition(";")[0]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/chat/support" in cookie
    assert secret not in client.get("/chat/support").text


def test_an_empty_message_is_refused_in_words_and_nothing_is_lost(app: Flask) -> None:
    client = Browser(app.test_client())

    answer = client.post("/chat/support/messages", {"name": "Пётр", "email": "p@example.org", "text": " "})

    assert answer.status_code == 422
    assert "Напишите сообщение" in answer.text
    assert 'value="p@example.org"' in answer.text


def test_too_many_messages_from_one_address_are_slowed_down(app: Flask) -> None:
    client = Browser(app.test_client())

    statuses = [client.post("/chat/support/messages", {"name": "", "text": ""}).status_code for _ in range(61)]

    assert statuses[:60] == [422] * 60
    assert statuses[60] == 429


def test_an_unknown_chat_is_not_there(stranger: Browser) -> None:
    assert stranger.get("/chat/nowhere").status_code == 404
