"""A process that waits for a condition on its ticket goes on when somebody changes the ticket."""

from __future__ import annotations

from engine import repository, runtime
from engine.models import ProcessInstance, UserTask
from services.catalog.queries import ticket_types
from services.people.models import Agent
from services.tickets import operations, queries
from tests.desk import Desk
from tests.engine.drawings import boundary, catch, chain, drawing, end, gateway, start, user

PRIORITY = "ticket.priority == 'critical'"


def condition(text: str) -> str:
    return f"<bpmn:conditionalEventDefinition><bpmn:condition>{text}</bpmn:condition></bpmn:conditionalEventDefinition>"


WATCHER = drawing(
    start(),
    gateway("split", "parallel"),
    catch("wait", condition(PRIORITY)),
    user("hurry", "ok"),
    user("work", "ok"),
    boundary("renamed", "work", condition("ticket.type == 'Инцидент'"), interrupting=False),
    user("told", "ok"),
    end(),
    end("e2"),
    end("e3"),
    chain("start", "split", "wait", "hurry", "end"),
    chain("split", "work", "e2"),
    chain("renamed", "told", "e3"),
    key="watcher",
)


def watched(desk: Desk, number: int) -> int:
    """Start a second process on the ticket that does nothing but watch."""
    with desk.change() as session:
        for definition in repository.store(session, {"w.bpmn": WATCHER}, author="tests").definitions:
            repository.activate(session, definition, by="tests")
        key = desk.ticket(number).business_key
        return runtime.start_process(session, "watcher", business_key=key, actor="agent:1").id


def waiting(desk: Desk, instance_id: int) -> list[str]:
    with desk.look() as session:
        rows = session.query(UserTask).filter_by(instance_id=instance_id, state="open").order_by(UserTask.id)
        return [row.element_id for row in rows]


def test_condition_on_the_priority_holds_when_somebody_raises_it(desk: Desk) -> None:
    number = desk.client_writes("Не открывается портал")
    instance = watched(desk, number)
    supervisor = desk.operator("Денис")
    assert waiting(desk, instance) == ["work"]

    with desk.change() as session:
        me = session.get_one(Agent, supervisor.id)
        operations.set_priority(session, queries.by_number(session, me, number), "critical", actor=me)

    assert waiting(desk, instance) == ["work", "hurry"]


def test_condition_on_the_type_holds_when_somebody_corrects_it(desk: Desk) -> None:
    number = desk.client_writes("Не открывается портал")
    instance = watched(desk, number)
    with desk.look() as session:
        incident = next(each.id for each in ticket_types(session) if each.name == "Инцидент")

    desk.operator("Алина").changes(number, type_id=incident)

    assert waiting(desk, instance) == ["work", "told"]


def test_change_that_no_condition_reads_leaves_no_step(desk: Desk) -> None:
    number = desk.client_writes("Не открывается портал")
    instance = watched(desk, number)

    desk.operator("Алина").changes(number, topic="Портал")

    assert desk.ticket(number).topic == "Портал"
    with desk.look() as session:
        assert session.get_one(ProcessInstance, instance).version == 1
