"""Processes: upload with the check's findings, versions, activation, the file and its drawing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO

from flask import jsonify, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import repository
from engine import versions as engine_versions
from engine.errors import DeploymentRefused, NotReady, Problem
from engine.models import Deployment
from services.notifications import live
from webui.admin import definitions, findings, scenarios, uploads, versions
from webui.admin.blueprint import STUDIO, blueprint
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
            keep_draft=request.form.get("draft") == "yes",
        )
    except DeploymentRefused as refusal:
        return _list(visit.session, refusal.problems), 422
    wished = request.form.get("activate") == "yes"
    if wished:
        _activate_ready(visit, deployment)
    live.publish(visit.session, "processes")
    again = "1" if deployment.id <= newest else None
    held = "1" if wished and any(each.state == "draft" for each in deployment.definitions) else None
    return leave_to(url_for("admin.processes", stored=deployment.id, again=again, held=held))


@route(blueprint, "/processes/<key>", roles=STUDIO)
def process(visit: Visit, key: str) -> ResponseReturnValue:
    family = definitions.family(visit.session, key)
    chosen = family.version(request.args.get("version", family.shown.version, type=int))
    return render_template(
        "admin/process.html",
        family=family,
        chosen=chosen,
        against=versions.before(family, chosen),
        gate=versions.gate(visit, chosen, versions.refusal(request.args.get("refused", ""))),
        starts=versions.starts(visit.session, chosen),
        journal=engine_versions.journal(visit.session, key),
        migration_url=versions.migration_url(family, chosen),
        findings=findings.from_stored(chosen.lint),
        lint_counts={version.id: findings.count(findings.from_stored(version.lint)) for version in family.versions},
    )


@route(blueprint, "/processes/<key>/versions/<int:number>/file", roles=STUDIO)
def process_file(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    name = f"{chosen.resource.name.removesuffix('.bpmn')}-v{number}.bpmn"
    return send_file(BytesIO(chosen.resource.content), "application/xml", as_attachment=True, download_name=name)


@route(blueprint, "/processes/<key>/versions/<int:number>/diagram.json", roles=STUDIO)
def process_diagram(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    return jsonify(diagram.checked(chosen, findings.from_stored(chosen.lint)))


def _activate_ready(visit: Visit, deployment: Deployment) -> None:
    """Activate the new versions that nothing speaks against; the others wait as drafts for somebody to look."""
    for definition in deployment.definitions:
        scenarios.examine(visit.session, definition)
        if definition.state == "draft":
            with suppress(NotReady):
                engine_versions.activate(visit.session, definition, by=visit.agent.ref)


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
