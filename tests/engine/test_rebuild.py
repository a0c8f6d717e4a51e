"""The history of an instance leads to its stored state again, whatever happened and whatever the world answered."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine import actions, history, rebuild, repair, runtime
from engine.errors import BpmnError
from engine.listeners import listeners
from engine.models import History, Job, ProcessInstance, Subscription, UserTask
from engine.rebuild import Diverged, NotRebuildable
from engine.values import Namespace
from tests.engine.conftest import KEY, Driver
from tests.engine.drawings import (
    boundary,
    button,
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
    timer,
    user,
)


def difference(driver: Driver, instance_id: int) -> str:
    with driver.database.reading() as session:
        return rebuild.compare(session, session.get_one(ProcessInstance, instance_id))


def asking(driver: Driver) -> list[Any]:
    """A context whose only field answers by turns; what it is asked is never the same twice."""
    answers: list[Any] = []
    fields = {"mood": lambda: answers.pop(0) if answers else None}
    listeners().context.append(lambda _session, _instance: {"ticket": Namespace("ticket", fields)})
    return answers


def change(driver: Driver, instance_id: int, n: int, **parts: Any) -> None:
    """Change parts of a step's data behind the engine's back; None takes one away."""
    with driver.database.transaction() as session:
        row = session.scalars(select(History).where(History.instance_id == instance_id, History.n == n)).one()
        row.data = {name: part for name, part in {**row.data, **parts}.items() if part is not None}


LIFE = drawing(
    start(),
    service("ask", "test.answer", "found", value="=ticket.mood"),
    gateway("which", default="which_work"),
    user("special", "done"),
    user("work", "done", "pause"),
    boundary("remind", "work", timer("=ticket.mood"), interrupting=False),
    boundary("reply", "work", event("message", "replied")),
    boundary("press", "work", event("signal", "press"), extension=button("escalate")),
    service("tell", "test.note"),
    gateway("pressed", default="pressed_waiting"),
    user("waiting", "resume"),
    boundary("wake", "waiting", timer("PT2H")),
    script("again", "laps = laps + 1\nseen = ticket.mood"),
    end(),
    end("told"),
    chain("start", "ask", "which", "work", "pressed"),
    chain("remind", "tell", "told"),
    flows("which>special: ticket.mood == 'odd'", "special>end", "pressed>end: action == 'done'", "pressed>waiting"),
    flows("reply>again", "press>again", "waiting>again", "wake>again", "again>which"),
)


def test_answers_of_the_host_come_from_the_tape(driver: Driver) -> None:
    answers = asking(driver)
    answers += ["sunny", None, "PT30M"]
    driver.calls.answers["test.answer"] = {"id": 7}
    instance = driver.run(LIFE, laps=0)

    first = driver.all(History, instance)[0].data

    assert driver.open_tasks(instance) == ["work"]
    assert [entry[1] for entry in first["tape"][:1]] == [{"id": 7}]
    assert difference(driver, instance) == ""


def test_history_says_where_in_the_drawing_a_move_was_made(driver: Driver) -> None:
    instance = driver.run(drawing(start(), user("work", "done"), end(), chain("start", "work", "end")))

    driver.press(instance, "done")

    assert driver.all(History, instance)[1].data["places"] == [["p", "work", 0]]


def test_expected_failure_of_a_connector_is_on_the_tape(driver: Driver) -> None:
    driver.calls.failures["test.answer"] = [BpmnError("refused")]
    instance = driver.run(
        drawing(
            start(),
            service("ask", "test.answer"),
            boundary("no", "ask", event("error", "refused")),
            user("mend", "mended"),
            end(),
            chain("start", "ask", "end"),
            flows("no>mend", "mend>end"),
        )
    )

    assert driver.open_tasks(instance) == ["mend"]
    assert difference(driver, instance) == ""


def test_finished_and_cancelled_instances_lead_to_their_end(driver: Driver) -> None:
    first = driver.run(drawing(start(), user("work", "done"), end(), chain("start", "work", "end")))
    second = driver.start()
    driver.press(first, "done")
    with driver.database.transaction() as session:
        runtime.cancel(session, second, reason="double", actor="agent:1")

    assert [difference(driver, each) for each in (first, second)] == ["", ""]


def test_state_that_was_changed_by_hand_differs(driver: Driver) -> None:
    drawn = drawing(start(), user("work", "done"), user("check", "ok"), end(), chain("start", "work", "check", "end"))
    changed, other = driver.run(drawn, n=1), driver.start(n=2)
    with driver.database.transaction() as session:
        data = session.get_one(ProcessInstance, other).data
        session.execute(update(ProcessInstance).where(ProcessInstance.id == changed).values(data=data))

    assert "'n': 2" in difference(driver, changed)


def test_history_that_leads_elsewhere_is_told_with_the_step(driver: Driver) -> None:
    instance = driver.run(drawing(start(), user("work", "done"), end(), chain("start", "work", "end")))
    driver.press(instance, "done")
    change(driver, instance, 2, places=[["p", "elsewhere", 0]])

    with pytest.raises(Diverged, match="Step 2"):
        difference(driver, instance)


def test_instance_of_an_older_release_is_not_rebuildable(driver: Driver) -> None:
    instance = driver.run(drawing(start(), user("work", "done"), end(), chain("start", "work", "end")))
    change(driver, instance, 1, versions=None)

    with pytest.raises(NotRebuildable, match="older release"):
        difference(driver, instance)


def test_tape_that_is_too_long_is_left_out_and_said_so(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_TAPE", 50)
    driver.calls.answers["test.answer"] = "x" * 100
    instance = driver.run(
        drawing(
            start(),
            service("ask", "test.answer", "found"),
            user("work", "done"),
            end(),
            chain("start", "ask", "work", "end"),
        )
    )

    with pytest.raises(NotRebuildable, match="left out"):
        difference(driver, instance)


PARALLEL = drawing(
    start(),
    gateway("again"),
    gateway("fork", "parallel"),
    user("left", "done"),
    boundary("late", "left", timer("PT1H"), interrupting=False),
    service("tell", "test.note"),
    end("told"),
    user("right", "done"),
    gateway("join", "parallel"),
    service("ask", "test.answer", "found", extension='<desk:job async="true"/>'),
    gateway("which", default="which_again"),
    end(),
    chain("start", "again", "fork", "left", "join", "ask", "which"),
    chain("fork", "right", "join"),
    chain("late", "tell", "told"),
    flows("which>end: found == 'stop'", "which>again"),
)
WITHIN = drawing(
    start(),
    subprocess(
        "phase",
        start("s"),
        gateway("first", "eventBased"),
        catch("reply", event("message", "replied")),
        catch("pause", timer("PT20M")),
        script("count", "n = n + 1"),
        call("part", "q"),
        end("e"),
        chain("s", "first", "reply", "count", "part", "e"),
        flows("first>pause", "pause>count"),
    ),
    boundary("press", "phase", event("signal", "press"), extension=button("escalate")),
    user("calm", "done"),
    end(),
    gateway("which", default="which_phase"),
    chain("start", "phase", "calm", "which"),
    flows("press>calm", "which>phase", "which>end: n > 50"),
)
PART = drawing(start(), user("inner", "done"), end(), chain("start", "inner", "end"), key="q")
EACH = drawing(
    start(),
    node(
        "userTask",
        "vote",
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>3</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>",
    ),
    script("count", "n = n + 1"),
    gateway("which", default="which_vote"),
    end(),
    chain("start", "vote", "count", "which"),
    flows("which>end: n > 20", "which>vote"),
)


@pytest.mark.parametrize(
    "drawn", [(LIFE,), (PARALLEL,), (WITHIN, PART), (EACH,)], ids=["life", "parallel", "within", "each"]
)
@pytest.mark.parametrize("seed", range(4))
def test_after_every_random_move_the_history_leads_to_the_stored_state(
    driver: Driver, drawn: tuple[bytes, ...], seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311
    answers = asking(driver)
    driver.deploy(*drawn)
    instance = driver.start(n=0, laps=0)

    for _ in range(25):
        answers[:] = [dice.choice(["odd", None, "PT30M", "PT3H"]) for _ in range(3)]
        answers[1:1] = [None, "PT40M"]
        driver.calls.answers["test.answer"] = dice.choice(["stop", "go", {"k": [1, None]}])
        if driver.state(instance) != "active" or not _moved(driver, instance, dice):
            break
        assert difference(driver, instance) == ""

    assert len(driver.moves(instance)) > 1


def _moved(driver: Driver, instance: int, dice: random.Random) -> bool:
    """Make one of the moves that are possible now."""
    waiting = [row for row in driver.all(Job, instance) if row.state == "waiting"]
    messages = [row for row in driver.all(Subscription, instance) if row.kind == "message"]
    possible: list[Callable[[], object]] = [lambda: driver.perform(instance, dice.choice(_refs(driver, instance)))] * 3
    if not _refs(driver, instance):
        possible = []
    if waiting:
        possible.append(lambda: driver.jump("PT45M"))
    if messages:
        possible.append(lambda: driver.send("replied", KEY, note=dice.random()))
    if not possible:
        return False
    dice.choice(possible)()
    driver.clock.advance(timedelta(seconds=dice.randrange(900)))
    return True


def _refs(driver: Driver, instance: int) -> list[str]:
    with driver.database.reading() as session:
        offered = actions.available(session, session.get_one(ProcessInstance, instance))
    plain = [f"task:{row.id}:done" for row in driver.all(UserTask, instance) if row.state == "open"]
    return [action.ref for action in offered] or plain


def test_repairs_suspension_and_what_was_held_meanwhile_are_made_again(driver: Driver) -> None:
    asking(driver)
    instance = driver.run(LIFE, laps=0)
    reason = {"reason": "the printer is on fire", "by": "agent:9"}

    with driver.database.transaction() as session:
        [place] = [each for each in repair.places(session, session.get_one(ProcessInstance, instance))]
        repair.set_variable(session, instance, "laps", 5, **reason)
        repair.move_token(session, instance, place.key, "waiting", **reason)
        [job] = session.scalars(select(Job).where(Job.state == "waiting"))
        repair.set_due(session, job.id, driver.clock.at + timedelta(hours=5), **reason)
        repair.suspend(session, instance, **reason)
    assert difference(driver, instance) == ""
    driver.clock.advance(timedelta(hours=9))
    with driver.database.transaction() as session:
        repair.resume(session, instance, **reason)
        [place] = repair.places(session, session.get_one(ProcessInstance, instance))
        repair.repeat(session, instance, place.key, **reason)
        [place] = repair.places(session, session.get_one(ProcessInstance, instance))
        repair.skip(session, instance, place.key, **reason)

    assert driver.moves(instance)[1:] == [
        *("set-variable", "move-token", "set-due", "suspend", "resume", "repeat", "skip")
    ]
    assert difference(driver, instance) == ""
