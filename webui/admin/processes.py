"""Processes: upload with the check's findings, versions, activation, the file and its drawing."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from flask import jsonify, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import repository
from engine.errors import DeploymentRefused, Problem
from engine.models import Deployment, ProcessDefinition
from services.notifications import live
from webui.admin import definitions, findings, uploads
from webui.admin.blueprint import STUDIO, blueprint
from webui.admin.definitions import Family
from webui.routes import Visit, leave_to, route
from webui.views import diagram


@route(blueprint, "/processes", roles=STUDIO)
def processes(visit: Visit) -> ResponseReturnValue:
    stored = visit.session.get(Deployment, request.args.get("stored", 0, type=int))
    return _list(visit.session, stored=stored, again=bool(request.args.get("again")))


@route(blueprint, "/processes", roles=STUDIO, methods=["POST"])
def upload(visit: Visit) -> ResponseReturnValue:
    files, problems = uploads.collect(request.files.getlist("files"))
    if problems:
        return _list(visit.session, problems), 422
    newest = visit.session.scalar(select(func.max(Deployment.id))) or 0
    try:
        deployment = repository.deploy(
            visit.session,
            files,
            author=visit.agent.ref,
            comment=request.form.get("comment", "").strip()[:500],
            activate=request.form.get("activate") == "yes",
        )
    except DeploymentRefused as refusal:
        return _list(visit.session, refusal.problems), 422
    live.publish(visit.session, "processes")
    again = "1" if deployment.id <= newest else None
    return leave_to(url_for("admin.processes", stored=deployment.id, again=again))


@route(blueprint, "/processes/<key>", roles=STUDIO)
def process(visit: Visit, key: str) -> ResponseReturnValue:
    family = definitions.family(visit.session, key)
    chosen = family.version(request.args.get("version", family.shown.version, type=int))
    against = _against(family, chosen)
    return render_template(
        "admin/process.html",
        family=family,
        chosen=chosen,
        against=against,
        difference=list(definitions.difference(against, chosen)) if against else [],
        findings=findings.from_stored(chosen.lint),
        lint_counts={version.id: findings.count(findings.from_stored(version.lint)) for version in family.versions},
    )


@route(blueprint, "/processes/<key>/versions/<int:number>/activation", roles=STUDIO, methods=["POST"])
def activate(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    if chosen.state != "active":
        repository.activate(visit.session, chosen, by=visit.agent.ref)
        live.publish(visit.session, "processes")
    return leave_to(url_for("admin.process", key=key, version=number))


@route(blueprint, "/processes/<key>/versions/<int:number>/file", roles=STUDIO)
def process_file(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    name = f"{chosen.resource.name.removesuffix('.bpmn')}-v{number}.bpmn"
    return send_file(BytesIO(chosen.resource.content), "application/xml", as_attachment=True, download_name=name)


@route(blueprint, "/processes/<key>/versions/<int:number>/diagram.json", roles=STUDIO)
def process_diagram(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    return jsonify(diagram.checked(chosen, findings.from_stored(chosen.lint)))


def _list(
    session: Session, problems: Sequence[Problem] = (), *, stored: Deployment | None = None, again: bool = False
) -> str:
    found = findings.from_problems(problems)
    return render_template(
        "admin/processes.html",
        families=definitions.families(session),
        problems=found,
        problem_counts=findings.count(found),
        stored=stored,
        again=again,
        form=request.form,
    )


def _against(family: Family, chosen: ProcessDefinition) -> ProcessDefinition | None:
    """The version to compare with: the wished one, else the active one, else the one before."""
    wished = request.args.get("against", type=int)
    if wished is not None:
        return family.version(wished)
    if family.active and family.active.id != chosen.id:
        return family.active
    return next((version for version in family.versions if version.version < chosen.version), None)
