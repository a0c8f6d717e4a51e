"""A service and the services above it: what a node without settings of its own takes over."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from services.catalog.models import ServiceOffering

DEEPEST = 32
"""Levels that are followed; more can only be a circle."""


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One step of the way to the top; depth 0 is the service itself."""

    id: int
    name: str
    depth: int


def lineage(session: Session, service_id: int | None) -> list[Ancestor]:
    """The service and its parents, nearest first; empty without a service."""
    if service_id is None:
        return []
    node = ServiceOffering.__table__.c
    above = (
        select(node.id, node.name, node.parent_id, literal(0).label("depth"))
        .where(node.id == service_id)
        .cte("lineage", recursive=True)
    )
    parent = select(node.id, node.name, node.parent_id, above.c.depth + 1)
    steps = above.union_all(parent.where(node.id == above.c.parent_id, above.c.depth < DEEPEST - 1))
    rows = session.execute(select(steps.c.id, steps.c.name, steps.c.depth).order_by(steps.c.depth))
    return [Ancestor(row.id, row.name, row.depth) for row in rows]
