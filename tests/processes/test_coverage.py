"""The shipped diagrams: no node and no flow of them stays unvisited by people, clients and timers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.bpmn import lint
from engine.clock import FixedClock
from engine.config import Settings
from engine.models import ElementLog, ProcessDefinition
from tests.desk import Desk
from webui import builtin

WHAT = {"type": "Вопрос", "service": "Учётные записи"}


@pytest.fixture
def desk(settings: Settings, clock: FixedClock):  # type: ignore[no-untyped-def]
    desk = Desk(settings, clock)
    yield desk
    desk.close()


def test_every_node_of_the_shipped_processes_is_visited(desk: Desk) -> None:
    patient = desk.client_writes("Не вижу остатков", client="Терпеливая")
    desk.operator("Алина").presses("Классифицировать", patient, **WHAT)
    desk.advance("30d")  # nobody takes it: reminder, breach, escalation of the reaction
    work = desk.responsible(patient)
    work.presses("Приступить к выполнению", patient)
    desk.advance("30d")  # nobody solves it: the same for the resolution
    for tell in ("false", "on"):
        until = (desk.clock.at + timedelta(hours=1)).isoformat()
        work.presses("Приостановить", patient, reason="Ждём поставщика", resume_at=until, tell_client=tell)
        desk.advance("2h")
    until = (desk.clock.at + timedelta(hours=1)).isoformat()
    work.presses("Приостановить", patient, reason="Ждём поставщика", resume_at=until)
    desk.client_writes("Вот журнал", client="Терпеливая")
    work.presses("Приостановить", patient, reason="Ждём поставщика", resume_at=until)
    work.presses("Продолжить", patient)
    work.presses("Выполнено", patient, tell_client="on")
    desk.client_writes("Спасибо!", client="Терпеливая")
    desk.client_writes("Опять не вижу остатков, что делать?", client="Терпеливая")
    work.presses("Выполнено", patient, tell_client="false")
    work.presses("Вернуть в работу", patient)
    work.presses("Выполнено", patient)
    desk.advance("8d")
    assert desk.ticket(patient).status == "closed"
    by_phone = desk.operator("Рустам").creates(topic="Звонок", text="Просят пароль", client_name="Анна", **WHAT)
    desk.responsible(by_phone).presses("Приступить к выполнению", by_phone)
    desk.responsible(by_phone).presses("Выполнено", by_phone)
    desk.advance("8d")

    with desk.look() as session:
        seen = set(session.execute(select(ElementLog.process_key, ElementLog.element_id)).all())
        drawn = {
            (definition.key, node)
            for definition in session.scalars(select(ProcessDefinition))
            for node in definition.index["nodes"]
        }
    assert len(drawn) > 60
    assert {(key, node) for key, node in drawn if (key, node) not in {tuple(row) for row in seen}} == set()


def test_the_shipped_files_have_no_errors_and_no_warnings(desk: Desk) -> None:
    from engine import connectors

    problems = lint.check_files(builtin.files(), connectors=connectors.catalogue(), statuses=None, forms=None)

    assert [p for p in problems if p.severity != "info"] == []
