"""Which decision tables a version of a process runs with: those of its own bundle, else the newest deployed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.bpmn import dmn
from engine.bpmn.dmn import Decision
from engine.models import ProcessDefinition, Resource

KIND = "dmn"


def chosen(session: Session, asked: Collection[str], bundle: Iterable[Resource]) -> dict[str, str]:
    """Decision id → SHA-256 of the file that answers it; decisions that no file holds are left out."""
    found: dict[str, str] = {}
    for resource in (*bundle, *_deployed(session, asked)):
        if resource.kind == KIND and not found.keys() >= set(asked):
            for decision in dmn.known_ids(resource.content):
                if decision in asked:
                    found.setdefault(decision, resource.sha256)
    return found


def loaded(session: Session, files: Mapping[str, str]) -> dict[str, Decision]:
    """The decisions of these files (decision id → SHA-256), with those that they build on."""
    result: dict[str, Decision] = {}
    for decision, sha256 in files.items():
        query = select(Resource.content).where(Resource.kind == KIND, Resource.sha256 == sha256).limit(1)
        held = dmn.decisions(session.scalars(query).one())
        result.update({key: value for key, value in held.items() if key not in files or key == decision})
    return result


def users(session: Session, decisions: Collection[str]) -> Iterator[ProcessDefinition]:
    """The active versions of processes that ask one of these decisions."""
    for definition in session.scalars(select(ProcessDefinition).where(ProcessDefinition.state == "active")):
        if not set(decisions).isdisjoint(definition.index.get("decisions", ())):
            yield definition


def deployed_ids(session: Session) -> set[str]:
    """The ids of all decisions that were ever deployed."""
    files = session.scalars(select(Resource.content).where(Resource.kind == KIND))
    return {key for content in set(files) for key in dmn.known_ids(content)}


def _deployed(session: Session, asked: Collection[str]) -> Iterable[Resource]:
    if not asked:
        return ()
    return session.scalars(select(Resource).where(Resource.kind == KIND).order_by(Resource.id.desc()))
