"""The card of a ticket whose process is suspended."""

from __future__ import annotations

from collections.abc import Callable

from engine import repair
from services.bootstrap import Desk
from services.tickets import queries
from services.tickets.models import Ticket
from tests.webui.conftest import Browser


def suspend(desk: Desk, number: int) -> None:
    with desk.database.transaction() as session:
        ticket = session.query(Ticket).filter_by(number=number).one()
        found = queries.instance_of(session, ticket)
        assert found is not None
        repair.suspend(session, found.id, reason="смотрим, что не так", by="agent:1")


def test_the_card_says_so_and_has_no_buttons(
    desk: Desk, client_writes: Callable[..., int], sign_in: Callable[[str], Browser]
) -> None:
    number = client_writes()
    suspend(desk, number)

    page = sign_in("admin").get(f"/tickets/{number}")

    assert page.status_code == 200
    assert "Процесс приостановлен: " in page.text
    assert "смотрим, что не так" in page.text
    assert "Классифицировать" not in page.text


def test_a_press_of_an_older_page_is_answered_with_the_reason(
    desk: Desk, client_writes: Callable[..., int], sign_in: Callable[[str], Browser]
) -> None:
    number = client_writes()
    browser = sign_in("admin")
    address = browser.get(f"/tickets/{number}").text.split(f"/tickets/{number}/actions/")[1].split('"')[0]
    suspend(desk, number)

    answer = browser.post(f"/tickets/{number}/actions/{address}", {"version": "1", "label": "Классифицировать"})

    assert answer.status_code == 409
    assert "Процесс приостановлен" in answer.text
    assert "смотрим, что не так" in answer.text
