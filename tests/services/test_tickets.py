"""The ticket: who may see and press what, what its history tells, who writes its status."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy import delete, event, select

from engine.errors import Forbidden, NotFound
from engine.models import Job
from services.catalog.queries import choices, ticket_types
from services.forms import FormInvalid
from services.lines.models import line_member
from services.people.models import Agent
from services.tickets import history, operations, queries
from services.tickets.models import Ticket, TicketEvent
from tests.desk import Desk

SOURCES = [path for room in ("engine", "services", "webui") for path in Path(room).rglob("*.py")]


def accepted(desk: Desk, *, type: str = "Вопрос") -> int:
    number = desk.client_writes("Не открывается портал")
    desk.operator("Алина").presses("Классифицировать", number, type=type, service="Онлайн-касса")
    return number


def test_only_the_projection_writes_the_status() -> None:
    writers = {str(path) for path in SOURCES for node in ast.walk(ast.parse(path.read_text())) if _writes_status(node)}

    assert writers == {"services/tickets/projection.py"}


def _writes_status(node: ast.AST) -> bool:
    """`ticket.status = …`, `Ticket(status=…)`, `update(Ticket).values(status=…)`, `setattr(ticket, "status", …)`."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(
            isinstance(part, ast.Attribute) and part.attr == "status" and _is_ticket(part.value)
            for target in targets
            for part in ast.walk(target)
        )
    if isinstance(node, ast.Call):
        named = any(keyword.arg == "status" for keyword in node.keywords)
        if isinstance(node.func, ast.Name) and node.func.id == "setattr":
            return len(node.args) > 1 and isinstance(node.args[1], ast.Constant) and node.args[1].value == "status"
        return named and "Ticket" in {n.id for n in ast.walk(node.func) if isinstance(n, ast.Name)}
    return False


def _is_ticket(value: ast.expr) -> bool:
    return "ticket" in ast.unparse(value).lower()


def test_pause_is_for_the_responsible_alone(desk: Desk) -> None:
    number = accepted(desk)
    responsible = desk.responsible(number)
    responsible.presses("Приступить к выполнению", number)
    page = responsible.shown("Приостановить", number)
    other = desk.operator("Олег")

    assert "Приостановить" not in other.buttons(number)
    assert "Приостановить" not in desk.operator("Ирина").buttons(number)
    assert "Приостановить" in desk.operator("Денис").buttons(number)
    with pytest.raises(Forbidden):
        other.presses_shown(page, number, reason="x", resume_at="2026-03-17T12:00")
    assert desk.ticket(number).status == "in_progress"


def test_an_analyst_sees_tickets_and_presses_nothing(desk: Desk) -> None:
    number = accepted(desk)
    analyst = desk.operator("Вера")

    assert analyst.buttons(number) == []
    with pytest.raises(Forbidden):
        analyst.replies(number, "Здравствуйте")


def test_a_refused_form_moves_nothing(desk: Desk) -> None:
    number = desk.client_writes("Не открывается портал")

    with pytest.raises(FormInvalid) as refused:
        desk.operator("Алина").presses("Классифицировать", number, type="999")

    assert refused.value.errors == {"type": "Выберите значение из списка", "service": "Заполните это поле"}
    assert desk.ticket(number).status == "classification"
    assert desk.history(number, "action") == []


def test_a_ticket_of_a_foreign_line_does_not_exist_for_an_operator(desk: Desk) -> None:
    number = accepted(desk)
    oleg = desk.operator("Олег")
    with desk.change() as session:
        session.execute(delete(line_member).where(line_member.c.agent_id == oleg.id))

    with desk.look() as session, pytest.raises(NotFound):
        queries.by_number(session, session.get_one(Agent, oleg.id), number)
    assert oleg.sees() == []
    assert desk.operator("Ирина").sees() == [number]


def test_the_priority_follows_the_type_until_a_person_sets_it(desk: Desk) -> None:
    number = accepted(desk)
    supervisor, operator = desk.operator("Ирина"), desk.operator("Алина")
    with desk.change() as session:
        incident = next(t.id for t in ticket_types(session) if t.name == "Инцидент")
        ticket = session.get_one(Ticket, desk.ticket(number).id)
        with pytest.raises(Forbidden):
            operations.set_priority(session, ticket, "critical", actor=session.get_one(Agent, operator.id))
        operations.set_priority(session, ticket, "critical", actor=session.get_one(Agent, supervisor.id))

    operator.changes(number, type_id=incident)

    ticket = desk.ticket(number)
    assert (ticket.priority, ticket.priority_rank, ticket.priority_manual) == ("critical", 3, True)
    changes = [(e.old, e.new, e.actor_name, e.reason) for e in desk.history(number, field="priority")]
    assert changes[-1] == ("Низкий", "Критический", "Ирина Соболь", "вручную")


