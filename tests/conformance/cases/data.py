"""What the nodes of a process know: variables belong to the process, whoever set them and wherever the token is."""

from tests.conformance.case import case
from tests.conformance.sketch import event_part, many, process, starts, task, tell
from tests.engine.drawings import (
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
)

TWO = (
    start(),
    gateway("f", "parallel"),
    task("a"),
    task("b"),
    gateway("j", "parallel"),
    task("c"),
    end(),
    flows("start>f", "f>a", "f>b", "a>j", "b>j", "j>c", "c>end"),
)

CASES = [
    case(
        "both branches change a variable: the later change stays",
        process(*TWO),
        story="""
            start x=1: start | a b
            a x=2: a | b
            b x=3: b | c
            ? c: x=3
        """,
        clause="10.4.1: one variable of the process, not one for each branch",
    ),
    case(
        "the same, the other way round",
        process(*TWO),
        story="""
            start x=1: start | a b
            b x=3: b | a
            a x=2: a | c
            ? c: x=2
        """,
        clause="10.4.1",
    ),
    case(
        "one branch changes it, the other changes it back: the later change stays",
        process(*TWO),
        story="""
            start x=1: start | a b
            a x=2: a | b
            b x=1: b | c
            ? c: x=1
        """,
        clause="10.4.1",
    ),
    case(
        "what one branch has found decides in the other",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            gateway("x", default="x_d"),
            task("c"),
            task("d"),
            end(),
            flows("start>f", "f>a", "f>b", "a>end", "b>x", "x>c: coalesce(y, 0) == 1", "x>d", "c>end", "d>end"),
        ),
        story="""
            start: start | a b
            a y=1: a end | b
            b: b | c
        """,
        clause="10.4.1: data objects are visible in the whole process that contains them",
    ),
    case(
        "what a handler beside it has found decides in the flow",
        process(
            start(),
            task("a"),
            gateway("x", default="x_d"),
            task("c"),
            task("d"),
            end(),
            flows("start>a", "a>x", "x>c: coalesce(y, 0) == 1", "x>d", "c>end", "d>end"),
            event_part(
                "part",
                starts("ev", event("message", "m"), interrupting=False),
                script("note", "y = 1"),
                end("he"),
                chain("ev", "note", "he"),
            ),
        ),
        story="""
            start: start | a ev
            message m: ev note he part | a ev
            a: a | c ev
        """,
        clause="10.4.1, 13.5.4",
    ),
    case(
        "what a message beside a task brought decides in the flow",
        process(
            start(),
            task("a"),
            boundary("hit", "a", event("message", "m"), interrupting=False),
            end("e2"),
            gateway("x", default="x_d"),
            task("c"),
            task("d"),
            end(),
            flows("start>a", "a>x", "x>c: coalesce(y, 0) == 1", "x>d", "c>end", "d>end", "hit>e2"),
        ),
        story="""
            start: start | a hit
            message m y=1: hit e2 | a hit
            a: a | c
        """,
        clause="10.4.1",
    ),
    case(
        "what was done before an interruption is not forgotten",
        process(
            start(),
            subprocess("sub", start("s"), task("x"), task("y"), end("e"), chain("s", "x", "y", "e")),
            boundary("stop", "sub", event("message", "stop")),
            task("b"),
            end(),
            chain("start", "sub", "end"),
            flows("stop>b", "b>end"),
        ),
        story="""
            start n=1: start s | x stop
            x n=2 m=5: x | y stop
            message stop: {stop, !y, !sub} | b
            ? b: n=2 m=5
        """,
        clause="10.4.1: variables outlive the activity that set them",
    ),
    case(
        "instances of a multi-instance know what the process knew, and their own item",
        process(
            start(),
            task("a", inner=many(over="list", item="item")),
            task("b"),
            end(),
            chain("start", "a", "b", "end"),
        ),
        story="""
            start list=["u"] n=7: start | a
            ? a: item="u" n=7
            a m=1: a | b
            ? b: n=7
        """,
        clause="10.3.8 inputDataItem",
    ),
    case(
        "a list that instances add to through their outputs replaces nothing else",
        process(
            start(),
            task("a", inner=many(over="list", item="item", into="results", result="mine")),
            task("b"),
            end(),
            chain("start", "a", "b", "end"),
        ),
        story="""
            start list=[1,2,3] keep=[9]: start | a a a
            a mine="x": a | a a
            a mine="y": a | a
            a mine="z": a | b
            ? b: results=["x","y","z"] keep=[9] list=[1,2,3]
        """,
        clause="10.3.8 outputDataItem",
    ),
    case(
        "a loop counts in a variable of the process",
        process(
            start(),
            script("zero", "n = 0"),
            gateway("m"),
            script("count", "n = n + 1"),
            task("a"),
            gateway("x", default="x_b"),
            task("b"),
            end(),
            flows("start>zero", "zero>m", "m>count", "count>a", "a>x", "x>m: n < 3", "x>b", "b>end"),
        ),
        story="""
            start: start zero count | a
            a: a count | a
            a: a count | a
            a: a | b
            ? b: n=3
        """,
    ),
    case(
        "a called process in a branch changes what the other branch knows",
        process(
            start(),
            gateway("f", "parallel"),
            call("sub", "q"),
            task("b"),
            gateway("j", "parallel"),
            task("c"),
            end(),
            flows("start>f", "f>sub", "f>b", "sub>j", "b>j", "j>c", "c>end"),
        ),
        process(start("s"), script("set", "y = 5"), end("e"), chain("s", "set", "e"), key="q"),
        story="""
            start: start s set e sub | b
            b: b | c
            ? c: y=5
        """,
        clause="10.4.1; a call without data associations shares what its caller knows",
    ),
    case(
        "nothing that a connector was told is told twice when branches meet",
        process(
            start(),
            gateway("f", "parallel"),
            tell("t1"),
            tell("t2"),
            gateway("j", "parallel"),
            tell("t3"),
            task("a"),
            end(),
            flows("start>f", "f>t1", "f>t2", "t1>j", "t2>j", "j>t3", "t3>a", "a>end"),
        ),
        story="""
            start: start {t1, t2} t3 | a
            says {t1, t2} t3
        """,
    ),
]
