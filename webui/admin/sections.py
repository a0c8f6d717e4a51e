"""The sections of the administration and how many things in them want attention."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g
from flask_babel import gettext
from sqlalchemy import func, select

from engine.models import Incident
from services.lines.models import InboundMail
from services.notifications.models import OutboxMessage
from webui.routes import may


@dataclass(frozen=True, slots=True)
class Section:
    """One link of the side bar."""

    endpoint: str
    icon: str
    name: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Links under one heading."""

    name: str
    sections: tuple[Section, ...]


def shown() -> list[Group]:
    """What this person may open."""
    groups = [
        Group(
            gettext("Процессы"),
            (
                Section("admin.processes", icon="sitemap", name=gettext("Процессы")),
                Section("admin.instances", icon="route", name=gettext("Экземпляры")),
                Section("admin.incidents", icon="alert-octagon", name=gettext("Сбои"), count=_open_incidents()),
                Section("admin.migrations", icon="transfer", name=gettext("Миграции")),
                Section("admin.replays", icon="history", name=gettext("Проверка на истории")),
                Section("admin.timers", icon="alarm", name=gettext("Таймеры")),
            ),
        ),
        Group(gettext("Обслуживание"), (Section("admin.sla", icon="stopwatch", name=gettext("Сроки")),)),
    ]
    system = [Section("admin.health", icon="heartbeat", name=gettext("Здоровье"))]
    if may(g.agent, ("admin",)):
        system.insert(0, Section("admin.mail", icon="mail-exclamation", name=gettext("Почта"), count=_stuck_mail()))
        system.append(Section("admin.tokens", icon="key", name=gettext("Токены API")))
    return [*groups, Group(gettext("Система"), tuple(system))]


def _open_incidents() -> int:
    return g.session.scalar(select(func.count()).select_from(Incident).where(Incident.state == "open")) or 0


def _stuck_mail() -> int:
    held = select(func.count()).select_from(InboundMail).where(InboundMail.state == "quarantine")
    failed = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == "failed")
    return (g.session.scalar(held) or 0) + (g.session.scalar(failed) or 0)
