"""Versions of a process: what an activation says before it is done, what it does, and the way back."""

from __future__ import annotations

from sqlalchemy import select

from engine import incidents, repository
from engine.models import ProcessDefinition, StartEvent
from services.replay.models import Replay
from services.tickets.models import Ticket
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand


def begun_by(definition: bytes) -> bytes:
    """An errand that begins by this event."""
    return errand().replace(b"</bpmn:startEvent>", definition + b"</bpmn:startEvent>", 1)


def test_an_activation_says_who_moves_and_who_stays(office: Office, running_errand: int, analyst: Visitor) -> None:
    office.start()
    office.deploy(errand(label="Выполнено"), activate=False)

    page = analyst.get("/admin/processes/errand?version=2").text

    assert "Новые обращения пойдут по версии 2 сразу" in page
    assert "2 идущих останутся на версии 1." in page
    assert "Перенести обращения на эту версию" in page
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

    page = analyst.get("/admin/processes/errand/difference?before=1&after=2").text

    assert "версия 1 → версия 2" in page
    assert page.count('class="is-new"') == page.count('class="is-old"') == 1


def test_two_versions_are_compared_in_words_and_on_both_drawings(office: Office, analyst: Visitor) -> None:
    office.deploy(errand(label="Готово"))
    office.deploy(errand(label="Выполнено"), activate=False)

    page = analyst.get("/admin/processes/errand/difference").text
    drawings = [analyst.get(f"/admin/processes/errand/difference/{side}.json").json for side in ("before", "after")]

    assert "Кнопка «Выполнено»" in page
    assert "подпись: «Готово» → «Выполнено»" in page
    assert [drawing["marks"]["changed"] for drawing in drawings if drawing] == [["work"], ["work"]]
    assert [badge["text"] for badge in (drawings[0] or {})["badges"]] == ["≠"]


def test_version_does_not_differ_from_itself(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())

    assert "одна и та же версия" in analyst.get("/admin/processes/errand/difference?before=1&after=1").text


