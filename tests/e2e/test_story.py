"""The main job in a real browser: from a client's first word to «Решено», with the clock moved, never slept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.lines.models import MailboxMessage, Message
from services.sla.models import ServiceClock
from services.tickets.models import Ticket, TicketEvent
from tests.e2e.running_desk import RunningDesk

Staff = Callable[..., Page]
OpenPage = Callable[..., Page]
Shot = Callable[[Page, str], None]


def test_a_client_of_the_chat_is_helped_from_first_word_to_resolution(
    desk: RunningDesk, staff: Staff, open_page: OpenPage, shot: Shot
) -> None:
    client = open_page(f"{desk.url}/chat/support", 412, 740)
    write_in_chat(client, "Не открывается журнал продаж за октябрь", name="Марина Вольская")
    ticket = the_ticket(desk, "Не открывается журнал продаж")
    expect(client.get_by_text(f"№ {ticket.number}").or_(client.get_by_text(f"номер – {ticket.number}"))).to_be_visible()

    operator = staff("operator")
    expect(operator.get_by_role("link", name="Не открывается журнал продаж")).to_be_visible()
    open_ticket(operator, desk, ticket)
    expect(status(operator)).to_have_text("На классификации")
    shot(operator, "card-classification")
    classify(operator, "Инцидент", "Рабочее место")
    expect(status(operator)).to_have_text("Принято")
    assert responsible_of(desk, ticket) is not None

    worker = staff(login_of(desk, ticket))
    open_ticket(worker, desk, ticket)
    desk.advance(minutes=7)
    press(worker, "Приступить к выполнению")
    expect(status(worker)).to_have_text("В работе")
    reaction = clock_of(desk, ticket, "reaction")
    assert reaction.met is True
    assert 7 * 60 <= (reaction.elapsed_sec or 0) <= 9 * 60

    pause(worker, "Ждём данные от клиента")
    expect(status(worker)).to_have_text("В ожидании")
    shot(worker, "card-paused")
    desk.advance(hours=2, minutes=1)
    desk.ask(lambda s: fresh(s, ticket).status == "in_progress", what="the pause to end by its timer")
    expect(status(worker)).to_have_text("В работе", timeout=15_000)

    open_ticket(worker, desk, ticket)  # the page learns of the moved clock
    pause(worker, "Ждём данные от клиента")
    expect(status(worker)).to_have_text("В ожидании")
    press(worker, "Продолжить")
    expect(status(worker)).to_have_text("В работе")

    answer(worker, "Марина, журнал снова открывается, проверьте, пожалуйста.")
    expect(client.get_by_text("журнал снова открывается")).to_be_visible(timeout=15_000)
    shot(client, "chat-client")

    resolve(worker, "Перестроили индекс журнала")
    expect(status(worker)).to_have_text("Решено")
    resolution = clock_of(desk, ticket, "resolution")
    assert resolution.elapsed_sec is not None
    assert resolution.elapsed_sec < 10 * 60, "two hours of pause must not count"
    worker.goto(f"{desk.url}/tickets/{ticket.number}?tab=extra")
    shot(worker, "card-extra")
    worker.goto(f"{desk.url}/tickets/{ticket.number}?tab=history")
    expect(worker.get_by_role("table")).to_contain_text("Решено")
    shot(worker, "card-history")

    write_in_chat(client, "Спасибо!")
    desk.ask(lambda s: s.scalar(select(Message.id).where(Message.text == "Спасибо!")), what="the thanks to arrive")
    assert fresh_now(desk, ticket).status == "resolved"
    write_in_chat(client, "Снова не открывается, ошибка та же")
    desk.ask(lambda s: fresh(s, ticket).status == "in_progress", what="the ticket to be reopened")


def test_a_mail_becomes_a_ticket_and_the_talk_goes_on_by_mail(
    desk: RunningDesk, staff: Staff, open_page: OpenPage, shot: Shot
) -> None:
    sender = "p.lebedev@zavod.example"
    desk.send_mail(f"Павел Лебедев <{sender}>", "support@desk.localhost", "Нет доступа к складу", "Не пускает с утра.")
    ticket = the_ticket(desk, "Нет доступа к складу")

    operator = staff("operator2")
    open_ticket(operator, desk, ticket)
    expect(operator.get_by_text("Не пускает с утра.").first).to_be_visible()
    classify(operator, "Вопрос", "Учётные записи")
    answer(operator, "Павел, доступ открыли. Проверьте, пожалуйста.")
    mail = desk.ask(lambda s: mail_to(s, sender, "доступ открыли"), what="the answer in the mailbox")
    assert isinstance(mail, MailboxMessage)

    admin = staff("admin")
    admin.goto(f"{desk.url}/mailbox/{mail.id}")
    expect(admin.get_by_text("доступ открыли").first).to_be_visible()
    shot(admin, "mailbox-mail")
    admin.get_by_label("Ответить от имени").fill("Проверил, теперь не видно остатков.")
    admin.get_by_role("button", name="Отправить письмо").click()
    desk.ask(lambda s: fresh(s, ticket).unread >= 1, what="the client's answer in the same ticket")
    open_ticket(operator, desk, ticket)
    expect(operator.get_by_text("теперь не видно остатков").first).to_be_visible()


def test_a_machine_is_never_answered(desk: RunningDesk) -> None:
    desk.send_mail(
        "robot@zavod.example",
        "support@desk.localhost",
        "Автоответ: в отпуске",
        "Меня нет.",
        Auto_Submitted="auto-replied",
    )
    desk.ask(
        lambda s: inbound_state(s, "Автоответ: в отпуске") == "ignored", what="the mail of the machine to be put aside"
    )

    assert desk.read(lambda s: mail_to(s, "robot@zavod.example", "")) is None


def test_a_reminder_and_a_breach_come_from_the_diagram_exactly_once(
    desk: RunningDesk, staff: Staff, open_page: OpenPage
) -> None:
    client = open_page(f"{desk.url}/chat/support")
    write_in_chat(client, "Терминал завис на оплате", name="Олег Краснов")
    ticket = the_ticket(desk, "Терминал завис")
    operator = staff("operator")
    open_ticket(operator, desk, ticket)
    classify(operator, "Инцидент", "Рабочее место")
    due = clock_of(desk, ticket, "reaction").due_at
    assert due is not None

    desk.move_clock_to(max(due - timedelta(minutes=1), desk.now()))
    desk.ask(lambda s: kinds(s, ticket).count("reminder") == 1, what="the reminder")
    desk.move_clock_to(due + timedelta(minutes=1))
    desk.ask(lambda s: kinds(s, ticket).count("breach") == 1, what="the breach")
    desk.ask(lambda s: fresh(s, ticket).priority == "high", what="the escalation to keep the priority high")
    desk.advance(minutes=30)

    supervisor = staff("supervisor")
    supervisor.goto(f"{desk.url}/notifications")
    expect(supervisor.get_by_text(f"№ {ticket.number}").first).to_be_visible()
    assert desk.read(lambda s: kinds(s, ticket).count("breach")) == 1
    assert desk.read(lambda s: kinds(s, ticket).count("reminder")) == 1


def test_a_request_by_phone_enters_the_same_life(desk: RunningDesk, staff: Staff, shot: Shot) -> None:
    operator = staff("operator")
    operator.get_by_role("link", name="Обращение N").or_(operator.locator("[data-hotkey=KeyN]")).first.click()
    drawer = operator.locator("#overlay")
    drawer.get_by_text("Вопрос", exact=True).click()
    choose(drawer, "Сервис", "Учётные записи")
    drawer.get_by_label("Тема").fill("Звонок: забыли пароль")
    drawer.get_by_label("Текст обращения").fill("Просят сбросить пароль кассира.")
    drawer.get_by_label("Новый клиент: имя").fill("Ирина Дёмина")
    drawer.get_by_label("Новый клиент: почта").fill("i.demina@magazin.example")
    shot(operator, "drawer-create")
    drawer.get_by_role("button", name="Создать").click()
    ticket = the_ticket(desk, "Звонок: забыли пароль")

    expect(operator).to_have_url(f"{desk.url}/tickets/{ticket.number}")
    expect(status(operator)).to_have_text("Принято")
    assert responsible_of(desk, ticket) is not None


def test_who_comes_second_hears_who_was_first_and_keeps_the_text(
    desk: RunningDesk, staff: Staff, open_page: OpenPage, shot: Shot
) -> None:
    client = open_page(f"{desk.url}/chat/support")
    write_in_chat(client, "Не печатает чековый принтер", name="Зоя Мартынова")
    ticket = the_ticket(desk, "Не печатает чековый")
    first, second = staff("operator"), staff("operator2")
    open_ticket(first, desk, ticket)
    open_ticket(second, desk, ticket)
    second.get_by_label("Текст", exact=True).fill("Зоя, смотрю принтер")
    expect(second.get_by_text("Черновик сохранён")).to_be_visible()
    open_form(second, "Классифицировать")

    classify(first, "Инцидент", "Рабочее место")
    fill_classification(second, "Вопрос", "Рабочее место")

    expect(second.get_by_role("alert").filter(has_text="Алина Чернова")).to_be_visible()
    shot(second, "card-stale")
    second.goto(f"{desk.url}/tickets/{ticket.number}")
    expect(second.get_by_label("Текст", exact=True)).to_have_value("Зоя, смотрю принтер")
    assert desk.read(lambda s: kinds(s, ticket).count("assigned")) == 1


def test_a_phone_shows_the_list_and_the_card(desk: RunningDesk, staff: Staff, shot: Shot) -> None:
    page = staff("operator", width=360, height=740, dark=True)
    shot(page, "phone-list-dark")
    page.goto(f"{desk.url}/tickets/4")
    shot(page, "phone-card-dark")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


# What people do, in their words ------------------------------------------------------------------------------------


def write_in_chat(page: Page, text: str, name: str = "") -> None:
    if name:
        page.get_by_label("Ваше имя").fill(name)
    page.get_by_label("Сообщение", exact=True).fill(text)
    page.get_by_role("button", name="Отправить").click()
    expect(page.get_by_role("log").get_by_text(text, exact=True)).to_be_visible()


def open_ticket(page: Page, desk: RunningDesk, ticket: Ticket) -> None:
    page.goto(f"{desk.url}/tickets/{ticket.number}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(ticket.topic)


def status(page: Page) -> Locator:
    return page.locator(".ticket-head .state-pill")


def open_form(page: Page, label: str) -> None:
    page.get_by_role("toolbar").get_by_role("link", name=label).click()
    expect(page.locator("#overlay form")).to_be_visible()


def press(page: Page, label: str) -> None:
    page.get_by_role("toolbar").get_by_role("button", name=label).click()


def classify(page: Page, kind: str, service: str) -> None:
    open_form(page, "Классифицировать")
    fill_classification(page, kind, service)
    expect(page.locator("#overlay form")).to_have_count(0)


def fill_classification(page: Page, kind: str, service: str) -> None:
    drawer = page.locator("#overlay")
    drawer.get_by_text(kind, exact=True).click()
    choose(drawer, "Сервис", service)
    drawer.get_by_role("button", name="Классифицировать").click()


def choose(form: Locator, label: str, option: str) -> None:
    """Pick from a list; in a long one by typing and taking the first that fits."""
    field = form.get_by_role("combobox", name=label)
    if field.evaluate("element => element.tagName") == "SELECT":
        field.select_option(label=option)
        return
    field.fill(option)
    form.get_by_role("option", name=option).first.click()


def pause(page: Page, reason: str) -> None:
    open_form(page, "Приостановить")
    dialog = page.locator("#overlay")
    choose(dialog, "Причина", reason)
    dialog.get_by_role("button", name="2 часа").click()
    dialog.get_by_role("button", name="Приостановить").click()
    expect(page.locator("#overlay form")).to_have_count(0)


def resolve(page: Page, result: str) -> None:
    open_form(page, "Выполнено")
    page.locator("#overlay").get_by_label("Что сделано").fill(result)
    page.locator("#overlay").get_by_role("button", name="Выполнено").click()
    expect(page.locator("#overlay form")).to_have_count(0)


def answer(page: Page, text: str) -> None:
    page.get_by_label("Текст", exact=True).fill(text)
    page.get_by_role("button", name="Отправить").click()
    expect(page.get_by_role("log").get_by_text(text)).to_be_visible()


# What the database says ---------------------------------------------------------------------------------------------


def the_ticket(desk: RunningDesk, topic: str) -> Ticket:
    found = desk.ask(
        lambda s: s.scalars(select(Ticket).where(Ticket.topic.startswith(topic)).order_by(Ticket.id.desc())).first(),
        what=f"a ticket «{topic}»",
    )
    assert isinstance(found, Ticket)
    return found


def fresh(session: Session, ticket: Ticket) -> Ticket:
    found = session.get(Ticket, ticket.id)
    assert found is not None
    return found


def fresh_now(desk: RunningDesk, ticket: Ticket) -> Ticket:
    found = desk.read(lambda s: fresh(s, ticket))
    assert isinstance(found, Ticket)
    return found


def responsible_of(desk: RunningDesk, ticket: Ticket) -> object:
    return fresh_now(desk, ticket).responsible_id


def login_of(desk: RunningDesk, ticket: Ticket) -> str:
    def login(session: Session) -> str:
        agent = fresh(session, ticket).responsible
        assert agent is not None
        return agent.email.partition("@")[0]

    return str(desk.read(login))


def clock_of(desk: RunningDesk, ticket: Ticket, kind: str) -> ServiceClock:
    found = desk.read(
        lambda s: (
            s.scalars(select(ServiceClock).where(ServiceClock.ticket_id == ticket.id, ServiceClock.kind == kind))
            .unique()
            .one()
        )
    )
    assert isinstance(found, ServiceClock)
    return found


def kinds(session: Session, ticket: Ticket) -> list[str]:
    return list(session.scalars(select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id)))


def mail_to(session: Session, recipient: str, words: str) -> MailboxMessage | None:
    for mail in session.scalars(select(MailboxMessage).order_by(MailboxMessage.id.desc())):
        if recipient in mail.recipients and words in _decoded(mail.raw):
            return mail
    return None


def _decoded(raw: bytes) -> str:
    from email import message_from_bytes, policy

    part = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    return str(part.get_content()) if part else ""


def inbound_state(session: Session, subject: str) -> str | None:
    from services.lines.models import InboundMail

    return session.scalar(select(InboundMail.state).where(InboundMail.subject == subject))
