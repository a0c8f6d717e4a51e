"""Instances: start, list, variables, log, history, the state of the diagram."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import inspection, runtime
from engine.bpmn.diagram import trail
from engine.errors import NotFound
from engine.models import ElementLog, History, ProcessDefinition, ProcessInstance
from webui.api.operation import Call, operation
from webui.api.pages import Given, PageQuery, Shown, page

MOST_LOG = 3_000


class InstanceQuery(PageQuery):
    """Which instances to list."""

    key: str | None = Field(None, description="Of this process.")
    state: str | None = Field(None, description="active, suspended, completed or cancelled.")
    business_key: str | None = Field(None, description='Of this record, e.g. "ticket:42".')


class Start(Given):
    """What an instance begins with."""

    key: str = Field(max_length=100)
    business_key: str | None = Field(None, max_length=100, pattern=r"^[a-z_]+:[\w.-]+$")
    variables: dict[str, Any] = Field(default_factory=dict)


class InstanceShown(Shown):
    """One instance."""

    id: int
    key: str
    process_version: int
    definition_id: int
    business_key: str | None
    version: int = Field(description="Grows by one with every step; what `expected_version` is compared with.")
    state: str
    started_by: str | None
    started_at: datetime
    ended_at: datetime | None
    suspended_at: datetime | None


class InstancePage(Shown):
    """Some instances."""

    items: list[InstanceShown]
    next: int | None


class Variables(Shown):
    """The variables where the instance waits."""

    variables: dict[str, Any]


class LogEntry(Shown):
    """What happened at one node during one step."""

    n: int
    process_key: str
    element_id: str
    name: str
    event: str
    at: datetime


class Log(Shown):
    """The trace of an instance, oldest first."""

    items: list[LogEntry]


class Step(Shown):
    """One committed step."""

    n: int
    move: str
    element_id: str | None
    actor: str | None
    at: datetime
    data: dict[str, Any]


class Steps(Shown):
    """The history of an instance, oldest first."""

    items: list[Step]


class DiagramState(Shown):
    """What a drawing shows of an instance, for one of its processes."""

    key: str
    passed: list[str] = Field(description="Ids of nodes and sequence flows.")
    standing: dict[str, datetime] = Field(description="Nodes entered and not left, since when.")
    seconds: dict[str, float] = Field(description="Time spent in nodes that were left.")


@operation("POST", "/instances", scope="instances:start", answer=InstanceShown, status=201, body=Start)
def start_instance(call: Call) -> InstanceShown:
    """Start the active version of a process and run it to its first waits."""
    given: Start = call.body
    started = runtime.start_process(
        call.session, given.key, business_key=given.business_key, variables=given.variables, actor=call.agent.ref
    )
    return shown(started)


@operation("GET", "/instances", scope="instances:read", answer=InstancePage, query=InstanceQuery)
def list_instances(call: Call) -> InstancePage:
    """Instances, oldest first."""
    asked: InstanceQuery = call.query
    query = select(ProcessInstance).join(ProcessDefinition, ProcessDefinition.id == ProcessInstance.definition_id)
    if asked.key:
        query = query.where(ProcessDefinition.key == asked.key)
    if asked.state:
        query = query.where(ProcessInstance.state == asked.state)
    if asked.business_key:
        query = query.where(ProcessInstance.business_key == asked.business_key)
    found, following = page(call.session, query, ProcessInstance.id, asked)
    return InstancePage(items=[shown(each) for each in found], next=following)


@operation("GET", "/instances/<int:instance_id>", scope="instances:read", answer=InstanceShown)
def get_instance(call: Call, instance_id: int) -> InstanceShown:
    """One instance."""
    return shown(instance(call.session, instance_id))


@operation("GET", "/instances/<int:instance_id>/variables", scope="instances:read", answer=Variables)
def get_variables(call: Call, instance_id: int) -> Variables:
    """The variables at the nodes where the instance waits."""
    return Variables(variables=inspection.variables(call.session, instance(call.session, instance_id)))


@operation("GET", "/instances/<int:instance_id>/log", scope="instances:read", answer=Log)
def get_log(call: Call, instance_id: int) -> Log:
    """What happened at its nodes, at most the newest 3,000 entries."""
    entries = _log(call.session, instance(call.session, instance_id))
    return Log(items=[LogEntry.model_validate(each) for each in entries])


@operation("GET", "/instances/<int:instance_id>/history", scope="instances:read", answer=Steps)
def get_history(call: Call, instance_id: int) -> Steps:
    """Its steps: what moved it, who, when."""
    found = instance(call.session, instance_id)
    rows = call.session.scalars(select(History).where(History.instance_id == found.id).order_by(History.n.desc()))
    newest = rows.fetchmany(MOST_LOG)
    return Steps(items=[Step.model_validate(each) for each in reversed(newest)])


@operation("GET", "/instances/<int:instance_id>/diagram", scope="instances:read", answer=DiagramState)
def get_diagram(call: Call, instance_id: int) -> DiagramState:
    """Where it has been and where it stands on the drawing of its own process."""
    found = instance(call.session, instance_id)
    key = found.definition.key
    walked = trail([entry for entry in _log(call.session, found) if entry.process_key == key], found.definition.index)
    return DiagramState(
        key=key,
        passed=sorted(walked.passed),
        standing=dict(walked.since),
        seconds={element: spent.total_seconds() for element, spent in walked.spent.items()},
    )


def instance(session: Session, instance_id: int) -> ProcessInstance:
    """The instance of that id; raises NotFound."""
    found = session.get(ProcessInstance, instance_id)
    if found is None:
        raise NotFound(f"Expected the instance {instance_id} to exist, but it does not")
    return found


def shown(found: ProcessInstance) -> InstanceShown:
    """The instance as the API tells it."""
    return InstanceShown(
        id=found.id,
        key=found.definition.key,
        process_version=found.definition.version,
        definition_id=found.definition_id,
        business_key=found.business_key,
        version=found.version,
        state=found.state,
        started_by=found.started_by,
        started_at=found.started_at,
        ended_at=found.ended_at,
        suspended_at=found.suspended_at,
    )


def _log(session: Session, found: ProcessInstance) -> list[ElementLog]:
    query = select(ElementLog).where(ElementLog.instance_id == found.id).order_by(ElementLog.id.desc())
    return list(reversed(session.scalars(query.limit(MOST_LOG)).all()))
