"""Events in the flow: timers and cycles, messages, signals, conditions, links, compensation; starts of instances."""

from tests.conformance.case import case
from tests.conformance.sketch import compensate, conditional, link, process, starts, task, tell, undo
from tests.engine.drawings import (
    boundary,
    catch,
    chain,
    end,
    event,
    flows,
    gateway,
    start,
    subprocess,
    throw,
    timer,
)


def waits_for(definition: str) -> bytes:
    return process(start(), catch("w", definition), task("a"), end(), chain("start", "w", "a", "end"))


def reminded(text: str, kind: str = "timeCycle") -> bytes:
    """A task with a timer beside it that tells."""
    return process(
        start(),
        task("a"),
        boundary("hit", "a", timer(text, kind), interrupting=False),
        tell("c"),
        end(),
        end("e2"),
        chain("start", "a", "end"),
        chain("hit", "c", "e2"),
    )


def begins(definition: str) -> bytes:
    """A process that is started by an event."""
    return process(starts("go", definition), task("a"), end(), chain("go", "a", "end"))


OTHER = process(
    start("s"), task("x"), throw("call", event("message", "m")), end("e"), chain("s", "x", "call", "e"), key="q"
)
LOUD = process(
    start("s"), task("x"), throw("call", event("signal", "sig")), end("e"), chain("s", "x", "call", "e"), key="q"
)

TIMERS = [
    case(
        "timer: a duration",
        waits_for(timer("PT1H")),
        story="""
            start: start | w@PT1H
            after PT59M59S: | w@PT1S
            after PT1S: w | a
        """,
        clause="13.5.2, table 10.101 timeDuration",
    ),
    case(
        "timer: a date",
        waits_for(timer("2026-03-16T12:00:00+03:00", "timeDate")),
        story="""
            start: start | w@PT0S
            work: w | a
        """,
        clause="table 10.101 timeDate; the zone counts",
    ),
    case(
        "timer: a date that is past fires at once",
        waits_for(timer("2026-03-16T08:59:00Z", "timeDate")),
        story="""
            start: start | w
            work: w | a
        """,
    ),
    case(
        "timer: an expression is computed when the wait begins",
        process(
            start(),
            task("z"),
            catch("w", timer("=duration(text)")),
            task("a"),
            end(),
            chain("start", "z", "w", "a", "end"),
        ),
        story="""
            start text=PT1H: start | z
            z text=PT2H: z | w@PT2H
            after PT2H: w | a
        """,
    ),
    case(
        "timer: late workers lose nothing",
        waits_for(timer("PT1H")),
        story="""
            start: start | w
            jump P3D: w | a
        """,
    ),
    case(
        "cycle: as often as it says",
        reminded("R3/PT10M"),
        story="""
            start: start | a hit@PT10M
            after PT10M: hit c e2 | a hit@PT10M
            after PT20M: hit c e2 hit c e2 | a
            after P1D: | a
            a: a end | done
        """,
        clause="table 10.101 timeCycle; ISO 8601 R3/…",
    ),
    case(
        "cycle: missed periods are one firing, the beat is kept",
        reminded("R9/PT1H"),
        story="""
            start: start | a hit@PT1H
            jump PT3H30M: hit c e2 | a hit@PT30M
            after PT30M: hit c e2 | a hit@PT1H
        """,
        clause="bounded cycles with missed periods collapsed (the desk's own promise)",
    ),
    case(
        "cycle: missed periods count against the bound",
        reminded("R3/PT1H"),
        story="""
            start: start | a hit@PT1H
            jump PT2H30M: hit c e2 | a hit@PT30M
            after P1D: hit c e2 | a
        """,
        clause="the bound counts periods, not firings",
    ),
    case(
        "cycle: all periods missed, one firing",
        reminded("R3/PT1H"),
        story="""
            start: start | a hit
            jump P3D: hit c e2 | a
            after P3D: | a
        """,
    ),
    case(
        "cycle: ends with its activity",
        reminded("R3/PT1H"),
        story="""
            start: start | a hit
            after PT1H: hit c e2 | a hit
            a: a end | done
        """,
    ),
    case(
        "cycle: without a bound beside a task is refused",
        reminded("R/PT10M"),
        refused="endless-cycle at hit",
        clause="allowed by the standard; a desk must not remind for ever",
    ),
    case(
        "cycle: in the flow is refused",
        waits_for(timer("R3/PT10M", "timeCycle")),
        refused="timer-cycle-place at w",
        clause="a wait in the flow happens once",
    ),
    case(
        "timer: without a time is refused",
        waits_for("<bpmn:timerEventDefinition/>"),
        refused="timer-count at w",
        clause="table 10.101: one of date, cycle, duration",
    ),
    case(
        "timer: with two times is refused",
        waits_for(
            "<bpmn:timerEventDefinition><bpmn:timeDate>2026-01-01</bpmn:timeDate>"
            "<bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
        ),
        refused="timer-count at w",
        clause="table 10.101: date, cycle and duration exclude each other",
    ),
    case(
        "timer: text that is no time is refused",
        waits_for(timer("soon")),
        refused="timer-value at w",
    ),
]

