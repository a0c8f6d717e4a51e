"""What changes the catalogs."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.models import ProcessDefinition
from services.catalog.models import TicketStatus


def introduce_statuses(session: Session, definition: ProcessDefinition) -> None:
    """Add the statuses that an activated diagram brings along; those that people already know stay as they are."""
    session.info.pop("statuses", None)
    position = session.scalar(select(func.max(TicketStatus.position))) or 0
    for node in definition.index["nodes"].values():
        terms, code = node.get("new_status"), node.get("status")
        if not terms or session.get(TicketStatus, code) is not None:
            continue
        position += 1
        session.add(
            TicketStatus(
                code=code,
                name_ru=terms["name"],
                name_en=terms.get("name_en", terms["name"]),
                shape=terms.get("shape", "open"),
                category=terms.get("category", "open"),
                position=position,
            )
        )
        session.flush()
