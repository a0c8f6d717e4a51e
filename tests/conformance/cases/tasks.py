"""Tasks: what each kind does when a token arrives, and what it asks of its flows."""

from tests.conformance.case import case
from tests.conformance.sketch import fails, process, task, tell
from tests.engine.drawings import catch, chain, end, event, flows, gateway, node, script, service, start, throw, timer

BACKGROUND = '<desk:job async="true" retries="3"/>'
SLOW = service("slow", "test.note", text="'slow'", extension=BACKGROUND)
ANSWER = service("ask", "test.answer", result="found", value="n * 2")

CASES = [
    case(
        "a user task waits for its person",
        process(start(), task("a"), end(), chain("start", "a", "end")),
        story="""
            start: start | a
            a: a end | done
        """,
        clause="13.3.3 User Task",
    ),
    case(
        "what a user task is completed with are variables of the process",
        process(start(), task("a"), task("b"), end(), chain("start", "a", "b", "end")),
        story="""
            start n=1: start | a
            a.done x=5 n=2: a | b
            ? b: x=5 n=2 action="done"
        """,
        clause="10.4.2 data of a User Task's output",
    ),
    case(
        "a manual task waits for its person",
        process(
            start(),
            node("manualTask", "a", extension='<desk:action id="done" label="Done"/>'),
            end(),
            chain("start", "a", "end"),
        ),
        story="""
            start: start | a
            a: a end | done
        """,
        clause="13.3.3 Manual Task",
    ),
    case(
        "a script task assigns and goes on",
        process(start(), script("set", "x = n + 1\ny = x * 2"), task("a"), end(), chain("start", "set", "a", "end")),
        story="""
            start n=1: start set | a
            ? a: n=1 x=2 y=4
        """,
        clause="13.3.3 Script Task",
    ),
    case(
        "a service task calls once and keeps the result",
        process(start(), ANSWER, tell("say", "found"), task("a"), end(), chain("start", "ask", "say", "a", "end")),
        story="""
            start n=4: start ask say | a
            says 8
            ? a: found=8
        """,
        clause="13.3.3 Service Task",
    ),
    case(
        "a service task in the background waits for a worker",
        process(start(), SLOW, task("a"), end(), chain("start", "slow", "a", "end")),
        story="""
            start: start | slow
            says
            work: slow | a
            says slow
        """,
        clause="13.3.3 Service Task: waits for the response; the engine's own way to wait",
    ),
    case(
        "a receive task waits for its message",
        process(
            start(),
            node("receiveTask", "hear", messageRef="message_m"),
            task("a"),
            end(),
            chain("start", "hear", "a", "end"),
        ),
        story="""
            start: start | hear
            message other: | hear
            message m x=1: hear | a
            ? a: x=1
        """,
        clause="13.3.3 Receive Task",
    ),
    case(
        "a send task sends at once and goes on",
        process(
            start(),
            node("sendTask", "send", messageRef="message_m"),
            task("a"),
            end(),
            chain("start", "send", "a", "end"),
        ),
        process(start(), catch("hear", event("message", "m")), end("heard"), chain("start", "hear", "heard"), key="q"),
        story="""
            begin q: start | hear
            begin p: start send hear heard | a
            a: a end | done
        """,
        needs_host=True,
        clause="13.3.3 Send Task",
    ),
    case(
        "an untyped task passes through",
        process(start(), node("task", "a"), task("b"), end(), chain("start", "a", "b", "end")),
        story="""
            start: start a | b
            b: b end | done
        """,
        clause="13.3.3 Abstract Task: completes at once",
    ),
    case(
        "start quantity is refused",
        process(start(), task("a", startQuantity="2"), end(), chain("start", "a", "end")),
        refused="token-quantity at a",
        patterns="41",
        clause="table 10.3 startQuantity",
    ),
    case(
        "completion quantity is refused",
        process(start(), task("a", completionQuantity="2"), end(), chain("start", "a", "end")),
        refused="token-quantity at a",
        patterns="42",
        clause="table 10.3 completionQuantity",
    ),
    case(
        "several flows into a task: each token starts it",
        process(
            start(),
            gateway("split", "parallel"),
            task("a"),
            task("b"),
            task("c"),
            end(),
            chain("start", "split", "a", "c", "end"),
            flows("split>b", "b>c"),
        ),
        story="""
            start: start | a b
            a: a | b c
            b: b | c c
            c: c end | c
            c: c end | done
        """,
        patterns="8",
        clause="13.3.1 Sequence Flow: uncontrolled flow, an instance for each token",
    ),
    case(
        "conditional flows leaving a task: those that hold, all at once",
        process(
            start(),
            task("a"),
            task("b"),
            task("c"),
            task("d"),
            end(),
            chain("start", "a"),
            flows("a>b: n > 1", "a>c: n > 2", "a>d: n > 3", "b>end", "c>end", "d>end"),
        ),
        story="""
            start: start | a
            a n=3: a | b c
            b: b end | c
            c: c end | done
        """,
        patterns="6",
        clause="8.4.13 Sequence Flow: conditionalExpression; table 13.1 semantics of an inclusive split",
    ),
    case(
        "conditional flows leaving a task: the default when none holds",
        process(
            start(),
            task("a", default="a_c"),
            task("b"),
            task("c"),
            end(),
            chain("start", "a"),
            flows("a>b: n > 1", "a>c", "b>end", "c>end"),
        ),
        story="""
            start: start | a
            a n=1: a | c
            c: c end | done
        """,
        clause="10.3 Activity: default",
    ),
    case(
        "conditional flows leaving a task: the default not beside one that holds",
        process(
            start(),
            task("a", default="a_c"),
            task("b"),
            task("c"),
            end(),
            chain("start", "a"),
            flows("a>b: n > 1", "a>c", "b>end", "c>end"),
        ),
        story="""
            start: start | a
            a n=2: a | b
        """,
        clause="10.3 Activity: default",
    ),
    case(
        "a condition beside a plain flow out of a task: the plain one always",
        process(
            start(),
            task("a"),
            task("b"),
            task("c"),
            end(),
            chain("start", "a"),
            flows("a>b: n > 1", "a>c", "b>end", "c>end"),
        ),
        story="""
            start: start | a
            a n=1: a | c
        """,
        clause="13.3.1: an unconditional flow gets a token whenever the activity completes",
    ),
    case(
        "a failure with a code that nobody catches is told to whoever moved",
        process(start(), task("a"), fails("bad"), end(), chain("start", "a", "bad", "end")),
        story="""
            start: start | a
            a: raises BpmnError
        """,
        clause="13.5.3 Error: an uncaught error: left to the engine; nothing is changed and the person is told",
    ),
    case(
        "two throws of nothing in a row are passed",
        process(start(), throw("t1", ""), throw("t2", ""), task("a"), end(), chain("start", "t1", "t2", "a", "end")),
        story="""
            start: start t1 t2 | a
        """,
        clause="10.5.4 none intermediate event: only in normal flow, marks a point",
    ),
    case(
        "a wait between two background tasks",
        process(
            start(),
            SLOW,
            catch("rest", timer("PT1H")),
            service("later", "test.note", text="'later'", extension=BACKGROUND),
            end(),
            chain("start", "slow", "rest", "later", "end"),
        ),
        story="""
            start: start | slow
            work: slow | rest@PT1H
            after PT1H: rest later end | done
            says slow later
        """,
    ),
]
