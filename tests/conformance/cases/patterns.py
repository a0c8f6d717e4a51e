"""Control-flow patterns by their numbers: the twenty basic ones and those that a desk needs."""

from tests.conformance.case import case
from tests.conformance.sketch import conditional, event_part, many, process, starts, task, tell
from tests.engine.drawings import (
    TERMINATE,
    boundary,
    catch,
    chain,
    end,
    event,
    flows,
    gateway,
    node,
    script,
    start,
    subprocess,
    timer,
)

CASES = [
    case(
        "1 sequence",
        process(start(), task("a"), task("b"), end(), chain("start", "a", "b", "end")),
        story="""
            start: start | a
            a: a | b
            b: b end | done
        """,
        patterns="1",
    ),
    case(
        "2 and 3 parallel split and synchronization",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            task("c"),
            gateway("j", "parallel"),
            task("d"),
            end(),
            flows("start>f", "f>a", "f>b", "f>c", "a>j", "b>j", "c>j", "j>d", "d>end"),
        ),
        story="""
            start: start | a b c
            c: c | a b
            a: a | b
            b: b | d
            d: d end | done
        """,
        patterns="2 3",
    ),
    case(
        "4 and 5 exclusive choice and simple merge",
        process(
            start(),
            gateway("x", default="x_b"),
            task("a"),
            task("b"),
            gateway("m"),
            task("c"),
            end(),
            flows("start>x", "x>a: n > 1", "x>b", "a>m", "b>m", "m>c", "c>end"),
        ),
        story="""
            start n=2: start | a
            a: a | c
            c: c end | done
        """,
        patterns="4 5",
    ),
    case(
        "6 and 7 multi-choice and structured synchronizing merge",
        process(
            start(),
            gateway("s", "inclusive", default="s_c"),
            task("a"),
            task("b"),
            task("c"),
            gateway("j", "inclusive"),
            task("d"),
            end(),
            flows("start>s", "s>a: n > 1", "s>b: n > 2", "s>c", "a>j", "b>j", "c>j", "j>d", "d>end"),
        ),
        story="""
            start n=3: start | a b
            a: a | b
            b: b | d
            d: d end | done
        """,
        patterns="6 7",
    ),
    case(
        "8 multi-merge",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            gateway("m"),
            tell("c"),
            end(),
            flows("start>f", "f>a", "f>b", "a>m", "b>m", "m>c", "c>end"),
        ),
        story="""
            start: start | a b
            a: a c end | b
            b: b c end | done
            says c c
        """,
        patterns="8",
    ),
    case(
        "9 structured discriminator, by a multi-instance that one is enough for",
        process(
            start(),
            task("a", inner=many("3", until="numberOfCompletedInstances >= 1")),
            task("b"),
            end(),
            chain("start", "a", "b", "end"),
        ),
        story="""
            start: start | a a a
            a: {a, !a, !a} | b
        """,
        patterns="9 29",
        clause="the complex gateway is refused; branches of one kind can be counted",
    ),
    case(
        "10 arbitrary cycle with two ways in and two ways out",
        process(
            start(),
            gateway("in", default="in_m2"),
            gateway("m1"),
            task("a"),
            gateway("m2"),
            task("b"),
            gateway("x1", default="x1_m2"),
            gateway("x2", default="x2_m1"),
            task("c"),
            task("d"),
            end(),
            flows(
                "start>in",
                "in>m1: n > 1",
                "in>m2",
                "m1>a",
                "a>x1",
                "x1>c: out",
                "x1>m2",
                "m2>b",
                "b>x2",
                "x2>d: out",
                "x2>m1",
                "c>end",
                "d>end",
            ),
        ),
        story="""
            start n=1: start | b
            b out=false: b | a
            a out=false: a | b
            b out=false: b | a
            a out=true: a | c
            c: c end | done
        """,
        patterns="10",
    ),
    case(
        "11 implicit termination",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            task("c"),
            end("e1"),
            end("e2"),
            end("e3"),
            flows("start>f", "f>a", "f>b", "f>c", "a>e1", "b>e2", "c>e3"),
        ),
        story="""
            start: start | a b c
            b: b e2 | a c
            a: a e1 | c
            c: c e3 | done
        """,
        patterns="11",
    ),
    case(
        "12 multiple instances without synchronization, each an instance of its own",
        process(starts("go", event("message", "m")), task("a"), end(), chain("go", "a", "end")),
        story="""
            message m: go | a
            message m: go | a a
            message m: go | a a a
            a: a end | a a
        """,
        patterns="12",
        needs_host=True,
    ),
    case(
        "13 multiple instances, number known when drawn",
        process(start(), task("a", inner=many("2")), task("b"), end(), chain("start", "a", "b", "end")),
        story="""
            start: start | a a
            a: a | a
            a: a | b
        """,
        patterns="13",
    ),
    case(
        "14 multiple instances, number known when begun",
        process(start(), task("a", inner=many("n")), task("b"), end(), chain("start", "a", "b", "end")),
        story="""
            start n=2: start | a a
            a: a | a
            a: a | b
        """,
        patterns="14",
    ),
    case(
        "15 multiple instances, more of them while they run",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                task("a"),
                end("e"),
                chain("s", "a", "e"),
                event_part(
                    "more",
                    starts("ev", event("message", "one_more"), interrupting=False),
                    task("h"),
                    end("he"),
                    chain("ev", "h", "he"),
                ),
            ),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
        ),
        story="""
            start: start s | a ev
            message one_more: ev | a h ev
            message one_more: ev | a h h ev
            a: a e | h h
            h: h he more | h
            h: h he more sub | b
        """,
        patterns="15",
        clause="not offered by multi-instance; an event sub-process does it",
    ),
    case(
        "16 deferred choice between a person and the time",
        process(
            start(),
            gateway("g", "eventBased"),
            catch("yes", event("message", "yes")),
            catch("no", event("message", "no")),
            catch("late", timer("P1D")),
            task("a"),
            task("b"),
            task("c"),
            end(),
            flows("start>g", "g>yes", "g>no", "g>late", "yes>a", "no>b", "late>c", "a>end", "b>end", "c>end"),
        ),
        story="""
            start: start | g g g@P1D
            message no: no | b
            message yes: | b
            after P2D: | b
        """,
        patterns="16",
    ),
    case(
        "16 deferred choice between two buttons",
        process(
            start(),
            task("a", "yes", "no"),
            gateway("x", default="x_c"),
            task("b"),
            task("c"),
            end(),
            flows("start>a", "a>x", "x>b: action == 'yes'", "x>c", "b>end", "c>end"),
        ),
        story="""
            start: start | a
            a.yes: a | b
        """,
        patterns="16",
    ),
    case(
        "17 interleaved parallel routing is refused",
        process(
            start(),
            node("adHocSubProcess", "sub", task("x") + task("y"), ordering="Sequential"),
            end(),
            chain("start", "sub", "end"),
        ),
        refused="ad-hoc-sub-process at sub",
        patterns="17 40",
        clause="sequential ad-hoc sub-process: not offered",
    ),
    case(
        "18 milestone: possible while a state lasts, and not after it",
        process(
            start(),
            task("a"),
            boundary("ask", "a", event("message", "ask"), interrupting=False),
            tell("allowed"),
            task("b"),
            end(),
            end("e2"),
            chain("start", "a", "b", "end"),
            chain("ask", "allowed", "e2"),
        ),
        story="""
            start: start | a ask
            message ask: ask allowed e2 | a ask
            a: a | b
            message ask: | b
            says allowed
        """,
        patterns="18",
    ),
    case(
        "19 cancel task",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            boundary("stop", "a", event("message", "stop")),
            task("b"),
            end(),
            end("e2"),
            flows("start>f", "f>a", "f>b", "a>end", "b>end", "stop>e2"),
        ),
        story="""
            start: start | a b stop
            message stop: {stop e2, !a} | b
            b: b end | done
        """,
        patterns="19",
    ),
    case(
        "20 cancel case, from the outside",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            subprocess("sub", start("s"), task("x"), end("e"), chain("s", "x", "e")),
            end(),
            flows("start>f", "f>a", "f>sub", "a>end", "sub>end"),
        ),
        story="""
            start: start s | a x
            cancel: {!a, !sub, !x} | done
        """,
        patterns="20",
        needs_host=True,
    ),
    case(
        "20 cancel case, by a button of the whole process",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                gateway("f", "parallel"),
                task("x"),
                task("y"),
                end("e"),
                flows("s>f", "f>x", "f>y", "x>e", "y>e"),
            ),
            boundary("stop", "sub", event("signal", "stop"), extension='<desk:action id="stop" label="Stop"/>'),
            end("stopped"),
            end(),
            chain("start", "sub", "end"),
            flows("stop>stopped"),
        ),
        story="""
            start: start s | x y stop
            press stop: {stop stopped, !x, !y, !sub} | done
        """,
        patterns="20",
    ),
    case(
        "21 structured loop",
        process(
            start(),
            gateway("m"),
            task("a"),
            gateway("x", default="x_end"),
            end(),
            flows("start>m", "m>a", "a>x", "x>m: again", "x>end"),
        ),
        story="""
            start: start | a
            a again=true: a | a
            a again=false: a end | done
        """,
        patterns="21",
    ),
    case(
        "24 persistent trigger: noted when it comes, used when it is needed",
        process(
            start(),
            task("a"),
            catch("w", conditional("coalesce(arrived, False)")),
            task("b"),
            end(),
            chain("start", "a", "w", "b", "end"),
            event_part(
                "part",
                starts("ev", event("message", "m"), interrupting=False),
                script("note", "arrived = True"),
                end("he"),
                chain("ev", "note", "he"),
            ),
        ),
        story="""
            start: start | a ev
            message m: ev note he part | a ev
            a: a w | b ev
        """,
        patterns="24",
        clause="10.4: an event sub-process shares the data of its parent",
    ),
    case(
        "25 cancel region: the region, and nothing beside it",
        process(
            start(),
            gateway("f", "parallel"),
            subprocess(
                "sub",
                start("s"),
                gateway("f2", "parallel"),
                task("x"),
                task("y"),
                end("e"),
                flows("s>f2", "f2>x", "f2>y", "x>e", "y>e"),
            ),
            boundary("stop", "sub", event("message", "stop")),
            task("b"),
            task("c"),
            end(),
            flows("start>f", "f>sub", "f>b", "sub>end", "b>end", "stop>c", "c>end"),
        ),
        story="""
            start: start s | x y b stop
            message stop: {stop, !x, !y, !sub} | b c
        """,
        patterns="25",
    ),
    case(
        "26 cancel multiple instance activity",
        process(
            start(),
            task("a", inner=many("3")),
            boundary("stop", "a", event("message", "stop")),
            end(),
            end("e2"),
            chain("start", "a", "end"),
            flows("stop>e2"),
        ),
        story="""
            start: start | a a a stop
            a: a | a a stop
            message stop: {stop e2, !a, !a} | done
        """,
        patterns="26",
    ),
    case(
        "27 complete multiple instance activity: the rest is withdrawn, the flow goes on",
        process(
            start(),
            task("a", inner=many("3")),
            boundary("enough", "a", event("message", "enough")),
            gateway("m"),
            task("b"),
            end(),
            flows("start>a", "a>m", "enough>m", "m>b", "b>end"),
        ),
        story="""
            start: start | a a a enough
            a: a | a a enough
            message enough: {enough, !a, !a} | b
        """,
        patterns="27",
    ),
    case(
        "29 cancelling discriminator: the first branch ends the part",
        process(
            start(),
            subprocess(
                "sub",
                start("s"),
                gateway("f", "parallel"),
                task("x"),
                task("y"),
                task("z"),
                end("first", TERMINATE),
                flows("s>f", "f>x", "f>y", "f>z", "x>first", "y>first", "z>first"),
            ),
            task("b"),
            end(),
            chain("start", "sub", "b", "end"),
        ),
        story="""
            start: start s | x y z
            y: y {first, !x, !z} sub | b
        """,
        patterns="29",
    ),
    case(
        "32 cancelling partial join: two of three",
        process(
            start(),
            task("a", inner=many("3", until="numberOfCompletedInstances >= 2")),
            task("b"),
            end(),
            chain("start", "a", "b", "end"),
        ),
        story="""
            start: start | a a a
            a: a | a a
            a: {a, !a} | b
        """,
        patterns="32 35",
        clause="by completion condition; a complex gateway is refused",
    ),
    case(
        "33 generalised AND-join",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            gateway("m"),
            task("b"),
            gateway("x", default="x_j"),
            gateway("j", "parallel"),
            task("c"),
            end(),
            flows("start>f", "f>m", "m>a", "a>x", "x>m: again", "x>j", "f>b", "b>j", "j>c", "c>end"),
        ),
        story="""
            start: start | a b
            b again=false: b | a
            a again=true: a | a
            a again=false: a | c
            c: c end | done
        """,
        patterns="33",
    ),
    case(
        "37 and 38 synchronizing merge without structure",
        process(
            start(),
            gateway("f", "parallel"),
            task("a"),
            task("b"),
            task("c"),
            gateway("x", default="x_e1"),
            gateway("j", "inclusive"),
            task("d"),
            end("e1"),
            end("e2"),
            flows("start>f", "f>a", "f>b", "f>c", "a>j", "b>j", "c>x", "x>j: n > 1", "x>e1", "j>d", "d>e2"),
        ),
        story="""
            start n=1: start | a b c
            a: a | b c
            b: b | c
            c n=1: c e1 | d
            d: d e2 | done
        """,
        patterns="37 38",
    ),
    case(
        "43 explicit termination",
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
    ),
]
