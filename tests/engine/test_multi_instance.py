"""Activities that run more than once: multi-instances and standard loops."""

from __future__ import annotations

from typing import Any

import pytest

from engine.bpmn import surgery
from engine.bpmn.loops import MultiInstance
from engine.errors import StepFailed
from tests.engine.conftest import Driver
from tests.engine.drawings import (
    boundary,
    chain,
    drawing,
    end,
    event,
    flows,
    node,
    script,
    start,
    subprocess,
    timer,
    user,
)
from tests.engine.walk import Begin, Walk, program


def many(inner: str = "", **attributes: str) -> str:
    texts = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<bpmn:multiInstanceLoopCharacteristics{texts}>{inner}</bpmn:multiInstanceLoopCharacteristics>"


def count(number: int | str) -> str:
    return f"<bpmn:loopCardinality>{number}</bpmn:loopCardinality>"


def each(collection: str, item: str = "item", output: str = "", made: str = "") -> str:
    found = f'<bpmn:loopDataInputRef>{collection}</bpmn:loopDataInputRef><bpmn:inputDataItem id="{item}"/>'
    if output:
        found = found.replace("<bpmn:inputDataItem", f"<bpmn:loopDataOutputRef>{output}</bpmn:loopDataOutputRef>"
                              "<bpmn:inputDataItem") + f'<bpmn:outputDataItem id="{made}"/>'  # fmt: skip
    return found


def until(condition: str) -> str:
    return f"<bpmn:completionCondition>{condition}</bpmn:completionCondition>"


def asked(loop: str, *more: str) -> bytes:
    """A repeated user task `ask`, then the task `after`."""
    return drawing(start(), user("ask", inner=loop), user("after"), end(), chain("start", "ask", "after", "end"), *more)


# how many


def test_parallel_instances_each_have_their_item_and_number(begin: Begin) -> None:
    walk = begin(asked(many(each("people"))), people=["x", "y", "z"])

    assert [(data["item"], data["loopCounter"]) for data in walk.all_data("ask")] == [("x", 1), ("y", 2), ("z", 3)]


def test_sequential_instances_follow_each_other(begin: Begin) -> None:
    walk = begin(asked(many(each("people"), isSequential="true")), people=["x", "y"])
    assert [data["item"] for data in walk.all_data("ask")] == ["x"]

    walk.press("ask")
    assert [(data["item"], data["loopCounter"]) for data in walk.all_data("ask")] == [("y", 2)]

    assert walk.press("ask").tasks == ["after"]


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_no_instances_pass_through(begin: Begin, sequential: str) -> None:
    assert begin(asked(many(count(0), isSequential=sequential))).tasks == ["after"]
    assert begin(asked(many(each("people"), isSequential=sequential)), people=[]).tasks == ["after"]


@pytest.mark.parametrize(
    ("loop", "variables"),
    [
        (many(count("n")), {"n": -1}),
        (many(count("n")), {"n": 1_001}),
        (many(count("n")), {"n": "three"}),
        (many(count("n")), {"n": True}),
        (many(each("people")), {"people": "abc"}),
    ],
)
def test_impossible_number_names_the_activity(loop: str, variables: dict[str, Any]) -> None:
    with pytest.raises(StepFailed) as failure:
        Walk(program(asked(loop)), reloads=False, **variables)

    assert failure.value.element_id == "ask"


def test_a_thousand_instances_run(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("ask", "go", inner=many(count(1_000))),
            boundary("stop", "ask", event("message", "stop")),
            end(),
            chain("start", "ask", "end"),
            flows("stop>end"),
        )
    )
    assert len(driver.open_tasks(instance)) == 1_000

    driver.send("stop")

    assert driver.state(instance) == "completed"


# data


def test_changes_of_instances_are_applied_in_the_order_of_completion(begin: Begin) -> None:
    walk = begin(asked(many(count(2))), found=[0])

    walk.press_where("ask", "loopCounter", 2, found=[1, 2], second=True).press("ask", first=True)

    assert walk.data("after") == {"found": [1, 2], "second": True, "first": True}


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_outputs_stand_in_the_order_of_the_items(begin: Begin, sequential: str) -> None:
    walk = begin(asked(many(each("people", output="answers", made="answer"), isSequential=sequential)), people=[1, 2])

    walk.press("ask", last=True, answer=["b"], noise=1)
    walk.press("ask", answer=["a"])

    assert walk.data("after")["answers"] == ([["a"], ["b"]] if sequential == "false" else [["b"], ["a"]])
    assert walk.data("after").keys() == {"people", "answers"}


