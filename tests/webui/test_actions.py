"""Buttons of the process: forms with their mistakes, somebody who was first, a database that is busy."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from engine.errors import Busy
from services.bootstrap import Desk
from services.catalog.models import ServiceOffering, TicketType
from services.tickets import operations
from services.tickets.models import Ticket
from tests.webui.conftest import Browser


@pytest.fixture
def choices(desk: Desk) -> dict[str, str]:
    """Values for the classification."""
    with desk.database.reading() as session:
        kind = session.scalars(select(TicketType).where(TicketType.name == "Инцидент")).one()
        service = session.scalars(select(ServiceOffering).where(ServiceOffering.name == "Онлайн-касса")).one()
        return {"type": str(kind.id), "service": str(service.id), "topic": "Касса 3 не печатает"}


def _ticket(desk: Desk, number: int) -> Ticket:
    with desk.database.reading() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        session.expunge_all()
        return ticket


def test_a_form_is_checked_and_keeps_what_was_entered(
    desk: Desk, sign_in: Callable[[str], Browser], client_writes: Callable[..., int], choices: dict[str, str]
) -> None:
    number = client_writes()

    refused = sign_in("operator").press(number, "Классифицировать", topic="Моя тема", type=choices["type"])

    assert refused.status_code == 422
    assert 'value="Моя тема"' in refused.text
    assert 'id="f-service-error"' in refused.text
    assert f'value="{choices["type"]}" checked' in refused.text
    assert _ticket(desk, number).status == "classification"


def test_a_correct_form_moves_the_process(
    desk: Desk, sign_in: Callable[[str], Browser], client_writes: Callable[..., int], choices: dict[str, str]
) -> None:
    number = client_writes()

    done = sign_in("operator").press(number, "Классифицировать", **choices)

    ticket = _ticket(desk, number)
    assert done.status_code == 303
    assert ticket.status == "accepted"
    assert ticket.topic == "Касса 3 не печатает"
    assert ticket.responsible_id is not None


def test_the_forecast_names_the_person_and_the_deadline(
    desk: Desk, sign_in: Callable[[str], Browser], client_writes: Callable[..., int], choices: dict[str, str]
) -> None:
    number = client_writes()
    operator = sign_in("operator")
    link = re.search(rf"/tickets/{number}/actions/task:\d+:classify", operator.get(f"/tickets/{number}").text)
    assert link is not None

    shown = operator.get(f"{link[0]}/forecast", query_string=choices).text
    before = _ticket(desk, number)

    assert "Ответственный:" in shown
    assert "Реакция до" in shown
    assert before.service_id is None


def test_the_second_press_is_told_who_was_first_and_the_draft_stays(
    desk: Desk, sign_in: Callable[[str], Browser], client_writes: Callable[..., int], choices: dict[str, str]
) -> None:
    number = client_writes()
    sign_in("operator").press(number, "Классифицировать", **choices)
    late = sign_in("admin")
    late.client.put(f"/tickets/{number}/draft", data={"text": "Мой недописанный ответ"})
    page = late.get(f"/tickets/{number}").text
    take = re.search(rf'action="(/tickets/{number}/actions/task:\d+:take)"', page)
    version = re.search(r'name="version" value="(\d+)"', page)
    assert take is not None
    assert version is not None
    sign_in("supervisor").press(number, "Приступить к выполнению")

    refused = late.post(take[1], {"version": version[1], "label": "Приступить к выполнению"})

    assert refused.status_code == 409
    assert "Ирина Соболь" in refused.text
    assert "09:00:00" in refused.text or "12:00:00" in refused.text
    assert "Мой недописанный ответ" in refused.text
    assert "не выполнено" in refused.text
    assert _ticket(desk, number).status == "in_progress"


def test_a_busy_database_is_said_in_words(
    sign_in: Callable[[str], Browser], client_writes: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = client_writes()
    operator = sign_in("operator")

    def busy(*_arguments: object, **_named: object) -> None:
        raise Busy

    monkeypatch.setattr(operations, "perform_action", busy)
    answer = operator.post(f"/tickets/{number}/actions/task:1:classify")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "ничего не потеряно" in answer.text


def test_a_failure_shows_a_number_and_no_trace(
    sign_in: Callable[[str], Browser], client_writes: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = client_writes()
    admin = sign_in("admin")

    def broken(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(operations, "perform_action", broken)
    answer = admin.post(f"/tickets/{number}/actions/task:1:classify")

    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_a_refused_request_leaves_nothing_behind(
    desk: Desk, sign_in: Callable[[str], Browser], client_writes: Callable[..., int]
) -> None:
    number = client_writes()

    refused = sign_in("operator").post(f"/tickets/{number}/topic", {"topic": "  "})

    assert refused.status_code == 422
    assert _ticket(desk, number).topic == "Не печатает касса"
