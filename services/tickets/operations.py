"""What people do with a ticket: press its buttons, give it to somebody, change its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from engine import actions, runtime, stepper, user_tasks
from engine.actions import Action
from engine.errors import Forbidden, Stale
from engine.models import ProcessInstance
from services import forms
from services.access.rights import Right, may, may_press, require
from services.catalog.queries import is_choice
from services.forms import FormInvalid
from services.notifications import live
from services.notifications.operations import notify
from services.people.models import Agent
from services.sla import operations as sla
from services.tickets import fields, history, queries
from services.tickets.creation import create_manually
from services.tickets.models import Ticket

__all__ = ["assign_to", "change_fields", "create_manually", "perform_action", "set_priority"]

EDITABLE = ("topic", "text", "type_id", "service_id", "product_id", "client_id")


def perform_action(
    session: Session,
    ticket: Ticket,
    ref: str,
    values: Mapping[str, str],
    *,
    actor: Agent,
    expected_version: int | None,
) -> None:
    """Press a button of the process: its form is checked, bound fields are written, the process moves on.

    Raises Stale when somebody or something was first, Forbidden when the button is not for this person,
    FormInvalid for what was entered.
    """
    instance = _locked(session, ticket)
    action = _offered(session, instance, ref)
    if not may_press(actor, action.roles, responsible_id=ticket.responsible_id):
        raise Forbidden
    cleaned = _entered(session, ticket, action, values, actor)
    promised = bool(ticket.sla_rule)
    history.record(
        session, ticket, "action", actor=actor.ref, new=action.label, step=action.element_name, data={"id": action.id}
    )
    touched = _write_bound(session, ticket, cleaned.bound, actor, action.element_name)
    actions.perform(
        session,
        instance.id,
        ref,
        variables=cleaned.variables,
        actor=actor.ref,
        expected_version=expected_version,
    )
    if touched and promised:
        _reselect_level(session, ticket, actor)
    if cleaned.bound:
        others = [each for each in runtime.watching(session, ticket.business_key) if each != instance.id]
        _reconsider(session, others, actor)


def _locked(session: Session, ticket: Ticket) -> ProcessInstance:
    """The running instance, locked before anything is written, so that two people never wait for each other."""
    instance = queries.present(stepper.lock_all(session, ticket.business_key))
    if instance is None:
        raise Stale
    session.refresh(ticket, [*fields.FIELDS, "status", "is_open", "priority_manual", "priority_rank"])
    return instance


def _offered(session: Session, instance: ProcessInstance, ref: str) -> Action:
    for action in actions.available(session, instance):
        if action.ref == ref:
            return action
    kind, _, rest = ref.partition(":")
    number = rest.partition(":")[0]
    if kind == "task" and number.isdecimal() and len(number) < 16:
        user_tasks.get_open(session, instance, int(number))
    raise user_tasks.stale(session, instance)


def _entered(
    session: Session, ticket: Ticket, action: Action, values: Mapping[str, str], actor: Agent
) -> forms.Cleaned:
    form = queries.form_of(session, ticket, action)
    if form is None:
        return forms.Cleaned()
    return forms.validate(
        form,
        values,
        lambda catalog, value: is_choice(session, catalog, value),
        zone=actor.zone,
        language=actor.language,
    )


def _write_bound(session: Session, ticket: Ticket, bound: Mapping[str, Any], actor: Agent, step: str) -> bool:
    """Write what a form is bound to; whether the service level has to be picked again."""
    touched = False
    for bind, value in bound.items():
        area, _, name = bind.partition(".")
        if area != "ticket" or name not in fields.FIELDS:
            raise FormInvalid({"form": f"Форма пишет в неизвестное поле {bind}"})
        if name == "responsible_id":
            _give(session, ticket, session.get(Agent, value) if value else None, actor, "по форме", step)
        elif name == "priority" and value:
            _prioritise(session, ticket, value, actor)
        elif name != "topic" or value:
            changed = fields.write(session, ticket, name, value, actor=actor.ref, step=step)
            touched |= changed and name in fields.DECIDE_LEVEL
    return touched


def assign_to(session: Session, ticket: Ticket, agent: Agent | None, *, actor: Agent, reason: str = "") -> None:
    """Make somebody responsible; None = nobody. Without the right to assign: only one's own and unassigned tickets."""
    require(actor, Right.WORK)
    watching = _lock_watching(session, ticket)
    if not may(actor, Right.ASSIGN) and ticket.responsible_id not in (None, actor.id):
        raise Forbidden
    if agent is not None and not may(agent, Right.WORK):
        raise FormInvalid({"responsible": "Этот сотрудник не работает с обращениями"})
    _give(session, ticket, agent, actor, reason, "")
    _reconsider(session, watching, actor)


