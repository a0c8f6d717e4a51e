"""Repeated activities: standard loops and multi-instance with counts, lists, completion conditions and behaviours."""

from tests.conformance.case import case
from tests.conformance.sketch import fails, many, process, repeat, task, tell
from tests.engine.drawings import boundary, chain, end, event, flows, node, service, start, timer

PLAIN = chain("start", "a", "b", "end")


def around(a: str, *more: str) -> bytes:
    """Start, the repeated `a`, a task `b`, end."""
    return process(start(), a, task("b"), end(), *more, PLAIN)


def part(id: str, loop: str, *elements: str, **attributes: str) -> str:
    return node("subProcess", id, loop + "".join(elements), **attributes)


def called(loop: str) -> str:
    return node("callActivity", "a", loop, calledElement="q")


Q = process(start("qs"), task("x"), end("qe"), chain("qs", "x", "qe"), key="q")

CASES = [
    case(
        "parallel: all at once, on when all are done",
        around(task("a", inner=many("3"))),
        story="""
            start: start | a a a
            a: a | a a
            a: a | a
            a: a | b
            b: b end | done
        """,
        patterns="12 13",
        clause="13.3.7 Multiple Instances Activity",
    ),
    case(
        "sequential: one after another",
        around(task("a", inner=many("3", sequential=True))),
        story="""
            start: start | a
            a: a | a
            a: a | a
            a: a | b
        """,
        patterns="13",
        clause="13.3.7",
    ),
    case(
        "parallel: the count is computed when it begins",
        around(task("a", inner=many("n + 1"))),
        story="""
            start n=1: start | a a
            a n=5: a | a
            a: a | b
        """,
        patterns="14",
        clause="13.3.7: loopCardinality is evaluated once",
    ),
    case(
        "parallel: none at all",
        around(task("a", inner=many("n"))),
        story="start n=0: start | b",
        patterns="14",
        clause="13.3.7: nothing to do is done at once",
    ),
    case(
        "sequential: none at all",
        around(task("a", inner=many("n", sequential=True))),
        story="start n=0: start | b",
        patterns="14",
    ),
    case(
        "parallel: one for each item of a list",
        around(service("a", "test.note", text="item", inner=many(over="list", item="item"))),
        story="""
            start list=[4,5,6]: start {a, a, a} | b
            says {4, 5, 6}
        """,
        patterns="14",
        clause="10.3.8: loopDataInputRef, inputDataItem",
    ),
    case(
        "sequential: one for each item, in the order of the list",
        around(service("a", "test.note", text="item", inner=many(over="list", item="item", sequential=True))),
        story="""
            start list=[4,5,6]: start a a a | b
            says 4 5 6
        """,
        patterns="14",
    ),
    case(
        "sequential: none for an empty list",
        around(task("a", inner=many(over="list", item="item", sequential=True))),
        story="start list=[]: start | b",
        patterns="14",
    ),
    case(
        "parallel: none for an empty list",
        around(task("a", inner=many(over="list", item="item"))),
        story="start list=[]: start | b",
        patterns="14",
    ),
    case(
        "parallel: the results are a list in the order of the items, whoever is first",
        around(task("a", inner=many(over="list", item="item", into="results", result="mine"))),
        story="""
            start list=[4,5]: start | a a
            a mine=40: a | a
            a mine=50: a | b
            ? b: results=[40,50]
        """,
        clause="10.3.8: loopDataOutputRef, outputDataItem",
    ),
    case(
        "sequential: the results are a list",
        around(
            service(
                "a",
                "test.answer",
                result="mine",
                value="item * 10",
                inner=many(over="list", item="item", into="results", result="mine", sequential=True),
            )
        ),
        story="""
            start list=[4,5]: start a a | b
            ? b: results=[40,50]
        """,
        clause="10.3.8",
    ),
    case(
        "parallel: the completion condition ends it and cancels the rest",
        around(task("a", inner=many("3", until="enough"))),
        story="""
            start: start | a a a
            a enough=false: a | a a
            a enough=true: {a, !a} | b
            b: b end | done
        """,
        patterns="35",
        clause="13.3.7: when completionCondition is true all remaining instances are cancelled",
    ),
    case(
        "sequential: the completion condition ends it",
        around(task("a", inner=many("3", until="enough", sequential=True))),
        story="""
            start: start | a
            a enough=false: a | a
            a enough=true: a | b
        """,
        patterns="35",
        clause="13.3.7",
    ),
    case(
        "the completion condition may count the completed instances",
        around(task("a", inner=many("4", until="numberOfCompletedInstances >= 2"))),
        story="""
            start: start | a a a a
            a: a | a a a
            a: {a, !a, !a} | b
        """,
        patterns="35",
        clause="table 10.30: numberOfInstances, numberOfActiveInstances, numberOfCompletedInstances, loopCounter",
    ),
    case(
        "more than half of the instances is enough",
        around(task("a", inner=many("3", until="numberOfCompletedInstances * 2 > numberOfInstances"))),
        story="""
            start: start | a a a
            a: a | a a
            a: {a, !a} | b
        """,
        patterns="35",
        clause="table 10.30",
    ),
    case(
        "each instance knows its number",
        around(service("a", "test.note", text="loopCounter", inner=many("3", sequential=True))),
        story="""
            start: start a a a | b
            says 1 2 3
        """,
        clause="table 10.30 loopCounter: the number of the instance",
    ),
    case(
        "parallel sub-processes, each with its own course",
        around(part("a", many("2"), start("s"), task("x"), task("y"), end("e"), chain("s", "x", "y", "e"))),
        story="""
            start: start s s | x x
            x: x | x y
            y: y e a | x
            x: x | y
            y: y e a | b
        """,
        patterns="13",
    ),
    case(
        "sequential sub-processes",
        around(part("a", many("2", sequential=True), start("s"), task("x"), end("e"), chain("s", "x", "e"))),
        story="""
            start: start s | x
            x: {x e a, s} | x
            x: x e a | b
        """,
        patterns="13",
    ),
    case(
        "parallel calls of another process",
        around(called(many("2"))),
        Q,
        story="""
            start: start qs qs | x x
            x: x qe a | x
            x: x qe a | b
        """,
        patterns="13",
    ),
    case(
        "the completion condition cancels sub-processes with what is in them",
        around(part("a", many("2", until="enough"), start("s"), task("x"), end("e"), chain("s", "x", "e"))),
        story="""
            start: start s s | x x
            x enough=true: x e {a, !a, !x} | b
        """,
        patterns="35",
    ),
    case(
        "an interrupting event ends all instances",
        around(task("a", inner=many("3")), boundary("late", "a", timer("PT1H")), task("c"), flows("late>c", "c>end")),
        story="""
            start: start | a a a late@PT1H
            a: a | a a late
            after PT1H: {late, !a, !a} | c
            c: c end | done
        """,
        patterns="26",
        clause="13.5.3; boundary events belong to the whole activity",
    ),
    case(
        "an event beside all instances, as often as it comes",
        around(
            task("a", inner=many("2")),
            boundary("ping", "a", event("message", "ping"), interrupting=False),
            tell("c"),
            end("e2"),
            flows("ping>c", "c>e2"),
        ),
        story="""
            start: start | a a ping
            message ping: ping c e2 | a a ping
            message ping: ping c e2 | a a ping
            a: a | a ping
            a: a | b
        """,
    ),
    case(
        "an error of one instance ends all",
        around(
            part("a", many("2"), start("s"), task("x"), fails("bad"), end("e"), chain("s", "x", "bad", "e")),
            boundary("caught", "a", event("error", "refused")),
            task("c"),
            flows("caught>c", "c>end"),
        ),
        story="""
            start: start s s | x x
            x: x {caught, !bad, !a, !a, !x} | c
        """,
        clause="13.3.7, 13.5.3: an error interrupts the activity with all its instances",
    ),
    case(
        "in a loop, two laps of three",
        process(
            start(),
            task("a", inner=many("n")),
            task("b"),
            chain("start", "a", "b", "a"),
            boundary("stop", "b", event("message", "stop")),
            end(),
            flows("stop>end"),
        ),
        story="""
            start n=2: start | a a
            a: a | a
            a: a | b stop
            b n=1: b | a
            a: a | b stop
            message stop: {stop, !b, end} | done
        """,
        patterns="10 14",
    ),
    case(
        "a token for each instance: behaviour None tells of every completion",
        around(
            task("a", inner=many("2", attributes='behavior="None" noneBehaviorEventRef="done_one"')),
            boundary("told", "a", event("signal", "one_done"), interrupting=False),
            tell("c"),
            end("e2"),
            flows("told>c", "c>e2"),
        ).replace(
            b"<bpmn:process",
            b'<bpmn:signalEventDefinition id="done_one" signalRef="signal_one_done"/><bpmn:process',
            1,
        ),
        story="""
            start: start | a a told
            a: {a, told c e2} | a told
            a: {a, told c e2} | b
        """,
        clause="10.3.8 behavior None: the noneBehaviorEventRef event for each instance completing",
    ),
    case(
        "behaviour One tells of the first completion only",
        around(
            task("a", inner=many("2", attributes='behavior="One" oneBehaviorEventRef="done_one"')),
            boundary("told", "a", event("signal", "one_done"), interrupting=False),
            tell("c"),
            end("e2"),
            flows("told>c", "c>e2"),
        ).replace(
            b"<bpmn:process",
            b'<bpmn:signalEventDefinition id="done_one" signalRef="signal_one_done"/><bpmn:process',
            1,
        ),
        story="""
            start: start | a a told
            a: {a, told c e2} | a told
            a: a | b
        """,
        clause="10.3.8 behavior One: the oneBehaviorEventRef event upon the first instance completing",
    ),
    case(
        "behaviour Complex tells when its condition holds",
        around(
            task(
                "a",
                inner=many(
                    "3",
                    attributes='behavior="Complex"',
                    extra='<bpmn:complexBehaviorDefinition id="cb"><bpmn:condition>numberOfCompletedInstances == 2'
                    '</bpmn:condition><bpmn:event id="cbe" name="cbe"><bpmn:signalEventDefinition '
                    'signalRef="signal_one_done"/></bpmn:event></bpmn:complexBehaviorDefinition>',
                ),
            ),
            boundary("told", "a", event("signal", "one_done"), interrupting=False),
            tell("c"),
            end("e2"),
            flows("told>c", "c>e2"),
        ),
        story="""
            start: start | a a a told
            a: a | a a told
            a: {a, told c e2} | a told
            a: a | b
        """,
        clause="10.3.8 behavior Complex: complexBehaviorDefinition",
    ),
    case(
        "more instances than the engine carries are refused",
        around(task("a", inner=many("1001"))),
        refused="multi-instance-count at a",
    ),
    case(
        "a negative count is refused",
        around(task("a", inner=many("-1"))),
        refused="multi-instance-count at a",
    ),
    case(
        "neither count nor list is refused",
        around(task("a", inner=many())),
        refused="multi-instance-count at a",
        clause="10.3.8: loopCardinality or loopDataInputRef",
    ),
    case(
        "standard loop: again while its condition holds, asked after",
        around(task("a", inner=repeat("again", most=10))),
        story="""
            start again=false: start | a
            a again=true: a | a
            a again=true: a | a
            a again=false: a | b
        """,
        patterns="21",
        clause="13.3.6 Loop Activity, testBefore false: at least once",
    ),
    case(
        "standard loop: asked before, perhaps never",
        around(task("a", inner=repeat("again", most=10, before=True))),
        story="start again=false: start | b",
        patterns="21",
        clause="13.3.6 testBefore true",
    ),
    case(
        "standard loop: asked before, again while it holds",
        around(task("a", inner=repeat("again", most=10, before=True))),
        story="""
            start again=true: start | a
            a again=true: a | a
            a again=false: a | b
        """,
        patterns="21",
    ),
    case(
        "standard loop: at most so often",
        around(task("a", inner=repeat("true_again", most=2))),
        story="""
            start true_again=true: start | a
            a: a | a
            a: a | b
        """,
        patterns="21",
        clause="table 10.27 loopMaximum",
    ),
    case(
        "standard loop: a sub-process",
        around(part("a", repeat("n < 2", most=5), start("s"), task("x"), end("e"), chain("s", "x", "e"))),
        story="""
            start n=0: start s | x
            x n=1: {x e a, s} | x
            x n=2: x e a | b
        """,
        patterns="21",
    ),
    case(
        "standard loop: interrupted",
        around(
            task("a", inner=repeat("again", most=9)),
            boundary("late", "a", timer("PT1H")),
            task("c"),
            flows("late>c", "c>end"),
        ),
        story="""
            start again=true: start | a late@PT1H
            after PT30M: | a late@PT30M
            a again=true: a | a late@PT30M
            after PT30M: {late, !a} | c
        """,
        patterns="21",
        clause="13.3.6: the boundary event belongs to the whole loop",
    ),
    case(
        "standard loop without a bound is refused",
        around(task("a", inner=repeat("again"))),
        refused="endless-task-loop at a",
    ),
]
