"""Mail that came in and mail that goes out: what became of each, and another try for what is stuck."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import defer

from services.lines.models import Channel, InboundMail
from services.mail import inbound
from services.notifications import outbox
from services.notifications.models import OutboxMessage
from services.tickets.models import Ticket
from webui.admin.blueprint import ADMIN, blueprint
from webui.routes import Visit, leave_to, route

INBOUND_STATES = ("quarantine", "stored", "ignored", "done")
OUTBOX_STATES = ("failed", "queued", "sent")
_PAGE = 50


@route(blueprint, "/mail", roles=ADMIN)
def mail(visit: Visit) -> ResponseReturnValue:
    session, state = visit.session, request.args.get("state", "")
    totals = session.execute(select(InboundMail.state, func.count()).group_by(InboundMail.state)).all()
    wanted = select(InboundMail).options(defer(InboundMail.raw)).order_by(InboundMail.id.desc()).limit(_PAGE)
    if state in INBOUND_STATES:
        wanted = wanted.where(InboundMail.state == state)
    found = session.scalars(wanted).all()
    return render_template(
        "admin/mail.html",
        mails=found,
        state=state,
        totals={state: count for state, count in totals},
        channels={channel.id: channel for channel in session.scalars(select(Channel))},
        tickets=_numbers(visit, {row.ticket_id for row in found if row.ticket_id}),
    )


@route(blueprint, "/mail/outbox", roles=ADMIN)
def mail_outbox(visit: Visit) -> ResponseReturnValue:
    session, state = visit.session, request.args.get("state", "")
    totals = session.execute(select(OutboxMessage.state, func.count()).group_by(OutboxMessage.state)).all()
    wanted = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(_PAGE)
    if state in OUTBOX_STATES:
        wanted = wanted.where(OutboxMessage.state == state)
    found = session.scalars(wanted).all()
    return render_template(
        "admin/outbox.html",
        mails=found,
        state=state,
        totals={state: count for state, count in totals},
        tickets=_numbers(visit, {row.ticket_id for row in found if row.ticket_id}),
    )


@route(blueprint, "/mail/<int:mail_id>/retry", roles=ADMIN, methods=["POST"])
def retry_inbound(visit: Visit, mail_id: int) -> ResponseReturnValue:
    inbound.retry(visit.session, mail_id)
    return leave_to(url_for("admin.mail"))


@route(blueprint, "/mail/outbox/<int:mail_id>/retry", roles=ADMIN, methods=["POST"])
def retry_outbox(visit: Visit, mail_id: int) -> ResponseReturnValue:
    outbox.retry(visit.session, mail_id)
    return leave_to(url_for("admin.mail_outbox"))


def _numbers(visit: Visit, ids: set[int]) -> dict[int, int]:
    rows = visit.session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids)))
    return {ticket_id: number for ticket_id, number in rows}