def _give(session: Session, ticket: Ticket, agent: Agent | None, actor: Agent, reason: str, step: str) -> None:
    chosen = agent.id if agent else None
    if not fields.write(session, ticket, "responsible_id", chosen, actor=actor.ref, reason=reason, step=step):
        return
    ticket.assignment_reason = reason or f"назначил: {actor.name}"
    if agent is not None:
        agent.last_assigned_at = ticket.updated_at
        notify(session, [agent], "assigned", ticket, actor=actor.ref)
    _refresh_pages(session, ticket)


def set_priority(session: Session, ticket: Ticket, priority: str, *, actor: Agent) -> None:
    """Set the priority by hand: from then on the type no longer decides it."""
    require(actor, Right.SET_PRIORITY)
    if not is_choice(session, "priorities", priority):
        raise FormInvalid({"priority": "Выберите значение из списка"})
    watching = _lock_watching(session, ticket)
    _prioritise(session, ticket, priority, actor)
    _reconsider(session, watching, actor)
    _refresh_pages(session, ticket)


def _prioritise(session: Session, ticket: Ticket, priority: str, actor: Agent) -> None:
    ticket.priority_manual = True
    fields.write(session, ticket, "priority", priority, actor=actor.ref, reason="вручную")


def change_fields(session: Session, ticket: Ticket, values: Mapping[str, Any], *, actor: Agent) -> None:
    """Change fields of the card outside any button; a new service, type or client picks the service level again.

    Raises FormInvalid for a field or value that is not allowed, Forbidden.
    """
    require(actor, Right.WORK)
    errors = {name: "Это поле здесь не меняют" for name in values if name not in EDITABLE}
    errors |= {name: "Выберите значение из списка" for name, value in values.items() if _is_wrong(session, name, value)}
    if errors:
        raise FormInvalid(errors)
    if values.keys() & set(fields.DECIDE_LEVEL) and queries.instance_of(session, ticket) is not None:
        _locked(session, ticket)
    watching = _lock_watching(session, ticket)
    changed = [name for name, value in values.items() if fields.write(session, ticket, name, value, actor=actor.ref)]
    if set(changed) & set(fields.DECIDE_LEVEL):
        _reselect_level(session, ticket, actor)
    if changed:
        _reconsider(session, watching, actor)
        _refresh_pages(session, ticket)


_CATALOGS = {"type_id": "types", "service_id": "services", "product_id": "products", "client_id": "clients"}


def _is_wrong(session: Session, name: str, value: Any) -> bool:
    if name == "topic":
        return not str(value or "").strip()
    return name in _CATALOGS and value is not None and not is_choice(session, _CATALOGS[name], str(value))


def _reselect_level(session: Session, ticket: Ticket, actor: Agent) -> None:
    session.flush()
    sla.reselect(session, ticket, actor=actor.ref)


def _lock_watching(session: Session, ticket: Ticket) -> Sequence[int]:
    """The instances that wait for a condition, locked before anything is written."""
    found = runtime.watching(session, ticket.business_key)
    if found:
        stepper.lock_all(session, ticket.business_key)
    return found


def _reconsider(session: Session, watching: Sequence[int], actor: Agent) -> None:
    """Let the processes look at their conditions on the ticket again."""
    for instance_id in watching:
        session.flush()
        runtime.reconsider(session, instance_id, actor=actor.ref)


def _refresh_pages(session: Session, ticket: Ticket) -> None:
    live.publish(session, f"ticket:{ticket.id}", "card")
    live.publish(session, "tickets", "row")
