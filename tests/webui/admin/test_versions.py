"""Versions of a process: what an activation says before it is done, what it does, and the way back."""

from __future__ import annotations

from engine import repository
from engine.models import ProcessDefinition
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand


def test_an_activation_says_who_moves_and_who_stays(office: Office, running_errand: int, analyst: Visitor) -> None:
    office.start()
    office.deploy(errand(label="Выполнено"), activate=False)

    page = analyst.get("/admin/processes/errand?version=2").text

    assert "Новые обращения пойдут по версии 2 сразу" in page
    assert "2 идущих останутся на версии 1." in page
    assert "Версия 1 будет снята" in page


def test_an_activated_version_serves_new_instances_and_leaves_running_ones(
    office: Office, running_errand: int, analyst: Visitor
) -> None:
    office.deploy(errand(label="Выполнено"), activate=False)

    answer = analyst.post("/admin/processes/errand/versions/2/activation")

    assert answer.status_code == 303
    second = office.start()
    assert [each.state for each in office.all(ProcessDefinition)] == ["retired", "active"]
    assert "Поручение</h1>" in analyst.get(answer.location).text
    assert "v1" in analyst.get(f"/admin/instances/{running_errand}").text
    assert "v2" in analyst.get(f"/admin/instances/{second}").text


def test_rolling_back_makes_the_older_version_active_again(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    office.deploy(errand(label="Выполнено"))

    analyst.post("/admin/processes/errand/versions/1/activation")

    with office.desk.database.reading() as session:
        latest = repository.latest(session, "errand")
        assert (latest.version, latest.activated_by) == (1, analyst.agent.ref)


def test_the_file_is_given_back_byte_for_byte(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())

    answer = analyst.get("/admin/processes/errand/versions/1/file")

    assert answer.data == errand()
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_two_versions_are_compared_line_by_line(office: Office, analyst: Visitor) -> None:
    office.deploy(errand(label="Готово"))
    office.deploy(errand(label="Выполнено"), activate=False)

    page = analyst.get("/admin/processes/errand?version=2&against=1").text

    assert "версия 1 → версия 2" in page
    assert page.count('class="is-new"') == page.count('class="is-old"') == 1


def test_running_instances_are_counted_for_processes_that_are_called(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    office.deploy(errand("caller", calls="errand"))
    office.start("caller")

    page = analyst.get("/admin/instances?process=errand&state=active").text

    assert "/admin/instances/1" in page
    assert 'href="/admin/instances?process=errand&amp;state=active">1</a>' in analyst.get("/admin/processes").text


def test_what_does_not_exist_is_not_found(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())

    missing = [
        "/admin/processes/nothing",
        "/admin/processes/errand?version=9",
        "/admin/processes/errand?against=9",
        "/admin/processes/errand/versions/9/file",
        "/admin/processes/errand/versions/9/diagram.json",
        "/admin/instances/999",
        "/admin/instances/999/diagram.json",
    ]

    assert {address: analyst.get(address).status_code for address in missing} == dict.fromkeys(missing, 404)
