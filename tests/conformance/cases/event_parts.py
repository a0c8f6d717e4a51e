"""Event sub-processes: every start, interrupting and not, in a process, in a sub-process, in a called process."""

from __future__ import annotations

from tests.conformance.case import Case, case
from tests.conformance.sketch import conditional, event_part, fails, many, process, starts, task, tell
from tests.engine.drawings import (
    TERMINATE,
    boundary,
    call,
    chain,
    end,
    event,
    flows,
    gateway,
    script,
    start,
    subprocess,
    throw,
    timer,
)

TRIGGERS = (
    ("message", event("message", "m"), "message m", "ev", "ev"),
    ("signal", event("signal", "s"), "signal s", "ev", "ev"),
    ("timer", timer("PT1H"), "after PT1H", "ev@PT1H", ""),
    ("condition", conditional("fact.x > 1"), "let x=2", "ev", "ev"),
)


def handler(definition: str, *, interrupting: bool = True) -> str:
    """An event sub-process with one user task."""
    return event_part(
        "part",
        starts("ev", definition, interrupting=interrupting),
        task("h"),
        end("he"),
        chain("ev", "h", "he"),
    )


def in_process(definition: str, *, interrupting: bool) -> bytes:
    return process(
        start(), task("a"), end(), chain("start", "a", "end"), handler(definition, interrupting=interrupting)
    )


def in_sub_process(definition: str, *, interrupting: bool) -> bytes:
    return process(
        start(),
        subprocess(
            "sub",
            start("s"),
            task("a"),
            end("e"),
            chain("s", "a", "e"),
            handler(definition, interrupting=interrupting),
        ),
        task("b"),
        end(),
        chain("start", "sub", "b", "end"),
    )


def _matrix() -> list[Case]:
    found = []
    for name, definition, move, wait, again in TRIGGERS:
        found += [
            case(
                f"{name} in a process, interrupting",
                in_process(definition, interrupting=True),
                story=f"""
                    start: start | a {wait}
                    {move}: {{ev, !a}} | h
                    h: h he part | done
                """,
                clause="13.5.4: the parent's other activity is cancelled, then the process ends with the handler",
            ),
            case(
                f"{name} in a process, not interrupting",
                in_process(definition, interrupting=False),
                story=f"""
                    start: start | a {wait}
                    {move}: ev | a h {again}
                    h: h he part | a {again}
                    a: a end | done
                """,
                clause="13.5.4: the parent goes on beside it",
            ),
            case(
                f"{name} in a sub-process, interrupting: the sub-process completes with it",
                in_sub_process(definition, interrupting=True),
                story=f"""
                    start: start s | a {wait}
                    {move}: {{ev, !a}} | h
                    h: h he part sub | b
                    b: b end | done
                """,
                clause="13.5.4: the parent sub-process is then completed in the ordinary way",
            ),
            case(
                f"{name} in a sub-process, not interrupting: the sub-process waits for it",
                in_sub_process(definition, interrupting=False),
                story=f"""
                    start: start s | a {wait}
                    {move}: ev | a h {again}
                    a: a e | h
                    h: h he part sub | b
                """,
                clause="13.5.4: the parent is Completing until its handlers have completed; no new one begins then",
            ),
            case(
                f"{name} is not heard when the sub-process is over",
                in_sub_process(definition, interrupting=True),
                story=f"""
                    start: start s | a {wait}
                    a: a e sub | b
                    {move}: | b
                """,
                clause="13.5.4: the trigger is armed while the parent is active",
            ),
        ]
    return found


BROKEN = end("bad", event("error", "broken"))

