"""Signs of life of the machines behind the desk."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from engine.health import snapshot
from engine.models import Job
from services.lines.models import InboundMail
from services.notifications.models import OutboxMessage
from webui.admin.blueprint import STUDIO, blueprint
from webui.routes import Visit, route


@route(blueprint, "/health", roles=STUDIO)
def health(visit: Visit) -> ResponseReturnValue:
    session = visit.session
    signs = snapshot(visit.desk.database, visit.desk.settings)
    return render_template(
        "admin/health.html",
        health=signs,
        last_tick=max((pulse.at for pulse in signs.pulses if pulse.name.startswith("ticker")), default=None),
        settings=visit.desk.settings,
        sqlite=visit.desk.database.is_sqlite,
        waiting=session.scalar(select(func.count()).select_from(Job).where(Job.state == "waiting")) or 0,
        queued=session.scalar(select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == "queued")),
        received=session.scalar(select(func.max(InboundMail.received_at))),
    )
