"""Telling people: a line in the feed and a mail, never to oneself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from engine import clock
from services.access.rights import ADMIN, SUPERVISOR
from services.mail import identity, outgoing
from services.notifications import live, texts
from services.notifications.models import Notification
from services.people.models import Agent
from services.people.queries import line_members, with_role
from services.tickets.models import Ticket

BUNDLED = ("client_replied",)
"""Kinds of which one unread line per ticket is enough: it counts, and no second mail is sent."""


def notify(
    session: Session,
    agents: Iterable[Agent],
    kind: str,
    ticket: Ticket | None,
    *,
    actor: str | None,
    data: Mapping[str, Any] | None = None,
) -> int:
    """Tell these people, except the one who did it; returns how many were told."""
    told = {agent.id: agent for agent in agents if agent.active and agent.ref != actor}
    values = {**_ticket_data(ticket), **(data or {})}
    bundled = _bundle(session, list(told), kind, ticket) if kind in BUNDLED else set()
    fresh = [agent for agent_id, agent in told.items() if agent_id not in bundled]
    if fresh:
        session.execute(insert(Notification), [_row(agent, kind, ticket, values) for agent in fresh])
        outgoing.queue_notices(session, [_notice(agent, kind, values, ticket) for agent in fresh], ticket)
    for agent_id in told:
        live.publish(session, f"agent:{agent_id}", "feed")
    return len(told)


def notify_line(session: Session, ticket: Ticket, kind: str, *, actor: str | None, **data: Any) -> int:
    """Tell the people of the ticket's line; a ticket of no line concerns the supervisors."""
    if ticket.line_id is None:
        return notify_supervisors(session, ticket, kind, actor=actor, **data)
    return notify(session, line_members(session, ticket.line_id), kind, ticket, actor=actor, data=data)


def notify_responsible(session: Session, ticket: Ticket, kind: str, *, actor: str | None, **data: Any) -> int:
    """Tell the responsible; while there is none, the people of the line."""
    if ticket.responsible_id is None:
        return notify_line(session, ticket, kind, actor=actor, **data)
    responsible = session.get_one(Agent, ticket.responsible_id)
    return notify(session, [responsible], kind, ticket, actor=actor, data=data)


def notify_supervisors(session: Session, ticket: Ticket, kind: str, *, actor: str | None, **data: Any) -> int:
    """Tell the supervisors; a desk without any tells its admins."""
    people = with_role(session, SUPERVISOR) or with_role(session, ADMIN)
    return notify(session, people, kind, ticket, actor=actor, data=data)


def notify_admins(session: Session, ticket: Ticket | None, kind: str, *, actor: str | None, **data: Any) -> int:
    """Tell the admins."""
    return notify(session, with_role(session, ADMIN), kind, ticket, actor=actor, data=data)


def mark_read(session: Session, agent: Agent, notification_id: int | None = None) -> None:
    """One line of the person's feed has been read; None = all of them."""
    unread = update(Notification).where(Notification.agent_id == agent.id, Notification.read_at.is_(None))
    if notification_id is not None:
        unread = unread.where(Notification.id == notification_id)
    session.execute(unread.values(read_at=clock.now()))
    live.publish(session, f"agent:{agent.id}", "feed")


def mark_ticket_read(session: Session, agent: Agent, ticket: Ticket) -> None:
    """The person has opened the card, and with it all that the feed said about it."""
    unread = update(Notification).where(
        Notification.agent_id == agent.id, Notification.ticket_id == ticket.id, Notification.read_at.is_(None)
    )
    session.execute(unread.values(read_at=clock.now()))
    live.publish(session, f"agent:{agent.id}", "feed")


def _ticket_data(ticket: Ticket | None) -> dict[str, Any]:
    return {"number": ticket.number, "topic": ticket.topic} if ticket else {}


def _bundle(session: Session, agent_ids: list[int], kind: str, ticket: Ticket | None) -> set[int]:
    unread = select(Notification).where(
        Notification.agent_id.in_(agent_ids),
        Notification.read_at.is_(None),
        Notification.kind == kind,
        Notification.ticket_id == (ticket.id if ticket else None),
    )
    rows = session.scalars(unread).all()
    for row in rows:
        row.data = {**row.data, "count": int(row.data.get("count", 1)) + 1}
        row.created_at = clock.now()
    return {row.agent_id for row in rows}


def _row(agent: Agent, kind: str, ticket: Ticket | None, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "agent_id": agent.id,
        "ticket_id": ticket.id if ticket else None,
        "kind": kind,
        "data": dict(data),
        "created_at": clock.now(),
    }


def _notice(agent: Agent, kind: str, data: Mapping[str, Any], ticket: Ticket | None) -> outgoing.Notice:
    path = f"/tickets/{ticket.number}" if ticket else "/notifications"
    about = f"{ticket.id}" if ticket else str(data.get("incident", ""))
    return outgoing.Notice(
        agent,
        subject=texts.line(kind, data, agent.language),
        text=texts.mail(kind, data, f"{identity.current().url}{path}", agent.language),
        key=f"{kind}:{data.get('clock', '')}:{about}:{clock.now():%Y%m%dT%H%M%S.%f}",
    )
