"""The scenarios of a version: what they tell, what differed, what nobody visits; run again, added, changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import NotFound, Problem
from engine.models import ProcessDefinition
from services.notifications import live
from services.scenarios import operations, queries
from webui.admin import definitions, findings
from webui.admin.blueprint import STUDIO, blueprint
from webui.language import gettext, spoken
from webui.routes import Visit, leave_to, route
from webui.views import diagram

examine = operations.examine

_FILE = re.compile(r"[\w][\w.\- ]{0,110}\.json")
MOST_TEXT = 300_000
STARTING = """{
  "scenario": "Что проверяем",
  "process": "%s",
  "given": {
    "client": "Ольга",
    "ticket": {"topic": "Касса не пробивает чеки", "type": "Инцидент", "service": "Онлайн-касса"}
  },
  "steps": [
    {"wait": "PT30M"}
  ],
  "expect": {"ended": false}
}
"""
_ROOT = "/processes/<key>/versions/<int:number>/scenarios"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a story and what was wrong in it, in the reader's language."""

    number: int
    text: str
    at: datetime
    """On the clock of the scenario."""
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One scenario as the page tells it."""

    name: str
    file: str
    passed: bool
    ms: int
    steps: tuple[Step, ...]
    ending: tuple[str, ...]
    """What was wrong before the first step or at the end."""


@route(blueprint, _ROOT, roles=STUDIO)
def scenarios(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    family = definitions.family(visit.session, key)
    chosen = family.version(number)
    report = chosen.scenarios or {}
    return render_template(
        "admin/scenarios.html",
        family=family,
        chosen=chosen,
        report=report,
        stories=[_story(row) for row in report.get("results", ())],
        known=sorted(queries.scenarios(visit.session, chosen)),
        ran_at=datetime.fromisoformat(report["at"]) if "at" in report else None,
        running=report.get("state") == "queued",
    )


@route(blueprint, _ROOT, roles=STUDIO, methods=["POST"])
def run_scenarios(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    if queries.scenarios(visit.session, chosen):
        chosen.scenarios = {"state": "queued"}
        live.publish(visit.session, "processes")
    return leave_to(_page(chosen))


@route(blueprint, _ROOT + "/coverage.json", roles=STUDIO)
def coverage_diagram(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    covered = (chosen.scenarios or {}).get("coverage")
    if not covered:
        raise NotFound
    return jsonify(diagram.covered(chosen, covered["visited"]))


@route(blueprint, _ROOT + "/file", roles=STUDIO)
def scenario_file(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    name = request.args.get("name", "")
    if not name:
        return _form(chosen, "", STARTING % key, is_new=True)
    content = queries.scenarios(visit.session, chosen).get(name)
    if content is None:
        raise NotFound
    return _form(chosen, name, content.decode("utf-8", "replace"))


@route(blueprint, _ROOT + "/file", roles=STUDIO, methods=["POST"])
def save_scenario(visit: Visit, key: str, number: int) -> ResponseReturnValue:
    chosen = definitions.family(visit.session, key).version(number)
    name, text = request.form.get("name", "").strip(), request.form.get("text", "").replace("\r\n", "\n")
    is_new = request.form.get("new") == "yes"
    problems = _refusals(visit, chosen, name, text, is_new)
    if not problems:
        problems = operations.save(visit.session, chosen, name, text.encode(), author=visit.agent.ref)
    if problems:
        return _form(chosen, name, text, problems, is_new=is_new), 422
    live.publish(visit.session, "processes")
    return leave_to(_page(chosen))


def _refusals(visit: Visit, chosen: ProcessDefinition, name: str, text: str, is_new: bool) -> list[Problem]:
    if not _FILE.fullmatch(name) or name.endswith(".form.json"):
        ru = "Имя файла – буквы, цифры, точки, дефисы – кончается на .json."
        return [_problem("file-name", ru, "The name has letters, digits, dots and hyphens and ends with .json.")]
    if is_new and name in queries.scenarios(visit.session, chosen):
        ru = "Сценарий с таким именем файла уже есть: откройте его или назовите новый иначе."
        return [_problem("file-twice", ru, "There is a scenario of this file name: open it or choose another name.")]
    if len(text) > MOST_TEXT:
        return [_problem("file-size", "Текст слишком длинный.", "The text is too long.")]
    return []


def _form(
    chosen: ProcessDefinition, name: str, text: str, problems: Sequence[Problem] = (), *, is_new: bool = False
) -> str:
    return render_template(
        "admin/scenario.html",
        chosen=chosen,
        name=name,
        text=text,
        is_new=is_new,
        problems=findings.from_problems(problems),
        back=_page(chosen),
        title=gettext("Новый сценарий") if is_new else name,
    )


def _story(row: Mapping[str, Any]) -> Story:
    by_step: dict[int | None, list[str]] = {}
    for each in row["differences"]:
        by_step.setdefault(each["step"], []).append(_spoken(each))
    steps = tuple(
        Step(number, _spoken(each), datetime.fromisoformat(each["at"]), tuple(by_step.get(number, ())))
        for number, each in enumerate(row["steps"], 1)
    )
    return Story(row["name"], row["file"], row["passed"], row["ms"], steps, tuple(by_step.get(None, ())))


def _spoken(words: Mapping[str, Any]) -> str:
    return str(words[spoken()])


def _problem(rule: str, russian: str, english: str) -> Problem:
    return Problem(rule=rule, severity="error", message_ru=russian, message_en=english)


def _page(chosen: ProcessDefinition) -> str:
    return url_for("admin.scenarios", key=chosen.key, number=chosen.version)
