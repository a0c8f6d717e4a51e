"""The SLA tester, and the schedules and levels it can be asked about."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from engine import clock
from services.catalog.models import ClientCategory, ServiceOffering
from services.clients.models import Company
from services.sla.models import Schedule, ServiceLevel
from webui.admin import trial
from webui.admin.blueprint import STUDIO, blueprint
from webui.routes import Visit, route


@route(blueprint, "/sla", roles=STUDIO)
def sla(visit: Visit) -> ResponseReturnValue:
    schedules = visit.session.scalars(select(Schedule).where(~Schedule.archived).order_by(Schedule.name)).all()
    levels = visit.session.scalars(
        select(ServiceLevel).where(~ServiceLevel.archived).options(joinedload(ServiceLevel.schedule))
    )
    wished = request.args.get("schedule", type=int)
    chosen = next((schedule for schedule in schedules if schedule.id == wished), schedules[0] if schedules else None)
    asked = chosen is not None and "start" in request.args
    return render_template(
        "admin/sla.html",
        schedules=schedules,
        levels=sorted(levels, key=lambda level: level.name),
        categories={row.id: row.name for row in visit.session.scalars(select(ClientCategory))},
        companies={row.id: row.name for row in visit.session.scalars(select(Company))},
        services={row.id: row.name for row in visit.session.scalars(select(ServiceOffering))},
        chosen=chosen,
        typed=request.args,
        pauses=range(1, trial.PAUSES + 1),
        now=clock.now(),
        answer=trial.ask(chosen, request.args, str(get_locale() or "ru")) if asked and chosen else None,
    )
