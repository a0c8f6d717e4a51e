"""A throw-away run of a process: temporary database, clock that jumps, connectors that are only written down."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import actions, clock, connectors, expressions, jobs, listeners, models, repository, runtime
from engine.bpmn import xml
from engine.db import Base, Database
from engine.errors import DeploymentRefused, EngineError, ExpressionError, NotFound
from engine.expressions import Namespace

LONGEST = timedelta(days=3650)
MOST_FIRINGS = 1_000
DEFAULT_TERMS = {"due": timedelta(hours=4), "remind": timedelta(hours=3, minutes=12)}
"""What `sla.due(…)` and `sla.remind(…)` answer: the moment of the first question plus this, nothing once it is over."""
ACTOR = "agent:0"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person does when the task is open."""

    element: str
    action: str
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sending:
    """A message that arrives as soon as the process waits for it."""

    message: str
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Outcome:
    """What happened, and how it stands at the end."""

    trace: list[dict[str, Any]] = field(default_factory=list)
    state: str = "waiting"
    """completed | waiting | incident."""
    waiting: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    status: str | None = None
    unused: list[str] = field(default_factory=list)
    """Answers and messages for which the process never waited."""


def run(
    files: Mapping[str, bytes],
    process: str,
    *,
    data: Mapping[str, Any],
    answers: Sequence[Answer] = (),
    sends: Sequence[Sending] = (),
    duration: timedelta | None = None,
    begin: datetime | None = None,
) -> Outcome:
    """Run `process` until only people are awaited, or for `duration`; raises EngineError for what cannot be run."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{directory}/try.db")
        try:
            Base.metadata.create_all(database.engine, tables=[getattr(models, n).__table__ for n in _TABLES])
            fixed = clock.FixedClock(begin or clock.now().replace(microsecond=0))
            trial = _Trial(database, fixed, list(answers), list(sends))
            with clock.using(fixed), connectors.substituted(trial.called), listeners.using(_host(files, data, trial)):
                trial.deploy(files)
                trial.go(process, data, fixed.at + (duration or LONGEST))
            return trial.outcome
        finally:
            database.dispose()


_TABLES = (
    *("Deployment", "Resource", "ProcessDefinition", "ProcessInstance", "UserTask", "Subscription"),
    *("Job", "Incident", "History", "ElementLog", "StartEvent", "VersionChange"),
)


class _Trial:
    """One run in progress."""

    def __init__(self, database: Database, fixed: clock.FixedClock, answers: list[Answer], sends: list[Sending]):
        self.outcome = Outcome()
        self._database = database
        self._clock = fixed
        self._answers = answers
        self._sends = sends
        self._calls: list[dict[str, Any]] = []
        self._instance = 0
        self._last_log = 0

    def called(self, name: str, execution: connectors.Execution, arguments: Mapping[str, Any]) -> None:
        """Stands in for every connector: written down, without a result."""
        plain = {key: str(value) if isinstance(value, datetime) else value for key, value in arguments.items()}
        self._calls.append({"element": execution.element_id, "connector": name, "arguments": plain})

    def deploy(self, files: Mapping[str, bytes]) -> None:
        with self._database.transaction() as session:
            for definition in repository.store(session, files, author=ACTOR).definitions:
                repository.activate(session, definition, by=ACTOR)

    def go(self, process: str, data: Mapping[str, Any], end: datetime) -> None:
        if not self._attempt(lambda session: self._start(session, process, data)):
            return
        fired = 0
        while self._answer() or self._send() or self._let_time_pass(end):
            fired += 1
            if fired > MOST_FIRINGS or self.outcome.state == "incident":
                break
        self._conclude()

    def _start(self, session: Session, process: str, data: Mapping[str, Any]) -> None:
        instance = runtime.start_process(session, process, business_key="try:1", variables=data, actor=ACTOR)
        self._instance = instance.id

    def _attempt(self, move: Any) -> bool:
        """One transaction; a failing step becomes an incident of the outcome."""
        try:
            with self._database.transaction() as session:
                move(session)
        except (NotFound, DeploymentRefused):
            raise
        except EngineError as error:
            self.outcome.state = "incident"
            element = getattr(error, "element_id", None)
            self.outcome.incidents.append({"element": element, "message": str(error), "at": _iso(self._clock.at)})
            self._trace_calls()
            return False
        self._write_trace()
        return True

    def _answer(self) -> bool:
        with self._database.reading() as session:
            instance = session.get_one(models.ProcessInstance, self._instance)
            offered = {(a.element_id, a.id): a.ref for a in actions.available(session, instance)}
            undeclared = _tasks_without_actions(session, instance)
        for position, answer in enumerate(self._answers):
            ref = offered.get((answer.element, answer.action))
            if ref is None and answer.element in undeclared:
                ref = f"task:{undeclared[answer.element]}:{answer.action}"
            if ref is None and any(element == answer.element for element, _ in offered):
                known = ", ".join(sorted(action for element, action in offered if element == answer.element))
                raise NotFound(f"Expected an action of {answer.element} ({known}), got {answer.action}")
            if ref is not None:
                del self._answers[position]
                self._attempt(lambda s, ref=ref, a=answer: self._perform(s, ref, a))
                return True
        return False

    def _perform(self, session: Session, ref: str, answer: Answer) -> None:
        actions.perform(session, self._instance, ref, variables=answer.variables, actor=ACTOR, expected_version=None)

    def _send(self) -> bool:
        with self._database.reading() as session:
            query = select(models.Subscription.name).where(models.Subscription.kind == "message")
            awaited = set(session.scalars(query))
        for position, sending in enumerate(self._sends):
            if sending.message in awaited:
                del self._sends[position]
                self._attempt(lambda s, it=sending: self._correlate(s, it))
                return True
        return False

    def _correlate(self, session: Session, sending: Sending) -> None:
        runtime.correlate_message(session, sending.message, business_key="try:1", variables=sending.variables)

    def _let_time_pass(self, end: datetime) -> bool:
        with self._database.reading() as session:
            at = jobs.next_due(session)
        if at is None or at > end:
            return False
        self._clock.set(max(at, self._clock.at))
        with self._database.transaction() as session:
            ids = jobs.claim(session, owner="try", limit=1, now=self._clock.at)
        jobs.execute(self._database, ids)
        self._write_trace()
        return True

    def _write_trace(self) -> None:
        with self._database.reading() as session:
            query = select(models.ElementLog).where(models.ElementLog.id > self._last_log)
            for row in session.scalars(query.order_by(models.ElementLog.id)):
                self._last_log = row.id
                entry = {"element": row.element_id, "name": row.name, "at": _iso(row.at), "event": row.event}
                self.outcome.trace.append(entry)
                if row.event == "entered":
                    self._trace_calls(row.element_id, row.name)
        self._calls.clear()

    def _trace_calls(self, element: str | None = None, name: str = "") -> None:
        for call in [call for call in self._calls if element in (None, call["element"])]:
            self._calls.remove(call)
            self.outcome.trace.append({"name": name, "at": _iso(self._clock.at), "event": "called", **call})
            if element is not None:
                return

    def _conclude(self) -> None:
        with self._database.reading() as session:
            instance = session.get_one(models.ProcessInstance, self._instance)
            self.outcome.waiting = list(_waiting(session, instance))
            for incident in session.scalars(select(models.Incident).where(models.Incident.state == "open")):
                self.outcome.incidents.append(
                    {"element": incident.element_id, "message": incident.message, "at": _iso(incident.created_at)}
                )
            if self.outcome.incidents:
                self.outcome.state = "incident"
            elif instance.state == "completed":
                self.outcome.state = "completed"
        self.outcome.unused = [f"{a.element}={a.action}" for a in self._answers] + [s.message for s in self._sends]


def _tasks_without_actions(session: Session, instance: models.ProcessInstance) -> dict[str, int]:
    if instance.state != "active":
        return {}
    program = repository.program_of(session, instance)
    query = select(models.UserTask).where(models.UserTask.instance_id == instance.id, models.UserTask.state == "open")
    return {
        task.element_id: task.id
        for task in session.scalars(query)
        if not program.node(task.process_key, task.element_id).get("actions")
    }


def _waiting(session: Session, instance: models.ProcessInstance) -> Iterator[dict[str, Any]]:
    offered = actions.available(session, instance)
    of = models.UserTask.instance_id == instance.id
    for task in session.scalars(select(models.UserTask).where(of, models.UserTask.state == "open")):
        ids = [action.id for action in offered if action.user_task is not None and action.user_task.id == task.id]
        yield {"kind": "user", "element": task.element_id, "name": task.name, "actions": ids}
    for row in session.scalars(select(models.Subscription).where(models.Subscription.instance_id == instance.id)):
        yield {"kind": row.kind, "element": row.element_id, "name": row.name}
    query = select(models.Job).where(models.Job.instance_id == instance.id, models.Job.state == "waiting")
    for job in session.scalars(query.order_by(models.Job.due_at)):
        yield {"kind": job.kind, "element": job.element_id, "name": job.name, "due": _iso(job.due_at)}


def _host(files: Mapping[str, bytes], data: Mapping[str, Any], trial: _Trial) -> listeners.Listeners:
    """The listeners of the run: they keep the status and make up the context that expressions ask for."""

    def entered(_session: Session, _instance: models.ProcessInstance, status: listeners.StatusEntered) -> None:
        trial.outcome.status = status.code

    given = {name: value for name, value in data.items() if isinstance(value, dict)}
    made_up = {
        name: _MadeUp(name, asked, given.get(name, {})).namespace
        for name, asked in _asked(files).items()
        if name not in data or asked - set(given.get(name, asked))
    }
    names = {**given, **made_up}
    return listeners.Listeners(
        status_entered=[entered], context=[lambda _s, _i: names], start_context=lambda _s, _d: names
    )


class _MadeUp:
    """A part of the context that `data` gives in part: other fields are nothing, `due` and `remind` hours away."""

    def __init__(self, name: str, asked: set[str], given: Mapping[str, Any]) -> None:
        self._fixed: dict[tuple[str, Any], datetime] = {}
        functions = {function: self._function(function) for function in asked}
        fields = {each: partial(given.get, each) for each in asked | set(given)}
        self.namespace = Namespace(name, fields, functions)

    def _function(self, name: str) -> Any:
        def answer(*asked: Any) -> datetime | None:
            term = DEFAULT_TERMS.get(name)
            if term is None:
                return None
            at = self._fixed.setdefault((name, asked), clock.now() + term)
            return at if at > clock.now() else None

        return answer


def _asked(files: Mapping[str, bytes]) -> dict[str, set[str]]:
    """Names of the context and what is asked of them, collected from every text that could be an expression."""
    asked: dict[str, set[str]] = {}
    for name, content in files.items():
        for element in xml.read(content, name).iter():
            for text in (element.text or "", *map(str, element.attrib.values())):
                for owner, member in _paths(text):
                    asked.setdefault(owner, set()).add(member)
    return asked


def _paths(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        source = re.sub(r"^\s*(\w+\s*)?=(?!=)", "", line)
        try:
            paths = expressions.compile(source).paths if "." in source else ()
        except ExpressionError:
            continue
        for path in paths:
            owner, _, member = path.partition(".")
            yield owner, member


def _iso(at: datetime) -> str:
    return at.isoformat()
