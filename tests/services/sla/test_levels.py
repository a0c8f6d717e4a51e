"""Which service level wins (ruling G11), and what the card says about it."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy.orm import Session

from engine.clock import FixedClock
from engine.db import Database
from services.catalog.models import ClientCategory
from services.clients.models import Company
from services.sla.levels import pick
from services.sla.models import ServiceLevel
from services.tickets.models import Ticket
from tests.services.sla.desk import add_client, add_level, add_schedule, add_service, add_ticket, named

WHO = ("company", "category", "anybody")
WHAT = ("service", "parent", "grandparent", "any service")
MATRIX = list(itertools.product(WHO, WHAT))
"""From the closest combination to the widest."""


@pytest.fixture(autouse=True)
def _standing(clock: FixedClock) -> None:
    """All instants of these tests are one."""


def _desk(session: Session) -> tuple[Ticket, dict[tuple[str, str], ServiceLevel]]:
    """A ticket of a VIP from «Ромашка» about a service of the third level, and a level for every combination."""
    top = add_service(session, "ИТ")
    middle = add_service(session, "Связь", parent=top)
    service = add_service(session, "Почта", parent=middle)
    client = add_client(session, category="VIP", company="Ромашка")
    columns = {"service": service.id, "parent": middle.id, "grandparent": top.id, "any service": None}
    people = {
        "company": {"company_id": client.company_id},
        "category": {"category_id": client.category_id},
        "anybody": {},
    }
    schedule = add_schedule(session)
    levels = {
        (who, what): add_level(session, f"{who}, {what}", schedule=schedule, service_id=columns[what], **people[who])
        for who, what in MATRIX
    }
    return add_ticket(session, client=client, service=service), levels


@pytest.mark.parametrize("closest", range(len(MATRIX)), ids=[f"{who}, {what}" for who, what in MATRIX])
def test_the_closest_of_twelve_combinations_wins(database: Database, closest: int) -> None:
    with database.transaction() as session:
        ticket, levels = _desk(session)
        for nearer in MATRIX[:closest]:
            levels[nearer].archived = True
        session.flush()

        choice = pick(session, ticket)

        assert choice.level is levels[MATRIX[closest]]


def test_levels_of_other_people_and_services_never_win(database: Database) -> None:
    with database.transaction() as session:
        ticket, levels = _desk(session)
        for level in levels.values():
            level.archived = True
        add_level(session, "Другая компания", company_id=named(session, Company, "Лютик").id)
        add_level(session, "Другая категория", category_id=named(session, ClientCategory, "Стандарт").id)
        add_level(session, "Другой сервис", service_id=add_service(session, "Телефония").id)

        choice = pick(session, ticket)

        assert choice.level is None
        assert choice.rule_ru == (
            "SLA не задан: ни один уровень не подходит (компания «Ромашка», категория «VIP», сервис «Почта»)"
        )
        assert choice.rule_en == "No SLA: no level fits (company “Ромашка”, category “VIP”, service “Почта”)"


def test_a_level_for_a_company_and_a_category_needs_both(database: Database) -> None:
    with database.transaction() as session:
        client = add_client(session, category="Стандарт", company="Ромашка")
        vip = named(session, ClientCategory, "VIP")
        add_level(session, "VIP из Ромашки", company_id=client.company_id, category_id=vip.id)
        common = add_level(session, "Все")

        assert pick(session, add_ticket(session, client=client)).level is common


def test_the_category_of_the_company_counts_for_clients_without_their_own(database: Database) -> None:
    with database.transaction() as session:
        client = add_client(session, company="Ромашка")
        named(session, Company, "Ромашка").category = named(session, ClientCategory, "VIP")
        level = add_level(session, "VIP", category_id=named(session, ClientCategory, "VIP").id)
        session.flush()

        choice = pick(session, add_ticket(session, client=client))

        assert choice.level is level
        assert choice.rule_ru == "VIP: категория «VIP», любой сервис"


def test_the_rule_names_the_parent_service_that_brought_the_level(database: Database) -> None:
    with database.transaction() as session:
        parent = add_service(session, "Связь")
        ticket = add_ticket(session, service=add_service(session, "Почта", parent=parent))
        add_level(session, "Связь 8×5", service_id=parent.id)

        choice = pick(session, ticket)

        assert choice.rule("ru") == "Связь 8×5: любой клиент, вышестоящий сервис «Связь»"
        assert choice.rule("en") == "Связь 8×5: any client, parent service “Связь”"


def test_a_ticket_about_nothing_from_nobody_gets_the_level_for_all(database: Database) -> None:
    with database.transaction() as session:
        level = add_level(session)

        assert pick(session, add_ticket(session)).level is level


def test_of_two_equal_levels_the_older_one_wins(database: Database) -> None:
    with database.transaction() as session:
        older = add_level(session, "Первый")
        add_level(session, "Второй")

        assert pick(session, add_ticket(session)).level is older


def test_services_that_are_each_others_parents_end_the_search(database: Database) -> None:
    with database.transaction() as session:
        one = add_service(session, "Одна")
        other = add_service(session, "Другая", parent=one)
        one.parent = other
        level = add_level(session)
        session.flush()

        assert pick(session, add_ticket(session, service=one)).level is level
