"""The drawing of a process for the browser: the file, what to mark in it, and short words to hang on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, runtime
from engine.bpmn.diagram import Index, Trail, is_boundary, trail
from engine.errors import NotFound
from engine.models import ElementLog, Incident, Job, ProcessDefinition, ProcessInstance, UserTask
from services.tickets import queries as tickets
from webui.failures import failure
from webui.moments import full, moment, span
from webui.routes import STAFF, Visit, route

blueprint = Blueprint("diagram", __name__)

_LATEST = 3000
"""Entries of the log that are drawn; an instance that went round for months has more."""
_WORTH_SAYING = 60
"""Seconds: shorter stays carry no sticker."""


@route(blueprint, "/tickets/<int:number>/diagram.json", roles=STAFF)
def of_ticket(visit: Visit, number: int) -> ResponseReturnValue:
    ticket = tickets.by_number(visit.session, visit.agent, number)
    found = runtime.instances(visit.session, ticket.business_key)
    if not found:
        raise NotFound
    instance = next((candidate for candidate in found if candidate.ended_at is None), found[-1])
    return jsonify(running(visit.session, instance, request.args.get("process")))


def drawings(session: Session, instance: ProcessInstance) -> dict[str, ProcessDefinition]:
    """The definitions an instance runs by: its own first, then those it may call."""
    called = [session.get_one(ProcessDefinition, number) for _, number in sorted(instance.bindings.items())]
    return {definition.key: definition for definition in [instance.definition, *called]}


def standing(session: Session, instance: ProcessInstance) -> str:
    """The key of the process in which the instance waits for a person, else of its own."""
    waiting = select(UserTask.process_key).where(UserTask.instance_id == instance.id, UserTask.state == "open")
    key = session.scalar(waiting.order_by(UserTask.id.desc()).limit(1))
    return key if key in drawings(session, instance) else instance.definition.key


def running(session: Session, instance: ProcessInstance, key: str | None = None) -> dict[str, Any]:
    """The drawing of one of the instance's processes with its path, its places, its timers and its failures."""
    key = key or standing(session, instance)
    definition = drawings(session, instance).get(key)
    if definition is None:
        raise NotFound
    index = definition.index
    walked = trail(_log(session, instance, key), index)
    jobs = _of_process(session, Job, instance, key, Job.state.in_(["waiting", "failed"]))
    tasks = _of_process(session, UserTask, instance, key, UserTask.state == "open")
    failures = session.scalars(select(Incident).where(Incident.instance_id == instance.id, Incident.state == "open"))
    failed = {f.element_id: f for f in failures if f.element_id and f.element_id in index["nodes"]}
    places = _places(tasks, jobs, walked, index)
    return _sheet(
        definition,
        marks={"past": sorted(walked.passed), "token": sorted(places), "bad": sorted(failed)},
        badges=[
            *({"element": place, "kind": "token", "text": str(count)} for place, count in places.items()),
            *({"element": e, "kind": "bad", "text": "!", "title": failure(f.message)[:300]} for e, f in failed.items()),
            *_stays(walked, places),
            *_timers(jobs),
        ],
    )


def checked(definition: ProcessDefinition, findings: Iterable[Any]) -> dict[str, Any]:
    """The drawing of a version with the findings of its check."""
    by_element: dict[str, list[Any]] = {}
    for finding in findings:
        if finding.element_id:
            by_element.setdefault(finding.element_id, []).append(finding)
    marks: dict[str, list[str]] = {"bad": [], "warn": []}
    badges = []
    for element, found in sorted(by_element.items()):
        kind = "bad" if any(finding.severity == "error" for finding in found) else "warn"
        marks[kind].append(element)
        words = "\n".join(finding.message for finding in found)
        badges.append({"element": element, "kind": kind, "text": str(len(found)), "title": words})
    return _sheet(definition, marks=marks, badges=badges)


