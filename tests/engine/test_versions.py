"""The life of versions: what may become active, the way back, what may be deleted, and the journal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from sqlalchemy import select

from engine import repository, runtime, versions
from engine.db import Database
from engine.errors import DeploymentRefused, EngineError, NotReady, VersionInUse
from engine.models import Deployment, ProcessDefinition
from tests.engine.conftest import Driver
from tests.engine.drawings import button, chain, drawing, end, node, start, user
from tests.engine.lint.sketch import boundary, task, timer
from tests.engine.lint.sketch import chain as good_chain

REASON = "Проверено вручную с клиентом"


def labelled(label: str, key: str = "p") -> bytes:
    return drawing(start(), user("work", button("go", label)), end(), chain("start", "work", "end"), key=key)


def caller(binding: str = "", key: str = "p", called: str = "q", name: str = "Вызов") -> bytes:
    texts = {"calledElement": called, "name": name, **({"desk:binding": binding} if binding else {})}
    first = user("first", "go")
    return drawing(
        start(), first, node("callActivity", "call", **texts), end(), chain("start", "first", "call", "end"), key=key
    )


SHAKY = good_chain(task(), task(id="lost").replace('<desk:action id="done" label="Готово"/>', ""))
"""The process `desk` with a task that nobody can finish: an error of the check, but the engine could run it."""
BROKEN = good_chain(task() + boundary(timer("PT1H")), '<complexGateway id="g" name="Сложный"/>')
"""A drawing that the engine cannot run."""


def store(database: Database, *, activate: bool = True, **files: bytes) -> None:
    with database.transaction() as session:
        named = {name.replace("__", "."): content for name, content in files.items()}
        for definition in repository.store(session, named, author="agent:1").definitions:
            if activate:
                versions.activate(session, definition, by="agent:1")


def states(database: Database, key: str = "p") -> list[tuple[int, str]]:
    with database.reading() as session:
        query = select(ProcessDefinition).where(ProcessDefinition.key == key).order_by(ProcessDefinition.version)
        return [(each.version, each.state) for each in session.scalars(query)]


def number(session: Any, version: int, key: str = "p") -> ProcessDefinition:
    query = select(ProcessDefinition).where(ProcessDefinition.key == key, ProcessDefinition.version == version)
    found: ProcessDefinition = session.scalars(query).one()
    return found


def activate(database: Database, version: int, key: str = "p", reason: str | None = None) -> None:
    with database.transaction() as session:
        versions.activate(session, number(session, version, key), by="agent:7", override_reason=reason)


def journal(database: Database, key: str = "p") -> list[tuple[str, int | None, int, str]]:
    with database.reading() as session:
        return [(row.kind, row.before, row.version, row.by) for row in versions.journal(session, key)]


# active, retired, back again


def test_of_two_versions_activated_at_once_one_is_active(database: Database) -> None:
    store(database, p__bpmn=labelled("Один"))
    store(database, p__bpmn=labelled("Два"), activate=False)
    store(database, p__bpmn=labelled("Три"), activate=False)

    with ThreadPoolExecutor(1) as other:
        with database.transaction() as session:
            versions.activate(session, number(session, 2), by="agent:7")
            late = other.submit(activate, database, 3)
            wait([late], timeout=0.5)
        late.result()

    assert states(database) == [(1, "retired"), (2, "retired"), (3, "active")]


def test_older_version_comes_back_and_the_journal_says_who_did_what(database: Database) -> None:
    store(database, p__bpmn=labelled("One"))
    store(database, p__bpmn=labelled("Two"))

    activate(database, 1)

    assert states(database) == [(1, "active"), (2, "retired")]
    assert journal(database) == [
        ("rolled_back", 2, 1, "agent:7"),
        ("activated", 1, 2, "agent:1"),
        ("activated", None, 1, "agent:1"),
    ]


# drafts with errors


def test_bundle_with_errors_is_refused_unless_a_draft_is_wanted(database: Database) -> None:
    with database.transaction() as session:
        with pytest.raises(DeploymentRefused):
            repository.deploy(session, {"a.bpmn": SHAKY}, author="agent:1")
        repository.deploy(session, {"a.bpmn": SHAKY}, author="agent:1", keep_draft=True)

    assert states(database, "desk") == [(1, "draft")]
    with database.reading() as session:
        assert "user-task-action" in {row["rule"] for row in number(session, 1, "desk").lint}


def test_draft_with_errors_is_never_activated_silently(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotReady) as refused:
        repository.deploy(session, {"a.bpmn": SHAKY}, author="agent:1", keep_draft=True, activate=True)

    assert refused.value.obstacles == ("errors",)


@pytest.mark.parametrize("reason", [None, "", "   ", "коротко", "         ок        "])
def test_reason_must_say_something(database: Database, reason: str | None) -> None:
    with database.transaction() as session:
        repository.deploy(session, {"a.bpmn": SHAKY}, author="agent:1", keep_draft=True)

    with pytest.raises(NotReady):
        activate(database, 1, "desk", reason)

    assert states(database, "desk") == [(1, "draft")]


def test_reason_overrides_errors_and_is_recorded(database: Database) -> None:
    with database.transaction() as session:
        repository.deploy(session, {"a.bpmn": SHAKY}, author="agent:1", keep_draft=True)

    activate(database, 1, "desk", REASON)

    with database.reading() as session:
        assert number(session, 1, "desk").override_reason == REASON
        assert [row.reason for row in versions.journal(session, "desk")] == [REASON]


def test_nothing_overrides_a_drawing_that_cannot_run(database: Database) -> None:
    with database.transaction() as session:
        repository.deploy(session, {"a.bpmn": BROKEN}, author="agent:1", keep_draft=True)

    with pytest.raises(NotReady) as refused:
        activate(database, 1, "desk", REASON)

    assert "unrunnable" in refused.value.obstacles


@pytest.mark.parametrize(
    "content", [b"<oops", b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>', b"<a/>"]
)
def test_file_that_cannot_be_read_is_not_even_kept_as_a_draft(database: Database, content: bytes) -> None:
    with database.transaction() as session, pytest.raises(DeploymentRefused):
        repository.deploy(session, {"a.bpmn": content}, author="agent:1", keep_draft=True)

    with database.reading() as session:
        assert session.scalars(select(Deployment)).all() == []


def test_failing_scenarios_stand_in_the_way_of_a_draft(database: Database) -> None:
    store(database, activate=False, p__bpmn=labelled("One"))
    with database.transaction() as session:
        number(session, 1).scenarios = {"passed": 3, "failed": 2}

    with pytest.raises(NotReady, match="scenarios"):
        activate(database, 1)
    activate(database, 1, reason=REASON)

    assert states(database) == [(1, "active")]


def test_way_back_is_never_barred(database: Database) -> None:
    store(database, p__bpmn=labelled("One"))
    store(database, p__bpmn=labelled("Two"))
    with database.transaction() as session:
        number(session, 1).scenarios = {"passed": 0, "failed": 2}

    activate(database, 1)

    assert states(database) == [(1, "active"), (2, "retired")]


def test_reason_that_is_not_needed_is_not_recorded_as_an_override(database: Database) -> None:
    store(database, activate=False, p__bpmn=labelled("One"))

    activate(database, 1, reason=REASON)

    with database.reading() as session:
        assert number(session, 1).override_reason is None


def test_draft_that_would_bring_a_broken_process_along_is_held_back(database: Database) -> None:
    store(database, activate=False, p__bpmn=caller("deployment"), q__bpmn=labelled("One", "q"))
    with database.transaction() as session:
        number(session, 1, "q").scenarios = {"passed": 0, "failed": 1}

    with pytest.raises(NotReady, match="scenarios"):
        activate(database, 1)


# bindings


def label(driver: Driver, instance: int) -> str:
    from engine import actions
    from engine.models import ProcessInstance

    with driver.database.reading() as session:
        return actions.available(session, session.get_one(ProcessInstance, instance))[0].label


@pytest.mark.parametrize(("binding", "expected"), [("", "New"), ("latest", "New"), ("deployment", "Old")])
def test_call_takes_the_version_that_it_is_bound_to(driver: Driver, binding: str, expected: str) -> None:
    store(driver.database, p__bpmn=caller(binding), q__bpmn=labelled("Old", "q"))
    store(driver.database, q__bpmn=labelled("New", "q"))

    instance = driver.start()
    driver.press(instance, "go")

    assert label(driver, instance) == expected


def test_bundle_that_brings_an_unchanged_process_is_bound_to_the_version_that_is_there(driver: Driver) -> None:
    called = labelled("Old", "q")
    store(driver.database, q__bpmn=called)
    store(driver.database, p__bpmn=caller("deployment"), q__bpmn=called)
    store(driver.database, q__bpmn=labelled("New", "q"))

    instance = driver.start()
    driver.press(instance, "go")

    assert states(driver.database, "q") == [(1, "retired"), (2, "active")]
    assert label(driver, instance) == "Old"


def test_bound_call_never_strays_to_a_version_of_another_bundle(driver: Driver) -> None:
    store(driver.database, q__bpmn=labelled("Stranger", "q"))
    store(driver.database, p__bpmn=caller("deployment"))

    with driver.database.reading() as session:
        assert repository.bindings_of(session, number(session, 1)) == {}


def test_bound_process_needs_not_be_active(driver: Driver) -> None:
    store(driver.database, activate=False, p__bpmn=caller("deployment"), q__bpmn=labelled("Old", "q"))
    activate(driver.database, 1)

    instance = driver.start()
    driver.press(instance, "go")

    assert label(driver, instance) == "Old"


def test_two_versions_of_one_process_in_one_instance_are_refused(driver: Driver) -> None:
    store(driver.database, r__bpmn=caller("deployment", "r"), q__bpmn=labelled("Old", "q"))
    store(driver.database, q__bpmn=labelled("New", "q"))
    both = drawing(
        start(),
        node("callActivity", "one", calledElement="q"),
        node("callActivity", "two", calledElement="r"),
        end(),
        chain("start", "one", "two", "end"),
    )
    driver.deploy(both)

    with pytest.raises(EngineError, match="one version of q"):
        driver.start()


# deletion


def delete(database: Database, version: int, key: str = "p") -> None:
    with database.transaction() as session:
        versions.delete(session, number(session, version, key), by="agent:7")


def test_draft_is_deleted_and_its_number_is_not_given_again(database: Database) -> None:
    store(database, p__bpmn=labelled("One"))
    store(database, activate=False, p__bpmn=labelled("Two"))

    delete(database, 2)
    store(database, activate=False, p__bpmn=labelled("Three"))

    assert states(database) == [(1, "active"), (3, "draft")]
    assert journal(database)[0] == ("deleted", 1, 2, "agent:7")


def test_deleted_version_comes_back_with_its_bundle(database: Database) -> None:
    files = {"a.bpmn": good_chain(task())}
    with database.transaction() as session:
        repository.deploy(session, files, author="agent:1")
    delete(database, 1, "desk")

    with database.transaction() as session:
        again = repository.deploy(session, files, author="agent:1")
        assert [each.version for each in again.definitions] == [2]

    assert states(database, "desk") == [(2, "draft")]


def test_active_version_is_not_deleted(database: Database) -> None:
    store(database, p__bpmn=labelled("One"))

    with pytest.raises(VersionInUse):
        delete(database, 1)

    assert states(database) == [(1, "active")]


@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_version_of_an_instance_is_not_deleted_and_the_refusal_names_the_records(driver: Driver, ended: bool) -> None:
    driver.deploy(labelled("One"))
    instance = driver.start(business_key="record:42")
    if ended:
        driver.press(instance, "go")
    driver.deploy(labelled("Two"))

    with pytest.raises(VersionInUse, match="record:42") as refused:
        delete(driver.database, 1)

    assert (refused.value.count, refused.value.business_keys) == (1, ("record:42",))


def test_version_that_an_instance_calls_is_not_deleted(driver: Driver) -> None:
    driver.deploy(caller(), labelled("One", "q"))
    driver.start()
    driver.deploy(labelled("Two", "q"))

    with pytest.raises(VersionInUse):
        delete(driver.database, 1, "q")


def test_first_twenty_records_are_named_and_all_are_counted(driver: Driver) -> None:
    driver.deploy(labelled("One"))
    for record in range(25):
        driver.start(business_key=f"record:{record}")
    driver.deploy(labelled("Two"))

    with driver.database.reading() as session:
        found = versions.uses(session, number(session, 1))

    assert found.count == 25
    assert found.business_keys == tuple(f"record:{record}" for record in range(20))


def test_version_that_another_one_is_bound_to_is_not_deleted(database: Database) -> None:
    store(database, p__bpmn=caller("deployment"), q__bpmn=labelled("One", "q"))
    store(database, q__bpmn=labelled("Two", "q"))

    with pytest.raises(VersionInUse):
        delete(database, 1, "q")

    with database.reading() as session:
        assert [each.key for each in versions.uses(session, number(session, 1, "q")).callers] == ["p"]


def test_retired_version_that_nobody_used_is_deleted(database: Database) -> None:
    store(database, p__bpmn=labelled("One"))
    store(database, p__bpmn=labelled("Two"))

    delete(database, 1)

    assert states(database) == [(2, "active")]


def test_instance_of_another_process_with_a_similar_number_is_no_use(driver: Driver) -> None:
    driver.deploy(caller(), labelled("One", "q"))
    driver.start()
    with driver.database.reading() as session:
        bound = number(session, 1, "q").id
        assert not versions.uses(session, ProcessDefinition(id=bound * 10 + 1, key="q", state="draft"))


def test_process_goes_on_with_the_versions_that_are_left(driver: Driver) -> None:
    driver.deploy(labelled("One"))
    driver.deploy(labelled("Two"))
    delete(driver.database, 1)

    with driver.database.transaction() as session:
        assert runtime.start_process(session, "p").definition.version == 2


def test_a_call_of_a_process_that_the_desk_has_is_no_warning(database: Database) -> None:
    store(database, q__bpmn=labelled("Работа", "q"))

    with database.reading() as session:
        [on_the_desk, alone] = [repository.check({"p.bpmn": caller()}, session=each) for each in (session, None)]

    assert "call-unknown" not in {problem.rule for problem in on_the_desk}
    assert "call-unknown" in {problem.rule for problem in alone}
