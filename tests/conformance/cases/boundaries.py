"""Boundary events: every trigger on every kind of activity, interrupting and not."""

from __future__ import annotations

from dataclasses import dataclass

from tests.conformance.case import Case, case
from tests.conformance.sketch import conditional, fails, many, process, task, tell
from tests.engine.drawings import (
    boundary,
    call,
    chain,
    end,
    event,
    flows,
    gateway,
    node,
    service,
    start,
    subprocess,
    throw,
    timer,
)


@dataclass(frozen=True)
class Trigger:
    """What a boundary event waits for, how it is made to happen, and how its wait is shown."""

    name: str
    definition: str
    move: str
    wait: str
    again: str
    """The wait after it has happened once, when the event does not interrupt."""


@dataclass(frozen=True)
class Host:
    """An activity that events are attached to."""

    name: str
    drawing: str
    entered: str
    """What is passed on the way in."""
    waits: str
    cancelled: str
    move: str
    """What ends the activity."""
    left: str
    """What is passed when it ends."""
    file: bytes | None = None


TRIGGERS = (
    Trigger("message", event("message", "m"), "message m", "hit", "hit"),
    Trigger("signal", event("signal", "s"), "signal s", "hit", "hit"),
    Trigger("timer", timer("PT1H"), "after PT1H", "hit@PT1H", ""),
    Trigger("condition", conditional("fact.x > 1"), "let x=2", "hit", "hit"),
)
CALLED = process(start("s"), task("x"), end("e"), chain("s", "x", "e"), key="q")
HOSTS = (
    Host("a user task", task("a"), "start", "a", "!a", "a", "a"),
    Host("a receive task", node("receiveTask", "a", messageRef="message_go"), "start", "a", "!a", "message go", "a"),
    Host(
        "a sub-process",
        subprocess("a", start("s"), task("x"), end("e"), chain("s", "x", "e")),
        "start s",
        "x",
        "!a, !x",
        "x",
        "x e a",
    ),
    Host("a called process", call("a", "q"), "start s", "x", "!a, !x", "x", "x e a", CALLED),
    Host("all instances", task("a", inner=many("2")), "start", "a a", "!a, !a", "", ""),
)


def _drawn(host: Host, trigger: Trigger, *, interrupting: bool) -> list[bytes]:
    main = process(
        start(),
        host.drawing,
        boundary("hit", "a", trigger.definition, interrupting=interrupting),
        task("b"),
        tell("c"),
        end(),
        end("e2"),
        chain("start", "a", "b", "end"),
        chain("hit", "c", "e2"),
    )
    return [main, host.file] if host.file else [main]


def _interrupting(host: Host, trigger: Trigger) -> Case:
    return case(
        f"{trigger.name} on {host.name}, interrupting",
        *_drawn(host, trigger, interrupting=True),
        story=f"""
            start: {host.entered} | {host.waits} {trigger.wait}
            {trigger.move}: {{{host.cancelled}, hit c e2}} | done
        """,
        patterns="19",
        clause="13.5.3: the activity is cancelled and the flow of the event is taken",
    )


def _beside(host: Host, trigger: Trigger) -> Case:
    return case(
        f"{trigger.name} on {host.name}, not interrupting",
        *_drawn(host, trigger, interrupting=False),
        story=f"""
            start: {host.entered} | {host.waits} {trigger.wait}
            {trigger.move}: hit c e2 | {host.waits} {trigger.again}
        """,
        clause="13.5.3: the activity goes on, a token more runs beside it",
    )


def _disarmed(host: Host, trigger: Trigger) -> Case:
    return case(
        f"{trigger.name} on {host.name} is deaf when the activity is over",
        *_drawn(host, trigger, interrupting=True),
        story=f"""
            start: {host.entered} | {host.waits} {trigger.wait}
            {host.move}: {host.left} | b
            {trigger.move}: | b
        """,
        clause="13.5.3: a boundary event is heard only while its activity is active",
    )


LATE = boundary("late", "a", timer("PT1H"))

