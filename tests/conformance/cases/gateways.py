"""Gateways: who is let through, when, and how often."""

from tests.conformance.case import case
from tests.conformance.sketch import conditional, process, task, tell
from tests.engine.drawings import boundary, catch, chain, end, event, flows, gateway, node, script, start, timer

CASES = [
    case(
        "exclusive: the first condition that holds, in the order of the file",
        process(
            start(),
            gateway("x", default="x_d"),
            task("b"),
            task("c"),
            task("d"),
            end(),
            chain("start", "x"),
            flows("x>b: n > 1", "x>c: n > 2", "x>d", "b>end", "c>end", "d>end"),
        ),
        story="""
            start n=3: start | b
            b: b end | done
        """,
        patterns="4",
        clause="13.4.2 Exclusive Gateway: the first true condition determines the flow",
    ),
    case(
        "exclusive: a later condition when the earlier do not hold",
        process(
            start(),
            gateway("x", default="x_d"),
            task("b"),
            task("c"),
            task("d"),
            end(),
            chain("start", "x"),
            flows("x>b: n > 2", "x>c: n > 1", "x>d", "b>end", "c>end", "d>end"),
        ),
        story="start n=2: start | c",
        patterns="4",
    ),
    case(
        "exclusive: the default when none holds",
        process(
            start(),
            gateway("x", default="x_d"),
            task("b"),
            task("d"),
            end(),
            chain("start", "x"),
            flows("x>b: n > 2", "x>d", "b>end", "d>end"),
        ),
        story="start n=1: start | d",
        patterns="4",
    ),
    case(
        "exclusive: the default may be drawn first",
        process(
            start(),
            gateway("x", default="x_d"),
            task("b"),
            task("d"),
            end(),
            chain("start", "x", "d", "end"),
            flows("x>b: n > 2", "b>end"),
        ),
        story="start n=3: start | b",
    ),
    case(
        "exclusive: none holds and there is no default – an exception, nothing is started",
        process(
            start(),
            task("a"),
            gateway("x"),
            task("b"),
            task("c"),
            end(),
            chain("start", "a", "x"),
            flows("x>b: n > 2", "x>c: n < 1", "b>end", "c>end"),
        ),
        story="""
            start: start | a
            a n=1: raises StepFailed
        """,
        clause="table 13.3: an exception is thrown",
    ),
    case(
        "exclusive: a merge passes each token",
        process(
            start(),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            gateway("merge"),
            task("c"),
            end(),
            chain("start", "split", "a", "merge", "c", "end"),
            flows("split>b", "b>merge"),
        ),
        story="""
            start: start | a b
            b: b | a c
            a: a | c c
            c: c end | c
            c: c end | done
        """,
        patterns="5 8",
        clause="table 13.3: each token on any incoming flow is passed on",
    ),
    case(
        "exclusive: merge and choice in one",
        process(
            start(),
            gateway("x", default="x_end"),
            task("a"),
            end(),
            chain("start", "x", "end"),
            flows("x>a: n > 0", "a>x"),
        ),
        story="""
            start n=1: start | a
            a n=1: a | a
            a n=0: a end | done
        """,
        patterns="10",
        clause="table 13.3; a mixed gateway passes each token and chooses anew",
    ),
    case(
        "parallel: split and join",
        process(
            start(),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            gateway("join", "parallel"),
            task("c"),
            end(),
            chain("start", "split", "a", "join", "c", "end"),
            flows("split>b", "b>join"),
        ),
        story="""
            start: start | a b
            b: b | a
            a: a | c
            c: c end | done
        """,
        patterns="2 3",
        clause="table 13.1 Parallel Gateway",
    ),
    case(
        "parallel: automatic branches meet once",
        process(
            start(),
            gateway("split", "parallel"),
            tell("a"),
            tell("b"),
            tell("c"),
            gateway("join", "parallel"),
            tell("d"),
            end(),
            chain("start", "split", "a", "join", "d", "end"),
            flows("split>b", "b>join", "split>c", "c>join"),
        ),
        story="""
            start: start {a, b, c} d end | done
            says {a, b, c} d
        """,
        patterns="2 3",
    ),
    case(
        "parallel: a split without a join ends when the last branch ends",
        process(
            start(),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            end("e1"),
            end("e2"),
            chain("start", "split", "a", "e1"),
            chain("split", "b", "e2"),
        ),
        story="""
            start: start | a b
            a: a e1 | b
            b: b e2 | done
        """,
        patterns="2 11",
        clause="13.5.6: a process ends when all its tokens are consumed",
    ),
    case(
        "parallel: join and split in one gateway",
        process(
            start(),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            gateway("both", "parallel"),
            task("c"),
            task("d"),
            end(),
            chain("start", "split", "a", "both", "c", "end"),
            flows("split>b", "b>both", "both>d", "d>end"),
        ),
        story="""
            start: start | a b
            a: a | b
            b: b | c d
            c: c end | d
            d: d end | done
        """,
        patterns="2 3",
    ),
    case(
        "parallel: nested splits meet inside out",
        process(
            start(),
            gateway("s1", "parallel"),
            task("a"),
            gateway("s2", "parallel"),
            task("b"),
            task("c"),
            gateway("j2", "parallel"),
            gateway("j1", "parallel"),
            task("d"),
            end(),
            chain("start", "s1", "a", "j1", "d", "end"),
            chain("s1", "s2", "b", "j2", "j1"),
            flows("s2>c", "c>j2"),
        ),
        story="""
            start: start | a b c
            b: b | a c
            a: a | c
            c: c | d
            d: d end | done
        """,
        patterns="2 3",
    ),
    case(
        "parallel: a join in a loop waits anew in every lap",
        process(
            start(),
            gateway("m"),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            gateway("join", "parallel"),
            gateway("x", default="x_end"),
            end(),
            chain("start", "m", "split", "a", "join", "x", "end"),
            flows("split>b", "b>join", "x>m: again"),
        ),
        story="""
            start again=false: start | a b
            a again=true: a | b
            b again=true: b | a b
            b again=true: b | a
            a again=true: a | a b
            a again=false: a | b
            b again=false: b end | done
        """,
        patterns="2 3 10",
        clause="table 13.1: one token of each incoming flow for each activation",
    ),
    case(
        "parallel: a second token of the same flow is kept for the next set",
        process(
            start(),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            task("c"),
            task("d"),
            gateway("m1"),
            gateway("m2"),
            gateway("join", "parallel"),
            task("k"),
            end(),
            flows("start>split", "split>a", "split>b", "split>c", "split>d", "a>m1", "b>m1", "c>m2", "d>m2"),
            flows("m1>join", "m2>join", "join>k", "k>end"),
        ),
        story="""
            start: start | a b c d
            a: a | b c d
            b: b | c d
            c: c | d k
            d: d | k k
            k: k end | k
            k: k end | done
        """,
        patterns="33",
        clause="table 13.1: one token of each flow is consumed, excess tokens remain",
    ),
    case(
        "parallel: a token too many that could never be consumed is refused",
        process(
            start(),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            task("c"),
            gateway("merge"),
            gateway("join", "parallel"),
            task("d"),
            end(),
            chain("start", "split", "a", "merge", "join", "d", "end"),
            flows("split>b", "b>merge", "split>c", "c>join"),
        ),
        refused="join-waits-forever at join",
        clause="table 13.1: it would remain on its flow and the instance would never end",
    ),
    case(
        "parallel: what the branches found is known after the join",
        process(
            start(),
            gateway("split", "parallel"),
            script("a", "x = 1"),
            script("b", "y = 2"),
            gateway("join", "parallel"),
            task("c"),
            end(),
            chain("start", "split", "a", "join", "c", "end"),
            flows("split>b", "b>join"),
        ),
        story="""
            start: start {a, b} | c
            ? c: x=1 y=2
        """,
        clause="10.4: variables are of the process, not of the branch",
    ),
    case(
        "parallel: a variable that one branch changed stays changed after the join",
        process(
            start(),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            gateway("join", "parallel"),
            task("c"),
            end(),
            chain("start", "split", "a", "join", "c", "end"),
            flows("split>b", "b>join"),
        ),
        story="""
            start x=1: start | a b
            a x=2: a | b
            b y=1: b | c
            ? c: x=2 y=1
        """,
        clause="10.4: variables are of the process; the branch that did not touch it changes nothing",
    ),
    case(
        "parallel: the same, the branch that changed it comes last",
        process(
            start(),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            gateway("join", "parallel"),
            task("c"),
            end(),
            chain("start", "split", "a", "join", "c", "end"),
            flows("split>b", "b>join"),
        ),
        story="""
            start x=1: start | a b
            b y=1: b | a
            a x=2: a | c
            ? c: x=2 y=1
        """,
    ),
    case(
        "parallel: a list that one branch made is whole after the join",
        process(
            start(),
            gateway("split", "parallel"),
            script("a", "x = [1, 2]"),
            script("b", "y = [3]"),
            gateway("join", "parallel"),
            task("c"),
            end(),
            chain("start", "split", "a", "join", "c", "end"),
            flows("split>b", "b>join"),
        ),
        story="""
            start: start {a, b} | c
            ? c: x=[1,2] y=[3]
        """,
    ),
    case(
        "parallel: a list from before the split is neither doubled nor lost",
        process(
            start(),
            script("make", "x = [1, 2]"),
            gateway("split", "parallel"),
            script("a", "x = [1, 2, 3]"),
            script("b", "y = 1"),
            gateway("join", "parallel"),
            task("c"),
            end(),
            chain("start", "make", "split", "a", "join", "c", "end"),
            flows("split>b", "b>join"),
        ),
        story="""
            start: start make {a, b} | c
            ? c: x=[1,2,3] y=1
        """,
    ),
    case(
        "parallel: a join behind a choice that can never get both is refused",
        process(
            start(),
            gateway("x", default="x_b"),
            task("a"),
            task("b"),
            gateway("join", "parallel"),
            end(),
            chain("start", "x", "b", "join", "end"),
            flows("x>a: n > 1", "a>join"),
        ),
        refused="join-waits-forever at join",
        clause="table 13.1: it would wait for a token that cannot come",
    ),
    case(
        "inclusive: one of the conditions",
        process(
            start(),
            gateway("s", "inclusive", default="s_c"),
            task("a"),
            task("b"),
            task("c"),
            gateway("j", "inclusive"),
            task("d"),
            end(),
            flows("start>s", "s>a: n > 1", "s>b: n > 5", "s>c", "a>j", "b>j", "c>j", "j>d", "d>end"),
        ),
        story="""
            start n=2: start | a
            a: a | d
            d: d end | done
        """,
        patterns="6 7",
        clause="table 13.4 Inclusive Gateway",
    ),
    case(
        "inclusive: several conditions, joined when all have come",
        process(
            start(),
            gateway("s", "inclusive", default="s_c"),
            task("a"),
            task("b"),
            task("c"),
            gateway("j", "inclusive"),
            task("d"),
            end(),
            flows("start>s", "s>a: n > 1", "s>b: n > 5", "s>c", "a>j", "b>j", "c>j", "j>d", "d>end"),
        ),
        story="""
            start n=6: start | a b
            b: b | a
            a: a | d
            d: d end | done
        """,
        patterns="6 7",
    ),
    case(
        "inclusive: the default only when none holds",
        process(
            start(),
            gateway("s", "inclusive", default="s_c"),
            task("a"),
            task("b"),
            task("c"),
            gateway("j", "inclusive"),
            task("d"),
            end(),
            flows("start>s", "s>a: n > 1", "s>b: n > 5", "s>c", "a>j", "b>j", "c>j", "j>d", "d>end"),
        ),
        story="""
            start n=0: start | c
            c: c | d
        """,
        patterns="6 7",
    ),
    case(
        "inclusive: none holds and there is no default – an exception",
        process(
            start(),
            task("z"),
            gateway("s", "inclusive"),
            task("a"),
            task("b"),
            end(),
            flows("start>z", "z>s", "s>a: n > 1", "s>b: n > 5", "a>end", "b>end"),
        ),
        story="""
            start: start | z
            z n=0: raises StepFailed
        """,
        clause="table 13.4: an exception is thrown",
    ),
    case(
        "inclusive: the join does not wait for a branch that went elsewhere",
        process(
            start(),
            gateway("s", "parallel"),
            task("a"),
            task("b"),
            gateway("x", default="x_j"),
            gateway("j", "inclusive"),
            task("d"),
            end("e1"),
            end("e2"),
            flows("start>s", "s>a", "s>b", "a>j", "b>x", "x>j", "x>e1: gone", "j>d", "d>e2"),
        ),
        story="""
            start gone=true: start | a b
            a gone=true: a | b
            b gone=true: b e1 | d
            d: d e2 | done
        """,
        patterns="7 38",
        clause="table 13.4: it waits only while a token can still reach an empty incoming flow",
    ),
    case(
        "inclusive: the join goes on when an interrupted branch can no longer come",
        process(
            start(),
            gateway("s", "parallel"),
            task("a"),
            task("b"),
            boundary("late", "b", timer("PT1H")),
            gateway("j", "inclusive"),
            task("d"),
            end("e1"),
            end("e2"),
            flows("start>s", "s>a", "s>b", "a>j", "b>j", "late>e1", "j>d", "d>e2"),
        ),
        story="""
            start: start | a b late@PT1H
            a: a | b late@PT1H
            after PT1H: {late, !b, e1} | d
            d: d e2 | done
        """,
        patterns="7",
        clause="table 13.4",
    ),
    case(
        "inclusive: one token alone passes a join of two",
        process(
            start(),
            gateway("x", default="x_b"),
            task("a"),
            task("b"),
            gateway("j", "inclusive"),
            task("d"),
            end(),
            flows("start>x", "x>a: n > 1", "x>b", "a>j", "b>j", "j>d", "d>end"),
        ),
        story="""
            start n=1: start | b
            b: b | d
        """,
        patterns="7",
        clause="table 13.4",
    ),
    case(
        "inclusive: split and join in a loop, lap after lap",
        process(
            start(),
            gateway("m"),
            gateway("s", "inclusive", default="s_b"),
            task("a"),
            task("b"),
            gateway("j", "inclusive"),
            gateway("x", default="x_end"),
            end(),
            flows("start>m", "m>s", "s>a: n > 1", "s>b", "a>j", "b>j", "j>x", "x>m: again", "x>end"),
        ),
        story="""
            start n=2: start | a
            a n=0 again=true: a | b
            b n=2 again=true: b | a
            a again=false: a end | done
        """,
        patterns="6 7 10",
    ),
    case(
        "inclusive: both branches in two laps",
        process(
            start(),
            gateway("m"),
            gateway("s", "inclusive", default="s_c"),
            task("a"),
            task("b"),
            task("c"),
            gateway("j", "inclusive"),
            gateway("x", default="x_end"),
            end(),
            flows(
                "start>m",
                "m>s",
                "s>a: n > 1",
                "s>b: n > 2",
                "s>c",
                "a>j",
                "b>j",
                "c>j",
                "j>x",
                "x>m: again",
                "x>end",
            ),
        ),
        story="""
            start n=3: start | a b
            a again=true: a | b
            b again=true: b | a b
            b again=false: b | a
            a again=false: a end | done
        """,
        patterns="6 7 10",
    ),
    case(
        "event-based: the first event wins, the others are no longer awaited",
        process(
            start(),
            gateway("g", "eventBased"),
            catch("hear", event("message", "m")),
            catch("late", timer("PT1H")),
            task("a"),
            task("b"),
            end(),
            flows("start>g", "g>hear", "g>late", "hear>a", "late>b", "a>end", "b>end"),
        ),
        story="""
            start: start | g g@PT1H
            message m x=1: hear | a
            ? a: x=1
            message m: | a
            after PT2H: | a
        """,
        patterns="16",
        clause="13.4.4 Event-Based Gateway",
    ),
    case(
        "event-based: the timer wins",
        process(
            start(),
            gateway("g", "eventBased"),
            catch("hear", event("message", "m")),
            catch("late", timer("PT1H")),
            task("a"),
            task("b"),
            end(),
            flows("start>g", "g>hear", "g>late", "hear>a", "late>b", "a>end", "b>end"),
        ),
        story="""
            start: start | g g@PT1H
            after PT1H: late | b
            message m: | b
            b: b end | done
        """,
        patterns="16",
    ),
    case(
        "event-based: of two timers the earlier, each with its own time",
        process(
            start(),
            gateway("g", "eventBased"),
            catch("long", timer("PT3H")),
            catch("short", timer("PT1H")),
            task("a"),
            task("b"),
            end(),
            flows("start>g", "g>long", "g>short", "long>a", "short>b", "a>end", "b>end"),
        ),
        story="""
            start: start | g@PT3H g@PT1H
            after PT1H: short | b
            after P1D: | b
        """,
        patterns="16",
        clause="13.4.4: the first trigger",
    ),
    case(
        "event-based: two messages and a signal",
        process(
            start(),
            gateway("g", "eventBased"),
            catch("m1", event("message", "yes")),
            catch("m2", event("message", "no")),
            catch("s1", event("signal", "stop")),
            task("a"),
            task("b"),
            task("c"),
            end(),
            flows("start>g", "g>m1", "g>m2", "g>s1", "m1>a", "m2>b", "s1>c", "a>end", "b>end", "c>end"),
        ),
        story="""
            start: start | g g g
            signal other: | g g g
            message no: m2 | b
            signal stop: | b
        """,
        patterns="16",
    ),
    case(
        "event-based: a receive task may stand behind it",
        process(
            start(),
            gateway("g", "eventBased"),
            node("receiveTask", "hear", messageRef="message_m"),
            catch("late", timer("PT1H")),
            task("a"),
            task("b"),
            end(),
            flows("start>g", "g>hear", "g>late", "hear>a", "late>b", "a>end", "b>end"),
        ),
        story="""
            start: start | g g@PT1H
            message m: hear | a
        """,
        patterns="16",
        clause="10.6.6: Receive Tasks instead of message events",
    ),
    case(
        "event-based: a condition may stand behind it",
        process(
            start(),
            gateway("g", "eventBased"),
            catch("ready", conditional("fact.x > 1")),
            catch("late", timer("PT1H")),
            task("a"),
            task("b"),
            end(),
            flows("start>g", "g>ready", "g>late", "ready>a", "late>b", "a>end", "b>end"),
        ),
        story="""
            start: start | g g@PT1H
            let x=2: ready | a
        """,
        patterns="16",
        clause="10.6.6: message, signal, timer and conditional events",
    ),
    case(
        "event-based: in a loop it waits for both again",
        process(
            start(),
            gateway("m"),
            gateway("g", "eventBased"),
            catch("hear", event("message", "m")),
            catch("late", timer("PT1H")),
            task("a"),
            end(),
            flows("start>m", "m>g", "g>hear", "g>late", "hear>a", "a>m", "late>end"),
        ),
        story="""
            start: start | g g@PT1H
            after PT30M: | g g@PT30M
            message m: hear | a
            a: a | g g@PT1H
            after PT1H: late end | done
        """,
        patterns="10 16",
    ),
    case(
        "event-based: one flow only is refused",
        process(
            start(),
            gateway("g", "eventBased"),
            catch("hear", event("message", "m")),
            end(),
            chain("start", "g", "hear", "end"),
        ),
        refused="event-based-gateway at g",
        clause="10.6.6: two or more outgoing flows",
    ),
    case(
        "event-based: a user task behind it is refused",
        process(
            start(),
            gateway("g", "eventBased"),
            catch("hear", event("message", "m")),
            task("a"),
            end(),
            flows("start>g", "g>hear", "g>a", "hear>end", "a>end"),
        ),
        refused="event-based-gateway at g_a",
        clause="10.6.6: only events and receive tasks",
    ),
    case(
        "event-based: messages and receive tasks together are refused",
        process(
            start(),
            gateway("g", "eventBased"),
            catch("hear", event("message", "m")),
            node("receiveTask", "get", messageRef="message_n"),
            end(),
            flows("start>g", "g>hear", "g>get", "hear>end", "get>end"),
        ),
        refused="event-gateway-mix at get",
        clause="10.6.6: if message events are used, receive tasks must not be, and the other way round",
    ),
    case(
        "event-based: a gateway that starts the process is refused",
        process(
            gateway("g", "eventBased", instantiate="true"),
            catch("one", event("message", "m")),
            catch("two", event("message", "n")),
            end(),
            flows("g>one", "g>two", "one>end", "two>end"),
        ),
        refused="* at g",
        clause="10.6.6 instantiate: not offered, message start events do it",
    ),
    case(
        "event-based: a parallel one is refused",
        process(
            start(),
            gateway("g", "eventBased", eventGatewayType="Parallel"),
            catch("one", event("message", "m")),
            catch("two", event("message", "n")),
            end(),
            flows("start>g", "g>one", "g>two", "one>end", "two>end"),
        ),
        refused="* at g",
        clause="10.6.6 eventGatewayType Parallel: only for starting a process",
    ),
    case(
        "complex gateway is refused",
        process(
            start(),
            gateway("s", "parallel"),
            task("a"),
            task("b"),
            gateway("k", "complex"),
            end(),
            flows("start>s", "s>a", "s>b", "a>k", "b>k", "k>end"),
        ),
        refused="no-complex-gateway at k",
        patterns="9 28 30",
        clause="10.6.5 Complex Gateway",
    ),
]