MESSAGES = [
    case(
        "message in the flow: waits for its own name",
        waits_for(event("message", "m")),
        story="""
            start: start | w
            message n: | w
            message m x=3: w | a
            ? a: x=3
            message m: | a
        """,
        patterns="23",
        clause="13.5.2 Message intermediate event",
    ),
    case(
        "message thrown in the flow reaches a wait of the same instance",
        process(
            start(),
            gateway("f", "parallel"),
            catch("w", event("message", "m")),
            task("a"),
            throw("t", event("message", "m")),
            task("b"),
            end(),
            flows("start>f", "f>w", "w>b", "b>end", "f>a", "a>t", "t>end"),
        ),
        story="""
            start: start | w a
            a: a {t end, w} | b
        """,
        clause="13.5.2; a message to a participant, here the instance itself",
    ),
    case(
        "message thrown in the flow reaches another instance of the record",
        waits_for(event("message", "m")),
        OTHER,
        story="""
            start: start | w
            begin q: s | w x
            x: {x call e, w} | a
        """,
        needs_host=True,
    ),
    case(
        "message that comes too early is not kept",
        process(
            start(),
            task("z"),
            catch("w", event("message", "m")),
            task("a"),
            end(),
            chain("start", "z", "w", "a", "end"),
        ),
        story="""
            start: start | z
            message m: | z
            z: z | w
            message m: w | a
        """,
        patterns="23",
        clause="transient trigger; the host keeps what it must not lose",
    ),
    case(
        "signal in the flow: everybody who waits",
        process(
            start(),
            gateway("f", "parallel"),
            catch("w1", event("signal", "sig")),
            catch("w2", event("signal", "sig")),
            catch("w3", event("signal", "other")),
            task("a"),
            task("b"),
            end(),
            flows("start>f", "f>w1", "f>w2", "f>w3", "w1>a", "w2>b", "w3>end", "a>end", "b>end"),
        ),
        story="""
            start: start | w1 w2 w3
            signal sig: {w1, w2} | a b w3
        """,
        clause="13.5.2 Signal: broadcast",
    ),
    case(
        "signal is not kept for later",
        process(
            start(),
            task("z"),
            catch("w", event("signal", "sig")),
            task("a"),
            end(),
            chain("start", "z", "w", "a", "end"),
        ),
        story="""
            start: start | z
            signal sig: | z
            z: z | w
        """,
        patterns="23",
    ),
]

CONDITIONS = [
    case(
        "condition in the flow: goes on at once when it holds already",
        waits_for(conditional("n > 1")),
        story="start n=2: start w | a",
        clause="10.5.5 conditional: the condition is evaluated when the event is reached",
    ),
    case(
        "condition in the flow: waits until a fact changes",
        waits_for(conditional("fact.x > 1")),
        story="""
            start: start | w
            let x=1: | w
            let x=2: w | a
        """,
    ),
    case(
        "condition in the flow: waits until another branch changes the data",
        process(
            start(),
            gateway("f", "parallel"),
            catch("w", conditional("coalesce(ready, False)")),
            task("a"),
            task("b"),
            end(),
            flows("start>f", "f>w", "w>b", "b>end", "f>a", "a>end"),
        ),
        story="""
            start: start | w a
            a ready=true: a {end, w} | b
        """,
        clause="10.4, 10.5.5: variables are of the process",
    ),
    case(
        "condition on a border: only when it becomes true, not while it stays",
        process(
            start(),
            task("a"),
            boundary("hit", "a", conditional("fact.x > 1"), interrupting=False),
            tell("c"),
            end(),
            end("e2"),
            chain("start", "a", "end"),
            chain("hit", "c", "e2"),
        ),
        story="""
            start: start | a hit
            let x=2: hit c e2 | a hit
            let x=3: | a hit
            let x=0: | a hit
            let x=5: hit c e2 | a hit
        """,
        clause="10.5.5: triggered when the condition becomes true; false before it can be triggered again",
    ),
    case(
        "condition without a condition is refused",
        waits_for("<bpmn:conditionalEventDefinition/>"),
        refused="* at w",
        clause="table 10.89: condition is required",
    ),
]

