"""The inspector: where an instance stands, what it waits for, and what can be repaired."""

from __future__ import annotations

from engine.models import Incident, Job, ProcessInstance
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand


def test_the_drawing_shows_the_place_the_way_and_the_timer(
    office: Office, running_errand: int, analyst: Visitor
) -> None:
    drawing = analyst.get(f"/admin/instances/{running_errand}/diagram.json").json

    assert drawing["xml"].startswith("<?xml")
    assert drawing["marks"]["token"] == ["work"]
    assert {"start", "flow_start", "work"} <= set(drawing["marks"]["past"])
    assert "flow_work" not in drawing["marks"]["past"]
    assert {"element": "remind", "kind": "timer"}.items() <= drawing["badges"][-1].items()


def test_the_drawing_follows_the_instance(office: Office, running_errand: int, analyst: Visitor) -> None:
    office.press(running_errand)
    office.work()

    marks = analyst.get(f"/admin/instances/{running_errand}/diagram.json").json["marks"]

    assert marks["token"] == []
    assert {"flow_start", "flow_work", "flow_deliver", "end"} <= set(marks["past"])
    assert not {"flow_remind", "remind"} & set(marks["past"])


def test_the_log_names_the_button_and_the_person(office: Office, running_errand: int, analyst: Visitor) -> None:
    office.press(running_errand, actor=analyst.agent.ref)

    page = analyst.get(f"/admin/instances/{running_errand}").text

    assert "Кнопка «Готово»" in page
    assert analyst.agent.name in page


def test_a_failure_is_told_in_words_and_marked_in_the_drawing(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    instance_id, _ = office.failed_delivery("курьер заболел")

    page = analyst.get(f"/admin/instances/{instance_id}").text
    drawing = analyst.get(f"/admin/instances/{instance_id}/diagram.json").json

    assert "«Доставить» не выполнен." in page
    assert "курьер заболел" in page
    assert "RuntimeError" not in page
    assert drawing["marks"]["bad"] == ["deliver"]


def test_a_repeated_incident_runs_again_and_is_closed(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    instance_id, incident_id = office.failed_delivery()
    office.courier.broken = ""

    answer = analyst.post(f"/admin/incidents/{incident_id}/retry")

    assert answer.status_code == 303
    assert "Процесс пошёл дальше." in analyst.get(answer.headers["Location"]).text
    incident = office.one(Incident, incident_id)
    assert (incident.state, incident.resolved_by) == ("resolved", analyst.agent.ref)
    assert office.courier.delivered == [instance_id]
    assert office.one(ProcessInstance, instance_id).state == "completed"


def test_a_failed_job_can_be_repeated_from_the_timers(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    office.failed_delivery()
    job = next(each for each in office.all(Job) if each.state == "failed")

    assert f"/admin/jobs/{job.id}/retry" in analyst.get("/admin/timers").text
    analyst.post(f"/admin/jobs/{job.id}/retry")

    assert office.one(Job, job.id).state == "waiting"


def test_a_bulk_retry_says_the_truth_about_each(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    first, second = (office.failed_delivery()[1] for _ in range(2))
    office.courier.broken = ""
    analyst.post(f"/admin/incidents/{first}/retry")

    page = analyst.post("/admin/incidents/retries", incident=[str(first), str(second), "oops"]).text

    assert "Устранён 1 сбой: процесс пошёл дальше." in page
    assert f"№ {first} – он уже не открыт" in page
    assert office.one(Incident, second).state == "resolved"


def test_an_incident_is_repeated_once(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    _, incident_id = office.failed_delivery()
    office.courier.broken = ""
    analyst.post(f"/admin/incidents/{incident_id}/retry")

    assert analyst.post(f"/admin/incidents/{incident_id}/retry").status_code == 404


def test_cancelling_needs_a_reason_and_keeps_it(office: Office, running_errand: int, admin: Visitor) -> None:
    address = f"/admin/instances/{running_errand}/repairs/cancel"

    refused = admin.post(address, reason="  ")
    done = admin.post(address, reason="заведено по ошибке")

    assert (refused.status_code, done.status_code) == (422, 303)
    assert "Напишите причину" in refused.text
    assert office.one(ProcessInstance, running_errand).state == "cancelled"
    assert "Экземпляр отменён: заведено по ошибке" in admin.get(done.location).text


def test_a_cancelled_instance_is_not_cancelled_twice(office: Office, running_errand: int, admin: Visitor) -> None:
    address = f"/admin/instances/{running_errand}/repairs/cancel"
    admin.post(address, reason="заведено по ошибке")

    assert admin.post(address, reason="ещё раз отменить").status_code == 422


def test_an_unreadable_state_leaves_the_rest_of_the_page(office: Office, running_errand: int, analyst: Visitor) -> None:
    with office.desk.database.transaction() as session:
        session.get_one(ProcessInstance, running_errand).data = b"not a state"

    page = analyst.get(f"/admin/instances/{running_errand}")

    assert page.status_code == 200
    assert "Состояние экземпляра не читается" in page.text


def test_the_list_is_narrowed_by_state_and_incident(office: Office, running_errand: int, analyst: Visitor) -> None:
    failed, _ = office.failed_delivery()

    narrowed = analyst.get("/admin/instances?incident=1").text
    nothing = analyst.get("/admin/instances?state=completed").text
    by_number = analyst.get(f"/admin/instances?q={running_errand}").text

    assert f"/admin/instances/{failed}" in narrowed
    assert f'/admin/instances/{running_errand}"' not in narrowed
    assert "Ничего не найдено" in nothing
    assert f'/admin/instances/{failed}"' not in by_number
