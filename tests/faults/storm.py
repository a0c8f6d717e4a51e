"""What the storm needs: processes with all that a desk uses, connectors that leave a trace, crashes at a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from sqlalchemy import Column, Integer, MetaData, String, Table, insert
from sqlalchemy.orm import Session

from engine import clock, connectors, listeners, repository
from engine.bpmn import parser
from engine.clock import FixedClock
from engine.connectors import Execution
from engine.db import Database
from engine.listeners import Listeners
from tests.conformance.reloaded import empty_database
from tests.conformance.sketch import conditional, event_part, process, starts, task
from tests.engine.drawings import (
    boundary,
    button,
    catch,
    chain,
    end,
    event,
    flows,
    gateway,
    node,
    service,
    start,
    throw,
    timer,
)

BEGIN = datetime(2026, 3, 16, 9, tzinfo=UTC)
EFFECTS = Table("effect", MetaData(), Column("instance_id", Integer), Column("element_id", String))


def tell(id: str, extension: str = "") -> str:
    return service(id, "test.work", extension=extension)


P = process(
    start(),
    gateway("again"),
    task("a", "done", "once_more"),
    boundary("late", "a", timer("R2/PT1H", "timeCycle"), interrupting=False),
    tell("tell_late"),
    end("e_late"),
    boundary("stop", "a", event("signal", "stop"), extension=button("stop")),
    tell("tell_stop"),
    end("e_stop"),
    tell("tell_a"),
    gateway("x", default="x_slow"),
    tell("slow", extension='<desk:job async="true" retries="2" backoff="PT5M"/>'),
    node(
        "subProcess",
        "phase",
        start("s")
        + task("b")
        + end("e")
        + chain("s", "b", "e")
        + event_part(
            "part",
            starts("heard", event("message", "m"), interrupting=False),
            tell("tell_heard"),
            end("e_heard"),
            chain("heard", "tell_heard", "e_heard"),
        ),
    ),
    boundary("hot", "phase", conditional("fact.x > 4")),
    tell("tell_hot"),
    task("c"),
    throw("call", event("signal", "sig")),
    end(),
    flows("start>again", "again>a", "a>tell_a", "tell_a>x", "x>again: action == 'once_more'", "x>slow"),
    chain("slow", "phase", "call", "end"),
    chain("late", "tell_late", "e_late"),
    chain("stop", "tell_stop", "e_stop"),
    chain("hot", "tell_hot", "c", "end"),
)
Q = process(
    start(),
    gateway("g", "eventBased"),
    catch("called", event("signal", "sig")),
    catch("tired", timer("P1D")),
    tell("tell_called"),
    end(),
    flows("start>g", "g>called", "g>tired", "tired>end"),
    chain("called", "tell_called", "end"),
    key="q",
)
R = process(
    starts("begun", event("message", "begin")),
    tell("tell_begun"),
    task("d"),
    end(),
    chain("begun", "tell_begun", "d", "end"),
    key="r",
)


class Crash(BaseException):
    """The process died; nobody can catch it."""


@dataclass
class Plan:
    """Where the next crash happens: before or after the commit number `commit` from now."""

    where: str = ""
    commit: int = 0
    happened: int = 0


@dataclass
class Desk:
    """One database that outlives its processes."""

    database: Database
    clock: FixedClock
    plan: Plan = field(default_factory=Plan)
    facts: dict[str, int] = field(default_factory=lambda: {"x": 0})
    failures: int = 0
    """How many of the next calls of a connector fail."""

    def restart(self) -> None:
        """A new process: nothing is in memory."""
        self.database.dispose()
        repository.forget()
        parser.compiled.cache_clear()

    def crashes(self, where: str, verb: Callable[[], object], commit: int = 0) -> bool:
        """Run the verb with a crash planned; True when it happened, and the desk has been restarted then."""
        self.plan = Plan(where, commit)
        try:
            verb()
            return False
        except Crash:
            self.restart()
            return True
        finally:
            self.plan = Plan()

    def call(self, name: str, execution: Execution, arguments: Mapping[str, Any]) -> None:
        """The effect is a row of the step's own transaction, so it can be counted."""
        values = {"instance_id": execution.instance.id, "element_id": execution.element_id}
        execution.session.execute(insert(EFFECTS).values(**values))
        if self.failures:
            self.failures -= 1
            raise RuntimeError("out of order")


@contextmanager
def desk() -> Iterator[Desk]:
    """A desk with the three processes active, whose commits crash as planned."""
    with ExitStack() as stack:
        time = FixedClock(BEGIN)
        opened = Desk(stack.enter_context(empty_database()), time)
        stack.enter_context(clock.using(time))
        stack.enter_context(
            listeners.using(Listeners(context=[lambda session, instance: {"fact": dict(opened.facts)}]))
        )
        stack.enter_context(connectors.substituted(opened.call))
        stack.enter_context(_crashing(opened))
        EFFECTS.create(opened.database.engine)
        with opened.database.transaction() as session:
            files = {"p.bpmn": P, "q.bpmn": Q, "r.bpmn": R}
            for definition in repository.store(session, files, author="agent:1").definitions:
                repository.activate(session, definition, by="agent:1")
        yield opened


@contextmanager
def _crashing(opened: Desk) -> Iterator[None]:
    commit = Session.commit

    def crashing(session: Session) -> None:
        plan = opened.plan
        is_now, plan.commit = bool(plan.where) and plan.commit == 0, plan.commit - 1
        if is_now and plan.where == "before":
            raise Crash
        commit(session)
        if is_now and plan.where == "after":
            raise Crash

    with patch.object(Session, "commit", crashing):
        yield
