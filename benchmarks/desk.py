"""The desk without its web: a client's first message, and pressing a button."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sqlalchemy import select

from benchmarks.figures import Figure, table
from benchmarks.workplace import Cost, workplace
from services.lines import operations as lines
from services.lines import queries as line_queries
from services.people.models import Agent
from services.tickets import operations, queries
from services.tickets.models import Ticket, TicketEvent
from tests.desk import Desk

TICKETS = 60
WARM = 10


def figures() -> Iterator[Figure]:
    """The rows of this file."""
    with workplace() as desk:
        created, pressed = Cost(), Cost()
        for number in range(WARM + TICKETS):
            create(desk, number, created if number >= WARM else Cost())
        numbers = numbers_of(desk)
        for number in numbers:
            desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service="Онлайн-касса")
        for place, number in enumerate(numbers):
            _take(desk, number, pressed if place >= WARM else Cost())
        did = _did(desk)
    yield Figure("message → classify task, CPU", "ms", 12, tuple(created.cpu_ms), did)
    yield Figure("message → classify task, SQL", "", 25, tuple(created.sql), did)
    yield Figure("message → classify task, commits", "", 1, tuple(created.commits), did)
    yield Figure("complete a user task, CPU", "ms", 6, tuple(pressed.cpu_ms), did)
    yield Figure("complete a user task, SQL", "", 15, tuple(pressed.sql), did)
    yield Figure("complete a user task, commits", "", 1, tuple(pressed.commits), did)


def create(desk: Desk, number: int, cost: Cost) -> None:
    token = hashlib.sha256(str(number).encode()).hexdigest()
    with cost.of(desk.database.engine), desk.change() as session:
        chat = line_queries.chat_channel(session, "support")
        lines.receive_chat(session, chat, token, name=f"Клиент {number}", text=f"Не печатает касса {number}")


def _take(desk: Desk, number: int, cost: Cost) -> None:
    shown = desk.operator("Алина").shown("Приступить к выполнению", number)
    with cost.of(desk.database.engine), desk.change() as session:
        agent = session.scalars(select(Agent).where(Agent.email == "operator@desk.localhost")).one()
        ticket = queries.by_number(session, agent, number)
        operations.perform_action(session, ticket, shown.ref, {}, actor=agent, expected_version=shown.version)


def numbers_of(desk: Desk) -> list[int]:
    with desk.look() as session:
        return list(session.scalars(select(Ticket.number).order_by(Ticket.number)))


def _did(desk: Desk) -> str:
    with desk.look() as session:
        statuses = list(session.scalars(select(Ticket.status)))
        events = len(list(session.scalars(select(TicketEvent.id))))
    return f"{len(statuses)} tickets, {statuses.count('in_progress')} in progress, {events} history rows"


if __name__ == "__main__":
    print(table(figures()))