def test_another_service_picks_the_level_again_and_sets_the_timers_anew(desk: Desk) -> None:
    number = accepted(desk)
    before = desk.ticket(number)
    with desk.look() as session:
        diagnostics = next(c for c in choices(session, "services") if c.label == "Диагностика")

    desk.operator("Алина").changes(number, service_id=int(diagnostics.value))

    after = desk.ticket(number)
    assert before.due_at is not None
    assert after.due_at is not None
    assert after.due_at > before.due_at
    assert after.sla_rule.startswith("Гарантия")
    with desk.look() as session:
        timers = session.scalars(select(Job.due_at).where(Job.state == "waiting", Job.kind == "timer")).all()
    assert min(timers) > before.due_at
    changed = desk.history(number, field="service_id")[-1]
    assert (changed.old, changed.new) == ("Онлайн-касса", "Диагностика")


def test_reassigning_tells_the_new_one_and_not_oneself(desk: Desk) -> None:
    number = accepted(desk)
    supervisor, oleg = desk.operator("Ирина"), desk.operator("Олег")
    told = len(supervisor.feed())
    with desk.change() as session:
        ticket = session.get_one(Ticket, desk.ticket(number).id)
        people = [session.get_one(Agent, one.id) for one in (oleg, supervisor)]
        operations.assign_to(session, ticket, people[0], actor=people[1], reason="опыт с порталом")
        operations.assign_to(session, ticket, people[1], actor=people[1])

    assert oleg.feed()[-1] == "assigned"
    assert len(supervisor.feed()) == told
    entry = desk.history(number, "assigned")[-2]
    assert (entry.new, entry.reason, entry.actor_name) == ("Олег Тимофеев", "опыт с порталом", "Ирина Соболь")


def test_an_operator_does_not_give_away_the_ticket_of_a_colleague(desk: Desk) -> None:
    number = accepted(desk)
    owner = desk.responsible(number)
    stranger = desk.operator("Олег")

    with desk.look() as session:
        agent, ticket = session.get_one(Agent, stranger.id), session.get_one(Ticket, desk.ticket(number).id)
        with pytest.raises(Forbidden):
            operations.assign_to(session, ticket, agent, actor=agent)
    assert desk.responsible(number) == owner


def test_fields_outside_the_whitelist_are_refused(desk: Desk) -> None:
    number = accepted(desk)

    with pytest.raises(FormInvalid):
        desk.operator("Алина").changes(number, status="closed")
    with pytest.raises(FormInvalid):
        desk.operator("Алина").changes(number, topic="  ")
    assert desk.ticket(number).status == "accepted"


def test_nobody_to_assign_tells_the_supervisors_and_loses_nothing(desk: Desk) -> None:
    with desk.change() as session:
        for agent in session.scalars(select(Agent).where(Agent.email.startswith("operator"))):
            agent.presence = "offline"

    number = accepted(desk)

    ticket = desk.ticket(number)
    assert (ticket.status, ticket.responsible_id) == ("accepted", None)
    assert desk.operator("Ирина").feed() == ["unassigned"]
    assert desk.operator("Ирина").sees("unassigned") == [number]


def test_a_press_writes_its_history_in_one_statement_and_in_order(desk: Desk) -> None:
    number = accepted(desk)
    statements: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    desk.responsible(number).presses("Приступить к выполнению", number)

    with desk.look() as session:
        kinds = session.scalars(select(TicketEvent.kind).order_by(TicketEvent.id.desc()).limit(4)).all()
    assert sum(each.startswith("INSERT INTO ticket_event") for each in statements) == 1
    assert kinds[-1] == "action"


def test_a_history_entry_of_a_savepoint_goes_with_it(desk: Desk) -> None:
    number = accepted(desk)

    with desk.change() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        history.record(session, ticket, "field", actor=None, new="kept")
        savepoint = session.begin_nested()
        history.record(session, ticket, "field", actor=None, new="undone")
        session.flush()
        history.record(session, ticket, "field", actor=None, new="undone too")
        savepoint.rollback()

    with desk.look() as session:
        assert session.scalars(select(TicketEvent.new).where(TicketEvent.kind == "field")).all()[-1] == "kept"
        assert "undone" not in session.scalars(select(TicketEvent.new)).all()
