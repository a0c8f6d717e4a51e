"""The tables of the engine: definitions, instances, and everything an instance may wait for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, UtcDateTime


class Deployment(Base):
    """A bundle of files that was stored together, known by the hash of its content."""

    __tablename__ = "deployment"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    author: Mapped[str] = mapped_column(String(200))
    comment: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    resources: Mapped[list[Resource]] = relationship(back_populates="deployment")
    definitions: Mapped[list[ProcessDefinition]] = relationship(back_populates="deployment")


class Resource(Base):
    """One file of a deployment, byte for byte."""

    __tablename__ = "resource"
    __table_args__ = (UniqueConstraint("deployment_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(16))
    """bpmn | dmn | form | scenario"""
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)

    deployment: Mapped[Deployment] = relationship(back_populates="resources")


class ProcessDefinition(Base):
    """One version of one process: draft → active → retired; at most one is active per key."""

    __tablename__ = "process_definition"
    __table_args__ = (
        UniqueConstraint("key", "version"),
        Index("ix_process_definition_key_state", "key", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    """The id of the BPMN process element."""
    version: Mapped[int]
    name: Mapped[str] = mapped_column(String(255), default="")
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="draft")
    index: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Built from the XML at deployment: nodes, flows, actions, statuses, assignments, jobs (bpmn/extensions.py)."""
    lint: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    activated_by: Mapped[str | None] = mapped_column(String(200))
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    override_reason: Mapped[str | None] = mapped_column(Text)
    scenarios: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What the scenarios of the bundle said when they were run last, with the coverage; None = there are none."""

    deployment: Mapped[Deployment] = relationship(back_populates="definitions")
    resource: Mapped[Resource] = relationship()


class VersionChange(Base):
    """One line of the journal of versions: who made which one active, brought one back, or deleted one."""

    __tablename__ = "version_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(100), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """activated | rolled_back | deleted"""
    before: Mapped[int | None]
    """The version that was active until then, of a deletion as well."""
    version: Mapped[int]
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    """Why it was activated against the check or the scenarios."""


class StartEvent(Base):
    """A start event of an active version that begins instances by itself: on a message, a signal or at a time."""

    __tablename__ = "start_event"
    __table_args__ = (
        UniqueConstraint("definition_id", "element_id"),
        Index("ix_start_event_kind_name", "kind", "name"),
        Index("ix_start_event_due_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    element_id: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(16))
    """message | signal | timer"""
    name: Mapped[str] = mapped_column(String(200), default="")
    """Of the message or signal."""
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a timer begins the next instance; None = never again."""
    left: Mapped[int | None]
    """Firings that a bounded cycle has left."""
    retries_left: Mapped[int] = mapped_column(default=3)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str | None] = mapped_column(String(100))
    error: Mapped[str | None] = mapped_column(Text)

    definition: Mapped[ProcessDefinition] = relationship()


