"""Constructs within constructs: what an interruption, an end or a throw reaches when it is nested."""

from tests.conformance.case import case
from tests.conformance.sketch import compensate, conditional, event_part, fails, many, process, starts, task, tell, undo
from tests.engine.drawings import (
    TERMINATE,
    boundary,
    call,
    catch,
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

BROKEN = end("bad", event("error", "broken"))

CASES = [
    case(
        "an interruption reaches instances, calls and waits three levels down",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                gateway("f", "parallel"),
                task("m", inner=many("2")),
                call("c", "q"),
                gateway("g", "eventBased"),
                catch("w1", event("message", "w")),
                catch("w2", timer("PT1H")),
                end("e"),
                flows("s>f", "f>m", "f>c", "f>g", "m>e", "c>e", "g>w1", "g>w2", "w1>e", "w2>e"),
            ),
            boundary("stop", "sub", event("message", "stop")),
            task("b"),
            end(),
            chain("start", "sub", "end"),
            flows("stop>b", "b>end"),
        ),
        process(
            start("qs"),
            subprocess("deep", start("ds"), task("x"), end("de"), chain("ds", "x", "de")),
            end("qe"),
            chain("qs", "deep", "qe"),
            key="q",
        ),
        story="""
            start: {start s qs ds} | m m x g g@PT1H stop
            message stop: {stop, !m, !m, !x, !deep, !c, !sub} | b
            after PT2H: | b
            message w: | b
        """,
        clause="13.5.3: cancelling an activity cancels everything in it",
    ),
    case(
        "terminate in one instance of many ends that instance alone",
        process(
            start(),
            node(
                "subProcess",
                "sub",
                many("2")
                + start("s")
                + gateway("f", "parallel")
                + task("x")
                + task("y")
                + end("stop", TERMINATE)
                + end("e")
                + flows("s>f", "f>x", "f>y", "x>stop", "y>e"),
            ),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
        ),
        story="""
            start: start {s, s} | x x y y
            x: x {stop, !y} sub | x y
            x: x {stop, !y} sub | b
        """,
        clause="13.5.6 Terminate: in a multi-instance only the affected instance",
    ),
    case(
        "of two timers that are due together the interrupting one ends the other",
        process(
            start(),
            task("a"),
            boundary("t1", "a", timer("PT1H")),
            boundary("t2", "a", timer("PT1H")),
            tell("c1"),
            tell("c2"),
            end(),
            end("e1"),
            end("e2"),
            chain("start", "a", "end"),
            chain("t1", "c1", "e1"),
            chain("t2", "c2", "e2"),
        ),
        story="""
            start: start | a t1@PT1H t2@PT1H
            after PT1H: {t1 c1 e1, !a} | done
            says c1
        """,
        clause="13.5.3: the first occurrence cancels the activity, the second finds nobody",
    ),
    case(
        "a token beside the flow may meet it at an inclusive join",
        process(
            start(),
            task("a"),
            boundary("hit", "a", event("message", "m"), interrupting=False),
            task("c"),
            gateway("j", "inclusive"),
            task("d"),
            end(),
            flows("start>a", "a>j", "hit>c", "c>j", "j>d", "d>end"),
        ),
        story="""
            start: start | a hit
            message m: hit | a c hit
            a: a | c
            c: c | d
            d: d end | done
        """,
        patterns="38",
        clause="table 13.4: a token that can still reach an empty flow is awaited",
    ),
    case(
        "an inclusive join waits for a token that is inside a sub-process before it",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            subprocess("sub", start("s"), task("x"), task("y"), end("e"), chain("s", "x", "y", "e")),
            gateway("j", "inclusive"),
            task("d"),
            end(),
            flows("start>f", "f>a", "f>sub", "a>j", "sub>j", "j>d", "d>end"),
        ),
        story="""
            start: start s | a x
            a: a | x
            x: x | y
            y: y e sub | d
        """,
        patterns="7",
        clause="table 13.4",
    ),
    case(
        "an inclusive join goes on when a wait before it takes the other way",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            gateway("g", "eventBased"),
            catch("yes", event("message", "yes")),
            catch("no", event("message", "no")),
            gateway("j", "inclusive"),
            task("d"),
            end("e1"),
            end("e2"),
            flows("start>f", "f>a", "f>g", "a>j", "g>yes", "g>no", "yes>j", "no>e1", "j>d", "d>e2"),
        ),
        story="""
            start: start | a g g
            a: a | g g
            message no: no e1 | d
        """,
        patterns="7",
        clause="table 13.4",
    ),
    case(
        "an inclusive join goes on when the other branch is terminated in its sub-process",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            boundary("stop", "b", event("message", "stop")),
            gateway("j", "inclusive"),
            task("d"),
            end(),
            end("e1"),
            flows("start>f", "f>a", "f>b", "a>j", "b>j", "stop>e1", "j>d", "d>end"),
        ),
        story="""
            start: start | a b stop
            a: a | b stop
            message stop: {stop e1, !b} | d
        """,
        patterns="7",
    ),
    case(
        "two inclusive joins that wait for each other are told as incidents",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            gateway("j1", "inclusive"),
            gateway("x1", default="x1_c"),
            gateway("j2", "inclusive"),
            gateway("x2", default="x2_d"),
            task("c"),
            task("d"),
            end(),
            flows(
                "start>f",
                "f>a",
                "f>b",
                "a>j1",
                "j1>x1",
                "x1>c",
                "x1>j2: again",
                "b>j2",
                "j2>x2",
                "x2>d",
                "x2>j1: again",
                "c>end",
                "d>end",
            ),
        ),
        story="""
            start again=false: start | a b
            a: a | b
            b: b | stuck:j1 stuck:j2
        """,
        patterns="38",
        clause="table 13.4: neither is activated, for a token could still come from the other",
    ),
    case(
        "a parallel join whose other branch may be led away is refused",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            boundary("stop", "b", event("message", "stop")),
            gateway("j", "parallel"),
            task("d"),
            end(),
            end("e1"),
            flows("start>f", "f>a", "f>b", "a>j", "b>j", "stop>e1", "j>d", "d>end"),
        ),
        refused="join-waits-forever at j",
        patterns="3",
        clause="table 13.1: it would wait for a token that was led away",
    ),
    case(
        "an error in a parallel branch of a called process is caught at the call",
        process(
            start(),
            call("sub", "q"),
            boundary("hit", "sub", event("error", "broken")),
            task("b"),
            task("c"),
            end(),
            chain("start", "sub", "b", "end"),
            flows("hit>c", "c>end"),
        ),
        process(
            start("s"),
            gateway("f", "parallel"),
            task("x"),
            task("y"),
            BROKEN,
            end("e"),
            flows("s>f", "f>x", "f>y", "x>bad", "y>e"),
            key="q",
        ),
        story="""
            start: start s | x y
            x: x {bad, hit, !y, !sub} | c
        """,
        clause="13.5.3 Error",
    ),
    case(
        "an error of one instance is handled inside it, the others go on",
        process(
            start(),
            node(
                "subProcess",
                "sub",
                many("2")
                + start("s")
                + task("x")
                + fails("oops")
                + end("e")
                + chain("s", "x", "oops", "e")
                + event_part(
                    "part",
                    starts("ev", event("error", "refused")),
                    tell("sorry"),
                    end("he"),
                    chain("ev", "sorry", "he"),
                ),
            ),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
        ),
        story="""
            start: start {s, s} | x x
            x: x {!oops, ev} sorry he part sub | x
            x: x {!oops, ev} sorry he part sub | b
        """,
        clause="13.5.4, 13.3.7",
    ),
    case(
        "an escalation passes a sub-process that does not catch it",
        process(
            start(),
            subprocess(
                "out",
                start("so"),
                subprocess(
                    "in",
                    start("si"),
                    throw("up", event("escalation", "late")),
                    task("x"),
                    end("ei"),
                    chain("si", "up", "x", "ei"),
                ),
                end("eo"),
                chain("so", "in", "eo"),
            ),
            boundary("hit", "out", event("escalation", "late"), interrupting=False),
            tell("c"),
            end("e2"),
            end(),
            chain("start", "out", "end"),
            chain("hit", "c", "e2"),
        ),
        story="""
            start: start so si {up, hit c e2} | x
            x: x ei in eo out end | done
        """,
        clause="13.5.3 Escalation: the nearest enclosing that catches it",
    ),
    case(
        "an escalation is caught once, by the nearest",
        process(
            start(),
            subprocess(
                "out",
                start("so"),
                subprocess(
                    "in",
                    start("si"),
                    throw("up", event("escalation", "late")),
                    task("x"),
                    end("ei"),
                    chain("si", "up", "x", "ei"),
                ),
                boundary("near", "in", event("escalation", "late"), interrupting=False),
                tell("c1"),
                end("en"),
                end("eo"),
                chain("so", "in", "eo"),
                chain("near", "c1", "en"),
            ),
            boundary("far", "out", event("escalation", "late"), interrupting=False),
            tell("c2"),
            end("ef"),
            end(),
            chain("start", "out", "end"),
            chain("far", "c2", "ef"),
        ),
        story="""
            start: start so si {up, near c1 en} | x
            says c1
        """,
        clause="13.5.3 Escalation",
    ),
    case(
        "a called process begins at its plain start, whatever else could start it",
        process(start(), call("sub", "q"), task("b"), end(), chain("start", "sub", "b", "end")),
        process(
            start("s"),
            starts("go", event("message", "m")),
            task("x"),
            task("y"),
            end("e"),
            flows("s>x", "go>y", "x>e", "y>e"),
            key="q",
        ),
        story="""
            start: start s | x
            x: x e sub | b
        """,
        clause="13.3.4: non-empty start events are ignored when a process is called",
    ),
    case(
        "compensation in the order of completion, not of the drawing",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            tell("one"),
            undo("one", "undo_one"),
            task("b"),
            tell("two"),
            undo("two", "undo_two"),
            gateway("j", "parallel"),
            throw("back", compensate()),
            task("c"),
            end(),
            flows("start>f", "f>a", "a>one", "one>j", "f>b", "b>two", "two>j", "j>back", "back>c", "c>end"),
        ),
        story="""
            start: start | a b
            b: b two | a
            a: a one {back, undo_one undo_two} | c
            says two one undo_one undo_two
        """,
        clause="13.5.5: reverse order of completion",
    ),
    case(
        "compensation in an error's handler undoes what was done before the error",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                tell("one"),
                undo("one", "undo_one"),
                task("x"),
                BROKEN,
                chain("s", "one", "x", "bad"),
                event_part(
                    "part",
                    starts("ev", event("error", "broken")),
                    throw("back", compensate()),
                    end("he"),
                    chain("ev", "back", "he"),
                ),
            ),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
        ),
        story="""
            start: start s one | x
            x: x {bad, ev} {back, undo_one} he part sub | b
            says one undo_one
        """,
        clause="13.5.5: typically thrown by an error handler",
    ),
    case(
        "what an interrupted sub-process had completed is not undone by its parent",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                tell("one"),
                undo("one", "undo_one"),
                task("x"),
                end("e"),
                chain("s", "one", "x", "e"),
            ),
            boundary("stop", "sub", event("message", "stop")),
            throw("back", compensate()),
            task("b"),
            end(),
            chain("start", "sub", "end"),
            chain("stop", "back", "b", "end"),
        ),
        story="""
            start: start s one | x stop
            message stop: {stop back, !x, !sub} | b
            says one
        """,
        clause="13.5.5: only sub-processes that completed are compensated from outside",
    ),
    case(
        "a user task as the undoing waits for its person",
        process(
            start(),
            tell("one"),
            boundary("one_undo", "one", compensate()),
            task("undo_one", isForCompensation="true"),
            '<bpmn:association id="undoes" sourceRef="one_undo" targetRef="undo_one" associationDirection="One"/>',
            task("a"),
            throw("back", compensate()),
            task("b"),
            end(),
            chain("start", "one", "a", "back", "b", "end"),
        ),
        story="""
            start: start one | a
            a: a | undo_one
            undo_one: {undo_one, back} | b
        """,
        clause="13.5.5: the throw event waits until the handlers have completed",
    ),
    case(
        "a condition and a timer on one task: whichever is first",
        process(
            start(),
            task("a"),
            boundary("hot", "a", conditional("fact.x > 1")),
            boundary("late", "a", timer("PT1H")),
            task("c"),
            task("d"),
            end(),
            chain("start", "a", "end"),
            flows("hot>c", "late>d", "c>end", "d>end"),
        ),
        story="""
            start: start | a hot late@PT1H
            let x=5: {hot, !a} | c
            after PT2H: | c
        """,
    ),
    case(
        "work in the background in a sub-process that is interrupted is not done",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                service("slow", "test.note", text="'slow'", extension='<desk:job async="true" retries="3"/>'),
                end("e"),
                chain("s", "slow", "e"),
            ),
            boundary("stop", "sub", event("message", "stop")),
            task("b"),
            end(),
            chain("start", "sub", "end"),
            flows("stop>b", "b>end"),
        ),
        story="""
            start: start s | slow stop
            message stop: {stop, !slow, !sub} | b
            work: | b
            says
        """,
        clause="13.5.3",
    ),
    case(
        "a start by a condition is refused",
        process(starts("go", conditional("fact.x > 1")), task("a"), end(), chain("go", "a", "end")),
        refused="* at go",
        clause="13.5.1 Conditional Start Event: nobody could say whose facts are meant before there is an instance",
    ),
]
