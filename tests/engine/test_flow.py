"""How a token moves: tasks, gateways, sub-processes, loops, ends."""

from __future__ import annotations

import pytest

from engine.errors import EngineError, NotFound, StepBudgetExceeded, StepFailed
from tests.engine.conftest import Driver
from tests.engine.drawings import (
    TERMINATE,
    boundary,
    call,
    catch,
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


def test_user_task_waits_and_its_action_moves_on(driver: Driver) -> None:
    instance = driver.run(drawing(start(), user("work", "take"), end(), chain("start", "work", "end")))

    assert driver.buttons(instance) == ["take"]
    driver.press(instance, "take", note="x")

    assert driver.state(instance) == "completed"
    assert driver.trace(instance)[-4:] == ["work entered", "work completed", "end entered", "end completed"]


def test_pressed_action_decides_at_the_gateway(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("work", "resolve", "pause"),
            gateway("pressed", default="pressed_end"),
            user("waiting", "resume"),
            end(),
            chain("start", "work", "pressed"),
            flows("pressed>end", "pressed>waiting: action == 'pause'", "waiting>work"),
        )
    )

    driver.press(instance, "pause")
    assert driver.open_tasks(instance) == ["waiting"]
    driver.press(instance, "resume")
    driver.press(instance, "resolve")

    assert driver.state(instance) == "completed"


def test_gateway_without_a_true_condition_fails_the_click_and_keeps_the_task(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            user("work", "go"),
            gateway("choice"),
            end(),
            chain("start", "work", "choice"),
            flows("choice>end: action == 'other'"),
        )
    )

    with pytest.raises(StepFailed, match="Choice"):
        driver.press(instance, "go")

    assert driver.buttons(instance) == ["go"]
    assert driver.instance(instance).version == 1


def test_script_assigns_and_the_next_line_sees_it(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            script("count", "a = n + 1\nb = a * 2\nat = now + duration('PT1H')"),
            user("work", "go"),
            end(),
            chain("start", "count", "work", "end"),
        ),
        n=1,
    )

    assert driver.data(instance) == {"n": 1, "a": 2, "b": 4, "at": "2026-03-16T10:00:00+00:00"}


def test_connector_gets_evaluated_parameters_and_its_result_becomes_a_variable(driver: Driver) -> None:
    driver.calls.answers["test.answer"] = 42
    instance = driver.run(
        drawing(
            start(),
            service("ask", "test.answer", "found", value="n * 2"),
            user("work", "go"),
            end(),
            chain("start", "ask", "work", "end"),
        ),
        n=4,
    )

    assert driver.calls.made == [("test.answer", {"value": 8})]
    assert driver.data(instance)["found"] == 42


def test_unknown_parameter_is_refused_by_name(driver: Driver) -> None:
    driver.deploy(drawing(start(), service("ask", "test.answer", nonsense="1"), end(), chain("start", "ask", "end")))

    with pytest.raises(StepFailed, match="nonsense"):
        driver.start()


def test_parallel_branches_join_once_both_are_done(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            gateway("split", "parallel"),
            user("a", "done_a"),
            user("b", "done_b"),
            gateway("join", "parallel"),
            service("after", "test.note"),
            end(),
            chain("start", "split", "a", "join", "after", "end"),
            flows("split>b", "b>join"),
        )
    )

    driver.press(instance, "done_a")
    assert driver.calls.names() == []
    driver.press(instance, "done_b")

    assert driver.calls.names() == ["test.note"]
    assert driver.state(instance) == "completed"


def test_called_process_runs_inside_and_returns_its_data(driver: Driver) -> None:
    called = drawing(
        start(), user("inner", "go"), script("set", "made = 5"), end(), chain("start", "inner", "set", "end"), key="q"
    )
    instance = driver.run(
        drawing(start(), call("call", "q"), user("after", "ok"), end(), chain("start", "call", "after", "end")), called
    )

    assert driver.open_tasks(instance) == ["inner"]
    driver.press(instance, "go")

    assert driver.data(instance)["made"] == 5
    assert "call completed" in driver.trace(instance)


def test_called_process_that_is_not_deployed_fails_where_it_is_reached(driver: Driver) -> None:
    driver.deploy(
        drawing(start(), user("work", "go"), call("call", "missing"), end(), chain("start", "work", "call", "end"))
    )
    instance = driver.start()

    with pytest.raises(StepFailed, match="missing"):
        driver.press(instance, "go")


def test_embedded_sub_processes_of_two_files_may_have_the_same_id(driver: Driver) -> None:
    def with_sub(key: str, task: str, *more: str) -> bytes:
        inner = subprocess("sub", start("s"), user(task, f"go_{task}"), end("e"), chain("s", task, "e"))
        return drawing(start(), inner, *more, key=key)

    instance = driver.run(
        with_sub("p", "outer", call("call", "q"), end(), chain("start", "sub", "call", "end")),
        with_sub("q", "inner", end(), chain("start", "sub", "end")),
    )

    driver.press(instance, "go_outer")
    assert driver.open_tasks(instance) == ["inner"]
    driver.press(instance, "go_inner")

    assert driver.state(instance) == "completed"


