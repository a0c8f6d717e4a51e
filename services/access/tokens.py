"""Tokens of machines: made once, kept as a hash, limited by scopes and by what their person may do."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Forbidden, NotFound
from services.access.models import ApiToken, IdempotencyKey
from services.access.rights import Right, may
from services.people.models import Agent

PREFIX = "bpmd_"
_SEEN_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=1)
"""How long the answer to a request with an idempotency key is kept."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing a token may be good for, and the right its person must have besides."""

    name: str
    right: Right
    ru: str
    en: str


SCOPES: dict[str, Scope] = {
    scope.name: scope
    for scope in (
        Scope("definitions:read", Right.PROCESSES, "читать версии процессов", "read versions of processes"),
        Scope("definitions:write", Right.PROCESSES, "проверять и загружать процессы", "check and upload processes"),
        Scope("definitions:activate", Right.PROCESSES, "включать и удалять версии", "activate and delete versions"),
        Scope("instances:read", Right.PROCESSES, "читать экземпляры", "read instances"),
        Scope("instances:start", Right.PROCESSES, "запускать экземпляры", "start instances"),
        Scope("instances:write", Right.REPAIR, "чинить экземпляры", "mend instances"),
        Scope("tasks:read", Right.WORK, "читать задачи", "read tasks"),
        Scope("tasks:write", Right.WORK, "брать задачи и нажимать кнопки", "claim tasks and press buttons"),
        Scope("events:write", Right.PROCESSES, "слать сообщения и сигналы", "send messages and signals"),
        Scope("jobs:read", Right.INCIDENTS, "читать таймеры и отложенные шаги", "read timers and background steps"),
        Scope("jobs:write", Right.INCIDENTS, "повторять и переносить их", "repeat and move them"),
        Scope("incidents:read", Right.INCIDENTS, "читать сбои", "read incidents"),
        Scope("incidents:write", Right.INCIDENTS, "повторять после сбоя", "repeat after an incident"),
        Scope("migrations:read", Right.PROCESSES, "смотреть переносы", "look at migrations"),
        Scope("migrations:write", Right.REPAIR, "переносить экземпляры", "migrate instances"),
    )
}


def create(
    session: Session,
    agent: Agent,
    *,
    name: str,
    scopes: Collection[str],
    by: str,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which nobody can read again. Raises NotFound for an unknown scope, Forbidden for one
    that the person may not use."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise NotFound(f"Expected scopes among {', '.join(SCOPES)}, got {', '.join(unknown) or 'none'}")
    beyond = sorted(scope for scope in scopes if not may(agent, SCOPES[scope].right))
    if beyond:
        raise Forbidden(f"Expected scopes that {agent.name} may use himself, but {', '.join(beyond)} are not")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        name=name.strip()[:120] or "API",
        hash=_hash(secret),
        agent_id=agent.id,
        scopes=sorted(scopes),
        created_by=by,
        created_at=clock.now(),
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return token, secret


def authenticate(session: Session, secret: str) -> tuple[ApiToken, Agent] | None:
    """The token of that secret and its person; None when it is unknown, over, revoked or the person has left."""
    token = session.scalars(select(ApiToken).where(ApiToken.hash == _hash(secret))).one_or_none()
    if token is None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= clock.now():
        return None
    agent = session.get(Agent, token.agent_id)
    return (token, agent) if agent is not None and agent.active else None


def allows(token: ApiToken, agent: Agent, scope: str) -> bool:
    """Whether the token has the scope and its person still the right."""
    return scope in token.scopes and may(agent, SCOPES[scope].right)


def used(token: ApiToken) -> None:
    """Note that it was used, about once a minute."""
    now = clock.now()
    if token.used_at is None or now - token.used_at >= _SEEN_EVERY:
        token.used_at = now


def revoke(session: Session, token_id: int) -> ApiToken:
    """End a token at once; raises NotFound."""
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFound(f"Expected the token {token_id} to exist, but it does not")
    token.revoked_at = token.revoked_at or clock.now()
    return token


def all_tokens(session: Session) -> Sequence[tuple[ApiToken, Agent]]:
    """Every token with its person, newest first."""
    query = select(ApiToken, Agent).join(Agent, Agent.id == ApiToken.agent_id).order_by(ApiToken.id.desc())
    return [(token, agent) for token, agent in session.execute(query)]


def forget_answers(session: Session) -> None:
    """Drop the answers whose day is over."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.now() - KEPT))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
