"""Repairs from the inspector: what the forms send, what is answered, who may."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from engine.models import Job, ProcessInstance, UserTask
from tests.webui.admin.conftest import Office, Visitor

REASON = "чиним руками"


def address(instance_id: int, verb: str) -> str:
    return f"/admin/instances/{instance_id}/repairs/{verb}"


def key(visitor: Visitor, instance_id: int) -> str:
    """The place that the form of the page offers first."""
    found = re.search(r'<option value="([0-9a-f]{32})"', visitor.get(f"/admin/instances/{instance_id}").text)
    assert found is not None
    return found[1]


def test_a_step_is_begun_anew_and_the_page_tells_where_it_stands(
    office: Office, running_errand: int, admin: Visitor
) -> None:
    done = admin.post(address(running_errand, "repeat"), key=key(admin, running_errand), reason=REASON)
    page = admin.get(done.location).text

    assert [task.state for task in office.all(UserTask)] == ["cancelled", "open"]
    assert "Теперь стоит здесь: Сделать." in page
    assert "Новые задачи: Сделать." in page
    assert f"Шаг начат заново: {REASON}" in page


def test_a_step_is_skipped(office: Office, running_errand: int, admin: Visitor) -> None:
    admin.post(address(running_errand, "skip"), key=key(admin, running_errand), reason=REASON)
    office.work()

    assert office.courier.delivered == [running_errand]


def test_a_token_is_moved_to_a_chosen_node(office: Office, running_errand: int, admin: Visitor) -> None:
    where = key(admin, running_errand)

    done = admin.post(address(running_errand, "move"), key=where, to="end", reason=REASON)

    assert office.one(ProcessInstance, running_errand).state == "completed"
    assert "Экземпляр закончен." in admin.get(done.location).text


def test_an_impossible_goal_is_refused_in_words_and_what_was_typed_stays(
    office: Office, running_errand: int, admin: Visitor
) -> None:
    where = key(admin, running_errand)

    refused = admin.post(address(running_errand, "move"), key=where, to="remind", reason=REASON)

    assert refused.status_code == 422
    assert "На этот узел нельзя встать" in refused.text
    assert f">{REASON}</textarea>" in refused.text
    assert office.one(ProcessInstance, running_errand).version == 1


@pytest.mark.parametrize(
    ("value", "shown"), [("12", "12"), ('"красный"', "&#34;красный&#34;"), ('{"a": [true]}', "{&#34;a&#34;: [true]}")]
)
def test_a_variable_is_set_and_shown(
    office: Office, running_errand: int, admin: Visitor, value: str, shown: str
) -> None:
    done = admin.post(address(running_errand, "variable"), name="colour", value=value, reason=REASON)

    page = admin.get(done.location).text
    assert shown in page
    assert "Новые задачи" not in page


def test_a_value_that_is_no_json_is_refused(office: Office, running_errand: int, admin: Visitor) -> None:
    refused = admin.post(address(running_errand, "variable"), name="colour", value="красный", reason=REASON)

    assert refused.status_code == 422
    assert "Значение пишется в JSON" in refused.text


def test_a_timer_is_set_in_the_zone_of_the_reader(office: Office, running_errand: int, admin: Visitor) -> None:
    (job,) = office.all(Job)

    admin.post(address(running_errand, "due"), job=str(job.id), due="2026-03-20T15:00", reason=REASON)

    assert office.one(Job, job.id).due_at.isoformat() == "2026-03-20T12:00:00+00:00"


def test_a_timer_of_another_instance_is_not_touched(office: Office, running_errand: int, admin: Visitor) -> None:
    other = office.start()
    job = next(job for job in office.all(Job) if job.instance_id == other)

    answer = admin.post(address(running_errand, "due"), job=str(job.id), due="2026-03-20T15:00", reason=REASON)

    assert answer.status_code == 404


def test_suspending_and_resuming(office: Office, running_errand: int, admin: Visitor) -> None:
    office.clock.advance(timedelta(hours=1))
    suspended = admin.post(address(running_errand, "suspend"), reason="ждём юристов")
    page = admin.get(suspended.location).text

    assert "Экземпляр приостановлен." in page
    assert "ждём юристов" in page
    assert "стоит, осталось" in page
    assert f'/admin/instances/{running_errand}"' in admin.get("/admin/instances?state=suspended").text

    office.clock.advance(timedelta(days=3))
    admin.post(address(running_errand, "resume"), reason=REASON)

    (job,) = office.all(Job)
    assert job.due_at - office.clock.at == timedelta(hours=3)


def test_a_reason_that_says_nothing_is_refused(office: Office, running_errand: int, admin: Visitor) -> None:
    refused = admin.post(address(running_errand, "suspend"), reason="так")

    assert refused.status_code == 422
    assert office.one(ProcessInstance, running_errand).state == "active"


def test_an_analyst_looks_but_does_not_mend(office: Office, running_errand: int, analyst: Visitor) -> None:
    page = analyst.get(f"/admin/instances/{running_errand}")

    assert page.status_code == 200
    assert "Перенести токен" not in page.text
    assert analyst.post(address(running_errand, "suspend"), reason=REASON).status_code == 403


def test_an_unknown_repair_does_not_exist(office: Office, running_errand: int, admin: Visitor) -> None:
    assert admin.post(address(running_errand, "explode"), reason=REASON).status_code == 404
