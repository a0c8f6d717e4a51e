"""The catalogs of the demonstration: services, products, schedules, levels, companies and clients."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import holidays
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.catalog.models import ClientCategory, Product, ServiceOffering, ServiceResponsible
from services.clients.models import Client, Company
from services.clients.operations import add_contact, create_client
from services.people.models import Agent, Group
from services.sla.models import Schedule, ScheduleException, ServiceLevel

YEARS = (2026, 2027)
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")

SERVICES = {
    "Поддержка": ("Онлайн-касса", "Рабочее место", "Обмен с 1С"),
    "Доступ": ("Учётные записи", "Удалённая работа"),
    "Внедрение": ("Настройка", "Обучение"),
    "Гарантийное обслуживание": ("Диагностика", "Замена оборудования"),
}
PRODUCTS = ("Касса «Атлант 5»", "Сканер «Штрих-М»", "Портал заказов", "Модуль лояльности", "Мобильный склад")
COMPANIES = {
    "ООО «Северный порт»": "VIP",
    "АО «Волгатранс»": "Стандарт",
    "Сеть «Добрая пекарня»": "Стандарт",
    "ИП Мельникова": "Стандарт",
    "Клиника «Ясный день»": "VIP",
}
CLIENTS = (
    ("Ольга Кравцова", "Главный бухгалтер", "ООО «Северный порт»", "o.kravtsova@port.example", "+7 921 555-01-14"),
    ("Павел Дроздов", "Начальник смены", "ООО «Северный порт»", "p.drozdov@port.example", ""),
    ("Тимур Ахметов", "Логист", "АО «Волгатранс»", "t.akhmetov@volgatrans.example", "+7 927 555-33-08"),
    ("Светлана Юдина", "Управляющая", "Сеть «Добрая пекарня»", "yudina@pekarnya.example", "+7 916 555-72-40"),
    ("Георгий Панов", "Администратор зала", "Сеть «Добрая пекарня»", "panov@pekarnya.example", ""),
    ("Наталья Мельникова", "", "ИП Мельникова", "shop@melnikova.example", "+7 903 555-18-66"),
    ("Лев Сафронов", "Системный администратор", "Клиника «Ясный день»", "safronov@clinic.example", ""),
    ("Дарья Ким", "Регистратор", "Клиника «Ясный день»", "d.kim@clinic.example", "+7 495 555-90-21"),
)


def add_catalogs(session: Session, staff: dict[str, Agent]) -> None:
    """Services with their responsibles, products, schedules with levels, companies with their people."""
    _add_services(session, staff)
    session.add_all(Product(name=name) for name in PRODUCTS)
    _add_levels(session)
    _add_clients(session)
    session.flush()


def _add_services(session: Session, staff: dict[str, Agent]) -> None:
    groups = {group.name: group for group in session.scalars(select(Group))}
    for position, (name, children) in enumerate(SERVICES.items()):
        top = ServiceOffering(name=name, position=position)
        session.add(top)
        session.flush()
        session.add_all(ServiceOffering(name=n, parent_id=top.id, position=p) for p, n in enumerate(children))
        if name in ("Поддержка", "Внедрение"):
            group = groups["Первая линия" if name == "Поддержка" else "Внедрение"]
            session.add(ServiceResponsible(service_id=top.id, group_id=group.id))
        else:
            logins = ("operator2", "operator3") if name == "Доступ" else ("operator", "operator3")
            session.add_all(ServiceResponsible(service_id=top.id, agent_id=staff[login].id) for login in logins)


def _add_levels(session: Session) -> None:
    weekdays = Schedule(
        name="Будни 9–18",
        zone="Europe/Moscow",
        week={day: [["09:00", "18:00"]] for day in WORKDAYS},
        exceptions=list(production_calendar()),
    )
    always = Schedule(
        name="Круглосуточно",
        zone="Europe/Moscow",
        week={day: [["00:00", "24:00"]] for day in (*WORKDAYS, "sat", "sun")},
    )
    session.add_all([weekdays, always])
    session.flush()
    vip = session.scalars(select(ClientCategory.id).where(ClientCategory.name == "VIP")).one()
    warranty = session.scalars(
        select(ServiceOffering.id).where(ServiceOffering.name == "Гарантийное обслуживание")
    ).one()
    session.add_all(
        [
            ServiceLevel(name="Стандарт", schedule_id=weekdays.id, reaction_min=60, resolution_min=480),
            ServiceLevel(
                name="VIP",
                category_id=vip,
                schedule_id=always.id,
                reaction_min=15,
                resolution_min=240,
                resolution_starts="accepted",
            ),
            ServiceLevel(
                name="Гарантия",
                service_id=warranty,
                schedule_id=weekdays.id,
                reaction_min=240,
                resolution_min=1620,
            ),
        ]
    )


def production_calendar() -> Iterator[ScheduleException]:
    """Russian holidays, transferred working Saturdays, and the shorter working days on the eve of a holiday."""
    for year in YEARS:
        calendar = holidays.country_holidays("RU", years=year, language="ru")
        for day, name in sorted(calendar.items()):
            yield ScheduleException(day=day, intervals=[], name=name)
        for day in sorted(calendar.weekend_workdays):
            yield ScheduleException(day=day, intervals=[["09:00", "18:00"]], name="Рабочий день (перенос)")
        for day in _eves(calendar):
            yield ScheduleException(day=day, intervals=[["09:00", "17:00"]], name="Предпраздничный день")


def _eves(calendar: holidays.HolidayBase) -> list[date]:
    feasts = [day for day, name in calendar.items() if "ыходной" not in name]
    eves = {day - timedelta(days=1) for day in feasts}
    return sorted(day for day in eves if day.year in YEARS and calendar.is_working_day(day))


def _add_clients(session: Session) -> None:
    categories = {category.name: category for category in session.scalars(select(ClientCategory))}
    companies = {name: Company(name=name, category=categories[category]) for name, category in COMPANIES.items()}
    session.add_all(companies.values())
    for name, position, company, email, phone in CLIENTS:
        client: Client = create_client(session, name, company=companies[company], position=position)
        add_contact(session, client, "email", email)
        if phone:
            add_contact(session, client, "phone", phone)
