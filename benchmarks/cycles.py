"""Whole lives of requests over real HTTP: four operators create, take and resolve against `bpmdesk up`."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from sqlalchemy import func, select

from benchmarks.figures import Figure, table
from services.tickets.models import Ticket
from tests.e2e.running_desk import PASSWORD, RunningDesk

CLIENTS = 4
CYCLES = 25
"""By each client."""
PEOPLE = ("supervisor", "admin")


def figures() -> Iterator[Figure]:
    """The rows of this file; the budget of 25 cycles a second is given as seconds for all of them."""
    with tempfile.TemporaryDirectory() as folder:
        desk = RunningDesk(Path(folder) / "desk", _monday())
        desk.start()
        try:
            operators = [Operator(desk.url, PEOPLE[place % len(PEOPLE)]) for place in range(CLIENTS)]
            before = time.perf_counter()
            with ThreadPoolExecutor(CLIENTS) as crowd:
                list(crowd.map(lambda operator: [operator.cycle() for _ in range(CYCLES)], operators))
            seconds = time.perf_counter() - before
            resolved = desk.read(lambda s: s.scalar(select(func.count()).where(Ticket.topic == "Замер")))
        finally:
            desk.stop()
    total = CLIENTS * CYCLES
    did = f"{resolved} requests created and resolved, {total / seconds:.1f} cycles/s, {4 * total} pages and presses"
    yield Figure(f"{total} full cycles by {CLIENTS} clients over HTTP", "s", total / 25, (seconds,), did)


class Operator:
    """One signed-in person with a browser's cookies."""

    def __init__(self, url: str, who: str) -> None:
        self._url = url
        self._browser: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
        self._token = _token(self._get("/login"))
        self._post("/login", email=f"{who}@desk.localhost", password=PASSWORD)
        form = self._get("/tickets/new")
        self._token = _token(form)
        self._kind, self._service = _choice(form, "Вопрос"), _choice(form, "Учётные записи")

    def cycle(self) -> None:
        """Create a request as if by phone, take it, resolve it."""
        asked = {
            "type": self._kind,
            "service": self._service,
            "topic": "Замер",
            "text": "Замер",
            "client_name": "Замер",
        }
        card = self._post("/tickets", **asked)
        for label in ("take", "resolve"):
            ref = re.search(rf"(/tickets/\d+/actions/task:\d+:{label})", card)
            assert ref, card[:2000]
            card = self._post(ref[1], label=label, tell_client="")

    def _get(self, path: str) -> str:
        return self._read(path, None)

    def _post(self, path: str, **values: str) -> str:
        return self._read(path, urlencode({"csrf_token": self._token, **values}).encode())

    def _read(self, path: str, body: bytes | None) -> str:
        with self._browser.open(self._url + path, body, timeout=30) as answer:
            return str(answer.read().decode())


def _token(page: str) -> str:
    found = re.search(r'name="csrf[-_]token" (?:content|value)="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def _choice(form: str, words: str) -> str:
    found = re.search(rf'value="(\d+)"[^<]*(?:<span[^>]*>(?:<svg.*?</svg>)?|>)[^<]*{words}', form)
    assert found, words
    return found[1]


def _monday() -> datetime:
    today = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())


if __name__ == "__main__":
    print(table(figures()))