MATRIX = [
    make(host, trigger)
    for host in HOSTS
    for trigger in TRIGGERS
    for make in (_interrupting, _beside, _disarmed)
    if not (make is _disarmed and not host.left)
]

CODED = [
    case(
        f"error {how} of a {where} is caught at its border",
        *_files,
        story=story,
        patterns="19",
        clause="13.5.3 Error: the nearest enclosing activity with a matching boundary event, always interrupting",
    )
    for how, where, _files, story in (
        (
            "end event",
            "sub-process",
            [
                process(
                    start(),
                    subprocess(
                        "a", start("s"), task("x"), end("bad", event("error", "broken")), chain("s", "x", "bad")
                    ),
                    boundary("hit", "a", event("error", "broken")),
                    task("b"),
                    task("c"),
                    end(),
                    chain("start", "a", "b", "end"),
                    flows("hit>c", "c>end"),
                )
            ],
            """
            start: start s | x
            x: x {bad, hit, !a} | c
            c: c end | done
            """,
        ),
        (
            "of a connector",
            "sub-process",
            [
                process(
                    start(),
                    subprocess("a", start("s"), task("x"), fails("bad"), end("e"), chain("s", "x", "bad", "e")),
                    boundary("hit", "a", event("error", "refused")),
                    task("b"),
                    task("c"),
                    end(),
                    chain("start", "a", "b", "end"),
                    flows("hit>c", "c>end"),
                )
            ],
            """
            start: start s | x
            x: x {!bad, hit, !a} | c
            c: c end | done
            """,
        ),
        (
            "end event",
            "called process",
            [
                process(
                    start(),
                    call("a", "q"),
                    boundary("hit", "a", event("error", "broken")),
                    task("b"),
                    task("c"),
                    end(),
                    chain("start", "a", "b", "end"),
                    flows("hit>c", "c>end"),
                ),
                process(start("s"), task("x"), end("bad", event("error", "broken")), chain("s", "x", "bad"), key="q"),
            ],
            """
            start: start s | x
            x: x {bad, hit, !a} | c
            c: c end | done
            """,
        ),
    )
]

