"""The files that are stored together: what kind each is, and the hashes by which they are known again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.listeners import listeners
from engine.models import Deployment, ProcessDefinition, Resource

FORM_SUFFIX = ".form.json"
_KINDS = ((".bpmn", "bpmn"), (".dmn", "dmn"), (FORM_SUFFIX, "form"), (".json", "scenario"))


def stored(session: Session, files: Mapping[str, bytes], *, author: str, comment: str = "") -> Deployment:
    """The files as a deployment that defines no process yet."""
    deployment = Deployment(sha256=bundle_digest(files), author=author, comment=comment, created_at=clock.now())
    deployment.resources = [
        Resource(name=name, kind=kind(name), sha256=digest(content), content=content)
        for name, content in sorted(files.items())
    ]
    session.add(deployment)
    session.flush()
    return deployment


def accompany(
    session: Session, definition: ProcessDefinition, files: Mapping[str, bytes], *, author: str, comment: str = ""
) -> Deployment:
    """Store files with the drawing of a version, which stays the version it is; known ones count as the newest."""
    bundle = {definition.resource.name: definition.resource.content, **files}
    known = select(Deployment).where(Deployment.sha256 == bundle_digest(bundle))
    deployment = session.scalars(known).one_or_none() or stored(session, bundle, author=author, comment=comment)
    deployment.created_at = clock.now()
    for listener in listeners().deployed:
        listener(session, deployment)
    return deployment


def kind(name: str) -> str:
    """bpmn | dmn | form | scenario | other, by the end of the name."""
    return next((found for suffix, found in _KINDS if name.endswith(suffix)), "other")


def form_name(name: str) -> str:
    """How the buttons of a diagram call the form of that file."""
    return PurePosixPath(name).name.removesuffix(FORM_SUFFIX)


def digest(*contents: bytes) -> str:
    """One hash for these contents in this order."""
    whole = hashlib.sha256()
    for content in contents:
        whole.update(len(content).to_bytes(8, "big") + content)
    return whole.hexdigest()


def bundle_digest(files: Mapping[str, bytes]) -> str:
    """The hash by which a bundle is known: its names and contents."""
    return digest(*(part for name in sorted(files) for part in (name.encode(), files[name])))
