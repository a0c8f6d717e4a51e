"""What the API does: versions, instances, buttons, events, jobs, incidents, migration – and the same request twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from engine import jobs
from engine.clock import FixedClock
from engine.connectors import Execution, connector
from engine.models import Incident, ProcessInstance
from services.bootstrap import Desk
from services.lines.models import line_member
from tests.engine.drawings import boundary, chain, drawing, end, service, start, timer, user
from tests.webui.api.conftest import Machine

Machines = Callable[..., Machine]
PLAIN = drawing(
    start(), user("work", "done"), end(), chain("start", "work", "end"), key="plain", name="Проверка"
).decode()


def ok(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json
    return found


def deployed(caller: Machine, content: str = PLAIN) -> dict[str, Any]:
    sent = {"files": {"plain.bpmn": content}, "activate": True, "comment": "по API"}
    made: dict[str, Any] = ok(caller.post("/deployments", sent), 201)["definitions"][0]
    return made


@pytest.fixture
def caller(machine: Machines) -> Machine:
    return machine("admin")


def test_a_bundle_is_checked_stored_activated_and_read_again(caller: Machine) -> None:
    findings = ok(caller.post("/deployments/check", {"files": {"a.bpmn": "<html/>"}}))
    made = deployed(caller)

    assert findings["ok"] is False
    assert (made["key"], made["version"], made["state"]) == ("plain", 1, "active")
    assert caller.get(f"/definitions/{made['id']}/bpmn").text == PLAIN
    assert ok(caller.get("/definitions", key="plain", state="active"))["items"][0]["id"] == made["id"]


def test_a_bad_bundle_is_refused_with_all_findings(caller: Machine) -> None:
    answer = caller.post("/deployments", {"files": {"a.bpmn": PLAIN.replace('targetRef="end"', 'targetRef="nowhere"')}})

    assert answer.status_code == 422
    assert {"flow-ends"} <= {each["rule"] for each in answer.json["problems"]}


def test_going_back_is_activating_an_older_version(caller: Machine) -> None:
    first = deployed(caller)
    second = deployed(caller, PLAIN.replace("Work", "Работа"))

    back = ok(caller.post(f"/definitions/{first['id']}/activate"))

    assert back["state"] == "active"
    assert ok(caller.get(f"/definitions/{second['id']}"))["state"] == "retired"


def test_a_version_in_use_is_not_deleted(caller: Machine) -> None:
    made = deployed(caller)
    ok(caller.post("/instances", {"key": "plain", "business_key": "order:7"}), 201)
    deployed(caller, PLAIN.replace("Work", "Работа"))

    answer = caller.call("DELETE", f"/definitions/{made['id']}")

    assert (answer.status_code, answer.json["business_keys"]) == (409, ["order:7"])  # type: ignore[index]


def test_an_instance_is_started_watched_and_finished(caller: Machine) -> None:
    deployed(caller)

    begun = ok(caller.post("/instances", {"key": "plain", "business_key": "order:7", "variables": {"n": 1}}), 201)
    offered = ok(caller.get(f"/instances/{begun['id']}/actions"))
    pressed = {"ref": offered["items"][0]["ref"], "expected_version": offered["version"]}
    done = ok(caller.post(f"/instances/{begun['id']}/actions", pressed))

    assert ok(caller.get("/instances", business_key="order:7"))["items"][0]["id"] == begun["id"]
    assert [each["label"] for each in offered["items"]] == ["Done"]
    assert done["state"] == "completed"
    events = [(each["element_id"], each["event"]) for each in ok(caller.get(f"/instances/{begun['id']}/log"))["items"]]
    assert ("work", "completed") in events
    assert [each["move"] for each in ok(caller.get(f"/instances/{begun['id']}/history"))["items"]] == [
        "start",
        "complete",
    ]
    assert "start_work" in ok(caller.get(f"/instances/{begun['id']}/diagram"))["passed"]


def test_another_version_than_was_seen_is_refused(caller: Machine) -> None:
    deployed(caller)
    begun = ok(caller.post("/instances", {"key": "plain"}), 201)
    offered = ok(caller.get(f"/instances/{begun['id']}/actions"))
    reason = "цена изменилась"
    ok(caller.call("PUT", f"/instances/{begun['id']}/variables/price", json={"value": 5, "reason": reason}))

    answer = caller.post(
        f"/instances/{begun['id']}/actions", {"ref": offered["items"][0]["ref"], "expected_version": offered["version"]}
    )

    assert (answer.status_code, answer.json["current_version"]) == (409, 2)  # type: ignore[index]
    assert ok(caller.get(f"/instances/{begun['id']}/variables"))["variables"] == {"price": 5}


def test_the_same_request_twice_does_its_work_once(caller: Machine, desk: Desk) -> None:
    deployed(caller)

    first = caller.post("/instances", {"key": "plain", "business_key": "order:1"}, key="k-1")
    second = caller.post("/instances", {"key": "plain", "business_key": "order:1"}, key="k-1")
    other = caller.post("/instances", {"key": "plain", "business_key": "order:2"}, key="k-1")

    assert (first.status_code, second.status_code, other.status_code) == (201, 201, 422)
    assert first.data == second.data
    assert second.headers["Idempotency-Replayed"] == "true"
    with desk.database.reading() as session:
        keys = session.scalars(select(ProcessInstance.business_key).where(ProcessInstance.business_key.like("order:%")))
        assert list(keys) == ["order:1"]


def test_the_same_request_at_the_same_moment_does_its_work_once(caller: Machine, desk: Desk) -> None:
    deployed(caller)

    def begin(_: int) -> int:
        status: int = caller.post("/instances", {"key": "plain", "business_key": "order:3"}, key="k-3").status_code
        return status

    with ThreadPoolExecutor(4) as pool:
        said = set(pool.map(begin, range(8)))

    assert {201} <= said <= {201, 503}
    with desk.database.reading() as session:
        same = select(func.count()).where(ProcessInstance.business_key == "order:3")
        assert session.scalar(same) == 1


def test_a_refused_request_may_come_again_with_its_key(caller: Machine) -> None:
    refused = caller.post("/instances", {"key": "plain"}, key="k-2")
    deployed(caller)

    again = caller.post("/instances", {"key": "plain"}, key="k-2")

    assert (refused.status_code, again.status_code) == (404, 201)


def test_the_key_of_one_token_is_not_that_of_another(machine: Machines, caller: Machine) -> None:
    deployed(caller)

    ids = [ok(each.post("/instances", {"key": "plain"}, key="k"), 201)["id"] for each in (caller, machine("admin"))]

    assert len(set(ids)) == 2


def test_an_operator_lists_claims_and_presses_on_his_tickets(
    machine: Machines, client_writes: Callable[..., int]
) -> None:
    client_writes()
    operator = machine("operator")

    (task,) = ok(operator.get("/tasks"))["items"]
    claimed = ok(operator.post(f"/tasks/{task['id']}/claim"))
    offered = ok(operator.get(f"/instances/{task['instance_id']}/actions"))

    assert ok(operator.get("/tasks", assignee="me"))["items"] == [claimed]
    assert "Классифицировать" in [each["label"] for each in offered["items"]]


def test_a_form_is_checked_as_on_the_card(machine: Machines, client_writes: Callable[..., int]) -> None:
    client_writes()
    operator = machine("operator")
    (task,) = ok(operator.get("/tasks"))["items"]
    offered = ok(operator.get(f"/instances/{task['instance_id']}/actions"))["items"]
    (classify,) = [each for each in offered if each["label"] == "Классифицировать"]

    answer = operator.post(f"/instances/{task['instance_id']}/actions", {"ref": classify["ref"], "values": {}})

    assert answer.status_code == 422
    assert {"type", "service"} & {each["field"] for each in answer.json["errors"]}  # type: ignore[index]


def test_a_foreign_ticket_is_as_if_it_were_not_there(
    machine: Machines, client_writes: Callable[..., int], desk: Desk
) -> None:
    client_writes()
    with desk.database.transaction() as session:
        session.execute(delete(line_member))
    operator = machine("operator")
    with desk.database.reading() as session:
        instance = session.scalars(select(ProcessInstance.id)).one()

    assert ok(operator.get("/tasks"))["items"] == []
    assert operator.get(f"/instances/{instance}/actions").status_code == 404


def test_a_message_wakes_who_waits_for_it(caller: Machine) -> None:
    deployed(
        caller,
        drawing(
            start(),
            user("work", "done"),
            boundary("paid", "work", '<bpmn:messageEventDefinition messageRef="message_paid"/>'),
            end(),
            chain("start", "work", "end"),
            chain("paid", "end"),
            key="plain",
        ).decode(),
    )
    ok(caller.post("/instances", {"key": "plain", "business_key": "order:7"}), 201)

    assert ok(caller.post("/messages", {"name": "paid", "business_key": "order:8"})) == {"caught": 0}
    assert ok(caller.post("/messages", {"name": "paid", "business_key": "order:7"})) == {"caught": 1}
    assert ok(caller.get("/instances", business_key="order:7"))["items"][0]["state"] == "completed"


def test_a_timer_is_moved_and_fires_at_once(caller: Machine, clock: FixedClock, desk: Desk) -> None:
    deployed(
        caller,
        drawing(
            start(),
            user("work", "done"),
            boundary("late", "work", timer("P1D")),
            end(),
            chain("start", "work", "end"),
            chain("late", "end"),
            key="plain",
        ).decode(),
    )
    begun = ok(caller.post("/instances", {"key": "plain"}), 201)
    (job,) = ok(caller.get("/jobs", instance_id=begun["id"]))["items"]

    moved = {"due_at": clock.at.isoformat(), "reason": "ждать больше нечего"}
    ok(caller.call("PUT", f"/jobs/{job['id']}/due", json=moved))
    jobs.execute(desk.database, [job["id"]])

    assert ok(caller.get(f"/instances/{begun['id']}"))["state"] == "completed"


@pytest.fixture
def shaky(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A connector that fails while the list is not empty."""
    from engine import connectors

    monkeypatch.setattr(connectors, "_registry", dict(connectors._registry))
    broken = [True]

    @connector("test.shaky")
    def shaky(execution: Execution) -> None:
        """Fails."""
        if broken:
            raise RuntimeError("no line")

    return broken


