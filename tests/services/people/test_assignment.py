"""Who gets a request (ruling G8): the least loaded of the free people responsible, and why."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine.clock import FixedClock
from engine.db import Database
from engine.errors import BpmnError
from services.catalog.models import ServiceOffering, ServiceResponsible, TicketStatus
from services.people import assignment
from services.people.assignment import Choice
from services.people.models import Agent, Group
from services.tickets.models import Ticket

STATUSES = {"accepted": "open", "in_progress": "open", "waiting": "paused", "resolved": "done"}


@pytest.fixture(autouse=True)
def _standing(clock: FixedClock) -> None:
    """All instants of these tests are one until the clock is moved."""


@pytest.fixture
def desk(database: Database) -> Database:
    """A database with the statuses that load is counted by."""
    with database.transaction() as session:
        session.add_all(
            TicketStatus(code=code, name_ru=code, name_en=code, category=kind) for code, kind in STATUSES.items()
        )
    return database


def _agent(session: Session, name: str, *, presence: str = "free", active: bool = True) -> Agent:
    agent = Agent(
        email=f"{name}@desk.localhost",
        name=name,
        presence=presence,
        active=active,
        fs_uniquifier=name,
        created_at=engine_clock.now(),
    )
    session.add(agent)
    session.flush()
    return agent


def _service(session: Session, *people: Agent | Group, parent: ServiceOffering | None = None) -> ServiceOffering:
    service = ServiceOffering(name="Почта", parent=parent)
    for person in people:
        column = {"agent_id": person.id} if isinstance(person, Agent) else {"group_id": person.id}
        service.responsibles.append(ServiceResponsible(**column))
    session.add(service)
    session.flush()
    return service


_numbers = iter(range(1, 1_000_000))


def _ticket(
    session: Session, service: ServiceOffering | None = None, agent: Agent | None = None, status: str = "accepted"
) -> Ticket:
    ticket = Ticket(
        number=next(_numbers),
        topic="Не приходят письма",
        source="manual",
        status=status,
        service_id=service.id if service else None,
        responsible_id=agent.id if agent else None,
        created_at=engine_clock.now(),
        updated_at=engine_clock.now(),
    )
    session.add(ticket)
    session.flush()
    return ticket


def _choose(session: Session, service: ServiceOffering | None) -> Choice:
    return assignment.choose(session, _ticket(session, service))


def _assign(session: Session, ticket: Ticket) -> None:
    """Choose, and write what the caller of `choose` writes."""
    choice = assignment.choose(session, ticket)
    assert choice.agent is not None
    ticket.responsible_id, choice.agent.last_assigned_at = choice.agent.id, engine_clock.now()


def test_of_loads_three_one_two_the_second_person_is_chosen(desk: Database) -> None:
    with desk.transaction() as session:
        people = [_agent(session, name) for name in ("Алина", "Рустам", "Олег")]
        for agent, load in zip(people, (3, 1, 2), strict=True):
            for _ in range(load):
                _ticket(session, agent=agent)

        choice = _choose(session, _service(session, *people))

        assert choice.agent is people[1]
        assert choice.reason == "Рустам: на месте, 1 открытое (у следующего 2), назначений ещё не было"


def test_paused_and_solved_requests_are_no_load(desk: Database) -> None:
    with desk.transaction() as session:
        busy, waiting = _agent(session, "Алина"), _agent(session, "Рустам")
        _ticket(session, agent=busy, status="in_progress")
        for status in ("waiting", "waiting", "resolved"):
            _ticket(session, agent=waiting, status=status)

        assert _choose(session, _service(session, busy, waiting)).agent is waiting


def test_the_request_itself_is_no_load_for_who_has_it_now(desk: Database) -> None:
    with desk.transaction() as session:
        holder, other = _agent(session, "Алина"), _agent(session, "Рустам")
        ticket = _ticket(session, _service(session, holder, other), agent=holder)

        assert assignment.choose(session, ticket).agent is holder


def test_of_equals_the_one_whose_last_assignment_is_longest_ago_is_chosen(desk: Database, clock: FixedClock) -> None:
    with desk.transaction() as session:
        people = [_agent(session, name) for name in ("Алина", "Рустам", "Олег")]
        for agent, minutes in zip(people, (5, 14, 9), strict=True):
            agent.last_assigned_at = clock() - timedelta(minutes=minutes)

        choice = _choose(session, _service(session, *people))

        assert choice.agent is people[1]
        assert choice.reason.endswith("последнее назначение 14 мин назад")


def test_who_was_never_assigned_comes_before_who_was(desk: Database, clock: FixedClock) -> None:
    with desk.transaction() as session:
        known, fresh = _agent(session, "Алина"), _agent(session, "Рустам")
        known.last_assigned_at = clock() - timedelta(days=400)

        assert _choose(session, _service(session, known, fresh)).agent is fresh


@pytest.mark.parametrize("presence", ["away", "busy", "dnd", "offline"])
def test_absent_people_are_passed_over(desk: Database, presence: str) -> None:
    with desk.transaction() as session:
        absent, present = _agent(session, "Алина", presence=presence), _agent(session, "Рустам")
        _ticket(session, agent=present)

        assert _choose(session, _service(session, absent, present)).agent is present


def test_people_who_no_longer_work_here_are_passed_over(desk: Database) -> None:
    with desk.transaction() as session:
        former, present = _agent(session, "Алина", active=False), _agent(session, "Рустам")

        assert _choose(session, _service(session, former, present)).agent is present


def test_a_group_is_the_people_in_it_now_and_nobody_counts_twice(desk: Database) -> None:
    with desk.transaction() as session:
        alone, both, left = (_agent(session, name) for name in ("Алина", "Рустам", "Олег"))
        group = Group(name="Вторая линия", members=[both, left])
        session.add(group)
        session.flush()
        service = _service(session, alone, both, group)
        group.members.remove(left)
        for agent in (alone, both):
            _ticket(session, agent=agent)

        choice = _choose(session, service)

        assert choice.agent is alone
        assert "у следующего 1" in choice.reason


def test_a_service_without_people_takes_over_those_of_its_nearest_parent(desk: Database) -> None:
    with desk.transaction() as session:
        far, near = _agent(session, "Алина"), _agent(session, "Рустам")
        top = _service(session, far)
        middle = _service(session, near, parent=top)
        bottom = _service(session, parent=middle)

        assert _choose(session, bottom).agent is near


def test_absent_people_of_a_service_are_not_replaced_by_those_of_its_parent(desk: Database) -> None:
    with desk.transaction() as session:
        parent = _service(session, _agent(session, "Алина"))
        service = _service(session, _agent(session, "Рустам", presence="away"), parent=parent)

        choice = _choose(session, service)

        assert choice.agent is None
        assert choice.reason == "никто не назначен: ответственные отсутствуют (Рустам – не на месте)"


def test_without_anybody_responsible_the_reason_says_so(desk: Database) -> None:
    with desk.transaction() as session:
        unmanned, unknown = _choose(session, _service(session)), _choose(session, None)

        assert (unmanned.agent, unknown.agent) == (None, None)
        assert unmanned.reason == "никто не назначен: у сервиса «Почта» и вышестоящих нет ответственных"
        assert unknown.reason == "никто не назначен: сервис не указан"


def test_an_unknown_strategy_is_an_expected_failure(desk: Database) -> None:
    with desk.transaction() as session, pytest.raises(BpmnError) as refused:
        assignment.choose(session, _ticket(session), strategy="by_horoscope")

    assert refused.value.code == "no_strategy"


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 открытых"), (1, "1 открытое"), (11, "11 открытых"), (21, "21 открытое")]
)
def test_numbers_agree_with_their_word(desk: Database, number: int, said: str) -> None:
    with desk.transaction() as session:
        agent = _agent(session, "Алина")
        for _ in range(number):
            _ticket(session, agent=agent)

        assert f"на месте, {said}, " in _choose(session, _service(session, agent)).reason


def test_a_hundred_parallel_requests_spread_evenly(desk: Database) -> None:
    with desk.transaction() as session:
        people = [_agent(session, f"Сотрудник {number}") for number in range(3)]
        service_id = _service(session, *people).id
    together = threading.Barrier(20)

    def create_five() -> None:
        for _ in range(5):
            together.wait()
            with desk.transaction() as session:
                _assign(session, _ticket(session, session.get_one(ServiceOffering, service_id)))

    threads = [threading.Thread(target=create_five) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with desk.reading() as session:
        loads = Counter(session.scalars(select(Ticket.responsible_id)))
    assert sum(loads.values()) == 100
    assert len(loads) == 3
    assert max(loads.values()) - min(loads.values()) <= 1