def test_interrupting_event_cancels_everything_inside_a_phase(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            subprocess(
                "phase",
                start("s"),
                gateway("split", "parallel"),
                user("a", "done_a"),
                user("b", "done_b"),
                end("e1"),
                end("e2"),
                chain("s", "split", "a", "e1"),
                flows("split>b", "b>e2"),
            ),
            boundary("stop", "phase", event("message", "stop")),
            end(),
            chain("start", "phase", "end"),
            flows("stop>end"),
        )
    )

    assert driver.send("stop") == 1

    assert driver.state(instance) == "completed"
    assert {"a cancelled", "b cancelled", "phase cancelled"} <= set(driver.trace(instance))


def test_terminate_end_ends_the_other_branch(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            gateway("split", "parallel"),
            user("a", "finish"),
            user("b", "never"),
            end("stop", TERMINATE),
            end(),
            chain("start", "split", "a", "stop"),
            flows("split>b", "b>end"),
        )
    )

    driver.press(instance, "finish")

    assert driver.state(instance) == "completed"
    assert driver.open_tasks(instance) == []


def test_error_of_a_connector_is_caught_by_the_event_of_its_own_activity(driver: Driver) -> None:
    """Two activities wait for the same code; only the failing one's event fires."""
    instance = driver.run(
        drawing(
            start(),
            gateway("split", "parallel"),
            user("other", "go"),
            boundary("other_error", "other", event("error", "refused")),
            service("ask", "test.refuse"),
            boundary("ask_error", "ask", event("error", "refused")),
            user("mend", "mended"),
            end("e1"),
            end("e2"),
            end("e3"),
            chain("start", "split", "other", "e1"),
            chain("split", "ask", "e2"),
            flows("ask_error>mend", "mend>e3", "other_error>e3"),
        )
    )

    assert sorted(driver.open_tasks(instance)) == ["mend", "other"]


def test_error_leaves_a_called_process_and_is_caught_outside(driver: Driver) -> None:
    called = drawing(start(), service("ask", "test.refuse"), end(), chain("start", "ask", "end"), key="q")
    instance = driver.run(
        drawing(
            start(),
            call("call", "q"),
            boundary("failed", "call", event("error", "refused")),
            user("mend", "mended"),
            end(),
            end("e2"),
            chain("start", "call", "end"),
            flows("failed>mend", "mend>e2"),
        ),
        called,
    )

    assert driver.open_tasks(instance) == ["mend"]
    assert "call completed" not in driver.trace(instance)
    assert driver.data(instance)["error_code"] == "refused"


def test_error_end_event_is_caught_outside_and_the_normal_way_is_not_taken(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            subprocess("sub", start("s"), end("fail", event("error", "no")), chain("s", "fail")),
            boundary("failed", "sub", event("error", "no")),
            user("normal", "n"),
            user("mend", "m"),
            end(),
            chain("start", "sub", "normal", "end"),
            flows("failed>mend", "mend>end"),
        )
    )

    assert driver.open_tasks(instance) == ["mend"]


def test_escalation_starts_a_side_branch_and_the_activity_goes_on(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            subprocess(
                "sub",
                start("s"),
                throw("call_help", event("escalation", "late")),
                user("work", "done"),
                end("e"),
                chain("s", "call_help", "work", "e"),
            ),
            boundary("escalated", "sub", event("escalation", "late"), interrupting=False),
            user("boss", "seen"),
            end(),
            end("e2"),
            chain("start", "sub", "end"),
            flows("escalated>boss", "boss>e2"),
        )
    )

    assert sorted(driver.open_tasks(instance)) == ["boss", "work"]


def test_error_nobody_catches_fails_the_step(driver: Driver) -> None:
    driver.deploy(drawing(start(), service("ask", "test.refuse"), end(), chain("start", "ask", "end")))

    with pytest.raises(EngineError, match="refused"):
        driver.start()


def test_first_event_behind_a_gateway_wins_and_the_others_are_forgotten(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            gateway("first", "eventBased"),
            catch("answered", event("message", "answer")),
            catch("late", timer("PT1H")),
            user("a", "go_a"),
            user("b", "go_b"),
            end(),
            chain("start", "first", "answered", "a", "end"),
            chain("first", "late", "b", "end"),
        )
    )
    assert driver.subscriptions(instance) == ["answer"]
    assert driver.open_jobs(instance) == ["first"]

    driver.send("answer", text="yes")

    assert driver.open_tasks(instance) == ["a"]
    assert driver.open_jobs(instance) == []
    assert driver.data(instance)["text"] == "yes"


