"""A fortnight of requests, told as moments; each is done by the desk's own operations at its own time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.catalog.models import Product, ServiceOffering, TicketType
from services.clients.models import Client
from services.clients.queries import by_contact
from services.demo.catalogs import production_calendar
from services.lines import operations as lines
from services.lines.models import Channel, LineSession
from services.people.models import Agent
from services.tickets import operations as tickets
from services.tickets import queries
from services.tickets.models import Ticket

MOSCOW = ZoneInfo("Europe/Moscow")
Happening = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happens at an instant."""

    at: datetime
    happens: Happening


@dataclass
class Cast:
    """Who takes part, and which ticket came of which plot."""

    staff: Mapping[str, Agent]
    tickets: dict[str, int] = field(default_factory=dict)

    def agent(self, session: Session, login: str) -> Agent:
        return session.get_one(Agent, self.staff[login].id)

    def ticket(self, session: Session, plot: str) -> Ticket:
        return session.get_one(Ticket, self.tickets[plot])


def moments(cast: Cast, now: datetime) -> list[Moment]:
    """The whole story up to now, in the order of time."""
    told = [moment for moment in _plots(cast, _Days(now)) if moment.at < now]
    return sorted(told, key=lambda moment: moment.at)


class _Days:
    """Working days counted back from now."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._free = {row.day for row in production_calendar() if not row.intervals}

    def ago(self, days: int, hour: int, minute: int = 0) -> datetime:
        """The hour in Moscow, so many working days before today."""
        day = self.now.astimezone(MOSCOW).date()
        while days:
            day -= timedelta(days=1)
            days -= self._is_working(day)
        return datetime.combine(day, time(hour, minute), MOSCOW)

    def minutes_ago(self, minutes: int) -> datetime:
        return self.now - timedelta(minutes=minutes)

    def _is_working(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self._free


def _plots(cast: Cast, days: _Days) -> Iterator[Moment]:
    yield from _fiscal_drive(cast, days)
    yield from _new_employee(cast, days)
    yield from _training(cast, days)
    yield from _scanner(cast, days)
    yield from _exchange(cast, days)
    yield from _portal_idea(cast, days)
    yield from _receipts(cast, days)
    yield from _remote_work(cast, days)
    yield from _vip_registry(cast, days)
    yield from _fresh(cast, days)


def _fiscal_drive(cast: Cast, days: _Days) -> Iterator[Moment]:
    text = "Добрый день! На кассе № 2 пишет «ФН заполнен», чеки не пробиваются. Очередь стоит."
    yield _mail(cast, days.ago(9, 10, 5), "drive", "yudina@pekarnya.example", "Касса не пробивает чеки", text)
    yield _classify(cast, days.ago(9, 10, 14), "drive", "operator", "Инцидент", "Онлайн-касса", "Касса «Атлант 5»")
    yield _press(cast, days.ago(9, 10, 21), "drive", "take")
    yield _answer(cast, days.ago(9, 10, 26), "drive", "Светлана, накопитель нужно заменить. Инженер будет до 13:00.")
    yield _press(cast, days.ago(9, 12, 50), "drive", "resolve", result="Накопитель заменён, чеки пробиваются")
    yield _client_answer(cast, days.ago(9, 13, 5), "drive", "Спасибо большое!")


def _new_employee(cast: Cast, days: _Days) -> Iterator[Moment]:
    yield _call(
        cast,
        days.ago(6, 11, 20),
        "employee",
        "operator2",
        "t.akhmetov@volgatrans.example",
        type="Вопрос",
        service="Учётные записи",
        topic="Учётная запись для нового логиста",
        text="Просят завести Марину Лебедеву с понедельника, права как у Тимура.",
    )
    yield _press(cast, days.ago(6, 11, 55), "employee", "take")
    yield _press(cast, days.ago(6, 15, 40), "employee", "resolve", result="Запись создана, пароль передан Тимуру")


def _training(cast: Cast, days: _Days) -> Iterator[Moment]:
    text = "Хотим обучить четырёх продавцов работе с модулем лояльности. Когда можно?"
    yield _mail(cast, days.ago(4, 9, 40), "training", "shop@melnikova.example", "Обучение продавцов", text)
    yield _classify(cast, days.ago(4, 9, 58), "training", "operator2", "Вопрос", "Обучение", "Модуль лояльности")
    yield _press(cast, days.ago(4, 10, 30), "training", "take")
    yield _pause(cast, days.ago(4, 10, 45), "training", "Ждём согласования", days.now + timedelta(days=1, hours=3))


def _scanner(cast: Cast, days: _Days) -> Iterator[Moment]:
    text = "Сканер через раз не читает маркировку. Гарантия до марта. Фото этикетки могу прислать."
    yield _mail(cast, days.ago(3, 14, 10), "scanner", "panov@pekarnya.example", "Сканер не читает коды", text)
    yield _classify(cast, days.ago(3, 14, 25), "scanner", "operator", "Рекламация", "Диагностика", "Сканер «Штрих-М»")
    yield _press(cast, days.ago(3, 15, 0), "scanner", "take")
    yield _answer(cast, days.ago(3, 15, 8), "scanner", "Георгий, пришлите, пожалуйста, серийный номер и фото этикетки.")
    yield _pause(cast, days.ago(3, 15, 10), "scanner", "Ждём данные от клиента", days.now + timedelta(days=2))
    yield _client_answer(cast, days.ago(1, 16, 30), "scanner", "Серийный номер SM-48-20931, фото пришлю вечером.")


def _exchange(cast: Cast, days: _Days) -> Iterator[Moment]:
    text = "После обновления не приходят заказы из портала в учётную систему, с утра не выгрузили ни одного."
    yield _mail(cast, days.ago(3, 10, 0), "exchange", "t.akhmetov@volgatrans.example", "Не приходят заказы", text)
    yield _classify(cast, days.ago(3, 10, 20), "exchange", "operator2", "Инцидент", "Обмен с 1С", "Портал заказов")
    yield _press(cast, days.ago(3, 10, 40), "exchange", "take")
    yield _note(cast, days.ago(3, 16, 0), "exchange", "Поставщик обещает исправление, слежу за выпуском.")


def _portal_idea(cast: Cast, days: _Days) -> Iterator[Moment]:
    text = "Было бы удобно повторять прошлый заказ одной кнопкой."
    yield _chat(cast, days.ago(2, 12, 30), "idea", "Наталья", text)
    yield _classify(
        cast, days.ago(2, 12, 50), "idea", "operator", "Предложение по улучшению", "Поддержка", "Портал заказов"
    )
    yield _unassign(cast, days.ago(2, 13, 0), "idea", "ждёт решения владельца продукта")


def _receipts(cast: Cast, days: _Days) -> Iterator[Moment]:
    yield _call(
        cast,
        days.ago(1, 17, 35),
        "receipts",
        "operator",
        "shop@melnikova.example",
        type="Вопрос",
        service="Онлайн-касса",
        topic="Как вернуть покупку по старому чеку",
        text="Чек трёхмесячной давности, в кассе не находится.",
    )


def _remote_work(cast: Cast, days: _Days) -> Iterator[Moment]:
    text = "Не подключается удалённый рабочий стол, пишет, что время входа истекло."
    yield _mail(cast, days.ago(1, 15, 50), "remote", "p.drozdov@port.example", "Не пускает на рабочий стол", text)
    yield _classify(cast, days.ago(1, 15, 58), "remote", "operator2", "Инцидент", "Удалённая работа", "")
    yield _press(cast, days.ago(1, 16, 4), "remote", "take")
    yield _answer(cast, days.ago(1, 16, 12), "remote", "Павел, срок пароля продлён. Попробуйте войти ещё раз.")


def _vip_registry(cast: Cast, days: _Days) -> Iterator[Moment]:
    text = "В регистратуре не печатаются талоны, пациенты ждут."
    yield _mail(cast, days.minutes_ago(205), "vip", "d.kim@clinic.example", "Не печатаются талоны", text)
    yield _classify(cast, days.minutes_ago(200), "vip", "operator", "Инцидент", "Рабочее место", "")
    yield _press(cast, days.minutes_ago(192), "vip", "take")
    yield _answer(cast, days.minutes_ago(185), "vip", "Дарья, уже смотрим очередь печати. Если изменится – напишите.")
    yield _client_answer(cast, days.minutes_ago(35), "vip", "Два талона вышли, и снова тишина.")


def _fresh(cast: Cast, days: _Days) -> Iterator[Moment]:
    text = "Здравствуйте! Можно ли добавить в отчёт столбец с номером заявки? Лев."
    yield _mail(cast, days.minutes_ago(26), "report", "safronov@clinic.example", "Столбец в отчёте", text)
    text = "Здравствуйте, не могу войти в портал заказов: пароль верный, а пишет «неизвестный пользователь»."
    yield _chat(cast, days.minutes_ago(7), "login", "Ксения", text)


def _mail(cast: Cast, at: datetime, plot: str, address: str, subject: str, text: str) -> Moment:
    def happens(session: Session) -> None:
        channel = session.scalars(select(Channel).where(Channel.kind == "email")).one()
        message = lines.receive_message(session, channel, client=_client(session, address), text=text, subject=subject)
        _remember(session, cast, plot, message.session_id)

    return Moment(at, happens)


def _chat(cast: Cast, at: datetime, plot: str, name: str, text: str) -> Moment:
    def happens(session: Session) -> None:
        channel = session.scalars(select(Channel).where(Channel.kind == "chat")).one()
        token = hashlib.sha256(f"demo {plot}".encode()).hexdigest()
        message = lines.receive_chat(session, channel, token, name=name, text=text)
        _remember(session, cast, plot, message.session_id)

    return Moment(at, happens)


def _call(cast: Cast, at: datetime, plot: str, login: str, address: str, **values: str) -> Moment:
    def happens(session: Session) -> None:
        entered = {
            **values,
            "type": _id(session, TicketType, values["type"]),
            "service": _id(session, ServiceOffering, values["service"]),
            "client": str(_client(session, address).id),
        }
        cast.tickets[plot] = tickets.create_manually(session, entered, actor=cast.agent(session, login)).id

    return Moment(at, happens)


def _classify(cast: Cast, at: datetime, plot: str, login: str, type_: str, service: str, product: str) -> Moment:
    def happens(session: Session) -> None:
        ticket = cast.ticket(session, plot)
        values = {
            "type": _id(session, TicketType, type_),
            "service": _id(session, ServiceOffering, service),
            "product": _id(session, Product, product) if product else "",
            "topic": ticket.topic,
        }
        _do(session, cast.agent(session, login), ticket, "classify", values)

    return Moment(at, happens)


def _press(cast: Cast, at: datetime, plot: str, action: str, **values: str) -> Moment:
    def happens(session: Session) -> None:
        ticket = cast.ticket(session, plot)
        _do(session, _responsible(session, cast, ticket), ticket, action, values)

    return Moment(at, happens)


def _pause(cast: Cast, at: datetime, plot: str, reason: str, until: datetime) -> Moment:
    return _press(cast, at, plot, "pause", reason=reason, resume_at=until.isoformat(timespec="minutes"))


def _answer(cast: Cast, at: datetime, plot: str, text: str) -> Moment:
    def happens(session: Session) -> None:
        ticket = cast.ticket(session, plot)
        lines.reply(session, ticket, text=text, actor=_responsible(session, cast, ticket))

    return Moment(at, happens)


def _note(cast: Cast, at: datetime, plot: str, text: str) -> Moment:
    def happens(session: Session) -> None:
        ticket = cast.ticket(session, plot)
        lines.note(session, ticket, text=text, actor=_responsible(session, cast, ticket))

    return Moment(at, happens)


def _client_answer(cast: Cast, at: datetime, plot: str, text: str) -> Moment:
    def happens(session: Session) -> None:
        own = select(LineSession).where(LineSession.ticket_id == cast.tickets[plot])
        talk = session.scalars(own).one()
        lines.receive_message(session, talk.channel, client=talk.client, text=text, session_hint=talk)

    return Moment(at, happens)


def _unassign(cast: Cast, at: datetime, plot: str, reason: str) -> Moment:
    def happens(session: Session) -> None:
        supervisor = cast.agent(session, "supervisor")
        tickets.assign_to(session, cast.ticket(session, plot), None, actor=supervisor, reason=reason)

    return Moment(at, happens)


def _do(session: Session, agent: Agent, ticket: Ticket, action_id: str, values: Mapping[str, str]) -> None:
    offered = queries.offered_actions(session, ticket, agent)
    action = next(action for action in offered if action.id == action_id)
    tickets.perform_action(session, ticket, action.ref, values, actor=agent, expected_version=None)


def _responsible(session: Session, cast: Cast, ticket: Ticket) -> Agent:
    return ticket.responsible or cast.agent(session, "operator")


def _remember(session: Session, cast: Cast, plot: str, session_id: int | None) -> None:
    talk = session.get_one(LineSession, session_id)
    if talk.ticket_id is None:
        raise RuntimeError("Expected the line's process to create the ticket at once")
    cast.tickets[plot] = talk.ticket_id


def _client(session: Session, address: str) -> Client:
    found = by_contact(session, "email", address)
    if found is None:
        raise RuntimeError(f"Expected a client of the demonstration with the address {address}")
    return found


def _id(session: Session, table: type[TicketType | ServiceOffering | Product], name: str) -> str:
    return str(session.scalars(select(table.id).where(table.name == name)).one())