def test_an_incident_is_retried_with_the_state_that_follows(caller: Machine, shaky: list[bool], desk: Desk) -> None:
    background = '<desk:job async="true" retries="0"/>'
    deployed(
        caller,
        drawing(
            start(),
            service("call", "test.shaky", extension=background),
            end(),
            chain("start", "call", "end"),
            key="plain",
        ).decode(),
    )
    begun = ok(caller.post("/instances", {"key": "plain"}), 201)
    (job,) = ok(caller.get("/jobs", instance_id=begun["id"]))["items"]
    jobs.execute(desk.database, [job["id"]])
    (incident,) = ok(caller.get("/incidents"))["items"]

    again = ok(caller.post(f"/incidents/{incident['id']}/retry"))
    shaky.clear()
    mended = ok(caller.post(f"/incidents/{incident['id']}/retry"))

    assert (incident["element_id"], "no line" in incident["message"]) == ("call", True)
    assert "no line" in again["problem"]
    assert (mended["problem"], mended["state"]) == ("", "completed")
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Incident).where(Incident.state == "open")) == 0


def test_the_stack_is_for_admins(machine: Machines, caller: Machine, desk: Desk) -> None:
    with desk.database.transaction() as session:
        session.add(
            Incident(message="x", details={"stack": "secret", "expression": "a"}, state="open", created_at=desk_now())
        )

    assert ok(machine("analyst").get("/incidents"))["items"][0]["details"] == {"expression": "a"}
    assert ok(caller.get("/incidents"))["items"][0]["details"]["stack"] == "secret"


