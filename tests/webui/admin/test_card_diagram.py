"""The drawing on a ticket's card: the same picture, for those who may see the ticket."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine import clock
from services.tickets.models import Ticket
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand


@pytest.fixture
def ticket(office: Office) -> Ticket:
    """Ticket 7, whose process waits for a person."""
    office.deploy(errand())
    now = clock.now()
    with office.desk.database.transaction() as session:
        made = Ticket(number=7, topic="Касса молчит", source="manual", created_at=now, updated_at=now)
        session.add(made)
        session.flush()
    office.start(business_key=made.business_key)
    return made


def test_the_card_gets_the_drawing_of_its_ticket(ticket: Ticket, visitor: Callable[[str], Visitor]) -> None:
    answer = visitor("supervisor").get("/tickets/7/diagram.json")

    assert answer.status_code == 200
    assert answer.json["key"] == "errand"
    assert answer.json["marks"]["token"] == ["work"]


def test_a_ticket_that_nobody_has_has_no_drawing(ticket: Ticket, visitor: Callable[[str], Visitor]) -> None:
    supervisor = visitor("supervisor")

    assert supervisor.get("/tickets/8/diagram.json").status_code == 404
    assert supervisor.get("/tickets/7/diagram.json?process=other").status_code == 404


def test_a_stranger_sees_no_drawing(ticket: Ticket, visitor: Callable[[str], Visitor]) -> None:
    assert visitor("").get("/tickets/7/diagram.json").status_code == 303


def test_the_inspector_leads_to_the_ticket(ticket: Ticket, analyst: Visitor) -> None:
    page = analyst.get("/admin/instances?q=7").text

    assert "Касса молчит" in page
    assert 'href="/tickets/7"' in page
