"""Sub-processes and called processes: scopes, ends, what they know and what they cancel."""

from tests.conformance.case import case
from tests.conformance.sketch import process, starts, task, tell
from tests.engine.drawings import (
    TERMINATE,
    boundary,
    call,
    chain,
    end,
    event,
    flows,
    gateway,
    node,
    script,
    start,
    subprocess,
    throw,
)

CALLED = process(start("s"), task("x"), end("e"), chain("s", "x", "e"), key="q")

CASES = [
    case(
        "sub-process: done when its end is reached",
        process(
            start(),
            subprocess("sub", start("s"), task("x"), end("e"), chain("s", "x", "e")),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
        ),
        story="""
            start: start s | x
            x: x e sub | b
            b: b end | done
        """,
        clause="13.3.4 Sub-Process",
    ),
    case(
        "sub-process: done when all its tokens are gone",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                gateway("f", "parallel"),
                task("x"),
                task("y"),
                end("e1"),
                end("e2"),
                flows("s>f", "f>x", "f>y", "x>e1", "y>e2"),
            ),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
        ),
        story="""
            start: start s | x y
            x: x e1 | y
            y: y e2 sub | b
        """,
        patterns="11",
        clause="13.3.4: completes when there are no more tokens in it",
    ),
    case(
        "sub-process: its variables are those around it, and stay",
        process(
            start(),
            script("before", "n = 1"),
            subprocess("sub", start("s"), script("inside", "n = n + 1\nm = 5"), end("e"), chain("s", "inside", "e")),
            task("b"),
            end(),
            chain("start", "before", "sub", "b", "end"),
        ),
        story="""
            start: start before s inside e sub | b
            ? b: n=2 m=5
        """,
        clause="10.4: a sub-process shares the data of its parent",
    ),
    case(
        "sub-process: three deep",
        process(
            start(),
            subprocess(
                "one",
                start("s1"),
                subprocess(
                    "two",
                    start("s2"),
                    subprocess("three", start("s3"), task("x"), end("e3"), chain("s3", "x", "e3")),
                    end("e2"),
                    chain("s2", "three", "e2"),
                ),
                end("e1"),
                chain("s1", "two", "e1"),
            ),
            end(),
            chain("start", "one", "end"),
        ),
        story="""
            start: start s1 s2 s3 | x
            x: x e3 three e2 two e1 one end | done
        """,
    ),
    case(
        "sub-process: two runs of it at once",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            subprocess("sub", start("s"), task("x"), end("e"), chain("s", "x", "e")),
            end(),
            flows("start>f", "f>a", "f>b", "a>sub", "b>sub", "sub>end"),
        ),
        story="""
            start: start | a b
            a: a s | b x
            b: b s | x x
            x: x e sub end | x
            x: x e sub end | done
        """,
        patterns="8",
    ),
    case(
        "sub-process: in a loop",
        process(
            start(),
            gateway("m"),
            subprocess("sub", start("s"), task("x"), end("e"), chain("s", "x", "e")),
            gateway("g", default="g_end"),
            end(),
            flows("start>m", "m>sub", "sub>g", "g>m: again", "g>end"),
        ),
        story="""
            start: start s | x
            x again=true: x e {sub, s} | x
            x again=true: x e {sub, s} | x
            x again=false: x e sub end | done
        """,
        patterns="10",
    ),
    case(
        "terminate ends the process with all that runs",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            end("stop", TERMINATE),
            end(),
            flows("start>f", "f>a", "f>b", "a>stop", "b>end"),
        ),
        story="""
            start: start | a b
            a: a {stop, !b} | done
        """,
        patterns="43",
        clause="13.5.6 Terminate End Event",
    ),
    case(
        "terminate in a sub-process ends that alone, and it counts as done",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                gateway("f", "parallel"),
                task("x"),
                task("y"),
                end("stop", TERMINATE),
                end("e"),
                flows("s>f", "f>x", "f>y", "x>stop", "y>e"),
            ),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
        ),
        story="""
            start: start s | x y
            x: x {stop, !y} sub | b
        """,
        patterns="43",
        clause="13.5.6: the innermost enclosing level; the parent goes on in normal flow",
    ),
    case(
        "terminate in a called process ends that alone",
        process(start(), call("sub", "q"), task("b"), end(), chain("start", "sub", "b", "end")),
        process(
            start("s"),
            gateway("f", "parallel"),
            task("x"),
            task("y"),
            end("stop", TERMINATE),
            end("e"),
            flows("s>f", "f>x", "f>y", "x>stop", "y>e"),
            key="q",
        ),
        story="""
            start: start s | x y
            x: x {stop, !y} sub | b
        """,
        patterns="43",
    ),
    case(
        "terminate beside a sub-process ends that too",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            subprocess("sub", start("s"), task("x"), end("e"), chain("s", "x", "e")),
            end("stop", TERMINATE),
            end(),
            flows("start>f", "f>a", "f>sub", "a>stop", "sub>end"),
        ),
        story="""
            start: start s | a x
            a: a {stop, !x, !sub} | done
        """,
        patterns="20 43",
        clause="13.5.6",
    ),
    case(
        "call: the called process runs within the instance",
        process(start(), call("sub", "q"), task("b"), end(), chain("start", "sub", "b", "end")),
        CALLED,
        story="""
            start: start s | x
            x: x e sub | b
            b: b end | done
        """,
        clause="13.3.5 Call Activity",
    ),
    case(
        "call: two levels",
        process(start(), call("sub", "q"), end(), chain("start", "sub", "end")),
        process(start("s"), call("deep", "r"), end("e"), chain("s", "deep", "e"), key="q"),
        process(start("t"), task("y"), end("f"), chain("t", "y", "f"), key="r"),
        story="""
            start: start s t | y
            y: y f deep e sub end | done
        """,
    ),
    case(
        "call: the same process twice at once",
        process(
            start(),
            gateway("f", "parallel"),
            call("c1", "q"),
            call("c2", "q"),
            gateway("j", "parallel"),
            end(),
            flows("start>f", "f>c1", "f>c2", "c1>j", "c2>j", "j>end"),
        ),
        CALLED,
        story="""
            start: start s s | x x
            x: x e c1 | x
            x: x e c2 end | done
        """,
    ),
    case(
        "call: variables go in and come back",
        process(start(), call("sub", "q"), task("b"), end(), chain("start", "sub", "b", "end")),
        process(start("s"), script("set", "m = n * 2"), end("e"), chain("s", "set", "e"), key="q"),
        story="""
            start n=4: start s set e sub | b
            ? b: n=4 m=8
        """,
        clause="13.3.5; without data associations a call shares what its caller knows",
    ),
    case(
        "call: a process that calls itself is refused",
        process(start(), call("sub", "q"), end(), chain("start", "sub", "end")),
        process(start("s"), task("x"), call("deep", "p"), end("e"), chain("s", "x", "deep", "e"), key="q"),
        refused="call-cycle at *",
        patterns="22",
        clause="recursion is not offered: nothing in a desk needs it and it has no bound",
    ),
    case(
        "call: a computed key is refused",
        process(start(), call("sub", "${key}"), end(), chain("start", "sub", "end")),
        refused="call-computed at sub",
        clause="10.3.6 calledElement is a name",
    ),
    case(
        "call: without a key is refused",
        process(start(), node("callActivity", "sub"), end(), chain("start", "sub", "end")),
        refused="call-missing at sub",
    ),
    case(
        "ad-hoc sub-process is refused",
        process(
            start(),
            node("adHocSubProcess", "sub", task("x") + task("y")),
            end(),
            chain("start", "sub", "end"),
        ),
        refused="ad-hoc-sub-process at sub",
        patterns="17 40",
        clause="13.3.5 Ad-Hoc Sub-Process",
    ),
    case(
        "transaction is refused",
        process(
            start(),
            node("transaction", "sub", start("s") + task("x") + end("e") + chain("s", "x", "e")),
            end(),
            chain("start", "sub", "end"),
        ),
        refused="cancel-event at sub",
        clause="10.3.5 Transaction",
    ),
    case(
        "sub-process: a start with a trigger in a plain one is refused",
        process(
            start(),
            subprocess("sub", starts("s", event("message", "m")), task("x"), end("e"), chain("s", "x", "e")),
            end(),
            chain("start", "sub", "end"),
        ),
        refused="sub-process-blank-start-event at s",
        clause="10.3.5: only the none start event",
    ),
    case(
        "a flow across the border of a sub-process is refused",
        process(
            start(),
            subprocess("sub", start("s"), task("x"), end("e"), chain("s", "x", "e")),
            task("b"),
            end(),
            chain("start", "sub", "end"),
            flows("x>b", "b>end"),
        ),
        refused="* at *",
        clause="7.5.1: a sequence flow must not cross the border of a sub-process",
    ),
    case(
        "a message end tells another process of the record",
        process(start(), task("a"), end("tell", event("message", "m")), chain("start", "a", "tell")),
        process(
            start("s"),
            task("x"),
            boundary("hit", "x", event("message", "m")),
            end("e"),
            chain("s", "x", "e"),
            flows("hit>e"),
            key="q",
        ),
        story="""
            start: start | a
            begin q: s | a x hit
            a: {a tell, hit, !x, e} | done
        """,
        needs_host=True,
        clause="13.5.2 Message End Event",
    ),
    case(
        "a signal end tells every process",
        process(start(), task("a"), end("tell", event("signal", "sig")), chain("start", "a", "tell")),
        process(
            start("s"),
            task("x"),
            boundary("hit", "x", event("signal", "sig")),
            end("e"),
            chain("s", "x", "e"),
            flows("hit>e"),
            key="q",
        ),
        story="""
            start: start | a
            begin q: s | a x hit
            begin q: s | a x hit x hit
            a: {a tell, hit, hit, !x, !x, e, e} | done
        """,
        needs_host=True,
        clause="13.5.2 Signal End Event: broadcast",
    ),
    case(
        "a signal end is heard in the same instance",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            boundary("hit", "b", event("signal", "sig"), interrupting=False),
            tell("c"),
            end("tell_all", event("signal", "sig")),
            end("e2"),
            end(),
            flows("start>f", "f>a", "f>b", "a>tell_all", "b>end", "hit>c", "c>e2"),
        ),
        story="""
            start: start | a b hit
            a: a {tell_all, hit c e2} | b hit
        """,
        clause="13.5.2",
    ),
    case(
        "a signal in the flow tells every process and goes on",
        process(
            start(),
            task("a"),
            throw("tell_all", event("signal", "sig")),
            task("b"),
            end(),
            chain("start", "a", "tell_all", "b", "end"),
        ),
        process(
            start("s"),
            task("x"),
            boundary("hit", "x", event("signal", "sig")),
            end("e"),
            chain("s", "x", "e"),
            flows("hit>e"),
            key="q",
        ),
        story="""
            start: start | a
            begin q: s | a x hit
            a: {a tell_all, hit, !x, e} | b
        """,
        needs_host=True,
        clause="10.5.4 signal intermediate throw event",
    ),
    case(
        "two ends of two kinds",
        process(
            start(),
            gateway("x", default="x_plain"),
            end("plain"),
            end("loud", event("signal", "sig")),
            task("a"),
            flows("start>a", "a>x", "x>loud: n > 1", "x>plain"),
        ),
        story="""
            start: start | a
            a n=2: a loud | done
        """,
    ),
    case(
        "several plain starts are refused",
        process(start(), start("start2"), task("a"), end(), chain("start", "a", "end"), flows("start2>a")),
        refused="single-blank-start-event at *",
        clause="10.5.2: allowed by the standard, but nobody could say which one a line starts",
    ),
]
