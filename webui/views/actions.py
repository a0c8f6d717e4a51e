"""The buttons of the process: the form behind one, its forecast, the press itself."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.actions import Action
from engine.errors import Stale
from services.tickets import operations, queries
from services.tickets.models import Ticket
from webui import card, fields, forecast
from webui.routes import TICKET_STAFF, Visit, is_fragment, leave_to, route

blueprint = Blueprint("actions", __name__)

_RULE = "/tickets/<int:number>/actions/<ref>"


@route(blueprint, _RULE, roles=TICKET_STAFF)
def form(visit: Visit, number: int, ref: str) -> ResponseReturnValue:
    ticket = queries.by_number(visit.session, visit.agent, number)
    action = _offered(visit, ticket, ref)
    shown = queries.form_of(visit.session, ticket, action)
    filled = fields.of_ticket(visit.session, shown, ticket) if shown else None
    return _page(visit, ticket, action, filled), 200


@route(blueprint, f"{_RULE}/forecast", roles=TICKET_STAFF)
def preview(visit: Visit, number: int, ref: str) -> ResponseReturnValue:
    ticket = queries.by_number(visit.session, visit.agent, number)
    return render_template("fragments/forecast.html", forecast=forecast.of(visit, ticket, request.args))


@route(blueprint, _RULE, roles=TICKET_STAFF, methods=["POST"])
def press(visit: Visit, number: int, ref: str) -> ResponseReturnValue:
    ticket = queries.by_number(visit.session, visit.agent, number)
    try:
        operations.perform_action(
            visit.session, ticket, ref, request.form, actor=visit.agent, expected_version=_version()
        )
    except fields.FormInvalid as invalid:
        return _mistakes(visit, number, ref, invalid)
    except Stale as stale:
        return _too_late(visit, number, stale)
    return leave_to(url_for("tickets.show", number=number))


def _offered(visit: Visit, ticket: Ticket, ref: str) -> Action:
    action = queries.offered_action(visit.session, ticket, visit.agent, ref)
    if action is None:
        raise Stale
    return action


def _version() -> int | None:
    value = request.form.get("version", "")
    return int(value) if value.isdecimal() and len(value) < 10 else None


def _mistakes(visit: Visit, number: int, ref: str, invalid: fields.FormInvalid) -> ResponseReturnValue:
    visit.session.rollback()
    ticket = queries.by_number(visit.session, visit.agent, number)
    action = _offered(visit, ticket, ref)
    shown = queries.form_of(visit.session, ticket, action)
    filled = fields.refused(visit.session, shown, request.form, invalid) if shown else None
    return _page(visit, ticket, action, filled), 422


def _too_late(visit: Visit, number: int, stale: Stale) -> ResponseReturnValue:
    body = card.render_stale(visit, number, stale, request.form.get("label", ""))
    if not is_fragment():
        return body, 409
    return body, 409, {"HX-Retarget": "body", "HX-Reswap": "outerHTML", "HX-Reselect": "body"}


def _page(visit: Visit, ticket: Ticket, action: Action, filled: fields.Filled | None) -> str:
    template = "fragments/action.html" if is_fragment() else "action.html"
    instance = queries.instance_of(visit.session, ticket)
    return render_template(
        template,
        ticket=ticket,
        action=action,
        form=filled,
        version=request.form.get("version") or (instance.version if instance else ""),
        forecast=forecast.of(visit, ticket, _sent(filled)),
    )


def _sent(filled: fields.Filled | None) -> dict[str, str]:
    return {shown.field.key: shown.value for shown in filled.fields} if filled else {}
