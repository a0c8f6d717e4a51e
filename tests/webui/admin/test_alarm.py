"""The red line when nothing fires: without it deadlines would pass unseen."""

from __future__ import annotations

from collections.abc import Callable

from engine import clock
from engine.clock import FixedClock
from engine.iso8601 import parse_duration
from engine.models import Heartbeat
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand

WORDS = "Таймеры не срабатывают"


def beat(office: Office, name: str = "ticker-1") -> None:
    with office.desk.database.transaction() as session:
        session.merge(Heartbeat(name=name, at=clock.now(), data={}))


def test_a_ticker_that_was_never_seen_raises_the_alarm(analyst: Visitor) -> None:
    assert WORDS in analyst.get("/admin/processes").text


def test_a_ticker_that_beats_is_no_news(office: Office, analyst: Visitor) -> None:
    beat(office)

    assert WORDS not in analyst.get("/admin/processes").text


def test_a_silent_ticker_raises_the_alarm(office: Office, analyst: Visitor, clock: FixedClock) -> None:
    beat(office)
    clock.advance(parse_duration("PT2M"))

    assert WORDS in analyst.get("/admin/processes").text


def test_a_worker_alone_fires_nothing(office: Office, analyst: Visitor) -> None:
    beat(office, "worker-1")

    assert WORDS in analyst.get("/admin/processes").text


def test_late_work_raises_the_alarm_although_the_ticker_beats(
    office: Office, running_errand: int, analyst: Visitor, clock: FixedClock
) -> None:
    clock.advance(parse_duration("PT5H"))
    beat(office)

    assert WORDS in analyst.get("/admin/processes").text


def test_the_health_page_answers_while_everything_is_away(office: Office, admin: Visitor) -> None:
    office.deploy(errand())

    answer = admin.get("/admin/health")

    assert answer.status_code == 200
    assert "не отвечает" in answer.text


def test_the_alarm_is_in_the_readers_language(office: Office, visitor: Callable[[str], Visitor]) -> None:
    analyst = visitor("analyst")
    with office.desk.database.transaction() as session:
        session.merge(analyst.agent).language = "en"

    page = analyst.get("/admin/processes").text

    assert "Timers do not fire" in page
    assert "Upload a bundle" in page
