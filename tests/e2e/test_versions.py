"""A new version of a process while tickets run: the old ones finish as they began, the new ones live by the new one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.models import Job, ProcessInstance
from services.tickets.models import Ticket
from tests.e2e.running_desk import RunningDesk
from tests.e2e.test_story import classify, open_ticket, press, status, the_ticket, write_in_chat

LIFECYCLE = Path(__file__).parents[2] / "processes" / "ticket_lifecycle.bpmn"
RUNNING = 10


def test_ten_running_tickets_keep_version_1_and_the_next_lives_by_version_2(
    desk: RunningDesk,
    staff: Callable[..., Page],
    open_page: Callable[..., Page],
    shot: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    operator = staff("supervisor")
    running = [accepted_ticket(desk, open_page, operator, f"Старая версия, обращение {n}") for n in range(RUNNING)]

    admin = staff("admin")
    upload(admin, desk, version_2(tmp_path))
    expect(admin.get_by_role("region", name="Процессы").get_by_role("status")).to_contain_text(
        "помешали проверка или сценарии"
    )
    shot(admin, "admin-processes")
    activate_all_the_same(admin, desk)
    shot(admin, "admin-process-activated")
    admin.goto(f"{desk.url}/admin/processes/ticket_lifecycle/difference?before=1&after=2")
    expect(admin.locator(".sides .djs-container")).to_have_count(2)
    expect(admin.get_by_text("подпись: «Приступить к выполнению» → «Взять себе»")).to_be_visible()
    shot(admin, "admin-process-difference")
    admin.goto(f"{desk.url}/admin/processes/ticket_lifecycle")
    expect(admin.locator("process-diagram, .djs-container").first).to_be_visible()
    shot(admin, "admin-process-versions")
    new = accepted_ticket(desk, open_page, operator, "Новая версия, первое обращение", status_word="Ждёт рук")

    open_ticket(operator, desk, new)
    expect(operator.get_by_role("toolbar").get_by_role("button", name="Взять себе")).to_be_visible()
    press(operator, "Взять себе")
    expect(status(operator)).to_have_text("В работе")
    assert desk.read(lambda s: seconds_of_patience(s, new)) == 3600
    for ticket in running:
        open_ticket(operator, desk, ticket)
        expect(status(operator)).to_have_text("Принято")
        press(operator, "Приступить к выполнению")
        expect(status(operator)).to_have_text("В работе")
        assert desk.read(lambda s, t=ticket: seconds_of_patience(s, t)) is None


def test_a_broken_file_is_refused_with_all_its_faults_and_nothing_changes(
    desk: RunningDesk, staff: Callable[..., Page], shot: Callable[[Page, str], None], tmp_path: Path
) -> None:
    broken = tmp_path / "ticket_lifecycle.bpmn"
    text = LIFECYCLE.read_text().replace('messageRef="Message_client_replied"', 'messageRef="Nobody"')
    broken.write_text(text.replace("'notify.line'", "x").replace('id="notify.line"', 'id="notify.nobody"'))
    admin = staff("admin")

    upload(admin, desk, broken)

    findings = admin.get_by_role("alert")
    expect(findings).to_contain_text("notify.nobody")
    expect(findings).to_contain_text("Nobody")
    shot(admin, "admin-findings")


def upload(page: Page, desk: RunningDesk, file: Path) -> None:
    page.goto(f"{desk.url}/admin/processes")
    page.get_by_label("Файлы").set_input_files(file)
    page.get_by_label("Что изменилось").fill("Версия из проверки")
    page.get_by_label("сделать действующей сразу").check()
    page.get_by_role("button", name="Проверить и загрузить").click()


def activate_all_the_same(page: Page, desk: RunningDesk) -> None:
    """The scenarios of the shipped process expect its own status and timer: an administrator says why it may differ."""
    page.goto(f"{desk.url}/admin/processes/ticket_lifecycle?version=2#activation")
    page.get_by_label("Почему всё-таки включаете").fill("Другой статус и срок – так и задумано")
    page.get_by_role("button", name="Включить вопреки проверке").click()
    expect(page.get_by_text("Вопреки проверке")).to_be_visible()


def version_2(folder: Path) -> Path:
    """The lifecycle with another label, a status of its own and a timer of one hour on the work."""
    text = LIFECYCLE.read_text()
    changes = {
        'label="Приступить к выполнению"': 'label="Взять себе"',
        '<desk:status code="accepted"/>': '<desk:status code="hands" name="Ждёт рук" shape="open" category="open"/>',
        '=sla.remind("resolution")': "PT1H",
    }
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = folder / "ticket_lifecycle.bpmn"
    file.write_text(text)
    return file


def accepted_ticket(
    desk: RunningDesk, open_page: Callable[..., Page], operator: Page, topic: str, status_word: str = "Принято"
) -> Ticket:
    write_in_chat(open_page(f"{desk.url}/chat/support"), topic, name="Клиент проверки")
    ticket = the_ticket(desk, topic)
    open_ticket(operator, desk, ticket)
    classify(operator, "Вопрос", "Учётные записи")
    expect(status(operator)).to_have_text(status_word)
    return ticket


def seconds_of_patience(session: Session, ticket: Ticket) -> int | None:
    """How long the shortened timer of version 2 was set; None where version 1 asks the clock."""
    job = session.scalars(
        select(Job)
        .join(ProcessInstance, ProcessInstance.id == Job.instance_id)
        .where(ProcessInstance.business_key == ticket.business_key, Job.element_id == "remind_resolution")
    ).one()
    seconds = round((job.due_at - job.created_at).total_seconds())
    return seconds if seconds == 3600 else None