LINKS = [
    case(
        "link: from the throw to the catch of the same name",
        process(
            start(),
            task("a"),
            throw("there", link("L")),
            catch("here", link("L")),
            task("b"),
            end(),
            chain("start", "a", "there"),
            chain("here", "b", "end"),
        ),
        story="""
            start: start | a
            a: a there here | b
            b: b end | done
        """,
        clause="10.5.4 Link events: like one sequence flow",
    ),
    case(
        "link: two throws to one catch",
        process(
            start(),
            gateway("x", default="x_t2"),
            throw("t1", link("L")),
            throw("t2", link("L")),
            catch("here", link("L")),
            task("b"),
            end(),
            flows("start>x", "x>t1: n > 1", "x>t2"),
            chain("here", "b", "end"),
        ),
        story="""
            start n=2: start t1 here | b
        """,
        clause="10.5.4: several sources, one target",
    ),
    case(
        "link: back in a loop",
        process(
            start(),
            gateway("m"),
            task("a"),
            gateway("x", default="x_end"),
            throw("there", link("L")),
            catch("here", link("L")),
            end(),
            flows("start>m", "m>a", "a>x", "x>there: again", "x>end", "here>m"),
        ),
        story="""
            start: start | a
            a again=true: a there here | a
            a again=true: a there here | a
            a again=false: a end | done
        """,
        patterns="10",
        clause="10.5.4: links can make loops",
    ),
    case(
        "link: two catches of one name are refused",
        process(
            start(),
            throw("there", link("L")),
            catch("here", link("L")),
            catch("here2", link("L")),
            task("b"),
            end(),
            chain("start", "there"),
            chain("here", "b", "end"),
            flows("here2>b"),
        ),
        refused="* at *",
        clause="10.5.4: there must not be multiple targets",
    ),
    case(
        "link: a throw without a catch is refused",
        process(
            start(), throw("there", link("L")), chain("start", "there"), end(), task("a"), flows("start>a", "a>end")
        ),
        refused="* at there",
        clause="10.5.4: a source needs a target",
    ),
    case(
        "link: a catch without a throw is refused",
        process(start(), task("a"), end(), chain("start", "a", "end"), catch("here", link("L")), flows("here>a")),
        refused="* at here",
        clause="10.5.4: a target needs a source",
    ),
    case(
        "link: across the border of a sub-process is refused",
        process(
            start(),
            subprocess("sub", start("s"), throw("there", link("L")), chain("s", "there")),
            catch("here", link("L")),
            end(),
            chain("start", "sub", "end"),
            flows("here>end"),
        ),
        refused="* at *",
        clause="10.5.4: within one process level only",
    ),
    case(
        "link: without a name is refused",
        process(
            start(),
            throw("there", "<bpmn:linkEventDefinition/>"),
            catch("here", "<bpmn:linkEventDefinition/>"),
            end(),
            chain("start", "there"),
            flows("here>end"),
        ),
        refused="* at *",
        clause="table 10.98: name is required",
    ),
]