CASES = [
    *_matrix(),
    case(
        "a message that does not interrupt is heard every time",
        in_process(event("message", "m"), interrupting=False),
        story="""
            start: start | a ev
            message m: ev | a h ev
            message m: ev | a h h ev
            h: h he part | a h ev
            h: h he part | a ev
            a: a end | done
        """,
        clause="13.5.4: any number of instances beside the parent",
    ),
    case(
        "it is not heard any more while only another handler keeps its parent from its end",
        in_process(event("message", "m"), interrupting=False),
        story="""
            start: start | a ev
            message m: ev | a h ev
            a: a end | h
            message m: | h
            h: h he part | done
        """,
        clause="13.5.4: while the parent is Completing no new event sub-process can be initiated",
    ),
    case(
        "a cycle that does not interrupt starts it every period",
        in_process(timer("R2/PT1H", "timeCycle"), interrupting=False),
        story="""
            start: start | a ev@PT1H
            after PT1H: ev | a h ev@PT1H
            after PT1H: ev | a h h
        """,
        clause="13.5.4; 10.5.5 timeCycle",
    ),
    case(
        "error of the process: handled inside, the process ends with the handler",
        process(start(), task("a"), BROKEN, chain("start", "a", "bad"), handler(event("error", "broken"))),
        story="""
            start: start | a
            a: a {bad, ev} | h
            h: h he part | done
        """,
        clause="13.5.4 error start: always interrupting, the error is not propagated",
    ),
    case(
        "error of a connector: handled inside",
        process(
            start(),
            task("a"),
            fails("bad"),
            end(),
            chain("start", "a", "bad", "end"),
            handler(event("error", "refused")),
        ),
        story="""
            start: start | a
            a: a {!bad, ev} | h
            h: h he part | done
        """,
        clause="13.5.4",
    ),
    case(
        "error with another code passes by",
        process(
            start(),
            subprocess("sub", start("s"), task("a"), BROKEN, chain("s", "a", "bad"), handler(event("error", "other"))),
            boundary("hit", "sub", event("error", "broken")),
            task("c"),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
            flows("hit>c", "c>end"),
        ),
        story="""
            start: start s | a
            a: a {bad, hit, !sub} | c
        """,
        clause="13.5.4: the code must match",
    ),
    case(
        "error: the handler inside wins over the border",
        process(
            start(),
            subprocess("sub", start("s"), task("a"), BROKEN, chain("s", "a", "bad"), handler(event("error", "broken"))),
            boundary("hit", "sub", event("error", "broken")),
            task("c"),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
            flows("hit>c", "c>end"),
        ),
        story="""
            start: start s | a
            a: a {bad, ev} | h
            h: h he part sub | b
        """,
        clause="13.5.4: event sub-processes are inside, the border is only asked for what they leave",
    ),
    case(
        "error: a handler that throws it again hands it to the border",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                task("a"),
                BROKEN,
                chain("s", "a", "bad"),
                event_part(
                    "part",
                    starts("ev", event("error", "broken")),
                    task("h"),
                    end("again", event("error", "broken")),
                    chain("ev", "h", "again"),
                ),
            ),
            boundary("hit", "sub", event("error", "broken")),
            task("c"),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
            flows("hit>c", "c>end"),
        ),
        story="""
            start: start s | a
            a: a {bad, ev} | h
            h: h {again, hit, !sub, !part} | c
        """,
        clause="13.5.4, 13.5.3 Error: an event sub-process does not catch its own error",
    ),
    case(
        "error cancels what runs beside it in the process",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            BROKEN,
            end(),
            flows("start>f", "f>a", "f>b", "a>bad", "b>end"),
            handler(event("error", "broken")),
        ),
        story="""
            start: start | a b
            a: a {bad, ev, !b} | h
            h: h he part | done
        """,
        clause="13.5.4",
    ),
    case(
        "error of an inner sub-process is handled by the process",
        process(
            start(),
            subprocess("sub", start("s"), task("a"), BROKEN, chain("s", "a", "bad")),
            end(),
            chain("start", "sub", "end"),
            handler(event("error", "broken")),
        ),
        story="""
            start: start s | a
            a: a {bad, !sub, ev} | h
            h: h he part | done
        """,
        clause="13.5.4, 13.5.3: outwards to the nearest that catches",
    ),
    case(
        "escalation beside: the thrower goes on",
        process(
            start(),
            throw("up", event("escalation", "late")),
            task("a"),
            end(),
            chain("start", "up", "a", "end"),
            handler(event("escalation", "late"), interrupting=False),
        ),
        story="""
            start: start {up, ev} | a h
            a: a end | h
            h: h he part | done
        """,
        clause="13.5.4 escalation start",
    ),
    case(
        "escalation that interrupts: the thrower ends",
        process(
            start(),
            task("z"),
            throw("up", event("escalation", "late")),
            task("a"),
            end(),
            chain("start", "z", "up", "a", "end"),
            handler(event("escalation", "late")),
        ),
        story="""
            start: start | z
            z: z {up, ev} | h
            h: h he part | done
        """,
        clause="13.5.4",
    ),
    case(
        "escalation of an inner sub-process is handled by the process, not interrupting",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                throw("up", event("escalation", "late")),
                task("a"),
                end("e"),
                chain("s", "up", "a", "e"),
            ),
            end(),
            chain("start", "sub", "end"),
            handler(event("escalation", "late"), interrupting=False),
        ),
        story="""
            start: start s {up, ev} | a h
            h: h he part | a
            a: a e sub end | done
        """,
        clause="13.5.4",
    ),
    case(
        "in a called process",
        process(start(), call("sub", "q"), task("b"), end(), chain("start", "sub", "b", "end")),
        process(start("s"), task("a"), end("e"), chain("s", "a", "e"), handler(event("message", "m")), key="q"),
        story="""
            start: start s | a ev
            message m: {ev, !a} | h
            h: h he part sub | b
        """,
    ),
    case(
        "automatic, not interrupting: beside the task, again and again",
        process(
            start(),
            task("a"),
            end(),
            chain("start", "a", "end"),
            event_part(
                "part",
                starts("ev", event("message", "m"), interrupting=False),
                tell("h", "n"),
                end("he"),
                chain("ev", "h", "he"),
            ),
        ),
        story="""
            start: start | a ev
            message m n=1: ev h he part | a ev
            message m n=2: ev h he part | a ev
            says 1 2
        """,
    ),
    case(
        "what its event brought is known inside it",
        in_process(event("message", "m"), interrupting=True),
        story="""
            start n=1: start | a ev
            message m x=5: {ev, !a} | h
            ? h: n=1 x=5
        """,
        clause="10.4: the data of the process, and of the message",
    ),
    case(
        "two event sub-processes: one interrupts the other and the process",
        process(
            start(),
            task("a"),
            end(),
            chain("start", "a", "end"),
            event_part(
                "p1",
                starts("ev1", event("message", "m1"), interrupting=False),
                task("h1"),
                end("he1"),
                chain("ev1", "h1", "he1"),
            ),
            event_part("p2", starts("ev2", event("message", "m2")), task("h2"), end("he2"), chain("ev2", "h2", "he2")),
        ),
        story="""
            start: start | a ev1 ev2
            message m1: ev1 | a h1 ev1 ev2
            message m2: {ev2, !a, !h1, !p1} | h2
            h2: h2 he2 p2 | done
        """,
        clause="13.5.4: all other activity within the parent is cancelled",
    ),
    case(
        "an event on the border of its parent cancels a handler under way",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                task("a"),
                end("e"),
                chain("s", "a", "e"),
                handler(event("message", "m"), interrupting=False),
            ),
            boundary("late", "sub", timer("PT2H")),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
            flows("late>end"),
        ),
        story="""
            start: start s | a ev late@PT2H
            message m: ev | a h ev late
            after PT2H: {late, !a, !h, !part, !sub} end | done
        """,
    ),
    case(
        "a terminate end inside ends the handler alone",
        process(
            start(),
            task("a"),
            end(),
            chain("start", "a", "end"),
            event_part(
                "part",
                starts("ev", event("message", "m"), interrupting=False),
                gateway("f", "parallel"),
                task("h"),
                task("k"),
                end("stop", TERMINATE),
                end("he"),
                flows("ev>f", "f>h", "f>k", "h>stop", "k>he"),
            ),
        ),
        story="""
            start: start | a ev
            message m: ev | a h k ev
            h: h {stop, !k} part | a ev
        """,
        clause="13.5.6 Terminate: the innermost process or sub-process that contains it",
    ),
    case(
        "a terminate end of the process takes the handlers with it",
        process(
            start(),
            task("a"),
            end("stop", TERMINATE),
            chain("start", "a", "stop"),
            handler(event("message", "m"), interrupting=False),
        ),
        story="""
            start: start | a ev
            message m: ev | a h ev
            a: a {stop, !h, !part} | done
        """,
        clause="13.5.6 Terminate",
    ),
    case(
        "in each instance of a multi-instance sub-process",
        process(
            start(),
            subprocess(
                "sub",
                many("2"),
                start("s"),
                task("a"),
                end("e"),
                chain("s", "a", "e"),
                handler(event("message", "m")),
            ),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
        ),
        story="""
            start: start s s | a a ev ev
            message m: {ev, ev, !a, !a} | h h
            h: h he part sub | h
            h: h he part sub | b
        """,
        clause="13.5.4, 13.3.7",
    ),
    case(
        "a condition on the variables of the process, not on facts of the host",
        process(
            start(),
            task("a"),
            script("set", "n = n + 1"),
            task("b"),
            end(),
            chain("start", "a", "set", "b", "end"),
            handler(conditional("n > 1")),
        ),
        story="""
            start n=1: start | a ev
            a: a set {ev, !b} | h
        """,
        clause="10.5.5 conditional: becomes true; asked again when data have changed",
    ),
    case(
        "in a loop: armed anew in every lap",
        process(
            start(),
            gateway("m"),
            subprocess("sub", start("s"), task("a"), end("e"), chain("s", "a", "e"), handler(timer("PT1H"))),
            gateway("x", default="x_end"),
            end(),
            flows("start>m", "m>sub", "sub>x", "x>m: again", "x>end"),
        ),
        story="""
            start again=true: start s | a ev@PT1H
            after PT1H: {ev, !a} | h
            h: h he part {sub, s} | a ev@PT1H
            a again=false: a e sub end | done
        """,
        patterns="10",
    ),
    case(
        "two start events in it are refused",
        process(
            start(),
            task("a"),
            end(),
            chain("start", "a", "end"),
            event_part(
                "part",
                starts("ev", event("message", "m")),
                starts("ev2", event("message", "n")),
                end("he"),
                chain("ev", "he"),
                flows("ev2>he"),
            ),
        ),
        refused="event-sub-process-start at *",
        clause="10.3.5: an event sub-process has one start event",
    ),
    case(
        "a plain start in it is refused",
        process(
            start(),
            task("a"),
            end(),
            chain("start", "a", "end"),
            event_part("part", start("ev"), end("he"), chain("ev", "he")),
        ),
        refused="* at *",
        clause="10.3.5: the start event must have a trigger",
    ),
    case(
        "flows into it are refused",
        process(
            start(),
            task("a"),
            end(),
            chain("start", "a", "part", "end"),
            event_part("part", starts("ev", event("message", "m")), end("he"), chain("ev", "he")),
        ),
        refused="* at *",
        clause="10.3.5: no incoming or outgoing sequence flows",
    ),
    case(
        "a boundary event on it is refused",
        process(
            start(),
            task("a"),
            end(),
            chain("start", "a", "end"),
            event_part("part", starts("ev", event("message", "m")), end("he"), chain("ev", "he")),
            boundary("hit", "part", timer("PT1H")),
            end("e2"),
            flows("hit>e2"),
        ),
        refused="* at *",
        clause="10.3.5: an event sub-process has no boundary events",
    ),
    case(
        "an error start that does not interrupt is refused",
        process(
            start(),
            task("a"),
            BROKEN,
            chain("start", "a", "bad"),
            handler(event("error", "broken"), interrupting=False),
        ),
        refused="* at *",
        clause="table 10.86: error start events always interrupt",
    ),
]
