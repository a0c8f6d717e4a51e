"""The registry: folders, filters, search, sorting, and paging that loses and doubles nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from engine.clock import FixedClock
from engine.config import Settings
from engine.db import Database
from engine.errors import NotFound
from services.access.rights import SUPERVISOR
from services.people.models import Agent
from services.people.operations import create_agent
from services.reference import ensure_reference
from services.search import document
from services.tickets.models import Ticket
from services.tickets.registry import Filters, Page, folder_counts, registry

ROWS = [
    # number, status, open, rank, responsible, due in minutes, topic
    (1, "accepted", True, 2, None, 30, "Счёт за март"),
    (2, "in_progress", True, 0, "me", 10, "Камера не пишет"),
    (3, "in_progress", True, 3, "other", -5, "Сканер ШТРИХ"),
    (4, "waiting", True, 1, "me", None, "Обучение на 12 человек"),
    (5, "resolved", False, 2, "me", None, "Камера мигает"),
    (12, "accepted", True, 1, None, 30, "Пароль"),
]


@pytest.fixture
def me(database: Database, settings: Settings, clock: FixedClock) -> Agent:
    with database.transaction() as session:
        ensure_reference(session, settings)
        me = create_agent(session, email="me@desk.localhost", name="Я", roles=[SUPERVISOR])
        other = create_agent(session, email="other@desk.localhost", name="Другой", roles=[SUPERVISOR])
        owners = {"me": me.id, "other": other.id, None: None}
        for number, status, is_open, rank, owner, minutes, topic in ROWS:
            session.execute(
                insert(Ticket).values(
                    **_row(clock, number, status, is_open, rank, minutes, topic), responsible_id=owners[owner]
                )
            )
    return me


def _row(
    clock: FixedClock, number: int, status: str, is_open: bool, rank: int, minutes: int | None, topic: str
) -> dict[str, object]:
    priorities = ("low", "medium", "high", "critical")
    return {
        "number": number,
        "topic": topic,
        "source": "manual",
        "status": status,
        "is_open": is_open,
        "priority": priorities[rank],
        "priority_rank": rank,
        "created_at": clock.at - timedelta(hours=number),
        "updated_at": clock.at,
        "due_at": clock.at + timedelta(minutes=minutes) if minutes is not None else None,
        "search": document(topic),
    }


def numbers(page: Page) -> list[int]:
    return [ticket.number for ticket in page.rows]


@pytest.mark.parametrize(
    ("folder", "held"),
    [
        ("all", {1, 2, 3, 4, 5, 12}),
        ("high", {1, 3}),
        ("working", {2}),
        ("mine", {2, 4, 5}),
        ("unassigned", {1, 12}),
        ("overdue", {3}),
    ],
)
def test_each_folder_holds_exactly_its_tickets(database: Database, me: Agent, folder: str, held: set[int]) -> None:
    with database.reading() as session:
        assert set(numbers(registry(session, me, folder))) == held
        assert folder_counts(session, me)[folder] == len(held)


def test_the_nearest_deadline_comes_first_and_none_last(database: Database, me: Agent) -> None:
    with database.reading() as session:
        assert numbers(registry(session, me, sort="due")) == [3, 2, 1, 12, 4, 5]
        assert numbers(registry(session, me, sort="-due")) == [12, 1, 2, 3, 5, 4]
        assert numbers(registry(session, me, sort="-priority")) == [3, 5, 1, 12, 4, 2]


@pytest.mark.parametrize(
    "sort", [s + d for d in ("due", "created", "updated", "number", "priority") for s in ("", "-")]
)
def test_paging_loses_and_doubles_nothing(database: Database, me: Agent, sort: str) -> None:
    with database.reading() as session:
        whole = numbers(registry(session, me, sort=sort))
        paged, cursor = [], None
        for _ in range(len(ROWS)):
            page = registry(session, me, sort=sort, cursor=cursor, limit=2)
            paged += numbers(page)
            assert page.total == len(ROWS)
            cursor = page.next_cursor
            if cursor is None:
                break

    assert paged == whole
    assert len(set(paged)) == len(ROWS)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("КАМЕРА", {2, 5}),
        ("камера пишет", {2}),
        ("пишет камер", {2}),
        ("счет", {1}),
        ("12", {12, 4}),
        ("№ 12", {12, 4}),
        ("rfvthf", {2, 5}),
        ("100%", set()),
        ("нет такого", set()),
    ],
)
def test_the_search_line_finds_parts_of_words(database: Database, me: Agent, query: str, found: set[int]) -> None:
    with database.reading() as session:
        assert set(numbers(registry(session, me, filters=Filters(query=query)))) == found


def test_filters_narrow_a_folder(database: Database, me: Agent) -> None:
    with database.reading() as session:
        assert numbers(registry(session, me, filters=Filters(status=["waiting", "resolved"]))) == [4, 5]
        assert set(numbers(registry(session, me, filters=Filters(responsible=[0, me.id])))) == {1, 2, 4, 5, 12}
        assert numbers(registry(session, me, "mine", Filters(priority=["high"]))) == [5]
        assert numbers(registry(session, me, filters=Filters(overdue=True))) == [3]


@pytest.mark.parametrize("cursor", ["???", "W251bGwsICJ4Il0", "WyJ4IiwgMV0", "W3t9LCAxXQ", "WzEsIDFd"])
def test_a_broken_cursor_is_not_found(database: Database, me: Agent, cursor: str) -> None:
    with database.reading() as session, pytest.raises(NotFound):
        registry(session, me, cursor=cursor)


def test_the_number_of_statements_does_not_grow(database: Database, me: Agent) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    def counted(session: Session, limit: int) -> int:
        statements.clear()
        for ticket in registry(session, me, limit=limit).rows:
            assert ticket.responsible is None or ticket.responsible.name
        folder_counts(session, me)
        return len(statements)

    with database.reading() as session:
        few = counted(session, 1)
    with database.reading() as session:
        many = counted(session, 50)

    assert many <= 12
    assert many - few <= 1


def test_an_unknown_folder_or_sort_is_not_found(database: Database, me: Agent) -> None:
    with database.reading() as session:
        with pytest.raises(NotFound):
            registry(session, me, "secret")
        with pytest.raises(NotFound):
            registry(session, me, sort="password")


def test_nobody_sees_anything_without_a_role(database: Database, me: Agent) -> None:
    with database.transaction() as session:
        nobody = create_agent(session, email="x@desk.localhost", name="Икс", roles=[])
        assert registry(session, nobody).total == 0
        assert sum(folder_counts(session, nobody).values()) == 0
