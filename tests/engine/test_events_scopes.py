"""Event sub-processes: started by each kind of event, interrupting or not, in a process and in a sub-process."""

from __future__ import annotations

import pytest

from engine.errors import DeploymentRefused
from tests.engine.drawings import (
    TERMINATE,
    boundary,
    call,
    chain,
    drawing,
    end,
    event,
    flows,
    gateway,
    node,
    script,
    service,
    start,
    subprocess,
    throw,
    timer,
    user,
)
from tests.engine.twins import Twins


def handler(definition: str, *inside: str, interrupting: bool = True, id: str = "h", extension: str = "") -> str:
    """An event sub-process whose start is `on_<id>`; what is inside leads from there to `end_<id>`."""
    begin = node("startEvent", f"on_{id}", definition, extension, isInterrupting=str(interrupting).lower())
    return node("subProcess", id, begin + "".join(inside) + end(f"end_{id}"), triggeredByEvent="true")


def condition(text: str) -> str:
    return f"<bpmn:conditionalEventDefinition><bpmn:condition>{text}</bpmn:condition></bpmn:conditionalEventDefinition>"


def watched(*handlers: str) -> bytes:
    """A process of one task that these handlers watch over."""
    return drawing(start(), user("work", "done"), end(), chain("start", "work", "end"), *handlers)


def nested(*handlers: str) -> bytes:
    """The same within a sub-process, with a task after it."""
    inside = subprocess("sub", start("s"), user("work", "done"), end("e"), chain("s", "work", "e"), *handlers)
    return drawing(start(), inside, user("after", "ok"), end(), chain("start", "sub", "after", "end"))


DEFINITIONS = {
    "message": event("message", "m"),
    "signal": event("signal", "m"),
    "timer": timer("PT1H"),
}


def helped(definition: str, *, interrupting: bool) -> str:
    return handler(definition, user("help", "ok"), chain("on_h", "help", "end_h"), interrupting=interrupting)


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_interrupting_one_ends_the_process_around_it(kind: str) -> None:
    twins = Twins(watched(helped(DEFINITIONS[kind], interrupting=True)))
    assert sorted(twins.waits) == ["on_h", "work"]

    twins.advance("PT1H") if kind == "timer" else twins.deliver("m")

    assert twins.waits == ["help"]
    assert "work cancelled" in twins.trace
    twins.complete("help")
    assert twins.completed
    assert twins.trace[-3:] == ["end_h entered", "end_h completed", "h completed"]
    assert [each for each in twins.trace if each.startswith("on_h")][-1] == "on_h fired"


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_other_one_runs_beside_and_the_scope_ends_with_the_last(kind: str) -> None:
    twins = Twins(nested(helped(DEFINITIONS[kind], interrupting=False)))

    twins.advance("PT1H") if kind == "timer" else twins.deliver("m")
    assert sorted(set(twins.waits) - {"on_h"}) == ["help", "work"]
    twins.complete("work")
    assert twins.waits == ["help"]
    twins.complete("help")

    assert twins.waits == ["after"]
    twins.complete("after")
    assert twins.completed


def test_message_is_heard_again_and_again_until_the_scope_ends() -> None:
    twins = Twins(nested(helped(event("message", "m"), interrupting=False)))

    for _ in range(3):
        twins.deliver("m")
    assert sorted(twins.waits) == ["help", "help", "help", "on_h", "work"]
    for _ in range(3):
        twins.complete("help")
    twins.complete("work")

    assert twins.waits == ["after"]


def test_cycle_fires_at_every_beat() -> None:
    told = handler(
        timer("R3/PT10M", "timeCycle"), service("tell", "test.note"), chain("on_h", "tell", "end_h"), interrupting=False
    )
    twins = Twins(watched(told))

    twins.advance("PT2H")

    assert twins.called == ["tell"] * 3
    assert twins.waits == ["work"]


def test_interrupting_one_ends_the_other_handlers_too() -> None:
    twins = Twins(
        watched(
            helped(event("message", "m"), interrupting=False),
            handler(event("signal", "stop"), user("last", "ok"), chain("on_x", "last", "end_x"), id="x"),
        )
    )
    twins.deliver("m")

    twins.deliver("stop")

    assert twins.waits == ["last"]
    assert {"work cancelled", "help cancelled", "h cancelled"} <= set(twins.trace)
    twins.complete("last")
    assert twins.completed


def test_error_inside_is_handled_and_the_scope_ends_as_usual() -> None:
    inside = subprocess(
        "sub",
        start("s"),
        service("ask", "test.refuse"),
        end("e"),
        chain("s", "ask", "e"),
        helped(event("error", "refused"), interrupting=True),
    )
    twins = Twins(drawing(start(), inside, user("after", "ok"), end(), chain("start", "sub", "after", "end")))

    assert twins.waits == ["help"]
    twins.complete("help")

    assert twins.waits == ["after"]
    assert "sub completed" in twins.trace


