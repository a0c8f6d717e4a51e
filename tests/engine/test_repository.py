"""Versions: what makes a new one, which one new instances start with, what running ones keep."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update

from engine import actions, repository, runtime
from engine.db import Database
from engine.errors import DeploymentRefused, EngineError, NotFound
from engine.models import Deployment, ProcessDefinition, ProcessInstance
from tests.engine.conftest import Driver
from tests.engine.drawings import button, call, chain, drawing, end, start, user
from tests.engine.lint.sketch import chain as good_chain
from tests.engine.lint.sketch import task


def labelled(label: str, key: str = "p") -> bytes:
    return drawing(
        start(), user("work", button("go", label, form="note")), end(), chain("start", "work", "end"), key=key
    )


def versions(database: Database, key: str = "p") -> list[tuple[int, str]]:
    with database.reading() as session:
        query = select(ProcessDefinition).where(ProcessDefinition.key == key).order_by(ProcessDefinition.version)
        return [(each.version, each.state) for each in session.scalars(query)]


def keep(database: Database, **files: bytes | str) -> None:
    """Store files as a checked bundle would be."""
    named = {n.replace("__", "."): c if isinstance(c, bytes) else c.encode() for n, c in files.items()}
    with database.transaction() as session:
        for definition in repository.store(session, named, author="agent:1").definitions:
            repository.activate(session, definition, by="agent:1")


def test_new_version_is_for_new_instances_and_running_ones_keep_theirs(driver: Driver) -> None:
    driver.deploy(labelled("Old"))
    old = driver.start()

    driver.deploy(labelled("New"))
    new = driver.start()

    assert versions(driver.database) == [(1, "retired"), (2, "active")]
    assert [label(driver, each) for each in (old, new)] == ["Old", "New"]


def label(driver: Driver, instance: int) -> str:
    with driver.database.reading() as session:
        return actions.available(session, session.get_one(ProcessInstance, instance))[0].label


def test_called_process_is_bound_when_the_instance_starts(driver: Driver) -> None:
    driver.deploy(
        drawing(start(), user("first", "go"), call("call", "q"), end(), chain("start", "first", "call", "end")),
        labelled("Old", key="q"),
    )
    instance = driver.start()
    driver.deploy(labelled("New", key="q"))

    driver.press(instance, "go")

    assert label(driver, instance) == "Old"


def test_only_the_process_that_changed_gets_a_version(database: Database) -> None:
    keep(database, p__bpmn=labelled("One"), q__bpmn=labelled("One", key="q"))
    keep(database, p__bpmn=labelled("Two"), q__bpmn=labelled("One", key="q"))

    assert versions(database) == [(1, "retired"), (2, "active")]
    assert versions(database, "q") == [(1, "active")]


def test_changed_form_makes_a_version_of_the_process_that_uses_it(database: Database) -> None:
    keep(database, p__bpmn=labelled("One"), note__form__json=json.dumps({"title": "first"}))
    keep(database, p__bpmn=labelled("One"), note__form__json=json.dumps({"title": "second"}))

    assert versions(database) == [(1, "retired"), (2, "active")]
    with database.reading() as session:
        first, second = session.scalars(select(ProcessDefinition).order_by(ProcessDefinition.version)).all()
        assert repository.form(session, first, "note") == {"title": "first"}
        assert repository.form(session, second, "note") == {"title": "second"}
        with pytest.raises(NotFound):
            repository.form(session, second, "unknown")


def test_form_that_comes_alone_proposes_a_version_and_changes_none(database: Database) -> None:
    keep(database, p__bpmn=labelled("One"), note__form__json=json.dumps({"title": "first"}))

    with database.transaction() as session:
        repository.store(session, {"note.form.json": b'{"title": "second"}'}, author="agent:1")

    assert versions(database) == [(1, "active"), (2, "draft")]
    with database.reading() as session:
        first, second = session.scalars(select(ProcessDefinition).order_by(ProcessDefinition.version)).all()
        assert repository.form(session, first, "note") == {"title": "first"}
        assert repository.form(session, second, "note") == {"title": "second"}
        assert first.sha256 != second.sha256


def test_form_that_is_not_in_the_bundle_is_pinned_as_it_was_then(database: Database) -> None:
    with database.transaction() as session:
        repository.store(session, {"note.form.json": b'{"title": "first"}'}, author="agent:1")
    with database.transaction() as session:
        repository.store(session, {"p.bpmn": labelled("One")}, author="agent:1")
        repository.store(session, {"note.form.json": b'{"title": "second"}'}, author="agent:1")

    with database.reading() as session:
        only = session.scalars(select(ProcessDefinition)).one()
        assert repository.form(session, only, "note") == {"title": "first"}


def test_version_of_the_first_release_keeps_the_form_of_its_bundle(database: Database) -> None:
    keep(database, p__bpmn=labelled("One"), note__form__json=json.dumps({"title": "first"}))
    with database.transaction() as session:
        definition = session.scalars(select(ProcessDefinition)).one()
        definition.index = {name: value for name, value in definition.index.items() if name != "form_files"}

    keep(database, p__bpmn=labelled("One"), q__bpmn=labelled("One", key="q"), note__form__json='{"title": "first"}')

    assert versions(database) == [(1, "active")]


def test_same_bundle_again_is_the_same_deployment(database: Database) -> None:
    files = {"desk.bpmn": good_chain(task())}

    with database.transaction() as session:
        first = repository.deploy(session, files, author="agent:1", activate=True)
        again = repository.deploy(session, files, author="agent:2", activate=True)

    assert first is again
    assert versions(database, "desk") == [(1, "active")]


def test_refused_bundle_leaves_nothing_and_tells_everything(database: Database) -> None:
    broken = drawing(start(), user("lost"), user("alone"), end(), chain("start", "lost", "nowhere"))

    with database.transaction() as session, pytest.raises(DeploymentRefused) as refused:
        repository.deploy(session, {"p.bpmn": broken}, author="agent:1")

    assert len([p for p in refused.value.problems if p.severity == "error"]) > 1
    with database.reading() as session:
        assert session.scalars(select(Deployment)).all() == []


def test_process_without_an_active_version_is_not_started(database: Database) -> None:
    with database.transaction() as session:
        repository.store(session, {"p.bpmn": labelled("Draft")}, author="agent:1")
        with pytest.raises(NotFound, match="active version"):
            runtime.start_process(session, "p")


def test_state_of_changed_versions_is_refused(driver: Driver) -> None:
    """A definition that was tampered with in the database is not run on."""
    instance = driver.run(labelled("One"))
    with driver.database.transaction() as session:
        session.execute(update(ProcessDefinition).values(sha256="0" * 64))
    repository.forget()

    with pytest.raises(EngineError, match="versions"):
        label(driver, instance)