COMPENSATION = [
    case(
        "compensation: what was completed is undone, the last first",
        process(
            start(),
            tell("one"),
            undo("one", "undo_one"),
            tell("two"),
            undo("two", "undo_two"),
            task("a"),
            throw("back", compensate()),
            task("b"),
            end(),
            chain("start", "one", "two", "a", "back", "b", "end"),
        ),
        story="""
            start: start one two | a
            says one two
            a: a {back, undo_two undo_one} | b
            says undo_two undo_one
        """,
        clause="13.5.5 Compensation: reverse order of completion",
    ),
    case(
        "compensation: of one activity by name",
        process(
            start(),
            tell("one"),
            undo("one", "undo_one"),
            tell("two"),
            undo("two", "undo_two"),
            task("a"),
            throw("back", compensate("one")),
            task("b"),
            end(),
            chain("start", "one", "two", "a", "back", "b", "end"),
        ),
        story="""
            start: start one two | a
            a: a {back, undo_one} | b
            says one two undo_one
        """,
        clause="13.5.5: activityRef",
    ),
    case(
        "compensation: what was not completed is not undone",
        process(
            start(),
            gateway("x", default="x_two"),
            tell("one"),
            undo("one", "undo_one"),
            tell("two"),
            undo("two", "undo_two"),
            task("a"),
            throw("back", compensate()),
            task("b"),
            end(),
            flows("start>x", "x>one: n > 1", "x>two", "one>a", "two>a", "a>back", "back>b", "b>end"),
        ),
        story="""
            start n=2: start one | a
            a: a {back, undo_one} | b
            says one undo_one
        """,
        clause="13.5.5: only completed activities",
    ),
    case(
        "compensation: twice done, twice undone",
        process(
            start(),
            gateway("m"),
            tell("one", "n"),
            undo("one", "undo_one"),
            task("a"),
            gateway("x", default="x_back"),
            throw("back", compensate()),
            task("b"),
            end(),
            flows("start>m", "m>one", "one>a", "a>x", "x>m: again", "x>back", "back>b", "b>end"),
        ),
        story="""
            start n=1: start one | a
            a again=true n=2: a one | a
            a again=false: a {back, undo_one undo_one} | b
        """,
        clause="13.5.5: as often as it was completed",
    ),
    case(
        "compensation: undone once, not again",
        process(
            start(),
            tell("one"),
            undo("one", "undo_one"),
            task("a"),
            throw("back", compensate()),
            task("b"),
            throw("back2", compensate()),
            task("c"),
            end(),
            chain("start", "one", "a", "back", "b", "back2", "c", "end"),
        ),
        story="""
            start: start one | a
            a: a {back, undo_one} | b
            b: b back2 | c
            says one undo_one
        """,
        clause="13.5.5: a handler runs once for each completion",
    ),
    case(
        "compensation: an end event",
        process(
            start(),
            tell("one"),
            undo("one", "undo_one"),
            task("a"),
            end("back", compensate()),
            chain("start", "one", "a", "back"),
        ),
        story="""
            start: start one | a
            a: a {back, undo_one} | done
            says one undo_one
        """,
        clause="10.5.3 Compensation End Event",
    ),
    case(
        "compensation: nothing to undo",
        process(
            start(),
            task("a"),
            throw("back", compensate()),
            task("b"),
            end(),
            chain("start", "a", "back", "b", "end"),
        ),
        story="""
            start: start | a
            a: a back | b
        """,
    ),
    case(
        "compensation: inside its own sub-process only",
        process(
            start(),
            tell("one"),
            undo("one", "undo_one"),
            subprocess(
                "sub",
                start("s"),
                tell("two"),
                undo("two", "undo_two"),
                task("a"),
                throw("back", compensate()),
                task("b"),
                end("e"),
                chain("s", "two", "a", "back", "b", "e"),
            ),
            end(),
            chain("start", "one", "sub", "end"),
        ),
        story="""
            start: start one s two | a
            a: a {back, undo_two} | b
            says one two undo_two
        """,
        clause="13.5.5: the activities of the sub-process that throws",
    ),
    case(
        "compensation: of a completed sub-process with what was done in it",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                tell("one"),
                undo("one", "undo_one"),
                tell("two"),
                undo("two", "undo_two"),
                end("e"),
                chain("s", "one", "two", "e"),
            ),
            task("a"),
            throw("back", compensate()),
            task("b"),
            end(),
            chain("start", "sub", "a", "back", "b", "end"),
        ),
        story="""
            start: start s one two e sub | a
            a: a {back, undo_two undo_one} | b
        """,
        clause="13.5.5: default compensation, recursively in reverse order",
    ),
]