def test_error_in_a_handler_leaves_its_scope() -> None:
    """The handlers of a scope do not watch over each other."""
    inside = subprocess(
        "sub",
        start("s"),
        service("ask", "test.refuse"),
        end("e"),
        chain("s", "ask", "e"),
        handler(event("error", "refused"), service("again", "test.refuse"), chain("on_h", "again", "end_h")),
    )
    twins = Twins(
        drawing(
            start(),
            inside,
            boundary("failed", "sub", event("error", "refused")),
            user("mend", "ok"),
            end(),
            chain("start", "sub", "end"),
            flows("failed>mend", "mend>end"),
        )
    )

    assert twins.waits == ["mend"]


@pytest.mark.parametrize("interrupting", [True, False])
def test_escalation_starts_a_handler_and_ends_the_thrower_only_when_it_interrupts(interrupting: bool) -> None:
    inside = subprocess(
        "sub",
        start("s"),
        throw("call_help", event("escalation", "late")),
        user("work", "done"),
        end("e"),
        chain("s", "call_help", "work", "e"),
        helped(event("escalation", "late"), interrupting=interrupting),
    )
    twins = Twins(drawing(start(), inside, end(), chain("start", "sub", "end")))

    assert twins.waits == (["help"] if interrupting else ["help", "work"])
    assert ("work entered" in twins.trace) is not interrupting


def test_condition_starts_a_handler_by_what_the_body_sets() -> None:
    twins = Twins(watched(helped(condition("n &gt; 2"), interrupting=False)), n=0)

    twins.complete("work", n=3)

    assert twins.completed, "the body had ended before anybody looked"

    inside = drawing(
        start(),
        user("a", "go"),
        user("b", "go"),
        end(),
        chain("start", "a", "b", "end"),
        helped(condition("n &gt; 2"), interrupting=False),
    )
    twins = Twins(inside, n=0)
    twins.complete("a", n=3)
    assert twins.waits == ["on_h", "b", "help"]


def test_handler_sees_what_the_body_set_and_the_body_what_the_handler_set() -> None:
    content = drawing(
        start(),
        script("first", "a = 1"),
        user("work", "done"),
        user("rest", "done"),
        end(),
        chain("start", "first", "work", "rest", "end"),
        handler(
            event("message", "m"),
            script("sum", "b = a + n + 1"),
            user("help", "ok"),
            chain("on_h", "sum", "help", "end_h"),
            interrupting=False,
        ),
    )
    twins = Twins(content, n=0)
    twins.complete("work", n=5)

    twins.deliver("m")
    assert twins.data("help")["b"] == 7
    twins.complete("help", c=8)

    assert (twins.data("rest")["b"], twins.data("rest")["c"]) == (7, 8)
    twins.complete("rest")
    assert {"a": 1, "b": 7, "c": 8, "n": 5}.items() <= twins.result.items()


def test_late_handler_does_not_bring_back_what_the_body_has_changed() -> None:
    inside = subprocess(
        "sub",
        start("s"),
        user("a", "go"),
        user("b", "go"),
        end("e"),
        chain("s", "a", "b", "e"),
        helped(event("message", "m"), interrupting=False),
    )
    for order in (("b", "help"), ("help", "b")):
        twins = Twins(drawing(start(), inside, user("after", "ok"), end(), chain("start", "sub", "after", "end")), n=0)
        twins.complete("a", n=5)
        twins.deliver("m")

        for element in order:
            twins.complete(element, **({"n": 9} if element == "b" else {"k": 1}))

        assert (twins.data("after")["n"], twins.data("after")["k"]) == (9, 1)


def test_change_of_a_handler_is_no_change_of_the_branches_that_got_it() -> None:
    content = drawing(
        start(),
        gateway("split", "parallel"),
        user("a", "go"),
        user("b", "go"),
        gateway("join", "parallel"),
        user("after", "ok"),
        end(),
        chain("start", "split", "a", "join", "after", "end"),
        flows("split>b", "b>join"),
        helped(event("message", "m"), interrupting=False),
    )
    twins = Twins(content, n=0)
    twins.deliver("m")
    twins.complete("help", n=1)

    twins.complete("a", n=2)
    twins.complete("b")

    assert twins.data("after")["n"] == 2


def test_interrupting_handler_takes_over_the_variables_of_the_body() -> None:
    content = drawing(
        start(),
        user("a", "go"),
        user("b", "go"),
        end(),
        chain("start", "a", "b", "end"),
        helped(event("message", "m"), interrupting=True),
    )
    twins = Twins(content)
    twins.complete("a", found="x")

    twins.deliver("m", told="y")

    assert twins.data("help") == {"found": "x", "told": "y"}


def test_parallel_branches_of_the_body_are_all_ended() -> None:
    content = drawing(
        start(),
        gateway("split", "parallel"),
        user("a", "go"),
        user("b", "go"),
        gateway("join", "parallel"),
        end(),
        chain("start", "split", "a", "join", "end"),
        flows("split>b", "b>join"),
        helped(event("message", "m"), interrupting=True),
    )
    twins = Twins(content)
    twins.complete("a")

    twins.deliver("m")

    assert twins.waits == ["help"]
    twins.complete("help")
    assert twins.completed


