"""The folders of the registry: each is a condition over tickets for the person who looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, true

from engine import clock
from engine.errors import NotFound
from services.catalog.models import PRIORITIES
from services.people.models import Agent
from services.tickets.models import Ticket

HIGH = PRIORITIES.index("high")


@dataclass(frozen=True, slots=True)
class Folder:
    """A named condition."""

    key: str
    name_ru: str
    name_en: str
    condition: Callable[[Agent], ColumnElement[bool]]

    def name(self, language: str = "ru") -> str:
        return self.name_ru if language == "ru" else self.name_en


def overdue() -> ColumnElement[bool]:
    """Open tickets whose nearest due instant has passed; on a pause there is none."""
    return and_(Ticket.is_open, Ticket.due_at < clock.now())


FOLDERS: dict[str, Folder] = {
    folder.key: folder
    for folder in (
        Folder("all", "Все обращения", "All tickets", lambda _: true()),
        Folder(
            "high", "Высокий приоритет", "High priority", lambda _: and_(Ticket.is_open, Ticket.priority_rank >= HIGH)
        ),
        Folder(
            "working",
            "У меня в работе",
            "In my work",
            lambda agent: and_(Ticket.responsible_id == agent.id, Ticket.status == "in_progress"),
        ),
        Folder(
            "mine",
            "Я ответственный (все статусы)",
            "I am responsible (all statuses)",
            lambda agent: Ticket.responsible_id == agent.id,
        ),
        Folder(
            "unassigned",
            "Не назначены",
            "Unassigned",
            lambda _: and_(Ticket.is_open, Ticket.responsible_id.is_(None)),
        ),
        Folder("overdue", "Просрочены", "Overdue", lambda _: overdue()),
    )
}
DEFAULT = "all"


def folder(key: str) -> Folder:
    """The folder of that key; raises NotFound."""
    try:
        return FOLDERS[key]
    except KeyError:
        raise NotFound(f"Expected a folder, there is none of the key {key}") from None
