"""The visitor of a web chat: known by a secret in an HttpOnly cookie, of which only the hash is stored."""

from __future__ import annotations

import secrets

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from services.lines import queries
from services.lines.models import Channel, LineSession
from webui.routes import current_desk

_DAYS = 60


def visitor_token(channel: Channel) -> str | None:
    """The secret this browser shows, if it has the form of one."""
    token = request.cookies.get(_cookie(channel), "")
    return token if 40 <= len(token) <= 64 else None


def new_token() -> str:
    """A fresh secret of 256 bit."""
    return secrets.token_urlsafe(32)


def visitor_session(session: Session, channel: Channel) -> LineSession | None:
    """The conversation of this browser with the channel; None for a stranger."""
    token = visitor_token(channel)
    return queries.chat_session(session, channel, token) if token else None


def remember(response: Response, channel: Channel, token: str) -> None:
    """Give the browser its secret, for this chat only."""
    response.set_cookie(
        _cookie(channel),
        token,
        max_age=_DAYS * 86400,
        path=url_for("chat.show", slug=channel.address),
        httponly=True,
        samesite="Lax",
        secure=current_desk().settings.url.startswith("https://"),
    )


def _cookie(channel: Channel) -> str:
    return f"bpmdesk_chat_{channel.id}"
