"""The registry and the card of a ticket."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import NotFound
from services.catalog import queries as catalog
from services.tickets import operations, queries
from services.tickets.folders import DEFAULT, FOLDERS
from webui import card, fields, filters
from webui.routes import STAFF, TICKET_STAFF, Visit, is_fragment, leave_to, route

blueprint = Blueprint("tickets", __name__)

PAGE = 50


@route(blueprint, "/", roles=STAFF)
def home(visit: Visit) -> ResponseReturnValue:
    return redirect(url_for("tickets.registry"), 303)


@route(blueprint, "/tickets", roles=STAFF)
def registry(visit: Visit) -> ResponseReturnValue:
    chosen = filters.read(request.args)
    page = queries.registry(visit.session, visit.agent, chosen.folder, chosen.filters, chosen.sort, chosen.cursor, PAGE)
    shown = filters.Shown(visit.session, visit.agent, chosen, page)
    return render_template("registry.html", page=page, chosen=chosen, shown=shown, current_folder=chosen.folder)


@route(blueprint, "/tickets/new", roles=TICKET_STAFF)
def new(visit: Visit) -> ResponseReturnValue:
    form = queries.creation_form(visit.session)
    return _creation(visit, fields.blank(visit.session, form), 200)


@route(blueprint, "/tickets", roles=TICKET_STAFF, methods=["POST"])
def create(visit: Visit) -> ResponseReturnValue:
    form = queries.creation_form(visit.session)
    try:
        ticket = operations.create_manually(visit.session, request.form, actor=visit.agent)
    except fields.FormInvalid as invalid:
        return _creation(visit, fields.refused(visit.session, form, request.form, invalid), 422)
    return leave_to(url_for("tickets.show", number=ticket.number))


@route(blueprint, "/tickets/<int:number>", roles=STAFF)
def show(visit: Visit, number: int) -> ResponseReturnValue:
    ticket = queries.by_number(visit.session, visit.agent, number)
    return card.render(visit, ticket, request.args.get("tab", "main"))


@route(blueprint, "/tickets/<int:number>/responsible", roles=TICKET_STAFF)
def responsible(visit: Visit, number: int) -> ResponseReturnValue:
    ticket = queries.by_number(visit.session, visit.agent, number)
    return render_template("fragments/assign.html", ticket=ticket, agents=catalog.choices(visit.session, "agents"))


@route(blueprint, "/tickets/<int:number>/responsible", roles=TICKET_STAFF, methods=["POST"])
def assign(visit: Visit, number: int) -> ResponseReturnValue:
    ticket = queries.by_number(visit.session, visit.agent, number)
    operations.assign_to(
        visit.session, ticket, _chosen_agent(visit), actor=visit.agent, reason=request.form.get("reason", "")
    )
    return leave_to(url_for("tickets.show", number=number))


@route(blueprint, "/tickets/<int:number>/topic", roles=TICKET_STAFF, methods=["POST"])
def rename(visit: Visit, number: int) -> ResponseReturnValue:
    ticket = queries.by_number(visit.session, visit.agent, number)
    operations.change_fields(visit.session, ticket, {"topic": request.form.get("topic", "")}, actor=visit.agent)
    return leave_to(url_for("tickets.show", number=number))


def _chosen_agent(visit: Visit) -> fields.Agent:
    value = request.form.get("agent", "")
    if not catalog.is_choice(visit.session, "agents", value):
        raise NotFound
    found = visit.session.get(fields.Agent, int(value))
    if found is None:
        raise NotFound
    return found


def _creation(visit: Visit, form: fields.Filled, status: int) -> ResponseReturnValue:
    template = "fragments/create.html" if is_fragment() else "create.html"
    return render_template(template, form=form, current_folder=DEFAULT, folders=FOLDERS), status