STARTS = [
    case(
        "start by a message: one that nobody waits for begins an instance",
        begins(event("message", "m")),
        story="""
            message m x=5: go | a
            ? a: x=5
            message m: go | a a
            a: a end | a
            a: a end | done
        """,
        needs_host=True,
        clause="13.2 Process instantiation; 13.5.1 Message Start Event",
    ),
    case(
        "start by a signal: one instance of each process that listens",
        begins(event("signal", "sig")),
        process(starts("go2", event("signal", "sig")), task("b"), end("e2"), chain("go2", "b", "e2"), key="q"),
        story="""
            signal sig: {go, go2} | a b
            b: b e2 | a
        """,
        needs_host=True,
        clause="13.5.1 Signal Start Event",
    ),
    case(
        "start by a message that another process throws",
        begins(event("message", "m")),
        OTHER,
        story="""
            begin q: s | x
            x: {x call e, go} | a
        """,
        needs_host=True,
    ),
    case(
        "start by a signal that another process throws",
        begins(event("signal", "sig")),
        LOUD,
        story="""
            begin q: s | x
            x: {x call e, go} | a
        """,
        needs_host=True,
    ),
    case(
        "start by time: an instance for each period",
        begins(timer("R3/P1D", "timeCycle")),
        story="""
            after P1D: go | a
            after P1D: go | a a
            a: a end | a
        """,
        needs_host=True,
        clause="13.5.1 Timer Start Event: a new instance each time",
    ),
    case(
        "start by time: missed periods are one instance, the beat is kept",
        begins(timer("R9/P1D", "timeCycle")),
        story="""
            jump P3DT12H: go | a
            after PT12H: go | a a
        """,
        needs_host=True,
        clause="bounded cycles with missed periods collapsed (the desk's own promise)",
    ),
    case(
        "start by time: once at an instant",
        begins(timer("2026-03-16T10:00:00Z", "timeDate")),
        story="""
            after PT1H: go | a
            after P9D: | a
        """,
        needs_host=True,
    ),
    case(
        "a start by a message beside a plain one: a line begins with the plain one",
        process(
            start(),
            starts("go", event("message", "m")),
            task("a"),
            task("b"),
            end(),
            flows("start>a", "go>b", "a>end", "b>end"),
        ),
        story="""
            start: start | a
            message m: go | a b
        """,
        needs_host=True,
        clause="13.2: each start event begins an instance of its own",
    ),
    case(
        "start by an error outside an event sub-process is refused",
        begins(event("error", "broken")),
        refused="* at go",
        clause="table 10.86: only in event sub-processes",
    ),
    case(
        "start by an escalation outside an event sub-process is refused",
        begins(event("escalation", "late")),
        refused="* at go",
        clause="table 10.86: only in event sub-processes",
    ),
    case(
        "start by compensation outside an event sub-process is refused",
        begins(compensate()),
        refused="* at go",
        clause="table 10.86: only in event sub-processes",
    ),
]

PLACES = [
    case(
        "an intermediate catch of an error is refused",
        waits_for(event("error", "broken")),
        refused="* at w",
        clause="table 10.93: error only on borders",
    ),
    case(
        "an intermediate catch of an escalation is refused",
        waits_for(event("escalation", "late")),
        refused="* at w",
        clause="table 10.93: escalation only on borders",
    ),
    case(
        "an intermediate catch of nothing is refused",
        waits_for(""),
        refused="* at w",
        clause="table 10.93: none is a throw event",
    ),
    case(
        "an intermediate throw of a timer is refused",
        process(start(), throw("t", timer("PT1H")), task("a"), end(), chain("start", "t", "a", "end")),
        refused="* at t",
        clause="table 10.93: timers are caught, never thrown",
    ),
    case(
        "an intermediate throw of an error is refused",
        process(start(), throw("t", event("error", "broken")), task("a"), end(), chain("start", "t", "a", "end")),
        refused="* at t",
        clause="table 10.93: errors are thrown by end events",
    ),
    case(
        "a timer end is refused",
        process(start(), task("a"), end("end", timer("PT1H")), chain("start", "a", "end")),
        refused="* at end",
        clause="table 10.88 end events",
    ),
    case(
        "a flow out of an end is refused",
        process(start(), task("a"), end(), task("b"), chain("start", "a", "end", "b")),
        refused="flow-from-end at *",
        clause="10.5.3: no outgoing flows",
    ),
    case(
        "a flow into a start is refused",
        process(start(), task("a"), end(), chain("start", "a", "end"), flows("a>start")),
        refused="flow-into-start at *",
        clause="10.5.2: no incoming flows",
    ),
    case(
        "several triggers of a start are refused",
        begins(event("message", "m") + event("signal", "sig")),
        refused="single-event-definition at go",
        clause="10.5.2 Multiple: allowed by the standard, not offered",
    ),
    case(
        "a parallel multiple catch is refused",
        process(
            start(),
            catch("w", event("message", "m") + event("message", "n")),
            task("a"),
            end(),
            chain("start", "w", "a", "end"),
        ).replace(
            b'<bpmn:intermediateCatchEvent id="w"', b'<bpmn:intermediateCatchEvent id="w" parallelMultiple="true"'
        ),
        refused="single-event-definition at w",
        clause="10.5.4 Parallel Multiple: not offered",
    ),
]

CASES = [*TIMERS, *MESSAGES, *CONDITIONS, *LINKS, *COMPENSATION, *STARTS, *PLACES]