OTHERS = [
    case(
        "error of a connector is caught on its own task",
        process(
            start(),
            fails("a"),
            boundary("hit", "a", event("error", "refused")),
            task("b"),
            task("c"),
            end(),
            chain("start", "a", "b", "end"),
            flows("hit>c", "c>end"),
        ),
        story="start: start {!a, hit} | c",
        clause="13.5.3 Error",
    ),
    case(
        "error with another code is not caught",
        process(
            start(),
            task("z"),
            fails("a"),
            boundary("hit", "a", event("error", "other")),
            task("b"),
            task("c"),
            end(),
            chain("start", "z", "a", "b", "end"),
            flows("hit>c", "c>end"),
        ),
        story="""
            start: start | z
            z: raises BpmnError
        """,
        clause="13.5.3 Error: errorCode must match",
    ),
    case(
        "error without a code catches every code",
        process(
            start(),
            fails("a"),
            boundary("hit", "a", "<bpmn:errorEventDefinition/>"),
            task("b"),
            task("c"),
            end(),
            chain("start", "a", "b", "end"),
            flows("hit>c", "c>end"),
        ),
        story="start: start {!a, hit} | c",
        clause="table 10.93: without errorRef any error is caught",
    ),
    case(
        "error: the code that matches wins over the one for all",
        process(
            start(),
            fails("a"),
            boundary("any", "a", "<bpmn:errorEventDefinition/>"),
            boundary("hit", "a", event("error", "refused")),
            task("b"),
            task("c"),
            task("d"),
            end(),
            chain("start", "a", "b", "end"),
            flows("hit>c", "c>end", "any>d", "d>end"),
        ),
        story="start: start {!a, hit} | c",
    ),
    case(
        "error goes outwards until somebody catches it",
        process(
            start(),
            subprocess(
                "out",
                start("so"),
                subprocess(
                    "in",
                    start("si"),
                    task("x"),
                    end("bad", event("error", "broken")),
                    chain("si", "x", "bad"),
                ),
                boundary("wrong", "in", event("error", "other")),
                end("eo"),
                end("ew"),
                chain("so", "in", "eo"),
                flows("wrong>ew"),
            ),
            boundary("hit", "out", event("error", "broken")),
            task("b"),
            task("c"),
            end(),
            chain("start", "out", "b", "end"),
            flows("hit>c", "c>end"),
        ),
        story="""
            start: start so si | x
            x: x {bad, !in, !out, hit} | c
        """,
        clause="13.5.3 Error: propagated to the enclosing contexts",
    ),
    case(
        "error cancels the branches beside it",
        process(
            start(),
            subprocess(
                "a",
                start("s"),
                gateway("f", "parallel"),
                task("x"),
                task("y"),
                end("bad", event("error", "broken")),
                end("e"),
                flows("s>f", "f>x", "f>y", "x>bad", "y>e"),
            ),
            boundary("hit", "a", event("error", "broken")),
            task("b"),
            task("c"),
            end(),
            chain("start", "a", "b", "end"),
            flows("hit>c", "c>end"),
        ),
        story="""
            start: start s | x y
            x: x {bad, !y, !a, hit} | c
        """,
        clause="13.5.3 Error: all other activity of the sub-process is cancelled",
    ),
    case(
        "an error boundary event that does not interrupt is refused",
        process(
            start(),
            fails("a"),
            boundary("hit", "a", event("error", "refused"), interrupting=False),
            task("b"),
            end(),
            end("e2"),
            chain("start", "a", "b", "end"),
            flows("hit>e2"),
        ),
        refused="* at hit",
        clause="table 10.93: an error boundary event always cancels",
    ),
    case(
        "escalation thrown inside is caught at the border, the inside goes on",
        process(
            start(),
            subprocess(
                "a",
                start("s"),
                throw("up", event("escalation", "late")),
                task("x"),
                end("e"),
                chain("s", "up", "x", "e"),
            ),
            boundary("hit", "a", event("escalation", "late"), interrupting=False),
            tell("c"),
            task("b"),
            end(),
            end("e2"),
            chain("start", "a", "b", "end"),
            chain("hit", "c", "e2"),
        ),
        story="""
            start: start s {up, hit c e2} | x
            x: x e a | b
        """,
        clause="13.5.3 Escalation: not interrupting, both go on",
    ),
    case(
        "escalation that interrupts ends the inside",
        process(
            start(),
            subprocess(
                "a",
                start("s"),
                task("x"),
                throw("up", event("escalation", "late")),
                task("y"),
                end("e"),
                chain("s", "x", "up", "y", "e"),
            ),
            boundary("hit", "a", event("escalation", "late")),
            task("c"),
            task("b"),
            end(),
            chain("start", "a", "b", "end"),
            chain("hit", "c", "end"),
        ),
        story="""
            start: start s | x
            x: x {up, hit, !a} | c
            c: c end | done
        """,
        clause="13.5.3 Escalation: an interrupting boundary event cancels the activity",
    ),
    case(
        "escalation end event, not interrupting: the inside ends by itself",
        process(
            start(),
            subprocess("a", start("s"), task("x"), end("up", event("escalation", "late")), chain("s", "x", "up")),
            boundary("hit", "a", event("escalation", "late"), interrupting=False),
            tell("c"),
            task("b"),
            end(),
            end("e2"),
            chain("start", "a", "b", "end"),
            chain("hit", "c", "e2"),
        ),
        story="""
            start: start s | x
            x: x {up a, hit c e2} | b
        """,
        clause="13.5.3 Escalation; the other flow of the sub-process is not touched",
    ),
    case(
        "escalation end event, interrupting: the other way is not taken",
        process(
            start(),
            subprocess("a", start("s"), task("x"), end("up", event("escalation", "late")), chain("s", "x", "up")),
            boundary("hit", "a", event("escalation", "late")),
            task("c"),
            task("b"),
            end(),
            chain("start", "a", "b", "end"),
            chain("hit", "c", "end"),
        ),
        story="""
            start: start s | x
            x: x {up, hit, !a} | c
        """,
    ),
    case(
        "escalation out of a called process",
        process(
            start(),
            call("a", "q"),
            boundary("hit", "a", event("escalation", "late"), interrupting=False),
            task("c"),
            task("b"),
            end(),
            end("e2"),
            chain("start", "a", "b", "end"),
            chain("hit", "c", "e2"),
        ),
        process(
            start("s"),
            throw("up", event("escalation", "late")),
            task("x"),
            end("e"),
            chain("s", "up", "x", "e"),
            key="q",
        ),
        story="""
            start: start s {up, hit} | x c
            x: x e a | b c
            c: c e2 | b
        """,
        clause="13.5.3 Escalation",
    ),
    case(
        "escalation that nobody catches changes nothing",
        process(
            start(),
            throw("up", event("escalation", "late")),
            task("x"),
            end("e"),
            chain("start", "up", "x", "e"),
        ),
        story="start: start up | x",
        clause="13.5.3 Escalation: unresolved, the flow goes on",
    ),
    case(
        "signal thrown inside reaches the border of its own sub-process, not interrupting",
        process(
            start(),
            subprocess(
                "a",
                start("s"),
                throw("shout", event("signal", "s")),
                task("x"),
                end("e"),
                chain("s", "shout", "x", "e"),
            ),
            boundary("hit", "a", event("signal", "s"), interrupting=False),
            tell("c"),
            task("b"),
            end(),
            end("e2"),
            chain("start", "a", "b", "end"),
            chain("hit", "c", "e2"),
        ),
        story="start: start s {shout, hit c e2} | x hit",
        clause="13.5.3 Signal: all catching events that are active",
    ),
    case(
        "signal thrown inside interrupts its own sub-process",
        process(
            start(),
            subprocess(
                "a",
                start("s"),
                task("x"),
                throw("shout", event("signal", "s")),
                task("y"),
                end("e"),
                chain("s", "x", "shout", "y", "e"),
            ),
            boundary("hit", "a", event("signal", "s")),
            task("c"),
            task("b"),
            end(),
            chain("start", "a", "b", "end"),
            chain("hit", "c", "end"),
        ),
        story="""
            start: start s | x hit
            x: x {shout, hit, !a} | c
            c: c end | done
        """,
        clause="13.5.3 Signal",
    ),
    case(
        "a message that does not interrupt is heard every time",
        process(
            start(),
            task("a"),
            boundary("hit", "a", event("message", "m"), interrupting=False),
            task("c"),
            end(),
            end("e2"),
            chain("start", "a", "end"),
            chain("hit", "c", "e2"),
        ),
        story="""
            start: start | a hit
            message m: hit | a c hit
            message m: hit | a c c hit
            message m: hit | a c c c hit
            a: a end | c c c
            c: c e2 | c c
            c: c e2 | c
            c: c e2 | done
        """,
        clause="13.5.3: any number of times while the activity is active",
    ),
    case(
        "two timers and a message on one task",
        process(
            start(),
            task("a"),
            boundary("t1", "a", timer("PT1H"), interrupting=False),
            boundary("t2", "a", timer("PT2H")),
            boundary("m1", "a", event("message", "m"), interrupting=False),
            tell("c1"),
            tell("c2"),
            tell("c3"),
            end(),
            end("f1"),
            end("f2"),
            end("f3"),
            chain("start", "a", "end"),
            chain("t1", "c1", "f1"),
            chain("t2", "c2", "f2"),
            chain("m1", "c3", "f3"),
        ),
        story="""
            start: start | a t1@PT1H t2@PT2H m1
            after PT1H: t1 c1 f1 | a t2@PT1H m1
            message m: m1 c3 f3 | a t2@PT1H m1
            after PT1H: {t2, !a} c2 f2 | done
            says c1 c3 c2
        """,
    ),
    case(
        "an event on the outside beats one on the inside",
        process(
            start(),
            subprocess(
                "a",
                start("s"),
                task("x"),
                boundary("inner", "x", event("signal", "s")),
                task("y"),
                end("e"),
                chain("s", "x", "e"),
                chain("inner", "y", "e"),
            ),
            boundary("outer", "a", event("signal", "t")),
            task("b"),
            task("c"),
            end(),
            chain("start", "a", "b", "end"),
            chain("outer", "c", "end"),
        ),
        story="""
            start: start s | x inner outer
            signal s: {inner, !x} | y outer
            signal t: {outer, !y, !a} | c
        """,
    ),
    case(
        "back to the same task: its events are armed anew",
        process(
            start(),
            gateway("m"),
            task("a"),
            boundary("late", "a", timer("PT1H")),
            task("w"),
            end(),
            flows("start>m", "m>a", "a>end", "late>w", "w>m"),
        ),
        story="""
            start: start | a late@PT1H
            after PT1H: {late, !a} | w
            w: w | a late@PT1H
            after PT30M: | a late@PT30M
            a: a end | done
        """,
        patterns="10",
    ),
    case(
        "a side branch may go on when the activity is over",
        process(
            start(),
            task("a"),
            boundary("hit", "a", timer("PT1H"), interrupting=False),
            task("c"),
            end(),
            end("e2"),
            chain("start", "a", "end"),
            chain("hit", "c", "e2"),
        ),
        story="""
            start: start | a hit
            after PT1H: hit | a c
            a: a end | c
            c: c e2 | done
        """,
    ),
    case(
        "a cancel event is refused",
        process(
            start(),
            node(
                "transaction",
                "a",
                start("s") + task("x") + end("e", "<bpmn:cancelEventDefinition/>") + chain("s", "x", "e"),
            ),
            boundary("hit", "a", "<bpmn:cancelEventDefinition/>"),
            task("b"),
            end(),
            chain("start", "a", "b", "end"),
            flows("hit>end"),
        ),
        refused="cancel-event at hit",
        clause="13.5.3 Cancel: no transactions across systems in a desk",
    ),
    case(
        "a link on a border is refused",
        process(
            start(),
            task("a"),
            boundary("hit", "a", '<bpmn:linkEventDefinition name="l"/>'),
            end(),
            chain("start", "a", "end"),
            flows("hit>end"),
        ),
        refused="* at hit",
        clause="table 10.93: no link boundary events",
    ),
    case(
        "a boundary event without a trigger is refused",
        process(start(), task("a"), boundary("hit", "a", ""), end(), chain("start", "a", "end"), flows("hit>end")),
        refused="* at hit",
        clause="table 10.93: no none boundary events",
    ),
    case(
        "a boundary event with two triggers is refused",
        process(
            start(),
            task("a"),
            boundary("hit", "a", timer("PT1H") + event("message", "m")),
            end(),
            chain("start", "a", "end"),
            flows("hit>end"),
        ),
        refused="single-event-definition at hit",
        clause="10.5.6 Multiple: allowed by the standard, not offered",
    ),
    case(
        "a flow into a boundary event is refused",
        process(
            start(),
            task("a"),
            boundary("hit", "a", timer("PT1H")),
            task("b"),
            end(),
            chain("start", "a", "b", "end"),
            flows("hit>end", "b>hit"),
        ),
        refused="flow-into-start at hit",
        clause="10.5.4: a boundary event must not have incoming flows",
    ),
    case(
        "an asynchronous task with a timer: whichever is first",
        process(
            start(),
            service("a", "test.note", text="'a'", extension='<desk:job async="true" retries="3"/>'),
            LATE,
            task("b"),
            task("c"),
            end(),
            chain("start", "a", "b", "end"),
            flows("late>c", "c>end"),
        ),
        story="""
            start: start | a late
            jump PT2H: a | b
            says a
        """,
    ),
]

CASES = [*MATRIX, *CODED, *OTHERS]
