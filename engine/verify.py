"""The checker of the engine's promises: chains, counts, rows against states, nothing overdue, nothing forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from engine import anchors, clock, history, rebuild, stepper
from engine.errors import EngineError, NotFound
from engine.models import History, Incident, Job, ProcessInstance, Subscription, UserTask
from engine.reconcile import open_rows

GENEROUS = timedelta(minutes=15)
"""How late a job may be before it counts as forgotten."""
PAGE = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise."""

    rule: str
    """history-gap | history-hash | history-head | state-unreadable | rows | stuck | rebuild | overdue | lease |
    leftover | anchor."""
    table: str
    row_id: int
    message: str


@dataclass
class Report:
    """What was looked at, and everything that does not hold."""

    findings: list[Finding] = field(default_factory=list)
    instances: int = 0
    rebuilt: int = 0
    """Instances whose history led to the state that is stored."""
    not_rebuildable: dict[int, str] = field(default_factory=dict)
    """Instance → why its history cannot lead to a state: no fault."""


def verify(session: Session) -> list[Finding]:
    """Everything that does not hold, by instance; an empty list is the good answer."""
    return report(session).findings


def report(session: Session, *, instance_id: int | None = None, quick: bool = False) -> Report:
    """Look at all instances or at one; `quick` does not make their moves again."""
    found = Report()
    for instance in _instances(session, instance_id):
        found.instances += 1
        broken = [*_instance(session, instance)]
        if not broken and not quick:
            broken = [*_rebuilt(session, instance, found)]
        found.findings.extend(broken)
    if instance_id is None:
        found.findings.extend([*_overdue(session), *_leftovers(session), *_anchors(session)])
    return found


def _instances(session: Session, instance_id: int | None) -> Iterator[ProcessInstance]:
    if instance_id is not None:
        if (instance := session.get(ProcessInstance, instance_id)) is None:
            raise NotFound(f"Expected the instance {instance_id} to exist, but it does not")
        yield instance
        return
    last = 0
    while True:
        query = select(ProcessInstance).where(ProcessInstance.id > last).order_by(ProcessInstance.id).limit(PAGE)
        page = session.scalars(query).all()
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1].id
        session.expunge_all()
        session.info.pop("kept", None)


def _instance(session: Session, instance: ProcessInstance) -> Iterator[Finding]:
    yield from _chain(session, instance)
    if instance.state in ("active", "suspended"):
        yield from _rows(session, instance)


def _chain(session: Session, instance: ProcessInstance) -> Iterator[Finding]:
    before, expected = "", 1
    for row in session.scalars(select(History).where(History.instance_id == instance.id).order_by(History.n)):
        if row.n != expected:
            yield Finding("history-gap", "history", row.id, f"Expected step {expected}, found step {row.n}")
        signed = history.signature(before, instance.id, row.n, row.move, row.element_id, row.actor, row.at, row.data)
        if signed != row.hash:
            yield Finding("history-hash", "history", row.id, f"Step {row.n} was changed or follows another step")
        before, expected = row.hash, row.n + 1
    if (instance.version, instance.last_hash) != (expected - 1, before):
        message = f"The instance says version {instance.version}, its history ends with step {expected - 1}"
        yield Finding("history-head", "process_instance", instance.id, message)


def _rows(session: Session, instance: ProcessInstance) -> Iterator[Finding]:
    """The rows that stand for waits are exactly those that the stored workflow waits for."""
    try:
        machine = stepper.load(session, instance, None)
        waits = {wait.key: wait for wait in machine.waits()}
    except EngineError as error:
        yield Finding("state-unreadable", "process_instance", instance.id, str(error))
        return
    rows = {key: row for key, row in open_rows(session, instance.id).items() if row.kind != "incident"}
    if not waits and not machine.stuck():
        yield Finding("stuck", "process_instance", instance.id, "Nothing will ever move this instance")
    for key in sorted(waits.keys() - rows.keys()):
        message = f"No row stands for the {waits[key].kind} wait at {waits[key].element_id}"
        yield Finding("rows", "process_instance", instance.id, message)
    for key in sorted(rows.keys() - waits.keys()):
        yield Finding("rows", rows[key].kind, rows[key].id, "The row is open, but the process does not wait for it")


def _rebuilt(session: Session, instance: ProcessInstance, found: Report) -> Iterator[Finding]:
    """The moves of the history, made again, lead to the stored state."""
    try:
        difference = rebuild.compare(session, instance)
    except rebuild.NotRebuildable as reason:
        found.not_rebuildable[instance.id] = str(reason)
        return
    except rebuild.Diverged as error:
        difference = str(error)
    if difference:
        yield Finding("rebuild", "process_instance", instance.id, f"The history leads elsewhere: {difference}")
    else:
        found.rebuilt += 1


def _anchors(session: Session) -> Iterator[Finding]:
    for broken in anchors.broken(session):
        yield Finding("anchor", "history_anchor", broken.n, broken.message)


def _overdue(session: Session) -> Iterator[Finding]:
    now = clock.now()
    query = select(Job).where(Job.state == "waiting", Job.due_at < now - GENEROUS)
    for job in session.scalars(query):
        yield Finding("overdue", "job", job.id, f"Due at {job.due_at.isoformat()} and still waiting")
    for job in session.scalars(select(Job).where(Job.state != "waiting", Job.lease_until.is_not(None))):
        yield Finding("lease", "job", job.id, "The job is over, but it is still leased")
    unexplained = ~exists().where(Incident.job_id == Job.id, Incident.state == "open")
    for job in session.scalars(select(Job).where(Job.state == "failed", unexplained)):
        yield Finding("leftover", "job", job.id, "The job failed for good, but no open incident stands for it")


def _leftovers(session: Session) -> Iterator[Finding]:
    """Ended instances wait for nothing."""
    ended = select(ProcessInstance.id).where(ProcessInstance.state.in_(("completed", "cancelled")))
    tasks = select(UserTask.id).where(UserTask.state == "open", UserTask.instance_id.in_(ended))
    jobs = select(Job.id).where(Job.state.in_(("waiting", "failed")), Job.instance_id.in_(ended))
    subscriptions = select(Subscription.id).where(Subscription.instance_id.in_(ended))
    for table, query in (("user_task", tasks), ("job", jobs), ("subscription", subscriptions)):
        for row_id in session.scalars(query):
            yield Finding("leftover", table, row_id, "The instance has ended, but the row is still open")
    stored = select(ProcessInstance.id).where(
        ProcessInstance.state.in_(("completed", "cancelled")), func.length(ProcessInstance.data) > 0
    )
    for row_id in session.scalars(stored):
        yield Finding("leftover", "process_instance", row_id, "The instance has ended, but its state is still stored")