def test_timer_behind_a_gateway_takes_its_own_branch(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            gateway("first", "eventBased"),
            catch("answered", event("message", "answer")),
            catch("late", timer("PT1H")),
            user("a", "go_a"),
            user("b", "go_b"),
            end(),
            chain("start", "first", "answered", "a", "end"),
            chain("first", "late", "b", "end"),
        )
    )

    driver.advance("PT1H")

    assert driver.open_tasks(instance) == ["b"]
    assert driver.subscriptions(instance) == []


def test_multi_instance_opens_one_task_for_each_item(driver: Driver) -> None:
    loop = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopDataInputRef>people</bpmn:loopDataInputRef>"
        '<bpmn:inputDataItem id="person" name="person"/></bpmn:multiInstanceLoopCharacteristics>'
    )
    instance = driver.run(
        drawing(
            start(),
            user("ask", "answer", inner=loop),
            user("after", "ok"),
            end(),
            chain("start", "ask", "after", "end"),
        ),
        people=["a", "b", "c"],
    )

    assert driver.open_tasks(instance) == ["ask", "ask", "ask"]
    for _ in range(3):
        driver.press(instance, "answer")

    assert driver.open_tasks(instance) == ["after"]


def test_endless_automatic_loop_ends_in_a_budget_error(driver: Driver) -> None:
    driver.deploy(
        drawing(
            start(),
            script("count", "n = n + 1"),
            gateway("again", default="again_count"),
            end(),
            chain("start", "count", "again"),
            flows("again>count", "again>end: n < 0"),
        )
    )

    with pytest.raises(StepBudgetExceeded):
        driver.start(n=0)


def test_long_automatic_loop_within_the_budget_finishes(driver: Driver) -> None:
    """Deeper than the library's walk over its tree reaches."""
    instance = driver.run(
        drawing(
            start(),
            script("count", "n = n + 1"),
            gateway("again", default="again_count"),
            end(),
            chain("start", "count", "again"),
            flows("again>count", "again>end: n >= 700"),
        ),
        n=0,
    )

    assert driver.state(instance) == "completed"
    assert driver.entered(instance).count("count") == 700


def test_long_chain_of_nodes_is_read_and_run(driver: Driver) -> None:
    ids = [f"n{number}" for number in range(390)]

    instance = driver.run(drawing(start(), *(node("task", i) for i in ids), end(), chain("start", *ids, "end")))

    assert driver.state(instance) == "completed"


def test_statuses_are_told_in_the_order_of_entering(driver: Driver) -> None:
    instance = driver.run(
        drawing(
            start(),
            node("task", "born", extension='<desk:status code="new"/>'),
            user("work", "go", status="working"),
            end(),
            chain("start", "born", "work", "end"),
        )
    )

    assert driver.statuses == ["new", "working"]
    assert driver.open_tasks(instance) == ["work"]


def test_unknown_action_is_not_found_and_changes_nothing(driver: Driver) -> None:
    instance = driver.run(drawing(start(), user("work", "take"), end(), chain("start", "work", "end")))
    ref = driver.ref(instance, "take").replace("take", "steal")

    with pytest.raises(NotFound):
        driver.perform(instance, ref)

    assert driver.buttons(instance) == ["take"]


def test_action_may_have_the_id_of_its_task(driver: Driver) -> None:
    instance = driver.run(drawing(start(), user("classify", "classify"), end(), chain("start", "classify", "end")))

    driver.press(instance, "classify")

    assert driver.state(instance) == "completed"


def test_loop_without_a_gateway_runs_lap_after_lap(driver: Driver) -> None:
    """The library looks ahead in such a loop until its stack is full."""
    instance = driver.run(
        drawing(
            start(),
            user("work", "again"),
            boundary("stop", "work", event("message", "stop")),
            end(),
            chain("start", "work", "work"),
            flows("stop>end"),
        )
    )

    for _ in range(5):
        driver.press(instance, "again")
    assert driver.open_tasks(instance) == ["work"]
    driver.send("stop")

    assert driver.state(instance) == "completed"


def test_interrupted_instances_are_gone_in_every_lap(driver: Driver) -> None:
    loop = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>3</bpmn:loopCardinality>"
        "</bpmn:multiInstanceLoopCharacteristics>"
    )
    instance = driver.run(
        drawing(
            start(),
            user("all", "done", inner=loop),
            boundary("late", "all", timer("PT1H")),
            user("rest", "again"),
            chain("start", "all", "rest", "all"),
            flows("late>rest"),
        )
    )

    for _ in range(3):
        assert driver.open_tasks(instance) == ["all", "all", "all"]
        driver.press(instance, "done")
        driver.advance("PT1H")
        assert driver.open_tasks(instance) == ["rest"]
        driver.press(instance, "again")

    assert driver.trace(instance).count("all cancelled") == 6
