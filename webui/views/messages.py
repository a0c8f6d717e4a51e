"""The talk on the card: answers, notes and the draft of what is being written."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from services.lines import attachments, operations
from services.lines.models import Message
from services.tickets import queries
from services.tickets.models import Ticket
from webui import card
from webui.routes import TICKET_STAFF, Visit, is_fragment, leave_to, route

blueprint = Blueprint("messages", __name__)


@route(blueprint, "/tickets/<int:number>/messages", roles=TICKET_STAFF, methods=["POST"])
def send(visit: Visit, number: int) -> ResponseReturnValue:
    ticket = queries.by_number(visit.session, visit.agent, number)
    say = operations.note if request.form.get("kind") == "note" else operations.reply
    message = say(visit.session, ticket, text=request.form.get("text", ""), actor=visit.agent)
    attach(visit, message)
    if not is_fragment():
        return leave_to(url_for("tickets.show", number=number))
    return _talk(visit, ticket)


@route(blueprint, "/tickets/<int:number>/draft", roles=TICKET_STAFF, methods=["PUT"])
def keep(visit: Visit, number: int) -> ResponseReturnValue:
    ticket = queries.by_number(visit.session, visit.agent, number)
    text, mode = request.form.get("text", ""), request.form.get("mode", "out")
    operations.save_draft(visit.session, ticket, text=text, mode=mode, actor=visit.agent)
    return "", 204


def attach(visit: Visit, message: Message) -> None:
    """Keep the files that were sent with the message."""
    for file in sent_files():
        attachments.store(visit.session, message, file.filename or "", file.read(), visit.desk.settings)


def sent_files() -> list[FileStorage]:
    return [file for file in request.files.getlist("files") if file.filename]


def _talk(visit: Visit, ticket: Ticket) -> ResponseReturnValue:
    visit.session.expire_all()
    body = render_template("card/talk.html", card=card.Card(visit, ticket, "main"), ticket=ticket)
    return body, 200, {"HX-Trigger": "talk-sent"}