class ProcessInstance(Base):
    """One running or finished execution of a definition; its `version` grows by one with every step."""

    __tablename__ = "process_instance"
    __table_args__ = (Index("ix_process_instance_definition_id_state", "definition_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    bindings: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    """Called process key → definition id, fixed at start."""
    business_key: Mapped[str | None] = mapped_column(String(100), index=True)
    version: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16), default="active")
    """active | suspended | completed | cancelled"""
    data: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The encoded workflow (engine/bpmn/state.py); None once the instance has ended."""
    started_by: Mapped[str | None] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_hash: Mapped[str] = mapped_column(String(64), default="")

    definition: Mapped[ProcessDefinition] = relationship()


class UserTask(Base):
    """Work for a person that the process waits for."""

    __tablename__ = "user_task"
    __table_args__ = (
        UniqueConstraint("instance_id", "task_id"),
        Index("ix_user_task_instance_id_state", "instance_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    task_id: Mapped[str] = mapped_column(String(36))
    """The workflow's own task id."""
    process_key: Mapped[str] = mapped_column(String(100))
    element_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(255), default="")
    assignee: Mapped[str | None] = mapped_column(String(200))
    """An actor reference such as "agent:7"."""
    candidate_group: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16), default="open")
    """open | completed | cancelled"""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(String(200))
    action: Mapped[str | None] = mapped_column(String(100))


class Subscription(Base):
    """A message, signal or condition that a node of an instance waits for; a signal with actions is a button."""

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("instance_id", "task_id"),
        Index("ix_subscription_name_kind", "name", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    task_id: Mapped[str] = mapped_column(String(36))
    process_key: Mapped[str] = mapped_column(String(100))
    element_id: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(16))
    """message | signal | condition"""
    name: Mapped[str] = mapped_column(String(200))
    """Of the message or signal; the expression of a condition, cut off."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class HeldEvent(Base):
    """A message or signal that reached a suspended instance; it is handed over when the instance goes on."""

    __tablename__ = "held_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """message | signal"""
    name: Mapped[str] = mapped_column(String(200))
    variables: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    actor: Mapped[str | None] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Job(Base):
    """Something a worker must do at or after `due_at`: fire one timer or run one asynchronous node."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_state_due_at", "state", "due_at"),
        Index("ix_job_instance_id_state", "instance_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    task_id: Mapped[str] = mapped_column(String(36))
    process_key: Mapped[str] = mapped_column(String(100))
    element_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(255), default="")
    kind: Mapped[str] = mapped_column(String(16))
    """timer | async"""
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    """waiting | suspended | done | cancelled | failed (an open incident stands for it)"""
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    remaining_sec: Mapped[int | None]
    """What a timer of a suspended instance has left."""
    retries_left: Mapped[int] = mapped_column(default=3)
    backoff_sec: Mapped[int] = mapped_column(default=60)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str | None] = mapped_column(String(100))
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Incident(Base):
    """A step that failed for good and waits for a person to mend and repeat it."""

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_state", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("process_instance.id"), index=True)
    """None when an instance could not even begin."""
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"))
    start_event_id: Mapped[int | None] = mapped_column(ForeignKey("start_event.id"))
    element_id: Mapped[str | None] = mapped_column(String(100))
    element_name: Mapped[str | None] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """The expression, the values it saw (redacted) and the stack, which only admins are shown."""
    state: Mapped[str] = mapped_column(String(16), default="open")
    """open | resolved"""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[str | None] = mapped_column(String(200))


class History(Base):
    """One committed step of one instance, chained by HMAC to the step before it; never updated."""

    __tablename__ = "history"
    __table_args__ = (UniqueConstraint("instance_id", "n"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    n: Mapped[int]
    """1, 2, 3 … without gaps; equals the instance's version after the step."""
    move: Mapped[str] = mapped_column(String(32))
    """start | complete | trigger | message | timer | async | cancel | rearm …"""
    element_id: Mapped[str | None] = mapped_column(String(100))
    actor: Mapped[str | None] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    hash: Mapped[str] = mapped_column(String(64))


class HistoryAnchor(Base):
    """The history of all instances signed as it stood at one moment (engine/anchors.py); never updated."""

    __tablename__ = "history_anchor"

    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3 … without gaps."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_id: Mapped[int]
    """The newest step that it covers; it begins after that of the anchor before."""
    rows: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class ElementLog(Base):
    """What happened at one flow node during one step; the trace of an instance."""

    __tablename__ = "element_log"
    __table_args__ = (Index("ix_element_log_instance_id_n", "instance_id", "n"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    n: Mapped[int]
    process_key: Mapped[str] = mapped_column(String(100))
    element_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(255), default="")
    event: Mapped[str] = mapped_column(String(16))
    """entered | completed | cancelled | armed | fired"""
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Migration(Base):
    """A population of instances that moves from one version to another, in batches."""

    __tablename__ = "migration"

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    mapping: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """Element id of the source → element id of the target, where they differ."""
    rebind: Mapped[bool] = mapped_column(default=False)
    """Whether called processes move to their active versions as well."""
    comment: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="running", index=True)
    """running | done | undoing | undone"""
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    undone_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str | None] = mapped_column(String(100))

    source: Mapped[ProcessDefinition] = relationship(foreign_keys=source_id)
    target: Mapped[ProcessDefinition] = relationship(foreign_keys=target_id)


class MigrationItem(Base):
    """One instance of a migration, with what is needed to bring it back."""

    __tablename__ = "migration_item"
    __table_args__ = (
        UniqueConstraint("migration_id", "instance_id"),
        Index("ix_migration_item_migration_id_state", "migration_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    migration_id: Mapped[int] = mapped_column(ForeignKey("migration.id"))
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    """waiting | moved | blocked | failed | undone | kept (it went on before the undoing)"""
    reason: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Why it is blocked or failed: the element and the two sentences."""
    before: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The state before the move, kept for a day."""
    bindings: Mapped[dict[str, int] | None] = mapped_column(JSON)
    version: Mapped[int | None]
    """Of the instance after the move: a step since then makes the move final."""
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Heartbeat(Base):
    """The last sign of life of one process of the desk."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    """ticker | worker-1 …, with the machine's name."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