def desk_now() -> Any:
    from engine import clock

    return clock.now()


def test_an_instance_is_suspended_mended_and_ended(caller: Machine) -> None:
    deployed(caller)
    begun = ok(caller.post("/instances", {"key": "plain"}), 201)
    path, why = f"/instances/{begun['id']}", {"reason": "проверка ремонта"}

    stopped = ok(caller.post(f"{path}/suspend", why))
    ok(caller.post(f"{path}/resume", why))
    (place,) = ok(caller.get(f"{path}/standing"))["places"]
    repeated = ok(caller.post(f"{path}/repeat", {**why, "key": place["key"]}))
    skipped = ok(caller.post(f"{path}/skip", {**why, "key": repeated["places"][0]["key"]}))

    assert stopped["state"] == "suspended"
    assert repeated["opened"] == ["Work"]
    assert skipped["state"] == "completed"
    assert caller.post(f"{path}/cancel", why).status_code == 422


def test_running_instances_are_previewed_and_migrated(caller: Machine) -> None:
    first = deployed(caller)
    ok(caller.post("/instances", {"key": "plain"}), 201)
    second = deployed(caller, PLAIN.replace("Work", "Работа"))
    route = {"source_id": first["id"], "target_id": second["id"]}

    preview = ok(caller.post("/migrations/preview", route))
    tried = ok(caller.post("/migrations/dry-run", route))
    begun = ok(caller.post("/migrations", {**route, "comment": "новая надпись"}), 201)

    assert preview["counts"] == {"moves": 1}
    assert tried["counts"] == {"moved": 1}
    assert (begun["state"], begun["total"]) == ("running", 1)
    assert ok(caller.get(f"/migrations/{begun['id']}"))["counts"] == {"waiting": 1}
    assert caller.post(f"/migrations/{begun['id']}/undo").status_code == 422


def test_lists_go_on_from_where_they_ended(caller: Machine) -> None:
    deployed(caller)
    for _ in range(3):
        ok(caller.post("/instances", {"key": "plain"}), 201)

    first = ok(caller.get("/instances", key="plain", limit=2))
    rest = ok(caller.get("/instances", key="plain", limit=2, after=first["next"]))

    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
