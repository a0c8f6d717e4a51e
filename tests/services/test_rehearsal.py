"""A throw-away desk: the real life of a ticket, in memory, on its own clock, unseen by the desk around it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine import clock as engine_clock
from engine import listeners
from engine.models import ProcessDefinition
from services import rehearsal
from services.clients.models import Client
from services.notifications import live
from services.notifications.models import Notification, OutboxMessage
from services.people.models import Agent
from services.rehearsal import NeverEnds, NotOffered, Template
from services.tickets.models import Ticket
from tests.desk import Desk as LiveDesk
from webui import builtin

BEGIN = rehearsal.BEGIN


@pytest.fixture(scope="module")
def shipped() -> Template:
    """A rehearsal with the shipped processes, to open others from."""
    with rehearsal.opened() as desk:
        desk.deploy(builtin.files())
        return desk.template()


def agent_named(desk: rehearsal.Desk, first_name: str) -> int:
    with desk.look() as session:
        return session.scalars(select(Agent.id).where(Agent.name.startswith(first_name))).one()


def ticket_of(desk: rehearsal.Desk, ticket_id: int) -> Ticket:
    with desk.look() as session:
        found = session.get_one(Ticket, ticket_id)
        session.expunge(found)
        return found


def in_work(desk: rehearsal.Desk) -> int:
    number = desk.client_writes("Касса не пробивает чеки")
    assert number is not None
    form = {"type": "Инцидент", "service": "Онлайн-касса"}
    desk.presses(agent_named(desk, "Алина"), number, "Классифицировать", form)
    desk.presses(agent_named(desk, "Алина"), number, "take")
    return number


def test_people_press_and_the_form_is_checked_as_on_the_card(shipped: Template) -> None:
    with rehearsal.opened(reference=shipped) as desk:
        number = in_work(desk)
        found = ticket_of(desk, number)

    assert (found.status, found.priority, found.sla_rule != "") == ("in_progress", "high", True)


def test_what_is_not_offered_cannot_be_pressed(shipped: Template) -> None:
    with rehearsal.opened(reference=shipped) as desk:
        number = desk.client_writes("Касса не пробивает чеки")
        assert number is not None

        with pytest.raises(NotOffered) as refused:
            desk.presses(agent_named(desk, "Алина"), number, "take")

    assert refused.value.offered == ["Классифицировать"]


def test_what_falls_due_on_the_way_happens_at_its_own_time(shipped: Template) -> None:
    with rehearsal.opened(reference=shipped) as desk:
        in_work(desk)
        desk.advance(timedelta(days=2))
        with desk.look() as session:
            breaches = session.scalars(select(Notification.created_at).where(Notification.kind == "breach")).all()

    assert set(breaches) == {BEGIN + timedelta(hours=8, seconds=1)}


def test_the_clock_of_the_desk_stands_at_the_end_of_the_span(shipped: Template) -> None:
    with rehearsal.opened(reference=shipped) as desk:
        desk.advance(timedelta(hours=5))

        assert engine_clock.now() == BEGIN + timedelta(hours=5)


def test_mail_stays_in_its_table(shipped: Template) -> None:
    with rehearsal.opened(reference=shipped) as desk:
        in_work(desk)
        desk.advance(timedelta(days=2))
        with desk.look() as session:
            states = set(session.scalars(select(OutboxMessage.state)))

    assert states == {"queued"}


def test_two_desks_of_one_template_know_nothing_of_each_other(shipped: Template) -> None:
    with rehearsal.opened(reference=shipped) as first:
        in_work(first)
        with rehearsal.opened(reference=shipped, begin=BEGIN + timedelta(days=1)) as second, second.look() as session:
            count = session.scalar(select(func.count()).select_from(Ticket))
            at = engine_clock.now()
        after = engine_clock.now()

    assert (count, at, after) == (0, BEGIN + timedelta(days=1), BEGIN)


def test_a_desk_that_broke_leaves_nothing_to_the_next_one(shipped: Template) -> None:
    def broken() -> None:
        with rehearsal.opened(reference=shipped) as desk:
            in_work(desk)
            raise LookupError

    with pytest.raises(LookupError):
        broken()

    with rehearsal.opened(reference=shipped) as desk, desk.look() as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 0


def test_other_threads_go_on_by_the_clock_and_listeners_of_the_process(desk: LiveDesk) -> None:
    seen: list[object] = []
    heard = listeners.listeners()

    with rehearsal.opened():
        inside = listeners.listeners()
        other = threading.Thread(target=lambda: seen.extend([engine_clock.now(), listeners.listeners()]))
        other.start()
        other.join()

    assert seen == [desk.clock.at, heard]
    assert inside is not heard


def test_nobody_is_woken_by_a_rehearsal(desk: LiveDesk, shipped: Template) -> None:
    woken: list[object] = []
    live.set_notifier(woken.append)

    with rehearsal.opened(reference=shipped) as rehearsed:
        in_work(rehearsed)
    live.set_notifier(None)

    assert woken == []


def test_a_copy_of_the_live_desk_has_its_people_and_processes_but_no_client_and_no_password(desk: LiveDesk) -> None:
    desk.client_writes("Секретное письмо", client="Светлана")
    with desk.look() as session:
        template = rehearsal.copied(session)

    with rehearsal.opened(reference=template) as rehearsed:
        with rehearsed.look() as session:
            clients = session.scalar(select(func.count()).select_from(Client))
            passwords = set(session.scalars(select(Agent.password)))
            active = set(session.scalars(select(ProcessDefinition.key).where(ProcessDefinition.state == "active")))
        number = in_work(rehearsed)
        found = ticket_of(rehearsed, number)

    assert (clients, passwords) == (0, {None})
    assert active == {"create_request_from_line", "create_request_manually", "escalation", "ticket_lifecycle"}
    assert found.status == "in_progress"


def test_work_that_never_ends_is_stopped() -> None:
    with rehearsal.opened() as desk:
        desk.client_writes("Процесса ещё нет: его начало пробуют каждую минуту")

        with pytest.raises(NeverEnds):
            desk.advance(timedelta(days=2))


def test_a_checkpoint_may_stop_the_run(shipped: Template) -> None:
    def stop() -> None:
        raise TimeoutError

    with rehearsal.opened(reference=shipped) as desk:
        in_work(desk)

        with pytest.raises(TimeoutError):
            desk.advance(timedelta(days=2), checkpoint=stop)
