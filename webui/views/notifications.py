"""The bell: what the person has been told."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from engine.errors import NotFound
from services.notifications import operations, queries
from services.notifications.models import Notification
from services.tickets.models import Ticket
from webui.language import spoken
from webui.routes import STAFF, Visit, route

blueprint = Blueprint("notifications", __name__)

_IN_MENU = 12


@route(blueprint, "/notifications", roles=STAFF)
def index(visit: Visit) -> ResponseReturnValue:
    return render_template("notifications.html", lines=_lines(visit, 100))


@route(blueprint, "/notifications/feed", roles=STAFF)
def feed(visit: Visit) -> ResponseReturnValue:
    return render_template("fragments/feed.html", lines=_lines(visit, _IN_MENU))


@route(blueprint, "/notifications/read", roles=STAFF, methods=["POST"])
def read_all(visit: Visit) -> ResponseReturnValue:
    operations.mark_read(visit.session, visit.agent)
    return redirect(url_for("notifications.index"), 303)


@route(blueprint, "/notifications/<int:notification_id>", roles=STAFF, methods=["POST"])
def open_one(visit: Visit, notification_id: int) -> ResponseReturnValue:
    line = visit.session.get(Notification, notification_id)
    if line is None or line.agent_id != visit.agent.id:
        raise NotFound
    operations.mark_read(visit.session, visit.agent, line.id)
    ticket = visit.session.get(Ticket, line.ticket_id) if line.ticket_id else None
    target = url_for("tickets.show", number=ticket.number) if ticket else url_for("notifications.index")
    return redirect(target, 303)


def _lines(visit: Visit, limit: int) -> list[tuple[Notification, str]]:
    language = spoken()
    return [(line, queries.text(line, language)) for line in queries.feed(visit.session, visit.agent, limit)]
