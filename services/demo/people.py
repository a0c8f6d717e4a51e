"""The staff of the demonstration: who logs in, with which role, in which group."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.config import Settings
from services.lines.models import Line, line_member
from services.people.models import Agent, Group
from services.people.operations import create_agent

PASSWORD = "demo-bpmdesk-2026"  # noqa: S105 - published on purpose: the banner of the demonstration prints it

STAFF = (
    ("operator", "Алина Чернова", "Специалист первой линии", "operator"),
    ("operator2", "Рустам Галеев", "Специалист первой линии", "operator"),
    ("operator3", "Олег Тимофеев", "Инженер внедрения", "operator"),
    ("supervisor", "Ирина Соболь", "Руководитель поддержки", "supervisor"),
    ("analyst", "Вера Лапина", "Бизнес-аналитик", "analyst"),
    ("admin", "Денис Белов", "Администратор", "admin"),
)
GROUPS = {"Первая линия": ("operator", "operator2"), "Внедрение": ("operator3", "operator2")}


def add_staff(session: Session, settings: Settings) -> dict[str, Agent]:
    """Create everybody; by login name, the part before the @."""
    staff: dict[str, Agent] = {}
    for login, name, position, role in STAFF:
        # one hash for all: the password is public, and each hash would cost the first start its time
        known = next(iter(staff.values())).password if staff else None
        agent = create_agent(
            session,
            email=f"{login}@{settings.mail_domain}",
            name=name,
            roles=[role],
            position=position,
            password=None if known else PASSWORD,
        )
        agent.password = known or agent.password
        staff[login] = agent
    session.add_all(Group(name=name, members=[staff[login] for login in logins]) for name, logins in GROUPS.items())
    line_id = session.scalars(select(Line.id)).first()
    operators = [agent for login, agent in staff.items() if login.startswith("operator")]
    session.execute(line_member.insert(), [{"line_id": line_id, "agent_id": agent.id} for agent in operators])
    session.flush()
    return staff
