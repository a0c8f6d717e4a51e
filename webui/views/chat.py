"""The web chat of a line, for clients: readable and writable without any script."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import NotFound
from services.clients.operations import add_contact
from services.forms import FormInvalid
from services.lines import attachments, operations, queries
from services.lines.models import Channel, LineSession, Message
from services.mail.addresses import normalised
from services.notifications import live as events
from webui import live, visitor
from webui.language import gettext
from webui.routes import CLIENT, Visit, route
from webui.views.messages import attach

blueprint = Blueprint("chat", __name__)

_NAME, _EMAIL, _TEXT = 120, 255, 5000


@route(blueprint, "/chat/<slug>", roles=CLIENT)
def show(visit: Visit, slug: str) -> ResponseReturnValue:
    return _page(visit, queries.chat_channel(visit.session, slug), {})


@route(blueprint, "/chat/<slug>/messages", roles=CLIENT, methods=["POST"])
def send(visit: Visit, slug: str) -> ResponseReturnValue:
    channel = queries.chat_channel(visit.session, slug)
    known = visitor.visitor_session(visit.session, channel)
    errors = _mistakes(asks_who=known is None)
    if errors:
        return _page(visit, channel, errors), 422
    token = (visitor.visitor_token(channel) if known else None) or visitor.new_token()
    message = operations.receive_chat(
        visit.session, channel, token, name=_entered("name", _NAME), text=_entered("text", _TEXT)
    )
    attach(visit, message)
    if known is None:
        _keep_address(visit, message)
    response = make_response(redirect(url_for("chat.show", slug=slug, _anchor="end"), 303))
    visitor.remember(response, channel, token)
    return response


@route(blueprint, "/chat/<slug>/live", roles=CLIENT)
def stream(visit: Visit, slug: str) -> ResponseReturnValue:
    own = visitor.visitor_session(visit.session, queries.chat_channel(visit.session, slug))
    if own is None:
        raise NotFound
    return live.stream([f"session:{own.id}"], live.seen(visit.session))


@route(blueprint, "/chat/<slug>/live/poll", roles=CLIENT)
def poll(visit: Visit, slug: str) -> ResponseReturnValue:
    own = visitor.visitor_session(visit.session, queries.chat_channel(visit.session, slug))
    if own is None:
        raise NotFound
    return live.since(visit.session, [f"session:{own.id}"])


def _page(visit: Visit, channel: Channel, errors: dict[str, str]) -> Response:
    own = visitor.visitor_session(visit.session, channel)
    messages = queries.chat_messages(visit.session, own) if own else []
    return make_response(
        render_template(
            "chat/show.html",
            channel=channel,
            own=own,
            messages=messages,
            errors=errors,
            longest=_TEXT,
            largest=attachments.MAX_SIZE,
            live_from=events.latest_id(visit.session),
        )
    )


def _entered(name: str, longest: int) -> str:
    return request.form.get(name, "").strip()[:longest]


def _mistakes(*, asks_who: bool) -> dict[str, str]:
    errors = {}
    if not _entered("text", _TEXT):
        errors["text"] = gettext("Напишите сообщение.")
    elif len(request.form.get("text", "").strip()) > _TEXT:
        errors["text"] = gettext("Сообщение длиннее %(n)d знаков. Разделите его на два.", n=_TEXT)
    if asks_who and not _entered("name", _NAME):
        errors["name"] = gettext("Как к вам обращаться?")
    if asks_who and _entered("email", _EMAIL) and not normalised(_entered("email", _EMAIL)):
        errors["email"] = gettext("Проверьте адрес почты.")
    return errors


def _keep_address(visit: Visit, message: Message) -> None:
    """Note the visitor's address, unless it is another client's: saying so would tell strangers who writes here."""
    email = normalised(_entered("email", _EMAIL))
    own = visit.session.get(LineSession, message.session_id)
    if not email or own is None:
        return
    try:
        add_contact(visit.session, own.client, "email", email)
    except FormInvalid:
        return
