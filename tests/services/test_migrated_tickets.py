"""Tickets under way go on by a changed life, from wherever they stand to the very end."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from engine import clock, migrating, migration, verify
from engine.models import Job, UserTask
from tests.desk import Desk
from tests.lifecycle import deploy_changed

MAPPING = {"in_progress": "solving"}


def classified(desk: Desk, client: str) -> int:
    number = desk.client_writes("Касса не пробивает чеки", client=client)
    desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service="Онлайн-касса")
    return number


def in_work(desk: Desk, client: str) -> int:
    number = classified(desk, client)
    desk.responsible(number).presses("Приступить к выполнению", number)
    return number


def moved(desk: Desk) -> migration.Progress:
    with desk.change() as session:
        order = migration.begin(session, *deploy_changed(session), MAPPING, by="agent:1", comment="a better way").id
    migrating.execute(desk.database, [order])
    with desk.look() as session:
        return migration.progress(session, migration.one(session, order))


def test_tickets_at_every_place_walk_the_changed_life_to_its_end(desk: Desk) -> None:
    new = desk.client_writes("Не печатает", client="Ольга")
    accepted = classified(desk, "Павел")
    working = in_work(desk, "Тимур")
    paused = in_work(desk, "Вера")
    until = (desk.clock.at + timedelta(hours=3)).isoformat()
    desk.responsible(paused).presses("Приостановить", paused, resume_at=until, reason="Ждём данные от клиента")

    assert moved(desk).counts == {"moved": 4}

    desk.operator("Алина").presses("Классифицировать", new, type="Инцидент", service="Онлайн-касса")
    for number in (new, accepted):
        desk.responsible(number).presses("Приступить к выполнению", number)
        desk.responsible(number).presses("Согласовано", number)
    desk.responsible(paused).presses("Продолжить", paused)
    for number in (new, accepted, working, paused):
        desk.responsible(number).presses("Выполнено", number, result="Готово")
    desk.advance("8d")
    assert {desk.ticket(number).status for number in (new, accepted, working, paused)} == {"closed"}
    with desk.look() as session:
        assert verify.verify(session) == []


def test_status_and_deadline_stay_and_the_new_reminder_runs(desk: Desk) -> None:
    number = classified(desk, "Павел")
    before = desk.ticket(number)
    desk.advance("5m")

    moved(desk)

    after = desk.ticket(number)
    assert (after.status, after.due_at, after.responsible_id) == (before.status, before.due_at, before.responsible_id)
    assert desk.statuses(number) == ["new", "classification", "accepted"]
    with desk.look() as session:
        job = session.scalars(select(Job).where(Job.element_id == "forgotten")).one()
        assert job.due_at - clock.now() == timedelta(minutes=30)


def test_a_preview_has_a_verdict_for_each_of_three_hundred_tickets(desk: Desk) -> None:
    with desk.change() as session:
        before, after = deploy_changed(session)
        after.state, before.state = "retired", "active"
    for number in range(300):
        desk.client_writes("Касса не пробивает чеки", client=f"Клиент {number}")
    for number in range(1, 101):
        desk.operator("Алина").presses("Классифицировать", number, type="Инцидент", service="Онлайн-касса")

    with desk.look() as session:
        verdicts = migration.preview(session, session.merge(before), session.merge(after), MAPPING)
        places = [place.element_id for verdict in verdicts for place in verdict.places]
        written = session.scalar(select(func.count()).select_from(UserTask))

    assert len(verdicts) == 300
    assert {verdict.outcome for verdict in verdicts} == {"moves"}
    assert (places.count("classify"), places.count("accepted")) == (200, 100)
    assert written == 400
