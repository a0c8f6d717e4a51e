"""Files of messages, always as a download that cannot run."""

from __future__ import annotations

from flask import Blueprint, Response, send_file
from flask.typing import ResponseReturnValue

from engine.errors import NotFound
from services.lines import attachments
from services.lines.models import Attachment, LineSession
from services.lines.queries import chat_channel
from services.tickets.models import Ticket
from services.tickets.queries import visible_to
from webui.routes import CLIENT, STAFF, Visit, route
from webui.visitor import visitor_session

blueprint = Blueprint("attachments", __name__)


@route(blueprint, "/attachments/<identifier>", roles=STAFF)
def download(visit: Visit, identifier: str) -> ResponseReturnValue:
    file = _of(visit, identifier)
    wanted = visible_to(visit.agent).where(Ticket.id == file.message.ticket_id)
    if file.message.ticket_id is None or visit.session.scalar(wanted) is None:
        raise NotFound
    return _sent(visit, file)


@route(blueprint, "/chat/<slug>/attachments/<identifier>", roles=CLIENT)
def client_download(visit: Visit, slug: str, identifier: str) -> ResponseReturnValue:
    own: LineSession | None = visitor_session(visit.session, chat_channel(visit.session, slug))
    file = _of(visit, identifier)
    if own is None or file.message.session_id != own.id or file.message.kind not in ("in", "out"):
        raise NotFound
    return _sent(visit, file)


def _of(visit: Visit, identifier: str) -> Attachment:
    file = visit.session.get(Attachment, identifier[:32])
    if file is None:
        raise NotFound
    return file


def _sent(visit: Visit, file: Attachment) -> Response:
    response = send_file(
        attachments.open(visit.desk.settings, file),
        mimetype=file.media_type,
        as_attachment=True,
        download_name=file.name,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
