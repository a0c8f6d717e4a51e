"""Who may open what: every route says so, and the wrapper holds everybody to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.routing import Rule

from services.bootstrap import Desk
from tests.webui.conftest import ROLES, Browser
from webui.api.operation import TOKEN
from webui.routes import CLIENT, PUBLIC, check_declared

SHOWN_AS = {"int:number": "1", "ref": "task:1:take", "slug": "support", "identifier": "0" * 32, "key": "nothing"}
Route = tuple[str, str, object]


def _address(rule: Rule) -> str:
    address = rule.rule
    for argument in rule.arguments:
        converter = f"int:{argument}" if f"<int:{argument}>" in address else argument
        value = SHOWN_AS.get(converter, "1" if converter.startswith("int:") else "x")
        address = address.replace(f"<{converter}>", value)
    return address


def _routes(app: Flask) -> list[Route]:
    return [
        (method, _address(rule), app.view_functions[rule.endpoint].roles)  # type: ignore[attr-defined]
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in ("static", "login.leave")
        if app.view_functions[rule.endpoint].roles != TOKEN  # type: ignore[attr-defined] # no cookie opens the API
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def _status(browser: Browser, method: str, address: str) -> int:
    response = browser.client.open(address, method=method, buffered=False)
    response.close()
    return response.status_code


@pytest.mark.parametrize("role", ROLES)
def test_a_route_opens_for_its_roles_and_for_no_other(app: Flask, sign_in: Callable[[str], Browser], role: str) -> None:
    browser = sign_in(role)

    wrong = []
    for method, address, roles in _routes(app):
        allowed = roles in (PUBLIC, CLIENT) or role == "admin" or role in roles  # type: ignore[operator]
        status = _status(browser, method, address)
        if (status == 403) is allowed or status >= 500:
            wrong.append((method, address, status))

    assert len(_routes(app)) > 40
    assert wrong == []


def test_a_stranger_is_sent_to_the_login_from_everywhere_else(app: Flask, stranger: Browser) -> None:
    closed = [(method, address) for method, address, roles in _routes(app) if roles not in (PUBLIC, CLIENT)]

    let_in = [(m, a) for m, a in closed if (m == "GET") is not (_status(stranger, m, a) == 303)]
    unsafe = {_status(stranger, method, address) for method, address in closed if method != "GET"}

    assert let_in == []
    assert unsafe == {401}


def test_an_undeclared_route_stops_the_start(app: Flask) -> None:
    app.view_functions["open"] = lambda: "hello"
    app.url_map.add(Rule("/open", endpoint="open"))

    with pytest.raises(RuntimeError, match="/open"):
        check_declared(app)


def test_a_ticket_of_a_foreign_line_is_not_there(
    desk: Desk, sign_in: Callable[[str], Browser], client_writes: Callable[..., int]
) -> None:
    number = client_writes()
    with desk.database.transaction() as session:
        from services.lines.models import line_member

        session.execute(line_member.delete())
    operator = sign_in("operator")

    statuses = [
        operator.get(f"/tickets/{number}").status_code,
        operator.get(f"/tickets/{number}?tab=history").status_code,
        operator.post(f"/tickets/{number}/messages", {"text": "x", "kind": "note"}).status_code,
        operator.client.put(f"/tickets/{number}/draft", data={"text": "x"}).status_code,
        operator.post(f"/tickets/{number}/actions/task:1:classify").status_code,
        operator.post(f"/tickets/{number}/topic", {"topic": "x"}).status_code,
    ]

    assert statuses == [404] * 6
    assert sign_in("supervisor").get(f"/tickets/{number}").status_code == 200
