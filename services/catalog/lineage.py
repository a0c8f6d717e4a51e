"""A service and the services above it: what a node without settings of its own takes over."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from services.catalog.models import ServiceOffering


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One step of the way to the top; depth 0 is the service itself."""

    id: int
    name: str
    depth: int


def lineage(session: Session, service_id: int | None) -> list[Ancestor]:
    """The service and its parents, nearest first; empty without a service. A circle is walked once."""
    steps: dict[int, Ancestor] = {}
    while service_id is not None and service_id not in steps:
        service = session.get_one(ServiceOffering, service_id)
        steps[service_id] = Ancestor(service_id, service.name, len(steps))
        service_id = service.parent_id
    return list(steps.values())
