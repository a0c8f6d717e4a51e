"""The desk through HTTP in one process: pressing a button, and the pages that are open all day."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import insert

from benchmarks.desk import create, numbers_of
from benchmarks.figures import Figure, table
from benchmarks.workplace import Cost, workplace
from services.bootstrap import Desk as OpenDesk
from services.lines.models import Message
from services.tickets.models import Ticket, TicketEvent
from tests.desk import Desk
from webui.app import create_app

TICKETS = 40
WARM = 8
MANY = 100_000
VIEWS = 40


def figures() -> Iterator[Figure]:
    """The rows of this file."""
    with workplace() as desk:
        client = _signed_in(desk)
        yield from _pressing(desk, client)
        _fill(desk)
        yield from _registry(desk, client)
        yield from _card(desk, client)


def _signed_in(desk: Desk) -> FlaskClient:
    app = create_app(OpenDesk(desk.settings, desk.database))
    gc.collect()
    gc.freeze()  # as the serving process does once it is loaded
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    token = _token(client.get("/login").text)
    given = {"csrf_token": token, "email": "supervisor@desk.localhost", "password": "demo-bpmdesk-2026"}
    answer = client.post("/login", data=given)
    assert answer.status_code == 303, answer.text[:300]
    return client


def _pressing(desk: Desk, client: FlaskClient) -> Iterator[Figure]:
    cost, statuses = Cost(), set()
    for number in range(WARM + TICKETS):
        create(desk, number, Cost())
    for place, number in enumerate(numbers_of(desk)):
        desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service="Онлайн-касса")
        shown = desk.operator("Алина").shown("Приступить к выполнению", number)
        token = _token(client.get(f"/tickets/{number}").text)
        with (cost if place >= WARM else Cost()).of(desk.database.engine):
            given = {"csrf_token": token, "version": str(shown.version), "label": "Приступить к выполнению"}
            statuses.add(client.post(f"/tickets/{number}/actions/{shown.ref}", data=given).status_code)
    did = f"{TICKETS} presses, answers {sorted(statuses)}"
    yield Figure("press a button over HTTP, CPU", "ms", 12, tuple(cost.cpu_ms), did)
    yield Figure("press a button over HTTP, SQL", "", 20, tuple(cost.sql), did)
    yield Figure("press a button over HTTP, commits", "", 1, tuple(cost.commits), did)


def _registry(desk: Desk, client: FlaskClient) -> Iterator[Figure]:
    addresses = ("/tickets", "/tickets?folder=high", "/tickets?sort=-created", "/tickets?q=касса", "/tickets?overdue=1")
    for address in addresses:
        cost = _visits(desk, client, address)
        yield Figure(f"registry of {MANY} tickets, {address}", "ms", 100, tuple(cost.cpu_ms), f"{VIEWS} pages")
        yield Figure("  SQL", "", 12, tuple(cost.sql), f"{VIEWS} pages")


def _card(desk: Desk, client: FlaskClient) -> Iterator[Figure]:
    cost = _visits(desk, client, "/tickets/1")
    yield Figure("card with 500 messages, 1000 history rows", "ms", 150, tuple(cost.cpu_ms), f"{VIEWS} pages")
    yield Figure("  SQL", "", 20, tuple(cost.sql), f"{VIEWS} pages")


def _visits(desk: Desk, client: FlaskClient, address: str) -> Cost:
    cost = Cost()
    assert client.get(address).status_code == 200, address
    for _ in range(VIEWS):
        with cost.of(desk.database.engine):
            client.get(address)
    return cost


def _fill(desk: Desk) -> None:
    """A hundred thousand tickets, half of them open, and one long conversation."""
    now = desk.clock.at
    priorities = ("low", "medium", "high", "critical")
    with desk.change() as session:
        for start in range(1000, 1000 + MANY, 5000):
            session.execute(insert(Ticket), [_ticket(number, now, priorities) for number in range(start, start + 5000)])
        ticket = session.query(Ticket).filter_by(number=1).one()
        messages = [
            {"ticket_id": ticket.id, "kind": "in", "text": f"Сообщение {n}", "created_at": now} for n in range(500)
        ]
        session.execute(insert(Message), messages)
        rows = [
            {"ticket_id": ticket.id, "at": now, "actor": "system", "kind": "field", "field": "topic", "new": str(n)}
            for n in range(1000)
        ]
        session.execute(insert(TicketEvent), rows)


def _ticket(number: int, now: object, priorities: tuple[str, ...]) -> dict[str, object]:
    is_open, rank = number % 2 == 0, number % 4
    return {
        "number": number,
        "topic": f"Касса {number} не печатает",
        "source": "line",
        "status": "in_progress" if is_open else "closed",
        "is_open": is_open,
        "priority": priorities[rank],
        "priority_rank": rank,
        "created_at": now,
        "updated_at": now,
        "due_at": now + timedelta(minutes=number % 5000 - 500) if is_open else None,  # type: ignore[operator]
        "responsible_id": number % 5 + 1,
        "search": f"{number} касса {number} не печатает",
    }


def _token(page: str) -> str:
    found = re.search(r'name="csrf[-_]token" (?:content|value)="([^"]+)"', page)
    assert found, page[:300]
    return found[1]


if __name__ == "__main__":
    print(table(figures()))
