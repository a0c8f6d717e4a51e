"""Connectors of service levels: sla.pick_level, start, stop, pause, resume, record_reminder, record_breach."""

from __future__ import annotations

from engine.connectors import Execution, connector
from engine.errors import BpmnError
from services.sla import operations
from services.sla.terms import kind_of
from services.tickets.keys import required_ticket

_MOMENTS = ("", "accepted", "taken")


@connector("sla.pick_level")
def pick_level(execution: Execution) -> str:
    """Подбирает уровень SLA по компании, категории и сервису; результат – его название или пусто.

    Picks the service level by company, category and service; the result is its name or empty.
    """
    ticket = required_ticket(execution)
    choice = operations.pick_level(execution.session, ticket, actor=execution.actor, step=execution.element_name)
    return choice.level.name if choice.level else ""


@connector("sla.start")
def start(execution: Execution, clock: str, at: str = "") -> bool:
    """Запускает часы reaction или resolution; остановленные идут дальше. С at="accepted" или at="taken" часы решения
    начинают идти, только если уровень SLA считает с этого места. Результат – идут ли часы.

    Starts the clock "reaction" or "resolution"; a stopped one goes on. With at="accepted" or at="taken" the resolution
    clock starts only when the level counts from there. The result tells whether the clock runs.
    """
    if at not in _MOMENTS:
        raise BpmnError("no_moment", f"Expected accepted or taken, got {at[:40]}")
    found = operations.start(
        execution.session,
        required_ticket(execution),
        kind_of(clock),
        actor=execution.actor,
        at=at or None,
        step=execution.element_name,
    )
    return found is not None and found.state == "running"


@connector("sla.stop")
def stop(execution: Execution, clock: str) -> bool | None:
    """Останавливает часы и фиксирует время; результат – уложились ли в срок, пусто – часы не шли.

    Stops the clock and fixes its figure; the result tells whether the norm was kept, None when there is no clock.
    """
    ticket = required_ticket(execution)
    found = operations.stop(
        execution.session, ticket, kind_of(clock), actor=execution.actor, step=execution.element_name
    )
    return found.met if found else None


@connector("sla.pause")
def pause(execution: Execution, reason: str = "") -> None:
    """Ставит идущие часы на паузу (часы реакции – если так велит уровень); причина по умолчанию – из обращения.

    Lets the running clocks stand still (the reaction clock if the level says so).
    """
    ticket = required_ticket(execution)
    operations.pause(
        execution.session,
        ticket,
        actor=execution.actor,
        reason=reason or ticket.wait_reason,
        step=execution.element_name,
    )


@connector("sla.resume")
def resume(execution: Execution) -> None:
    """Пускает часы дальше после паузы.

    Lets the paused clocks go on.
    """
    ticket = required_ticket(execution)
    operations.resume(execution.session, ticket, actor=execution.actor, step=execution.element_name)


@connector("sla.record_reminder")
def record_reminder(execution: Execution, clock: str) -> bool:
    """Отмечает напоминание о сроке, один раз; результат – отмечено ли сейчас.

    Notes the reminder, once; the result tells whether it was noted now.
    """
    ticket = required_ticket(execution)
    return operations.record_reminder(
        execution.session, ticket, kind_of(clock), actor=execution.actor, step=execution.element_name
    )


@connector("sla.record_breach")
def record_breach(execution: Execution, clock: str) -> str:
    """Отмечает нарушение срока, один раз; результат – название часов.

    Notes the breach of the norm, once; the result is the name of the clock.
    """
    ticket, kind = required_ticket(execution), kind_of(clock)
    operations.record_breach(execution.session, ticket, kind, actor=execution.actor, step=execution.element_name)
    return kind
