"""Versions of processes: list, read, check, upload, activate, delete."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository, versions
from engine.errors import Forbidden, NotFound
from engine.models import Deployment, ProcessDefinition
from services.access.rights import ADMIN, roles_of
from webui.api.operation import Call, operation
from webui.api.pages import Given, PageQuery, Shown, page
from webui.api.problems import finding

MOST_FILES = 200


class DefinitionQuery(PageQuery):
    """Which versions to list."""

    key: str | None = Field(None, description="Only versions of this process.")
    state: str | None = Field(None, description="draft, active or retired.")


class DefinitionShown(Shown):
    """One version of one process."""

    id: int
    key: str
    version: int
    name: str
    state: str
    sha256: str
    deployment_id: int
    created_by: str
    created_at: datetime
    activated_by: str | None
    activated_at: datetime | None
    override_reason: str | None
    findings: list[dict[str, Any]] = Field(default_factory=list, validation_alias="lint")
    scenarios: dict[str, Any] | None


class DefinitionPage(Shown):
    """Some versions."""

    items: list[DefinitionShown]
    next: int | None


class Files(Given):
    """Files by name; their content is text."""

    files: dict[str, str] = Field(min_length=1, max_length=MOST_FILES)


class Upload(Files):
    """A bundle to store."""

    comment: str = Field("", max_length=2000)
    activate: bool = Field(False, description="Make what is new by it the version for new instances at once.")


class Activation(Given):
    """Making a version the active one."""

    override_reason: str | None = Field(None, max_length=2000, description="An admin's reason to do it regardless.")


class Findings(Shown):
    """What the check found."""

    ok: bool = Field(description="Whether there is no error among them.")
    findings: list[dict[str, Any]]


class DeploymentShown(Shown):
    """A stored bundle and the versions it made."""

    id: int
    sha256: str
    author: str
    comment: str
    created_at: datetime
    files: list[str]
    definitions: list[DefinitionShown]


@operation("GET", "/definitions", scope="definitions:read", answer=DefinitionPage, query=DefinitionQuery)
def list_definitions(call: Call) -> DefinitionPage:
    """Versions of processes, oldest first."""
    query = select(ProcessDefinition)
    if call.query.key:
        query = query.where(ProcessDefinition.key == call.query.key)
    if call.query.state:
        query = query.where(ProcessDefinition.state == call.query.state)
    found, following = page(call.session, query, ProcessDefinition.id, call.query)
    return DefinitionPage(items=[DefinitionShown.model_validate(each) for each in found], next=following)


@operation("GET", "/definitions/<int:definition_id>", scope="definitions:read", answer=DefinitionShown)
def get_definition(call: Call, definition_id: int) -> DefinitionShown:
    """One version with its findings and the result of its scenarios."""
    return DefinitionShown.model_validate(definition(call.session, definition_id))


@operation("GET", "/definitions/<int:definition_id>/bpmn", scope="definitions:read", answer=None)
def get_definition_bpmn(call: Call, definition_id: int) -> Response:
    """The BPMN file of a version, byte for byte."""
    return Response(definition(call.session, definition_id).resource.content, mimetype="application/xml")


@operation(
    "POST",
    "/definitions/<int:definition_id>/activate",
    scope="definitions:activate",
    answer=DefinitionShown,
    body=Activation,
)
def activate_definition(call: Call, definition_id: int) -> DefinitionShown:
    """Make a version the one that new instances start with; an older one = going back."""
    found = definition(call.session, definition_id)
    if call.body.override_reason and ADMIN not in roles_of(call.agent):
        raise Forbidden("Expected an admin to override the check, but the person of this token is none")
    versions.activate(call.session, found, by=call.agent.ref, override_reason=call.body.override_reason)
    return DefinitionShown.model_validate(found)


@operation("DELETE", "/definitions/<int:definition_id>", scope="definitions:activate", answer=None, status=204)
def delete_definition(call: Call, definition_id: int) -> None:
    """Delete a version that nobody uses."""
    versions.delete(call.session, definition(call.session, definition_id), by=call.agent.ref)


@operation("POST", "/deployments/check", scope="definitions:write", answer=Findings, body=Files, reads=True)
def check_files(call: Call) -> Findings:
    """Check files without storing them."""
    problems = repository.check(_contents(call.body), session=call.session)
    errors = any(problem.severity == "error" for problem in problems)
    return Findings(ok=not errors, findings=[finding(problem) for problem in problems])


@operation("POST", "/deployments", scope="definitions:write", answer=DeploymentShown, status=201, body=Upload)
def create_deployment(call: Call) -> DeploymentShown:
    """Store a bundle; errors of the check refuse it with all findings. The same bundle again gives the stored one."""
    author = call.agent.ref
    stored = repository.deploy(call.session, _contents(call.body), author=author, comment=call.body.comment)
    if call.body.activate:
        _require_activation(call)
        for each in stored.definitions:
            if each.state == "draft":
                versions.activate(call.session, each, by=author)
    return _deployment(stored)


@operation("GET", "/deployments/<int:deployment_id>", scope="definitions:read", answer=DeploymentShown)
def get_deployment(call: Call, deployment_id: int) -> DeploymentShown:
    """A stored bundle."""
    found = call.session.get(Deployment, deployment_id)
    if found is None:
        raise NotFound(f"Expected the deployment {deployment_id} to exist, but it does not")
    return _deployment(found)


def definition(session: Session, definition_id: int) -> ProcessDefinition:
    """The version of that id; raises NotFound."""
    found = session.get(ProcessDefinition, definition_id)
    if found is None:
        raise NotFound(f"Expected the definition {definition_id} to exist, but it does not")
    return found


def _require_activation(call: Call) -> None:
    if "definitions:activate" not in call.token.scopes:
        raise Forbidden("Expected a token with the scope definitions:activate")


def _contents(given: Files) -> dict[str, bytes]:
    return {name: content.encode() for name, content in given.files.items()}


def _deployment(stored: Deployment) -> DeploymentShown:
    return DeploymentShown(
        id=stored.id,
        sha256=stored.sha256,
        author=stored.author,
        comment=stored.comment,
        created_at=stored.created_at,
        files=[resource.name for resource in stored.resources],
        definitions=[DefinitionShown.model_validate(each) for each in stored.definitions],
    )
