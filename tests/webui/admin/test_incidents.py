"""The page of a failure: what failed with which values, the stack for admins alone, and what another try led to."""

from __future__ import annotations

import pytest

from engine import incidents
from engine.models import Incident, ProcessInstance
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand


@pytest.fixture
def failure(office: Office) -> int:
    office.deploy(errand())
    return office.failed_delivery("не дозвонились до anna@example.org, +7 916 123-45-67")[1]


def test_page_tells_the_call_and_hides_what_is_personal(failure: int, analyst: Visitor) -> None:
    page = analyst.get(f"/admin/incidents/{failure}").text

    assert "test.deliver" in page
    assert "Процесс по-прежнему стоит на" in page


def test_stack_is_for_admins_alone(failure: int, analyst: Visitor, admin: Visitor) -> None:
    address = f"/admin/incidents/{failure}"

    assert "engine.connectors:" in admin.get(address).text
    assert "engine.connectors:" not in analyst.get(address).text


def test_another_try_that_fails_again_tells_the_new_failure(office: Office, failure: int, analyst: Visitor) -> None:
    office.courier.broken = "адрес неполный"

    page = analyst.get(analyst.post(f"/admin/incidents/{failure}/retry").headers["Location"]).text

    assert "Снова не получилось." in page
    assert "адрес неполный" in page
    assert office.one(Incident, failure).state == "open"
    assert "адрес неполный" in analyst.get("/admin/incidents").text


def test_bulk_retry_tells_which_failed_again(office: Office, failure: int, analyst: Visitor) -> None:
    page = analyst.post("/admin/incidents/retries", incident=[str(failure)]).text

    assert f"№ {failure} – не дозвонились" in page


def test_failure_behind_a_button_is_noted_and_can_be_put_away(office: Office, analyst: Visitor) -> None:
    office.deploy(errand().replace(b'async="true"', b'async="false"'))
    office.courier.broken = "нет бумаги"
    instance_id = office.start()

    with pytest.raises(RuntimeError) as caught:
        office.press(instance_id)
    incidents.report(office.desk.database, caught.value)
    page = analyst.get("/admin/incidents/1").text

    assert "при нажатии кнопки" in page
    assert "/admin/incidents/1/retry" not in page
    assert analyst.post("/admin/incidents/1/closing").status_code == 303
    assert office.one(Incident, 1).state == "resolved"
    assert office.one(ProcessInstance, instance_id).state == "active"


def test_unknown_incident_is_not_found(analyst: Visitor) -> None:
    assert analyst.get("/admin/incidents/77").status_code == 404