def compared(definition: ProcessDefinition, marks: dict[str, list[str]]) -> dict[str, Any]:
    """The drawing of a version with what is not the same in another one: a sign beside each colour."""
    signs = {"added": "+", "removed": "−", "changed": "≠"}
    words = {"added": gettext("добавлено"), "removed": gettext("удалено"), "changed": gettext("изменено")}
    flows = definition.index["flows"]
    badges = [
        {"element": element, "kind": kind, "text": signs[kind], "title": words[kind]}
        for kind, elements in marks.items()
        for element in elements
        if element not in flows
    ]
    return _sheet(definition, marks=marks, badges=badges)


def covered(definition: ProcessDefinition, visited: Mapping[str, int]) -> dict[str, Any]:
    """The drawing of a version with how often scenarios came by; counts on nodes, of a decision on its branches."""
    flows = definition.index["flows"]
    branching = {source for source, count in Counter(f["source"] for f in flows.values()).items() if count > 1}
    counted = [
        name for name in visited if (flows[name]["source"] in branching if name in flows else name not in branching)
    ]
    badges = [
        {
            "element": name,
            "kind": ("branch" if name in flows else "visits") if visited[name] else "warn",
            "text": f"{visited[name]}×" if visited[name] else "0",
            "title": ngettext("%(num)d раз", "%(num)d раз", visited[name]) if visited[name] else gettext("ни разу"),
        }
        for name in counted
    ]
    marks = {
        "past": [name for name, count in visited.items() if count],
        "warn": [name for name, count in visited.items() if not count],
    }
    return _sheet(definition, marks=marks, badges=badges)


def _sheet(
    definition: ProcessDefinition, *, marks: dict[str, list[str]], badges: list[dict[str, str]]
) -> dict[str, Any]:
    name = definition.name or definition.key
    return {
        "key": definition.key,
        "title": gettext("Схема процесса «%(name)s», версия %(n)d", name=name, n=definition.version),
        "xml": definition.resource.content.decode("utf-8", "replace"),
        "marks": marks,
        "badges": badges,
        "labels": {
            "failed": gettext("Схему не нарисовать: в файле нет рисунка. Откройте файл в редакторе BPMN и сохраните."),
            "zoom_in": gettext("Крупнее"),
            "zoom_out": gettext("Мельче"),
            "fit": gettext("Показать целиком"),
        },
    }


def _log(session: Session, instance: ProcessInstance, key: str) -> Sequence[ElementLog]:
    """The latest entries of one process, oldest first."""
    own = select(ElementLog).where(ElementLog.instance_id == instance.id, ElementLog.process_key == key)
    return session.scalars(own.order_by(ElementLog.id.desc()).limit(_LATEST)).all()[::-1]


def _of_process(session: Session, table: Any, instance: ProcessInstance, key: str, *conditions: Any) -> Sequence[Any]:
    wanted = select(table).where(table.instance_id == instance.id, table.process_key == key, *conditions)
    return session.scalars(wanted.order_by(table.id)).all()


def _places(tasks: Sequence[UserTask], jobs: Sequence[Job], walked: Trail, index: Index) -> dict[str, int]:
    """Where the instance stands → how many times: open tasks, waiting nodes, called processes that have not ended."""
    places: dict[str, int] = {}
    for task in tasks:
        places[task.element_id] = places.get(task.element_id, 0) + 1
    waiting = [job.element_id for job in jobs if not is_boundary(index, job.element_id)]
    for element in [*waiting, *walked.since]:
        if not is_boundary(index, element):
            places.setdefault(element, 1)
    return places


def _stays(walked: Trail, places: dict[str, int]) -> list[dict[str, str]]:
    now = clock.now()
    here = [
        {"element": place, "kind": "here", "text": gettext("здесь %(span)s", span=span((now - since).total_seconds()))}
        for place, since in walked.since.items()
        if place in places
    ]
    past = [
        {"element": element, "kind": "past", "text": span(spent.total_seconds())}
        for element, spent in walked.spent.items()
        if element not in places and spent.total_seconds() >= _WORTH_SAYING
    ]
    return here + past


def _timers(jobs: Sequence[Job]) -> list[dict[str, str]]:
    return [
        {"element": job.element_id, "kind": "timer", "text": moment(job.due_at), "title": full(job.due_at)}
        for job in jobs
        if job.kind == "timer" and job.state == "waiting"
    ]
