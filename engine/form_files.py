"""Which forms a version of a process runs with: those of its own bundle, else the newest when it was deployed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine import bundles
from engine.errors import NotFound
from engine.models import Deployment, ProcessDefinition, Resource


def chosen(session: Session, names: Collection[str], deployment: Deployment, kept: Mapping[str, str]) -> dict[str, str]:
    """Form name → SHA-256 of its file: of the bundle, else as `kept`, else the newest; unknown ones are left out."""
    own = {bundles.form_name(each.name): each.sha256 for each in deployment.resources if each.kind == "form"}
    known = _newest_of(session, [name for name in names if name not in own and name not in kept], deployment.id)
    found = {**known, **kept, **own}
    return {name: found[name] for name in names if name in found}


def pinned(session: Session, definition: ProcessDefinition) -> dict[str, str]:
    """The forms of a version; one that release 0.1 stored did not note them."""
    noted: dict[str, str] | None = definition.index.get("form_files")
    return _newest_of(session, definition.index["forms"], definition.deployment_id) if noted is None else noted


def form(session: Session, definition: ProcessDefinition, name: str) -> dict[str, Any]:
    """The form that is pinned with the version, else the newest of that name; raises NotFound."""
    sha256 = definition.index.get("form_files", {}).get(name)
    wanted = _newest(name, definition.deployment_id)
    content = session.scalar(wanted.where(Resource.sha256 == sha256) if sha256 else wanted)
    if content is None:
        raise NotFound(f"Expected the form {name} to be deployed, but it is not")
    loaded: dict[str, Any] = json.loads(content)
    return loaded


def users(session: Session, deployment: Deployment) -> Iterator[ProcessDefinition]:
    """The active versions of processes that use a form of this bundle."""
    given = {bundles.form_name(resource.name) for resource in deployment.resources if resource.kind == "form"}
    if given:
        for definition in session.scalars(select(ProcessDefinition).where(ProcessDefinition.state == "active")):
            if not given.isdisjoint(definition.index["forms"]):
                yield definition


def _newest_of(session: Session, names: Collection[str], deployment_id: int) -> dict[str, str]:
    found = {name: session.scalar(_newest(name, deployment_id).with_only_columns(Resource.sha256)) for name in names}
    return {name: sha256 for name, sha256 in found.items() if sha256 is not None}


def _newest(name: str, deployment_id: int) -> Any:
    own = (Resource.deployment_id == deployment_id).desc()
    return select(Resource.content).where(Resource.kind == "form", _is(name)).order_by(own, Resource.id.desc()).limit(1)


def _is(name: str) -> ColumnElement[bool]:
    file = name + bundles.FORM_SUFFIX
    return (Resource.name == file) | Resource.name.endswith("/" + file, autoescape=True)
