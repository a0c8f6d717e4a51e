"""User tasks and actions: what is offered, claiming, pressing with the version that was seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import Text, cast, or_, select

from engine import actions, stepper
from engine.actions import Action
from engine.errors import NotFound
from engine.models import ProcessInstance, UserTask
from services.access.rights import may_press
from services.tickets import operations, queries
from services.tickets.keys import ticket_of
from services.tickets.models import Ticket
from services.tickets.visibility import visible_to
from webui.api.instances import InstanceShown, instance, shown
from webui.api.operation import Call, operation
from webui.api.pages import Given, PageQuery, Shown, page
from webui.api.problems import Rejected


class TaskQuery(PageQuery):
    """Which tasks to list."""

    assignee: str | None = Field(None, description='An actor such as "agent:7"; "me" is the person of the token.')
    group: str | None = None
    business_key: str | None = None
    instance_id: int | None = None
    state: str = Field("open", description="open, completed or cancelled.")


class TaskShown(Shown):
    """One user task."""

    id: int
    instance_id: int
    process_key: str
    element_id: str
    name: str
    assignee: str | None
    candidate_group: str | None
    state: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    action: str | None


class TaskPage(Shown):
    """Some tasks."""

    items: list[TaskShown]
    next: int | None


class ActionShown(Shown):
    """One button that the diagram offers now."""

    ref: str = Field(description="What is given back to press it.")
    id: str
    label: str
    form: str | None
    style: str
    confirm: str | None
    roles: list[str]
    element_id: str
    element_name: str


class Actions(Shown):
    """What may be done now, and the version it belongs to."""

    version: int
    items: list[ActionShown]


class Press(Given):
    """Pressing a button."""

    ref: str = Field(max_length=200)
    values: dict[str, str] = Field(default_factory=dict, description="Of its form, as a person would enter them.")
    expected_version: int | None = Field(None, ge=0, description="As it was shown; another one is refused.")


@operation("GET", "/tasks", scope="tasks:read", answer=TaskPage, query=TaskQuery)
def list_tasks(call: Call) -> TaskPage:
    """User tasks of tickets that the person of the token may see, and of processes without a ticket."""
    asked: TaskQuery = call.query
    query = select(UserTask).join(ProcessInstance, ProcessInstance.id == UserTask.instance_id)
    query = query.where(UserTask.state == asked.state, _visible(call))
    if asked.assignee:
        wanted = call.agent.ref if asked.assignee == "me" else asked.assignee
        query = query.where(UserTask.assignee == wanted)
    if asked.group:
        query = query.where(UserTask.candidate_group == asked.group)
    if asked.business_key:
        query = query.where(ProcessInstance.business_key == asked.business_key)
    if asked.instance_id:
        query = query.where(UserTask.instance_id == asked.instance_id)
    found, following = page(call.session, query, UserTask.id, asked)
    return TaskPage(items=[TaskShown.model_validate(each) for each in found], next=following)


@operation("POST", "/tasks/<int:task_id>/claim", scope="tasks:write", answer=TaskShown)
def claim_task(call: Call, task_id: int) -> TaskShown:
    """Make the person of the token the assignee, and the responsible of the ticket."""
    task = call.session.get(UserTask, task_id)
    if task is None:
        raise NotFound(f"Expected the task {task_id} to exist, but it does not")
    ticket = _ticket(call, stepper.lock(call.session, task.instance_id))
    call.session.refresh(task)
    if task.state != "open" or task.assignee not in (None, call.agent.ref):
        raise Rejected("stale", "Expected an open task that nobody has claimed", by=task.ended_by or task.assignee)
    if ticket is not None and ticket.responsible_id != call.agent.id:
        operations.assign_to(call.session, ticket, call.agent, actor=call.agent, reason="API")
    task.assignee = call.agent.ref
    call.session.flush()
    return TaskShown.model_validate(task)


@operation("GET", "/instances/<int:instance_id>/actions", scope="tasks:read", answer=Actions)
def list_actions(call: Call, instance_id: int) -> Actions:
    """The buttons that the diagram offers this person now, in its order."""
    found = instance(call.session, instance_id)
    ticket = _ticket(call, found)
    return Actions(version=found.version, items=[_shown(each) for each in _offered(call, found, ticket)])


@operation("POST", "/instances/<int:instance_id>/actions", scope="tasks:write", answer=InstanceShown, body=Press)
def press_action(call: Call, instance_id: int) -> InstanceShown:
    """Press one of them: the form is checked, the process moves on; returns the instance as it stands then."""
    given: Press = call.body
    found = stepper.lock(call.session, instance_id)
    ticket = _ticket(call, found)
    if given.expected_version not in (None, found.version):
        raise Rejected("version-conflict", current_version=found.version)
    if ticket is not None:
        operations.perform_action(
            call.session, ticket, given.ref, given.values, actor=call.agent, expected_version=given.expected_version
        )
    else:
        _press_without_ticket(call, found, given)
    call.session.flush()
    return shown(found)


def _press_without_ticket(call: Call, found: ProcessInstance, given: Press) -> None:
    offered = {each.ref for each in _offered(call, found, None)}
    if found.state == "active" and given.ref not in offered:
        raise Rejected("forbidden", "Expected an action that is offered to this person, but this one is not")
    variables: dict[str, Any] = dict(given.values)
    actions.perform(call.session, found.id, given.ref, variables=variables, actor=call.agent.ref, expected_version=None)


def _offered(call: Call, found: ProcessInstance, ticket: Ticket | None) -> list[Action]:
    if ticket is not None:
        return queries.offered_by(call.session, found, ticket, call.agent)
    return [
        each
        for each in actions.available(call.session, found)
        if may_press(call.agent, each.roles, responsible_id=None)
    ]


def _ticket(call: Call, found: ProcessInstance) -> Ticket | None:
    """The ticket of the instance; raises NotFound when the person may not see it."""
    ticket = ticket_of(call.session, found)
    if ticket is not None and not _sees(call, ticket):
        raise NotFound(f"Expected the instance {found.id} to exist, but it does not")
    return ticket


def _sees(call: Call, ticket: Ticket) -> bool:
    wanted = visible_to(call.agent).where(Ticket.id == ticket.id).with_only_columns(Ticket.id)
    return call.session.scalar(wanted) is not None


def _visible(call: Call) -> Any:
    seen = visible_to(call.agent).with_only_columns("ticket:" + cast(Ticket.id, Text))
    return or_(
        ProcessInstance.business_key.is_(None),
        ~ProcessInstance.business_key.like("ticket:%"),
        ProcessInstance.business_key.in_(seen),
    )


def _shown(action: Action) -> ActionShown:
    return ActionShown(
        ref=action.ref,
        id=action.id,
        label=action.label,
        form=action.form,
        style=action.style,
        confirm=action.confirm,
        roles=list(action.roles),
        element_id=action.element_id,
        element_name=action.element_name,
    )
