"""A version over the history of closed tickets: the same one changes nothing, a changed one says what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from engine import repository
from engine.models import ProcessDefinition
from services.replay import operations
from services.replay.living import Relived
from services.replay.models import Replay, ReplayOutcome
from services.replay.sums import sums
from services.tickets.models import Ticket
from tests.desk import Desk
from webui import builtin

LIFECYCLE = "ticket_lifecycle.bpmn"


def closed(desk: Desk, *, late: bool = False) -> int:
    """A ticket that was paused, answered, resolved, and closed by time; `late`: after its reaction norm."""
    number = desk.client_writes("Не печатает касса")
    desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service="Онлайн-касса")
    desk.advance("7h" if late else "10m")
    person = desk.responsible(number)
    person.presses("Приступить к выполнению", number)
    person.replies(number, "Смотрим")
    desk.advance("20m")
    person.presses("Приостановить", number, reason="Ждём данные от клиента", resume_at="2026-03-20T12:00")
    desk.advance("1h")
    desk.client_writes("Серийный номер 17")
    desk.advance("5m")
    person.presses("Выполнено", number, result="Заменили ленту")
    desk.advance("8d")
    assert desk.ticket(number).status == "closed"
    return number


def by_hand(desk: Desk) -> int:
    """A ticket that a person made on the phone, gave to a colleague and resolved."""
    alina = desk.operator("Алина")
    number = alina.creates(
        topic="Обучение", text="Хотят обучить двоих", type="Вопрос", service="Обучение", client="Светлана Юдина"
    )
    desk.advance("5m")
    desk.responsible(number).presses("Приступить к выполнению", number)
    alina.changes(number, topic="Обучение продавцов")
    desk.advance("1h")
    desk.responsible(number).presses("Выполнено", number, result="Обучили")
    desk.advance("8d")
    return number


def relived(desk: Desk, number: int, files: Mapping[str, bytes] | None = None) -> Relived:
    with desk.look() as session:
        template = operations.with_files(session, files or builtin.files())
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        return operations.answer(session, ticket.id, template)


def changed(before: str, after: str) -> dict[str, bytes]:
    files = builtin.files()
    text = files[LIFECYCLE].decode()
    assert before in text
    return {**files, LIFECYCLE: text.replace(before, after).encode()}


@pytest.mark.parametrize("late", [False, True])
def test_the_same_version_changes_nothing(desk: Desk, late: bool) -> None:
    number = closed(desk, late=late)

    assert relived(desk, number) == Relived("same", {})


def test_a_ticket_made_by_hand_is_lived_again_too(desk: Desk) -> None:
    number = by_hand(desk)

    assert relived(desk, number) == Relived("same", {})


def test_another_status_is_told(desk: Desk) -> None:
    number = closed(desk)

    found = relived(desk, number, changed('code="in_progress"', 'code="accepted"'))

    assert found.verdict == "differs"
    assert "in_progress" in found.differences["statuses"]["before"]
    assert "in_progress" not in found.differences["statuses"]["after"]


def test_a_button_that_is_gone_leaves_the_ticket_stuck_and_says_where(desk: Desk) -> None:
    number = closed(desk)

    found = relived(desk, number, changed('id="take" label="Приступить к выполнению"', 'id="begin" label="Начать"'))

    assert found.verdict == "stuck"
    assert found.differences["refused"][0]["label"] == "Приступить к выполнению"
    assert "Начать" in found.differences["refused"][0]["offered"]
    assert found.differences["waiting"] == ["Взять в работу"]


def test_a_shorter_window_ends_tickets_earlier(desk: Desk) -> None:
    number = closed(desk)

    found = relived(desk, number, changed("=ticket.reopen_until", "P2D"))

    assert set(found.differences) == {"ended"}
    assert found.differences["ended"]["after"] < found.differences["ended"]["before"]


def test_a_version_that_fails_is_told_with_its_step(desk: Desk) -> None:
    number = closed(desk)

    found = relived(desk, number, changed("sla.stop", "sla.nothing"))

    assert found.verdict == "failed"
    assert "sla.nothing" in found.differences["failed"]["message"]


def test_the_live_desk_does_not_notice(desk: Desk) -> None:
    number = closed(desk)
    before = [event.id for event in desk.history(number)], desk.clock.at

    relived(desk, number, changed('code="in_progress"', 'code="accepted"'))

    assert ([event.id for event in desk.history(number)], desk.clock.at) == before


def ordered(desk: Desk, content: bytes | None = None) -> int:
    """A replay of the newest version of the lifecycle; `content` makes a draft of it first."""
    with desk.change() as session:
        if content is not None:
            repository.store(session, {LIFECYCLE: content}, author="agent:4")
        query = select(ProcessDefinition).where(ProcessDefinition.key == "ticket_lifecycle")
        definition = session.scalars(query.order_by(ProcessDefinition.version.desc()).limit(1)).one()
        return operations.begin(session, definition, last=100, by="agent:4").id


def done(desk: Desk, replay: int) -> Replay:
    source = operations.source()
    while True:
        with desk.change() as session:
            ids = source.claim(session, "worker", 100)
        if not ids:
            break
        source.execute(desk.database, ids)
    with desk.look() as session:
        return operations.one(session, replay)


def test_workers_relive_all_closed_tickets_of_a_draft(desk: Desk) -> None:
    closed(desk)
    by_hand(desk)
    desk.client_writes("Ещё открыто", client="Пётр")
    draft = builtin.files()[LIFECYCLE].replace(b'code="in_progress"', b'code="accepted"')

    found = done(desk, ordered(desk, draft))

    assert found.state == "done"
    assert found.sums["verdicts"] == {"same": 0, "differs": 2, "stuck": 0, "failed": 0}
    assert ["in_progress", "gone", 2] in found.sums["statuses"]


def test_a_new_order_ends_the_one_before(desk: Desk) -> None:
    closed(desk)
    first = ordered(desk)

    second = ordered(desk)

    assert done(desk, first).state == "cancelled"
    assert done(desk, second).sums["verdicts"]["same"] == 1


def test_a_worker_that_died_leaves_its_tickets_to_another(desk: Desk) -> None:
    closed(desk)
    replay = ordered(desk)
    with desk.change() as session:
        assert operations.source().claim(session, "dead", 100)

    assert done(desk, replay).state == "running"
    desk.clock.set(desk.clock.at + operations.LEASE)

    assert done(desk, replay).state == "done"
    with desk.look() as session:
        assert [(row.verdict, row.differences) for row in session.scalars(select(ReplayOutcome))] == [("same", {})]


def test_a_desk_without_closed_tickets_is_answered_at_once(desk: Desk) -> None:
    assert done(desk, ordered(desk)).state == "done"


def test_sums_count_tickets_not_events() -> None:
    node: list[str] = ["p", "check", "Проверка"]
    outcomes: list[tuple[str, dict[str, Any]]] = [
        ("differs", {"path": {"new": [node, node], "gone": []}}),
        ("differs", {"path": {"new": [node], "gone": []}, "sla": {"reaction": term(True, False)}}),
        ("stuck", {"waiting": ["Проверка"], "refused": [{"label": "Взять"}]}),
        ("same", {}),
    ]

    found = sums(outcomes)

    assert found["verdicts"] == {"same": 1, "differs": 2, "stuck": 1, "failed": 0}
    assert found["new"] == [["p", "check", "Проверка", 2]]
    assert found["terms"] == [["reaction", "breached", 1]]
    assert (found["refused"], found["waiting"]) == ([["Взять", 1]], [["Проверка", 1]])


def term(before: bool, after: bool) -> dict[str, Any]:
    return {"before": {"met": before, "seconds": 60}, "after": {"met": after, "seconds": 9000}}


def test_what_happened_in_one_instant_keeps_its_order(desk: Desk) -> None:
    number = desk.client_writes("Не печатает касса")
    desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service="Онлайн-касса")
    person = desk.responsible(number)
    person.presses("Приступить к выполнению", number)
    person.presses("Приостановить", number, reason="Ждём данные от клиента", resume_at="2026-03-20T12:00")
    desk.client_writes("Серийный номер 17")
    person.presses("Выполнено", number, result="Заменили ленту")
    desk.advance("9d")

    assert relived(desk, number) == Relived("same", {})