def test_journal_says_who_went_from_where_to_where(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    office.deploy(errand(label="Выполнено"))
    analyst.post("/admin/processes/errand/versions/1/activation")

    page = analyst.get("/admin/processes/errand").text

    assert "возврат: версия 2 → версия 1" in page
    assert "версия 1 → версия 2" in page
    assert analyst.agent.name in page.split("Журнал версий")[1]


# drafts with errors


def shaky(office: Office) -> None:
    """A draft whose connector does not exist: an error, but the engine could run it."""
    with office.desk.database.transaction() as session:
        broken = errand().replace(b'"test.deliver"', b'"no.such"')
        repository.deploy(session, {"errand.bpmn": broken}, author="system", keep_draft=True)


def test_draft_with_errors_may_be_kept_and_is_not_activated_by_the_upload(office: Office, analyst: Visitor) -> None:
    broken = errand().replace(b'"test.deliver"', b'"no.such"')

    answer = analyst.upload({"errand.bpmn": broken}, draft="yes", activate="yes")

    assert answer.status_code == 303
    assert [each.state for each in office.all(ProcessDefinition)] == ["draft"]
    assert "1 ошибка" in analyst.get("/admin/processes/errand").text


def test_analyst_cannot_override_the_check(office: Office, analyst: Visitor) -> None:
    shaky(office)

    page = analyst.get("/admin/processes/errand?version=1").text
    refused = analyst.post("/admin/processes/errand/versions/1/activation")
    forbidden = analyst.post("/admin/processes/errand/versions/1/activation", reason="Потому что очень хочется")

    assert "только администратор" in page
    assert 'name="reason"' not in page
    assert "включить версию может администратор" in analyst.get(refused.location).text
    assert forbidden.status_code == 403
    assert office.one(ProcessDefinition, 1).state == "draft"


def test_admin_overrides_the_check_with_a_reason_that_stays(office: Office, admin: Visitor) -> None:
    shaky(office)

    short = admin.post("/admin/processes/errand/versions/1/activation", reason="надо")
    assert "Причина короче 10 знаков" in admin.get(short.location).text
    admin.post("/admin/processes/errand/versions/1/activation", reason="Коннектор приедет с обновлением <сегодня>")

    assert office.one(ProcessDefinition, 1).state == "active"
    journal = admin.get("/admin/processes/errand").text.split("Журнал версий")[1]
    assert "Коннектор приедет с обновлением &lt;сегодня&gt;" in journal


def test_failing_scenarios_are_named_beside_the_button(office: Office, admin: Visitor) -> None:
    office.deploy(errand(), activate=False)
    with office.desk.database.transaction() as session:
        session.get_one(ProcessDefinition, 1).scenarios = {"passed": 1, "failed": 3}

    page = admin.get("/admin/processes/errand?version=1").text

    assert "3 сценария не прошли" in page
    assert 'name="reason"' in page


# deletion


def test_deletion_is_confirmed_and_leaves_a_line_in_the_journal(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    office.deploy(errand(label="Выполнено"), activate=False)

    page = analyst.get("/admin/processes/errand/versions/2/deletion").text
    answer = analyst.post("/admin/processes/errand/versions/2/deletion")

    assert "никто не пользовался" in page
    assert answer.status_code == 303
    assert [each.version for each in office.all(ProcessDefinition)] == [1]
    assert "удалена версия 2" in analyst.get("/admin/processes/errand").text


def test_deletion_of_a_used_version_is_refused_and_names_the_tickets(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    with office.desk.database.transaction() as session:
        ticket = Ticket(
            number=4711, topic="Вопрос", source="manual", created_at=office.clock.at, updated_at=office.clock.at
        )
        session.add(ticket)
        session.flush()
        key = ticket.business_key
    office.start(business_key=key)
    office.deploy(errand(label="Выполнено"))

    page = analyst.get("/admin/processes/errand/versions/1/deletion").text
    answer = analyst.post("/admin/processes/errand/versions/1/deletion")

    assert 'href="/tickets/4711">№ 4711</a>' in page
    assert answer.status_code == 409
    assert len(office.all(ProcessDefinition)) == 2


def test_version_that_a_check_on_history_names_is_not_deleted(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())
    office.deploy(errand(label="Выполнено"), activate=False)
    with office.desk.database.transaction() as session:
        session.add(Replay(definition_id=2, wanted=10, created_by="system", created_at=office.clock.at))

    answer = analyst.post("/admin/processes/errand/versions/2/deletion")

    assert answer.status_code == 409
    assert "записана в проверках на истории" in answer.text
    assert len(office.all(ProcessDefinition)) == 2
    assert "удалена" not in analyst.get("/admin/processes/errand").text.split("Журнал версий")[1]


def test_active_version_offers_no_deletion(office: Office, analyst: Visitor) -> None:
    office.deploy(errand())

    assert "/versions/1/deletion" not in analyst.get("/admin/processes/errand").text
    assert analyst.post("/admin/processes/errand/versions/1/deletion").status_code == 409


# starts


def test_page_says_how_the_active_version_begins_by_itself(office: Office, analyst: Visitor) -> None:
    definition = b"<bpmn:timerEventDefinition><bpmn:timeCycle>R/P1D</bpmn:timeCycle></bpmn:timerEventDefinition>"
    office.deploy(begun_by(definition))

    page = analyst.get("/admin/processes/errand").text

    assert "Начинается само" in page
    assert "следующий раз" in page


def test_start_that_failed_stands_among_the_failures_and_is_repeated(office: Office, admin: Visitor) -> None:
    definition = b"<bpmn:timerEventDefinition><bpmn:timeCycle>R/P1D</bpmn:timeCycle></bpmn:timerEventDefinition>"
    office.deploy(begun_by(definition))
    with office.desk.database.transaction() as session:
        row = session.scalars(select(StartEvent)).one()
        row.retries_left = 0
        incidents.open_for_start(session, row, RuntimeError("нет бумаги"))

    page = admin.get("/admin/incidents").text
    answer = admin.post("/admin/incidents/1/retry")

    assert "нет бумаги" in page
    assert admin.get("/notifications").status_code == 200
    assert "не начался" in page
    assert answer.status_code == 303
    assert office.one(StartEvent, 1).retries_left == 3
    assert "Открытых сбоев нет" in admin.get("/admin/incidents").text


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
        "/admin/processes/errand/difference?before=9",
        "/admin/processes/errand/difference?after=9",
        "/admin/processes/errand/difference/middle.json",
        "/admin/processes/errand/versions/9/deletion",
        "/admin/processes/errand/versions/9/file",
        "/admin/processes/errand/versions/9/diagram.json",
        "/admin/instances/999",
        "/admin/instances/999/diagram.json",
    ]

    assert {address: analyst.get(address).status_code for address in missing} == dict.fromkeys(missing, 404)