def test_terminating_end_of_the_body_ends_the_handlers() -> None:
    content = drawing(
        start(),
        user("work", "done"),
        end("stop", TERMINATE),
        chain("start", "work", "stop"),
        helped(event("message", "m"), interrupting=False),
    )
    twins = Twins(content)
    twins.deliver("m")

    twins.complete("work")

    assert twins.completed
    assert "help cancelled" in twins.trace


def test_terminating_end_of_a_handler_ends_only_the_handler() -> None:
    content = watched(
        node(
            "subProcess",
            "h",
            node("startEvent", "on_h", event("message", "m"), isInterrupting="false")
            + user("help", "ok")
            + end("end_h", TERMINATE)
            + chain("on_h", "help", "end_h"),
            triggeredByEvent="true",
        )
    )
    twins = Twins(content)
    twins.deliver("m")

    twins.complete("help")

    assert twins.waits == ["on_h", "work"]


def test_error_leaves_a_called_process_into_the_handler_of_the_caller() -> None:
    called = drawing(start(), service("ask", "test.refuse"), end(), chain("start", "ask", "end"), key="q")
    twins = Twins(
        drawing(
            start(),
            call("call", "q"),
            end(),
            chain("start", "call", "end"),
            helped(event("error", "refused"), interrupting=True),
        ),
        called,
    )

    assert twins.waits == ["help"]
    assert "call cancelled" in twins.trace


def test_event_sub_process_within_an_event_sub_process() -> None:
    inner = handler(event("message", "n"), user("inner", "ok"), chain("on_i", "inner", "end_i"), id="i")
    twins = Twins(watched(handler(event("message", "m"), user("help", "ok"), chain("on_h", "help", "end_h"), inner)))
    twins.deliver("m")
    assert twins.waits == ["on_i", "help"]

    twins.deliver("n")

    assert twins.waits == ["inner"]
    twins.complete("inner")
    assert twins.completed


def test_scope_in_a_loop_waits_anew_in_every_lap() -> None:
    inside = subprocess(
        "sub",
        start("s"),
        user("work", "done"),
        end("e"),
        chain("s", "work", "e"),
        helped(event("message", "m"), interrupting=False),
    )
    twins = Twins(
        drawing(
            start(),
            inside,
            gateway("again", default="again_end"),
            end(),
            chain("start", "sub", "again", "end"),
            flows("again>sub: action == 'again'"),
        )
    )

    for _ in range(5):
        twins.deliver("m")
        twins.complete("help")
        twins.complete("work", action="again")
    twins.complete("work", action="done")

    assert twins.completed
    assert twins.trace.count("on_h fired") == 5


def test_parallel_branches_keep_what_each_of_them_changed() -> None:
    """A branch that only inherited a value does not cover the change of another one."""
    content = drawing(
        start(),
        script("first", "n = 1"),
        gateway("split", "parallel"),
        user("a", "go"),
        user("a2", "go"),
        user("b", "go"),
        gateway("join", "parallel"),
        end(),
        chain("start", "first", "split", "a", "a2", "join", "end"),
        flows("split>b", "b>join"),
        helped(event("message", "m"), interrupting=True),
    )
    twins = Twins(content, n=0)
    twins.complete("a", n=2)

    twins.deliver("m")

    assert twins.data("help") == {"n": 2}


def test_process_begins_at_the_start_event_that_is_chosen() -> None:
    content = drawing(
        start(),
        node("startEvent", "by_mail", event("message", "mail")),
        user("a", "ok"),
        user("b", "ok"),
        end(),
        end("e2"),
        chain("start", "a", "end"),
        chain("by_mail", "b", "e2"),
        helped(event("message", "m"), interrupting=False),
    )

    assert Twins(content).waits == ["on_h", "a"]
    twins = Twins(content, begins_at="by_mail")
    assert twins.waits == ["on_h", "b"]
    twins.deliver("m")
    twins.complete("help")
    twins.complete("b")

    assert twins.completed
    assert "a entered" not in twins.trace


def test_element_with_the_name_of_something_invented_is_not_executed() -> None:
    inside = subprocess("p.body", start("s"), end("e"), chain("s", "e"))
    content = drawing(
        start(), inside, end(), chain("start", "p.body", "end"), helped(event("message", "m"), interrupting=True)
    )

    with pytest.raises(DeploymentRefused, match=r"p\.body"):
        Twins(content)


def test_handler_that_throws_to_an_interrupting_one_goes_no_further() -> None:
    throwing = (throw("say", event("signal", "stop")), user("never", "ok"), chain("on_h", "say", "never", "end_h"))
    twins = Twins(
        watched(
            handler(event("message", "m"), *throwing, interrupting=False),
            handler(event("signal", "stop"), user("last", "ok"), chain("on_x", "last", "end_x"), id="x"),
        )
    )

    twins.deliver("m")

    assert twins.waits == ["last"]
    assert "never entered" not in twins.trace
