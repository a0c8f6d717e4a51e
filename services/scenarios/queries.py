"""Reading scenarios: which files belong to a version, which versions a bundle is about, what waits to be run."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from engine.models import Deployment, ProcessDefinition, Resource


def scenarios(session: Session, definition: ProcessDefinition) -> dict[str, bytes]:
    """The scenario files of a version by name.

    They come from the newest bundle with the version's own drawing that brought any: scenarios may change without a
    new version. A drawing that came alone is asked what the version before it was asked.
    """
    deployment = _newest_with(session, _of_drawing(definition)) or _newest_with(session, _before(definition))
    if deployment is None:
        return {}
    return {each.name: each.content for each in deployment.resources if each.kind == "scenario"}


def versions_of(session: Session, deployment: Deployment) -> Sequence[ProcessDefinition]:
    """The versions whose drawings are in the bundle, whichever bundle they first came in."""
    drawings = select(Resource.sha256).where(Resource.deployment_id == deployment.id, Resource.kind == "bpmn")
    found = select(ProcessDefinition).join(ProcessDefinition.resource).where(Resource.sha256.in_(drawings))
    return session.scalars(found.order_by(ProcessDefinition.id)).all()


def at_hand(session: Session, definition: ProcessDefinition) -> Sequence[ProcessDefinition]:
    """The active versions, then those of the definition's bundle, then itself."""
    active = select(ProcessDefinition).where(ProcessDefinition.state == "active")
    bundle = select(ProcessDefinition).where(ProcessDefinition.deployment_id == definition.deployment_id)
    return [*session.scalars(active.order_by(ProcessDefinition.id)), *session.scalars(bundle), definition]


def forms(session: Session, definition: ProcessDefinition) -> Sequence[Resource]:
    """All forms, oldest first, those of the definition's bundle last."""
    own = Resource.deployment_id == definition.deployment_id
    return session.scalars(select(Resource).where(Resource.kind == "form").order_by(own, Resource.id)).all()


def queued(session: Session) -> list[int]:
    """Ids of the versions whose scenarios are to be run, oldest first."""
    waiting = select(ProcessDefinition.id).where(is_queued())
    return list(session.scalars(waiting.order_by(ProcessDefinition.id)))


def is_queued() -> ColumnElement[bool]:
    """Whether the scenarios of a version are to be run."""
    state: ColumnElement[str] = ProcessDefinition.scenarios["state"].as_string()
    return state == "queued"


def _newest_with(session: Session, drawn: Select[int]) -> Deployment | None:
    bringing = select(Resource.deployment_id).where(Resource.kind == "scenario")
    found = select(Deployment).where(Deployment.id.in_(drawn), Deployment.id.in_(bringing))
    return session.scalars(found.order_by(Deployment.created_at.desc(), Deployment.id.desc()).limit(1)).one_or_none()


def _of_drawing(definition: ProcessDefinition) -> Select[int]:
    return select(Resource.deployment_id).where(Resource.sha256 == definition.resource.sha256)


def _before(definition: ProcessDefinition) -> Select[int]:
    earlier = select(Resource.sha256).join(ProcessDefinition, ProcessDefinition.resource_id == Resource.id)
    earlier = earlier.where(ProcessDefinition.key == definition.key, ProcessDefinition.version < definition.version)
    return select(Resource.deployment_id).where(
        Resource.sha256.in_(earlier), Resource.deployment_id < definition.deployment_id
    )
