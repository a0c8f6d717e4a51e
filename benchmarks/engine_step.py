"""The engine: one cold step against the bare library and a completed user task in the database."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.util.task import TaskState
from sqlalchemy import event

from benchmarks.figures import Figure, cpu_seconds, table
from engine import clock, models, repository, runtime
from engine.bpmn.extensions import processes, read_index
from engine.bpmn.machine import Machine
from engine.bpmn.program import Part, Program
from engine.bpmn.script_engine import Environment
from engine.bpmn.xml import read
from engine.clock import FixedClock
from engine.db import Base, Database

NOW = datetime(2026, 3, 16, 9, tzinfo=UTC)
SAMPLES = 200
LAPS = 500
_NAMESPACES = 'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:desk="urn:bpmdesk:1"'


def figures() -> Iterator[Figure]:
    """The rows of this file."""
    first, last, size = _cold_steps()
    bare = _bare_steps()
    yield first
    yield Figure("the same step of the bare library, not stored", "ms", bare.median * 10, bare.samples, bare.did)
    yield Figure("cold step / bare library", "×", 1.5, (first.median / bare.median,), "of the two rows above")
    yield Figure(
        f"cold step in lap {LAPS} / lap 1", "×", 1.2, (last.median / first.median,), f"{2 * LAPS} steps between"
    )
    yield size
    with _database() as database:
        yield from _completions(database)


def _drawing(quote: str) -> bytes:
    """A record's life with two reminders, a pause and a way back; the library wants its durations quoted."""

    def timed(id: str, on: str, duration: str, cancels: str = "false") -> str:
        time_ = f"<bpmn:timeDuration>{quote}{duration}{quote}</bpmn:timeDuration>"
        definition = f"<bpmn:timerEventDefinition>{time_}</bpmn:timerEventDefinition>"
        place = f'id="{id}" attachedToRef="{on}" cancelActivity="{cancels}"'
        return f"<bpmn:boundaryEvent {place}>{definition}</bpmn:boundaryEvent>"

    def script(id: str, text: str) -> str:
        return f'<bpmn:scriptTask id="{id}"><bpmn:script>{text}</bpmn:script></bpmn:scriptTask>'

    flows = (
        "start>open open>classify classify>work remind>tell tell>e1 breach>shout shout>e2 work>stopped "
        "stopped>pressed pressed>end waiting>resume wake>resume resume>work"
    )
    body = "".join(
        [
            '<bpmn:startEvent id="start"/>',
            *(f'<bpmn:endEvent id="{id}"/>' for id in ("e1", "e2", "end")),
            *(f'<bpmn:userTask id="{id}"/>' for id in ("classify", "work", "waiting")),
            script("open", "laps = 0"),
            script("tell", "told = 1"),
            script("shout", "told = 2"),
            script("stopped", "clock = 0"),
            script("resume", "clock = 1"),
            timed("remind", "work", "P30D"),
            timed("breach", "work", "P60D"),
            timed("wake", "waiting", "P90D", "true"),
            '<bpmn:exclusiveGateway id="pressed" default="pressed_end"/>',
            '<bpmn:sequenceFlow id="pause" sourceRef="pressed" targetRef="waiting">'
            "<bpmn:conditionExpression>action == 'pause'</bpmn:conditionExpression></bpmn:sequenceFlow>",
            *(_flow(*pair.split(">")) for pair in flows.split()),
        ]
    )
    process = f'<bpmn:process id="p" isExecutable="true">{body}</bpmn:process>'
    return f'<bpmn:definitions {_NAMESPACES} id="d" targetNamespace="b">{process}</bpmn:definitions>'.encode()


def _flow(source: str, target: str) -> str:
    return f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}"/>'


def _program() -> Program:
    content = _drawing("")
    return Program("p", [Part("p", "benchmark", content, read_index(processes(read(content, "p.bpmn"))[0]))])


def _machine(program: Program, data: bytes | None) -> Machine:
    return Machine(program, Environment(NOW, dict, lambda *_: None), data, lambda _: None)


def _press(machine: Machine, element: str, action: str) -> None:
    key = next(wait.key for wait in machine.waits() if wait.element_id == element)
    machine.complete(key, {"action": action})
    machine.run()


