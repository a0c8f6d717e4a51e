"""What any installation starts with: roles, statuses, types, categories, one line, the ticket counter."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.config import Settings
from services.access.rights import ADMIN, ANALYST, OPERATOR, SUPERVISOR
from services.catalog.models import ClientCategory, Counter, TicketStatus, TicketType
from services.lines.models import Channel, Line
from services.people.models import Role

ROLES = {
    OPERATOR: "Отвечает клиентам и ведёт обращения своих линий",
    SUPERVISOR: "Видит все обращения, назначает, получает эскалации",
    ANALYST: "Рисует процессы и выпускает их версии",
    ADMIN: "Может всё",
}
STATUSES = (
    ("new", "Новое", "New", "class", "new"),
    ("classification", "На классификации", "Classification", "class", "open"),
    ("accepted", "Принято", "Accepted", "open", "open"),
    ("in_progress", "В работе", "In progress", "work", "open"),
    ("waiting", "В ожидании", "Waiting", "wait", "paused"),
    ("resolved", "Решено", "Resolved", "done", "done"),
    ("closed", "Закрыто", "Closed", "done", "done"),
)
"""Code, name in Russian and English, shape, category; in their order."""
TYPES = (("Вопрос", "low"), ("Инцидент", "high"), ("Рекламация", "medium"), ("Предложение по улучшению", "low"))
CATEGORIES = (("Стандарт", ""), ("VIP", "VIP"))
LINE, SLUG = "Поддержка", "support"


def ensure_reference(session: Session, settings: Settings) -> None:
    """Add what is missing; what is there stays as people have changed it."""
    roles = set(session.scalars(select(Role.name)))
    session.add_all(Role(name=name, description=text) for name, text in ROLES.items() if name not in roles)
    _ensure_statuses(session)
    if session.get(Counter, "ticket") is not None:
        return
    session.add(Counter(name="ticket", value=0))
    session.add_all(
        TicketType(name=name, priority=priority, position=position) for position, (name, priority) in enumerate(TYPES)
    )
    session.add_all(ClientCategory(name=name, badge=badge) for name, badge in CATEGORIES)
    line = Line(name=LINE, slug=SLUG, greeting="Здравствуйте! Напишите, что случилось, – мы ответим здесь же.")
    line.channels = [
        Channel(kind="chat", address=SLUG),
        Channel(kind="email", address=f"{SLUG}@{settings.mail_domain}"),
    ]
    session.add(line)
    session.flush()


def _ensure_statuses(session: Session) -> None:
    known = set(session.scalars(select(TicketStatus.code)))
    session.add_all(
        TicketStatus(code=code, name_ru=ru, name_en=en, shape=shape, category=category, position=position)
        for position, (code, ru, en, shape, category) in enumerate(STATUSES)
        if code not in known
    )
    session.flush()