def test_outputs_of_a_mapping_keep_its_keys(begin: Begin) -> None:
    walk = begin(asked(many(each("people", output="answers", made="answer"))), people={"x": 1, "y": 2})

    walk.press("ask", answer="a").press("ask", answer="b")

    assert walk.data("after")["answers"] == {"x": "a", "y": "b"}


def test_outputs_may_replace_their_inputs(begin: Begin) -> None:
    walk = begin(asked(many(each("people", output="people", made="item"))), people=[1, 2])

    walk.press("ask", last=True, item=20).press("ask", item=10)

    assert walk.data("after")["people"] == [10, 20]


def test_item_and_counter_stay_inside(begin: Begin) -> None:
    walk = begin(asked(many(each("people"))), people=[1], item="outer", loopCounter=7)
    assert walk.data("ask")["item"] == 1

    walk.press("ask")

    assert (walk.data("after")["item"], walk.data("after")["loopCounter"]) == ("outer", 7)


# completion


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_completion_condition_withdraws_the_rest(begin: Begin, sequential: str) -> None:
    done = until("numberOfCompletedInstances == 2")
    walk = begin(asked(many(count(5) + done, isSequential=sequential)))

    walk.press("ask").press("ask")

    assert walk.tasks == ["after"]
    assert walk.trace.count("cancelled ask") == (0 if sequential == "true" else 3)


def test_condition_sees_all_counters(begin: Begin) -> None:
    condition = until(
        "numberOfInstances == 3 and numberOfActiveInstances == 1 and numberOfCompletedInstances == 2"
        " and numberOfTerminatedInstances == 0 and loopCounter == 2"
    )

    walk = begin(asked(many(count(3) + condition))).press("ask").press("ask")

    assert walk.tasks == ["after"]


def test_condition_sees_what_the_instances_made(begin: Begin) -> None:
    walk = begin(asked(many(each("people", output="yes", made="ok") + until("len(yes) == 2"))), people=[1, 2, 3])

    assert walk.press("ask", ok=1).press("ask", ok=1).tasks == ["after"]


# behaviour

_DECLARED = '<bpmn:signalEventDefinition id="told_it" signalRef="signal_told"/>'


def _behaving(loop: str) -> bytes:
    drawn = asked(
        loop,
        boundary("told", "ask", event("signal", "told"), interrupting=False),
        user("side"),
        end("e2"),
        chain("told", "side", "e2"),
    )
    return drawn.replace(b"</bpmn:definitions>", _DECLARED.encode() + b"</bpmn:definitions>")


@pytest.mark.parametrize(("behaviour", "sides"), [("None", [1, 2, 3]), ("One", [1, 1, 1]), ("All", [0, 0, 0])])
def test_behaviour_tells_of_completions(begin: Begin, behaviour: str, sides: list[int]) -> None:
    references = {"None": "noneBehaviorEventRef", "One": "oneBehaviorEventRef"}
    reference = {references[behaviour]: "told_it"} if behaviour in references else {}
    walk = begin(_behaving(many(count(3), behavior=behaviour, **reference)))

    for expected in sides:
        walk.press("ask")
        assert walk.tasks.count("side") == expected

    assert "after" in walk.tasks


def test_complex_behaviour_tells_when_its_condition_holds(begin: Begin) -> None:
    definition = (
        "<bpmn:complexBehaviorDefinition><bpmn:condition>numberOfCompletedInstances == 2</bpmn:condition>"
        f"<bpmn:event>{event('signal', 'told')}</bpmn:event></bpmn:complexBehaviorDefinition>"
    )
    walk = begin(_behaving(many(count(3) + definition, behavior="Complex")))

    assert "side" not in walk.press("ask").tasks
    assert walk.press("ask").tasks.count("side") == 1
    assert walk.press("ask").tasks == ["after", "side"]


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_event_that_interrupts_ends_all_instances(begin: Begin, sequential: str) -> None:
    drawn = asked(
        many(count(3), behavior="One", oneBehaviorEventRef="told_it", isSequential=sequential),
        boundary("told", "ask", event("signal", "told")),
        end("e2"),
        flows("told>e2"),
    ).replace(b"</bpmn:definitions>", _DECLARED.encode() + b"</bpmn:definitions>")
    walk = begin(drawn)

    walk.press("ask")

    assert walk.done
    assert walk.trace.count("entered ask") == (1 if sequential == "true" else 3)


# around and inside


