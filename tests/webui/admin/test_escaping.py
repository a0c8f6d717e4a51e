"""Names in a process are hostile until they are shown as text."""

from __future__ import annotations

import pytest

from engine.models import ProcessInstance
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    "address",
    [
        "/admin/processes",
        "/admin/processes/errand",
        "/admin/processes/errand/difference?before=1&after=2",
        "/admin/instances",
        "/admin/instances?q=<script>alert(1)</script>&process=<script>alert(1)</script>",
        "/admin/instances/1",
        "/admin/incidents",
        "/admin/timers",
    ],
)
def test_no_name_becomes_markup(address: str, office: Office, analyst: Visitor) -> None:
    office.deploy(errand(name=HOSTILE, step=HOSTILE, label=HOSTILE))
    office.failed_delivery(HOSTILE)
    office.start()
    office.deploy(errand(name=HOSTILE, step=HOSTILE + "!", label=HOSTILE), activate=False)
    with office.desk.database.transaction() as session:
        session.get_one(ProcessInstance, 1).business_key = HOSTILE

    page = analyst.get(address).text

    assert "<img src=x" not in page
    assert "<script>alert" not in page


def test_the_drawing_travels_as_data(office: Office, analyst: Visitor) -> None:
    office.deploy(errand(step=HOSTILE))

    answer = analyst.get("/admin/processes/errand/versions/1/diagram.json")

    assert answer.content_type == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_variables_are_shown_as_text(office: Office, running_errand: int, analyst: Visitor) -> None:
    from engine import actions

    with office.desk.database.transaction() as session:
        offered = actions.available(session, session.get_one(ProcessInstance, running_errand))
        actions.perform(
            session,
            running_errand,
            offered[0].ref,
            variables={"note": HOSTILE, "list": [HOSTILE]},
            actor="system",
            expected_version=None,
        )

    page = analyst.get(f"/admin/instances/{running_errand}").text

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
