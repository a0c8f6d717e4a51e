"""A diagram brings a status of its own: it joins the directory with its version and never changes a known one."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import repository
from engine.errors import DeploymentRefused
from services.catalog.models import TicketStatus
from tests.desk import Desk

LIFECYCLE = (Path(__file__).parents[2] / "processes" / "ticket_lifecycle.bpmn").read_text()
HANDS = '<desk:status code="hands" name="Ждёт рук" name_en="Needs hands" shape="work" category="open"/>'


def deploy(desk: Desk, status: str, *, activate: bool) -> None:
    changed = LIFECYCLE.replace('<desk:status code="accepted"/>', status)
    assert changed != LIFECYCLE
    with desk.change() as session:
        files = {"ticket_lifecycle.bpmn": changed.encode()}
        repository.deploy(session, files, author="tests", activate=activate)


def found(desk: Desk, code: str) -> TicketStatus | None:
    with desk.look() as session:
        return session.get(TicketStatus, code)


def test_an_activated_diagram_brings_its_status_and_tickets_take_it(desk: Desk) -> None:
    deploy(desk, HANDS, activate=True)

    status = found(desk, "hands")
    assert status is not None
    assert (status.name_ru, status.name_en, status.shape, status.category) == (
        "Ждёт рук",
        "Needs hands",
        "work",
        "open",
    )
    number = desk.client_writes("Не печатает")
    desk.operator("Алина").presses("Классифицировать", number, type="Вопрос", service="Учётные записи")
    assert desk.ticket(number).status == "hands"


def test_a_draft_brings_nothing_yet(desk: Desk) -> None:
    deploy(desk, HANDS, activate=False)

    assert found(desk, "hands") is None


def test_a_known_status_stays_as_people_made_it(desk: Desk) -> None:
    deploy(desk, '<desk:status code="accepted" name="Иначе" category="done"/>', activate=True)

    status = found(desk, "accepted")
    assert status is not None
    assert (status.name_ru, status.category) == ("Принято", "open")


def test_an_unknown_status_without_a_name_is_refused(desk: Desk) -> None:
    with pytest.raises(DeploymentRefused) as refused:
        deploy(desk, '<desk:status code="hands"/>', activate=True)

    assert [p.rule for p in refused.value.problems if p.severity == "error"] == ["status-unknown"]