def test_boundary_events_sit_on_the_whole(begin: Begin) -> None:
    drawn = asked(
        many(count(3)),
        boundary("late", "ask", timer("PT1H"), interrupting=False),
        boundary("stop", "ask", event("message", "stop")),
        user("side"),
        end("e2"),
        end("e3"),
        chain("late", "side", "e2"),
        flows("stop>e3"),
    )
    walk = begin(drawn).fire("late")
    assert walk.tasks == ["ask", "ask", "ask", "side"]

    walk.fire("stop")

    assert walk.tasks == ["side"]
    assert walk.trace.count("cancelled ask") == 3


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_sub_processes_and_called_processes_are_repeated(begin: Begin, sequential: str) -> None:
    loop = many(each("people"), isSequential=sequential)
    inside = (start("s"), user("inner"), end("e"), chain("s", "inner", "e"))
    sub = subprocess("sub", *inside).replace("</bpmn:subProcess>", loop + "</bpmn:subProcess>")
    called = node("callActivity", "call", loop, calledElement="q")
    other = drawing(start(), user("far"), end(), chain("start", "far", "end"), key="q")
    walk = begin(drawing(start(), sub, called, end(), chain("start", "sub", "call", "end")), other, people=["x", "y"])

    for task in ("inner", "far"):
        items = []
        for _ in range(2):
            items.append(walk.data(task)["item"])
            walk.press(task)
        assert items == ["x", "y"]

    assert walk.done


def test_nested_instances_number_themselves(begin: Begin) -> None:
    inside = (start("s"), user("inner", inner=many(count("loopCounter"))), end("e"), chain("s", "inner", "e"))
    sub = subprocess("sub", *inside).replace("</bpmn:subProcess>", many(count(2)) + "</bpmn:subProcess>")
    walk = begin(drawing(start(), sub, end(), chain("start", "sub", "end")))
    assert sorted(data["loopCounter"] for data in walk.all_data("inner")) == [1, 1, 2]

    walk.press("inner").press("inner").press("inner")

    assert walk.done


def test_repeated_activity_may_be_entered_again(begin: Begin) -> None:
    walk = begin(
        drawing(
            start(),
            user("ask", inner=many(each("people", output="answers", made="answer"))),
            user("after"),
            chain("start", "ask", "after", "ask"),
        ),
        people=[1],
    )

    for answer in (1, 2):
        walk.press("ask", answer=answer)
        assert walk.data("after")["answers"] == [answer]
        walk.press("after")


def test_skipping_the_whole_leaves_no_instance_behind() -> None:
    walk = Walk(program(asked(many(count(3)))), reloads=False)
    whole = next(task for task in walk.machine.workflow.tasks.values() if isinstance(task.task_spec, MultiInstance))

    surgery.skip(walk.machine, whole.id.hex)
    walk.machine.run()

    assert walk.tasks == ["after"]


# standard loops


def _loop(condition: str = "", **attributes: str) -> str:
    texts = "".join(f' {key}="{value}"' for key, value in attributes.items())
    inner = f"<bpmn:loopCondition>{condition}</bpmn:loopCondition>" if condition else ""
    return f"<bpmn:standardLoopCharacteristics{texts}>{inner}</bpmn:standardLoopCharacteristics>"


def test_loop_runs_while_its_condition_holds(begin: Begin) -> None:
    walk = begin(asked(_loop("more", loopMaximum="10")))

    walk.press("ask", more=True)
    assert walk.data("ask")["loopCounter"] == 2
    walk.press("ask", more=False)

    assert walk.tasks == ["after"]
    assert "loopCounter" not in walk.data("after")


def test_loop_that_tests_before_may_never_run(begin: Begin) -> None:
    drawn = asked(_loop("more", loopMaximum="10", testBefore="true"))

    assert begin(drawn, more=False).tasks == ["after"]
    assert begin(drawn, more=True).press("ask", more=False).tasks == ["after"]


def test_loop_ends_at_its_maximum_and_counts_its_laps(begin: Begin) -> None:
    assert begin(asked(_loop(loopMaximum="2"))).press("ask").press("ask").tasks == ["after"]
    assert begin(asked(_loop("loopCounter != 2", loopMaximum="9"))).press("ask").press("ask").tasks == ["after"]


def test_loop_keeps_lists_whole(begin: Begin) -> None:
    walk = begin(asked(_loop("len(found) != 1", loopMaximum="9")), found=[])

    walk.press("ask", found=[1, 2]).press("ask", found=[2])

    assert walk.data("after")["found"] == [2]


def test_script_is_repeated_with_its_item(begin: Begin) -> None:
    repeated = script("add", "total = total + item").replace(
        "</bpmn:scriptTask>", many(each("numbers"), isSequential="true") + "</bpmn:scriptTask>"
    )
    walk = begin(
        drawing(start(), repeated, user("after"), end(), chain("start", "add", "after", "end")),
        numbers=[1, 2, 3],
        total=0,
    )

    assert walk.data("after")["total"] == 6
