"""Who may enter the administration."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.models import ProcessInstance
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand

STUDIO = [
    "/admin/processes",
    "/admin/processes/errand",
    "/admin/processes/errand/versions/1/file",
    "/admin/processes/errand/versions/1/diagram.json",
    "/admin/instances",
    "/admin/instances/1",
    "/admin/instances/1/diagram.json",
    "/admin/incidents",
    "/admin/migrations",
    "/admin/timers",
    "/admin/sla",
    "/admin/health",
]
ADMIN = ["/admin/mail", "/admin/mail/outbox"]


@pytest.fixture
def addresses(office: Office) -> list[str]:
    office.deploy(errand())
    office.start()
    return [*STUDIO, *ADMIN]


@pytest.mark.parametrize(
    ("role", "studio", "admin"),
    [("operator", 403, 403), ("supervisor", 403, 403), ("analyst", 200, 403), ("admin", 200, 200), ("", 303, 303)],
)
def test_each_page_opens_for_its_roles_only(
    role: str, studio: int, admin: int, addresses: list[str], visitor: Callable[[str], Visitor]
) -> None:
    guest = visitor(role)

    answers = {address: guest.get(address).status_code for address in addresses}

    assert answers == {**dict.fromkeys(STUDIO, studio), **dict.fromkeys(ADMIN, admin)}


def test_an_operator_changes_nothing_by_posting(
    office: Office, addresses: list[str], visitor: Callable[[str], Visitor]
) -> None:
    operator = visitor("operator")

    answers = [
        operator.upload({"errand.bpmn": errand(label="Моё")}, activate="yes"),
        operator.post("/admin/processes/errand/versions/1/activation"),
        operator.post("/admin/instances/1/repairs/cancel", reason="не нравится"),
        operator.post("/admin/incidents/1/retry"),
        operator.post("/admin/mail/1/retry"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert office.one(ProcessInstance, 1).state == "active"
