"""What expressions in diagrams may read about a ticket: live, lazily, never its texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.expressions import Namespace
from engine.models import ProcessInstance
from services.clients.queries import category_name
from services.lines.models import LineSession
from services.sla import context as sla_context
from services.tickets.keys import ticket_of
from services.tickets.models import Ticket

REOPEN_DAYS = 7
"""For tickets that came through no line."""

_PLAIN = (
    *("id", "number", "status", "priority", "priority_manual", "type_id", "service_id", "product_id", "client_id"),
    *("company_id", "line_id", "responsible_id", "source", "is_open", "wait_until", "wait_since", "wait_reason"),
    *("created_at", "accepted_at", "taken_at", "first_reply_at", "resolved_at", "unread"),
)


def provide(session: Session, instance: ProcessInstance) -> Mapping[str, Any]:
    """The names `ticket`, `client`, `company`, `line`, `session`, `agent`, `sla` and `schedule` of one instance.

    Before the ticket exists every field is None.
    """

    def ticket() -> Ticket | None:
        return ticket_of(session, instance)

    return {
        "ticket": Namespace("ticket", _ticket_fields(session, ticket)),
        "client": Namespace("client", _client_fields(ticket)),
        "company": Namespace("company", _company_fields(ticket)),
        "line": Namespace("line", _line_fields(ticket)),
        "session": Namespace("session", _session_fields(session, ticket)),
        "agent": Namespace("agent", _agent_fields(ticket)),
        "sla": sla_context.namespace(session, ticket),
        "schedule": sla_context.schedules(session),
    }


_Load = Callable[[], Ticket | None]
_Fields = Mapping[str, Callable[[], Any]]


def _of(load: _Load, read: Callable[[Ticket], Any]) -> Callable[[], Any]:
    def field() -> Any:
        found = load()
        return read(found) if found is not None else None

    return field


def _ticket_fields(session: Session, load: _Load) -> _Fields:
    def plain(name: str) -> Callable[[], Any]:
        return _of(load, lambda t: getattr(t, name))

    return {
        **{name: plain(name) for name in _PLAIN},
        "type": _of(load, lambda t: t.type.name if t.type else None),
        "service": _of(load, lambda t: t.service.name if t.service else None),
        "product": _of(load, lambda t: t.product.name if t.product else None),
        "reopen_until": _of(load, reopen_until),
    }


def reopen_until(ticket: Ticket) -> datetime | None:
    """Until when a message of the client opens the solved ticket again."""
    if ticket.resolved_at is None:
        return None
    return ticket.resolved_at + timedelta(days=ticket.line.reopen_days if ticket.line else REOPEN_DAYS)


def _client_fields(load: _Load) -> _Fields:
    return {
        "id": _of(load, lambda t: t.client_id),
        "name": _of(load, lambda t: t.client.name if t.client else None),
        "category": _of(load, lambda t: category_name(t.client) or None),
        "company": _of(load, lambda t: t.company.name if t.company else None),
    }


def _company_fields(load: _Load) -> _Fields:
    return {
        "id": _of(load, lambda t: t.company_id),
        "name": _of(load, lambda t: t.company.name if t.company else None),
        "category": _of(load, lambda t: t.company.category.name if t.company and t.company.category else None),
    }


def _line_fields(load: _Load) -> _Fields:
    return {
        "id": _of(load, lambda t: t.line_id),
        "name": _of(load, lambda t: t.line.name if t.line else None),
        "reopen_days": _of(load, lambda t: t.line.reopen_days if t.line else REOPEN_DAYS),
    }


def _session_fields(session: Session, load: _Load) -> _Fields:
    def latest(ticket: Ticket) -> LineSession | None:
        return session.scalar(
            select(LineSession).where(LineSession.ticket_id == ticket.id).order_by(LineSession.id.desc()).limit(1)
        )

    def read(name: str) -> Callable[[], Any]:
        return _of(load, lambda t: getattr(latest(t), name, None))

    return {
        **{name: read(name) for name in ("id", "state", "started_at", "last_message_at")},
        "channel": _of(load, lambda t: found.channel.kind if (found := latest(t)) else None),
    }


def _agent_fields(load: _Load) -> _Fields:
    return {
        "id": _of(load, lambda t: t.responsible_id),
        "ref": _of(load, lambda t: t.responsible.ref if t.responsible else None),
        "name": _of(load, lambda t: t.responsible.name if t.responsible else None),
        "presence": _of(load, lambda t: t.responsible.presence if t.responsible else None),
    }
