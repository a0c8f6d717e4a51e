"""The pages of a migration: verdicts, mapping, trial, start, progress, undoing – and who may."""

from __future__ import annotations

import pytest

from engine import migrating
from engine.models import Migration, ProcessInstance
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand

ASKED = "/admin/migrations/new?process=errand&source=1&target=2"
PLAN = {"process": "errand", "source": "1", "target": "2"}
REASON = "новый порядок"


def renamed() -> bytes:
    """The errand whose step has another id."""
    return errand(step="Исполнить").replace(b'"work"', b'"execute"')


@pytest.fixture
def errands(office: Office) -> list[int]:
    """Three under way on the first of two versions."""
    office.deploy(errand())
    started = [office.start() for _ in range(3)]
    office.deploy(errand(label="Сделано"))
    return started


def work(office: Office) -> None:
    with office.desk.database.transaction() as session:
        ids = migrating.claim(session, "test", 10)
    migrating.execute(office.desk.database, ids)


def test_the_page_counts_who_moves_and_from_where(office: Office, errands: list[int], analyst: Visitor) -> None:
    page = analyst.get(ASKED).text

    assert "переедут 3, нужна привязка 0, заблокированы 0" in page
    assert "Сделать" in page
    assert "тот же элемент" in page


def test_an_analyst_sees_who_moves_but_moves_nobody(office: Office, errands: list[int], analyst: Visitor) -> None:
    assert "Переносит администратор" in analyst.get(ASKED).text
    assert analyst.post("/admin/migrations", **PLAN, reason=REASON).status_code == 403
    assert analyst.post("/admin/migrations/trials", **PLAN).status_code == 403


def test_a_step_that_is_gone_is_mapped(office: Office, admin: Visitor) -> None:
    office.deploy(errand())
    instance_id = office.start()
    office.deploy(renamed())

    before, after = admin.get(ASKED).text, admin.get(f"{ASKED}&m:work=execute").text
    admin.post("/admin/migrations", **PLAN, **{"m:work": "execute"}, reason=REASON)
    work(office)

    assert "такого шага больше нет" in before
    assert "Исполнить (execute)" in before
    assert "переедут 1" in after
    assert office.one(ProcessInstance, instance_id).definition_id == 2


def test_a_trial_tells_and_leaves_nothing(office: Office, errands: list[int], admin: Visitor) -> None:
    page = admin.post("/admin/migrations/trials", **PLAN).text

    assert "3 из 3" in page
    assert {row.version for row in office.all(ProcessInstance)} == {1}
    assert office.all(Migration) == []


def test_a_migration_from_start_to_its_undoing(office: Office, errands: list[int], admin: Visitor) -> None:
    begun = admin.post("/admin/migrations", **PLAN, reason=REASON)
    waiting = admin.get(begun.location).text
    under_way = admin.get(f"{begun.location}/progress")
    work(office)
    ended = admin.get(f"{begun.location}/progress")
    moved = admin.get(begun.location).text

    assert "0 из 3" in waiting
    assert "hx-get" in under_way.text
    assert ("HX-Refresh" in under_way.headers, "HX-Refresh" in ended.headers) == (False, True)
    assert "3 из 3" in moved
    assert "Вернём 3 экземпляра на версию 1" in moved
    assert REASON in admin.get("/admin/migrations").text

    admin.post(f"{begun.location}/undoing")
    work(office)

    assert {row.definition_id for row in office.all(ProcessInstance)} == {1}
    assert "возвращён" in admin.get(begun.location).text


def test_a_migration_needs_a_reason(office: Office, errands: list[int], admin: Visitor) -> None:
    refused = admin.post("/admin/migrations", **PLAN, reason=" ")

    assert refused.status_code == 422
    assert "Напишите причину" in refused.text
    assert office.all(Migration) == []


def test_nobody_under_way_is_said(office: Office, admin: Visitor) -> None:
    office.deploy(errand())
    office.deploy(errand(label="Сделано"))

    assert "переносить некого" in admin.get(ASKED).text


def test_without_versions_there_is_nothing_to_choose(office: Office, admin: Visitor) -> None:
    office.deploy(errand())

    assert "Миграций ещё не было." in admin.get("/admin/migrations").text
    assert admin.get("/admin/migrations/new?process=errand").status_code == 404
    assert admin.get("/admin/migrations/99").status_code == 404


def test_the_inspector_tells_of_the_move(office: Office, errands: list[int], admin: Visitor) -> None:
    admin.post("/admin/migrations", **PLAN, reason=REASON)
    work(office)

    assert "Перенесён на другую версию: 1 → 2" in admin.get(f"/admin/instances/{errands[0]}").text


def test_the_inspector_offers_the_active_version(office: Office, errands: list[int], analyst: Visitor) -> None:
    page = analyst.get(f"/admin/instances/{errands[0]}").text

    assert "/admin/migrations/new?process=errand&amp;source=1&amp;target=2" in page
