"""Commands in any order, with crashes before and after the commit: nothing is doubled, nothing lost, nothing torn."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from engine import due, incidents, runtime, suspension
from engine.errors import Stale
from engine.jobs import LEASE
from engine.models import ElementLog, History, Incident, Job, ProcessInstance, Subscription, UserTask
from engine.verify import report, verify
from tests.faults.storm import EFFECTS, desk

RUNS = int(os.environ.get("STORM", "12"))
STEPS = 30
MOST_INSTANCES = 5
WHERE = st.sampled_from(["", "before", "after"])
PICK = st.integers(0, 9)
TRIED: Counter[str] = Counter()


class EngineStorm(RuleBasedStateMachine):
    """A desk whose process dies at any commit; the model is what must be in the database whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.desk = self._stack.enter_context(desk())
        self._start("p", "")

    def teardown(self) -> None:
        try:
            self._drain(timedelta(days=2))
            self.promises_hold()
            with self.desk.database.reading() as session:
                assert verify(session) == []
            assert self._count(Job, Job.state == "waiting", Job.due_at <= self.desk.clock.at) == 0, "a timer was lost"
        finally:
            self._stack.close()

    # commands

    @precondition(lambda self: self._count(ProcessInstance) < MOST_INSTANCES)
    @rule(key=st.sampled_from(["p", "p", "q"]), where=WHERE)
    def start(self, key: str, where: str) -> None:
        before = self._count(ProcessInstance)

        self._start(key, where)

        assert self._count(ProcessInstance) == before + (where != "before")

    @precondition(lambda self: self._count(ProcessInstance) < MOST_INSTANCES)
    @rule(where=WHERE)
    def begin_by_message(self, where: str) -> None:
        before = self._count(ProcessInstance)

        self._command("message start", where, lambda s: runtime.publish_message(s, "begin", business_key="record:r"))

        assert self._count(ProcessInstance) == before + (where != "before")

    @precondition(lambda self: self._open_tasks())
    @rule(pick=PICK, again=st.booleans(), where=WHERE)
    def complete(self, pick: int, again: bool, where: str) -> None:
        tasks = self._open_tasks()
        instance_id, task_id, element_id = tasks[pick % len(tasks)]
        action = "once_more" if again and element_id == "a" else "done"

        self._once(
            f"complete {element_id}",
            where,
            instance_id,
            lambda s: runtime.complete_task(
                s, instance_id, task_id, action=action, variables={}, actor="agent:1", expected_version=None
            ),
        )

    @precondition(lambda self: self._buttons())
    @rule(pick=PICK, where=WHERE)
    def press(self, pick: int, where: str) -> None:
        buttons = self._buttons()
        instance_id, row_id = buttons[pick % len(buttons)]

        self._once(
            "press",
            where,
            instance_id,
            lambda s: runtime.trigger(
                s, instance_id, row_id, action="stop", variables={}, actor="agent:1", expected_version=None
            ),
        )

    @rule(where=WHERE)
    def message(self, where: str) -> None:
        self._command("message", where, lambda s: runtime.correlate_message(s, "m", business_key="record:p"))

    @rule(where=WHERE)
    def signal(self, where: str) -> None:
        self._command("signal", where, lambda s: runtime.broadcast_signal(s, "sig"))

    @rule(x=st.sampled_from([0, 9]), where=WHERE)
    def fact_changes(self, x: int, where: str) -> None:
        self.desk.facts["x"] = x
        active = self._ids(ProcessInstance.state == "active")

        def look_again(session: Any) -> None:
            for instance_id in active:
                runtime.rearm(session, instance_id)
                runtime.reconsider(session, instance_id)

        self._command("reconsider", where, look_again)
        if where == "before":
            self._command("reconsider", "", look_again)

    @rule(where=WHERE, commit=st.integers(0, 3), failures=st.sampled_from([0, 0, 0, 1, 2]))
    def time_passes(self, where: str, commit: int, failures: int) -> None:
        """To the next due work, done by a worker that may die at any of its commits; then by one that lives."""
        self.desk.failures = failures
        at = self._next_due()
        if at is not None:
            self.desk.clock.set(max(at, self.desk.clock.at))
        crashed = self.desk.crashes(where, self._work, commit)
        TRIED[f"worker died {where}" if crashed else "worker"] += 1
        self.desk.failures = 0
        self.desk.clock.advance(LEASE)
        self._work()

    @precondition(lambda self: self._count(Incident, Incident.state == "open"))
    @rule(where=WHERE)
    def retry(self, where: str) -> None:
        with self.desk.database.reading() as session:
            incident_id = session.scalars(select(Incident.id).where(Incident.state == "open")).first()
        assert incident_id is not None
        self._command("retry", where, lambda s: incidents.retry(s, incident_id, "agent:9"))

        assert (self._count(Incident, Incident.id == incident_id, Incident.state == "open") == 1) is (where == "before")

    @precondition(lambda self: self._ids(ProcessInstance.state == "active"))
    @rule(pick=PICK, where=WHERE)
    def suspend(self, pick: int, where: str) -> None:
        ids = self._ids(ProcessInstance.state == "active")
        instance_id = ids[pick % len(ids)]
        self._command("suspend", where, lambda s: suspension.suspend(s, instance_id, reason="wait", by="agent:9"))

    @precondition(lambda self: self._ids(ProcessInstance.state == "suspended"))
    @rule(pick=PICK, where=WHERE)
    def resume(self, pick: int, where: str) -> None:
        ids = self._ids(ProcessInstance.state == "suspended")
        instance_id = ids[pick % len(ids)]
        self._command("resume", where, lambda s: suspension.resume(s, instance_id, reason="go on", by="agent:9"))

    @precondition(lambda self: len(self._ids(ProcessInstance.state == "active")) > 2)
    @rule(pick=PICK, where=WHERE)
    def cancel(self, pick: int, where: str) -> None:
        ids = self._ids(ProcessInstance.state == "active")
        instance_id = ids[pick % len(ids)]
        self._command("cancel", where, lambda s: runtime.cancel(s, instance_id, reason="spam", actor="agent:9"))

    @rule()
    def restart(self) -> None:
        self.desk.restart()

    # promises

    @invariant()
    def promises_hold(self) -> None:
        with self.desk.database.reading() as session:
            assert report(session, quick=True).findings == []
            versions = _pairs(session, select(ProcessInstance.id, ProcessInstance.version))
            steps = select(History.instance_id, func.count()).group_by(History.instance_id)
            assert _pairs(session, steps) == versions, "version and history are out of step"
            effects = _counted(session, select(EFFECTS.c.instance_id, EFFECTS.c.element_id, func.count()), EFFECTS.c)
            passed = _counted(
                session,
                select(ElementLog.instance_id, ElementLog.element_id, func.count()).where(
                    ElementLog.event == "completed",
                    ElementLog.element_id.like("tell%") | (ElementLog.element_id == "slow"),
                ),
                ElementLog,
            )
            assert effects == passed, "an effect without its step, or doubled"
            done = _counted(
                session,
                select(UserTask.instance_id, UserTask.element_id, func.count()).where(UserTask.state == "completed"),
                UserTask,
            )
            fired = _counted(
                session, select(Job.instance_id, Job.element_id, func.count()).where(Job.state == "done"), Job
            )
        for instance_id in versions:
            assert effects[instance_id, "tell_a"] == done[instance_id, "a"]
            assert effects[instance_id, "tell_late"] == fired[instance_id, "late"]
            assert effects[instance_id, "slow"] == fired[instance_id, "slow"]

    # inside

    def _start(self, key: str, where: str) -> None:
        self._command(
            "start", where, lambda s: runtime.start_process(s, key, business_key=f"record:{key}", actor="agent:1")
        )

    def _command(self, name: str, where: str, verb: Callable[[Any], object]) -> None:
        """One transaction, with a crash before or after its commit."""
        crashed = self.desk.crashes(where, lambda: self._transact(verb))
        assert crashed is bool(where)
        TRIED[f"{name} died {where}" if crashed else name] += 1

    def _once(self, name: str, where: str, instance_id: int, verb: Callable[[Any], object]) -> None:
        """A person tries again after the crash: it happens exactly once."""
        before = self._version(instance_id)
        self._command(name, where, verb)
        if where == "before":
            assert self._version(instance_id) == before
            self._command(name, "", verb)
        after = self._version(instance_id)
        assert after > before
        with pytest.raises(Stale):
            self._transact(verb)
        assert self._version(instance_id) == after

    def _transact(self, verb: Callable[[Any], object]) -> None:
        with self.desk.database.transaction() as session:
            verb(session)

    def _work(self) -> None:
        for _ in range(50):
            if not any(self._work_of(due.sources()[name]) for name in ("jobs", "starts")):
                return

    def _work_of(self, source: due.DueSource) -> bool:
        with self.desk.database.transaction() as session:
            ids = source.claim(session, "worker", 3)
        if ids:
            source.execute(self.desk.database, ids)
        return bool(ids)

    def _drain(self, by: timedelta) -> None:
        until = self.desk.clock.at + by
        while (at := self._next_due()) is not None and at <= until:
            self.desk.clock.set(max(at, self.desk.clock.at))
            self._work()
        self.desk.clock.set(until)

    def _next_due(self) -> Any:
        with self.desk.database.reading() as session:
            found = [due.sources()[name].next_due(session) for name in ("jobs", "starts")]
        return min((at for at in found if at), default=None)

    def _open_tasks(self) -> list[tuple[int, int, str]]:
        wanted = select(UserTask.instance_id, UserTask.id, UserTask.element_id).join(
            ProcessInstance, ProcessInstance.id == UserTask.instance_id
        )
        with self.desk.database.reading() as session:
            rows = session.execute(wanted.where(UserTask.state == "open", ProcessInstance.state == "active"))
            return [tuple(row) for row in rows]

    def _buttons(self) -> list[tuple[int, int]]:
        wanted = select(Subscription.instance_id, Subscription.id).join(
            ProcessInstance, ProcessInstance.id == Subscription.instance_id
        )
        with self.desk.database.reading() as session:
            rows = session.execute(wanted.where(Subscription.element_id == "stop", ProcessInstance.state == "active"))
            return [tuple(row) for row in rows]

    def _ids(self, *conditions: Any) -> list[int]:
        with self.desk.database.reading() as session:
            return list(session.scalars(select(ProcessInstance.id).where(*conditions).order_by(ProcessInstance.id)))

    def _count(self, model: Any, *conditions: Any) -> int:
        with self.desk.database.reading() as session:
            return session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0

    def _version(self, instance_id: int) -> int:
        with self.desk.database.reading() as session:
            return session.get_one(ProcessInstance, instance_id).version


def _pairs(session: Any, query: Any) -> dict[int, int]:
    return {key: value for key, value in session.execute(query)}


def _counted(session: Any, query: Any, columns: Any) -> Counter[tuple[int, str]]:
    rows = session.execute(query.group_by(columns.instance_id, columns.element_id))
    return Counter({(instance_id, element_id): number for instance_id, element_id, number in rows})


def test_commands_and_crashes_double_nothing_and_lose_nothing() -> None:
    TRIED.clear()

    run_state_machine_as_test(
        EngineStorm,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="STORM" not in os.environ,
            phases=[Phase.generate] + [Phase.shrink] * ("SHRINK" in os.environ),
            suppress_health_check=list(HealthCheck),
        ),
    )

    died = {
        where: sum(n for name, n in TRIED.items() if name.endswith(f"died {where}")) for where in ("before", "after")
    }
    print(f"\n{sum(TRIED.values())} commands, crashes {died}; {dict(sorted(TRIED.items()))}")
    assert min(died.values()) >= RUNS
    assert {name.split(" died")[0] for name in TRIED} >= {"start", "message", "signal", "press", "worker", "suspend"}