def _cold_steps() -> tuple[Figure, Figure, Figure]:
    program = _program()
    machine = _machine(program, None)
    machine.run()
    _press(machine, "classify", "accept")
    first = machine.encoded()
    data = first
    for _ in range(LAPS):
        for element, action in (("work", "pause"), ("waiting", "resume")):
            machine = _machine(program, data)
            _press(machine, element, action)
            data = machine.encoded()
    did = f"{SAMPLES} × load, complete, save"
    size = Figure("stored state", "bytes", 2_000, (float(len(first)), float(len(data))), f"lap 1 and lap {LAPS}")
    return (
        Figure("one cold engine step", "ms", 1.0, _step_samples(program, first), did),
        Figure(f"one cold engine step in lap {LAPS}", "ms", 1.0, _step_samples(program, data), did),
        size,
    )


def _step_samples(program: Program, data: bytes) -> tuple[float, ...]:
    def step() -> None:
        machine = _machine(program, data)
        _press(machine, "work", "pause")
        assert machine.encoded()

    return tuple(cpu_seconds(step) * 1e3 for _ in range(SAMPLES))


def _bare_steps() -> Figure:
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(_drawing('"')))
    spec = parser.get_spec("p")
    samples = tuple(_bare_step(spec) for _ in range(SAMPLES))
    return Figure("", "ms", 1.0, samples, f"{SAMPLES} × complete and run in memory")


def _bare_step(spec: Any) -> float:
    workflow = BpmnWorkflow(spec)
    workflow.do_engine_steps()
    for action in ("accept", "pause"):
        task = workflow.get_next_task(state=TaskState.READY, manual=True)
        task.data["action"] = action
        if action == "pause":
            return cpu_seconds(lambda: (task.run(), workflow.do_engine_steps())) * 1e3  # noqa: B023
        task.run()
        workflow.do_engine_steps()
    raise AssertionError


@contextmanager
def _database() -> Iterator[Database]:
    tables = [mapper.local_table for mapper in Base.registry.mappers if mapper.class_.__module__ == models.__name__]
    with tempfile.TemporaryDirectory() as directory, clock.using(FixedClock(NOW)):
        database = Database(f"sqlite:///{directory}/bench.db")
        Base.metadata.create_all(database.engine, tables=tables)
        with database.transaction() as session:
            for definition in repository.store(session, {"p.bpmn": _drawing("")}, author="agent:1").definitions:
                repository.activate(session, definition, by="agent:1")
        yield database
        database.dispose()


def _completions(database: Database) -> Iterator[Figure]:
    with database.transaction() as session:
        instance = runtime.start_process(session, "p", business_key="record:1").id
    tasks = iter(["accept", *(["pause", "resume"] * SAMPLES)])
    statements: list[str] = []

    def asked(*args: Any) -> None:
        if not args[2].startswith("BEGIN"):
            statements.append(args[2])

    event.listen(database.engine, "before_cursor_execute", asked)
    samples, counts = [], []
    for action in tasks:
        with database.reading() as session:
            task = session.query(models.UserTask).filter_by(instance_id=instance, state="open").one().id
        statements.clear()
        samples.append(cpu_seconds(lambda: _complete(database, instance, task, action)) * 1e3)  # noqa: B023
        counts.append(float(len(statements)))
    did = f"{len(samples)} tasks completed, one commit each"
    yield Figure("complete a user task in SQLite, engine only", "ms CPU", 6, tuple(samples), did)
    yield Figure("SQL statements of that", "", 10, tuple(counts), did)
    with database.reading() as session:
        kept = [float(len(orjson.dumps(_tape(row.data)))) for row in session.query(models.History)]
    yield Figure("what a step keeps to be made again", "bytes", 200, tuple(kept), f"{len(kept)} steps")


def _tape(data: dict[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in ("versions", "places", "rearmed", "tape") if name in data}


def _complete(database: Database, instance: int, task: int, action: str) -> None:
    with database.transaction() as session:
        runtime.complete_task(
            session, instance, task, action=action, variables={}, actor="agent:1", expected_version=None
        )


if __name__ == "__main__":
    print(table(figures()))
