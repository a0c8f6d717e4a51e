"""Repairs of one instance from the inspector: every one a POST with a reason, answered by where it stands now."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from engine import repair
from engine.errors import Busy, EngineError, NotFound, Refused, Stale
from engine.models import Job
from engine.repair import Standing
from services.notifications import live
from webui.admin import instances, runs
from webui.admin.blueprint import ADMIN, blueprint
from webui.failures import failure
from webui.language import gettext, spoken
from webui.moments import zone
from webui.routes import Visit, leave_to, route

Verb = Callable[[Visit, int, dict[str, str]], Standing]


@route(blueprint, "/instances/<int:instance_id>/repairs/<verb>", roles=ADMIN, methods=["POST"])
def mend(visit: Visit, instance_id: int, verb: str) -> ResponseReturnValue:
    found = runs.one(visit.session, instance_id)
    if verb not in _VERBS:
        raise NotFound
    more = {"reason": request.form.get("reason", ""), "by": visit.agent.ref}
    try:
        with visit.session.begin_nested():
            after = _VERBS[verb](visit, found.id, more)
    except (NotFound, Stale, Busy):
        raise
    except EngineError as error:
        visit.session.refresh(found)
        return instances.inspector(visit, found.id, refused=verb, refusal=words(error)), 422
    live.publish(visit.session, "processes")
    return leave_to(url_for("admin.instance", instance_id=found.id, after=after.version))


def words(error: EngineError) -> str:
    """What a person is told about a change that was not made."""
    if isinstance(error, Refused):
        return error.ru if spoken() == "ru" else error.en
    return gettext("Не получилось: %(why)s", why=failure(str(error)))


def _move(visit: Visit, instance_id: int, more: dict[str, str]) -> Standing:
    return repair.move_token(visit.session, instance_id, _key(), request.form.get("to", ""), **more)


def _repeat(visit: Visit, instance_id: int, more: dict[str, str]) -> Standing:
    return repair.repeat(visit.session, instance_id, _key(), **more)


def _skip(visit: Visit, instance_id: int, more: dict[str, str]) -> Standing:
    return repair.skip(visit.session, instance_id, _key(), **more)


def _set_variable(visit: Visit, instance_id: int, more: dict[str, str]) -> Standing:
    name, value = request.form.get("name", "").strip(), _value(request.form.get("value", ""))
    key = _key() if request.form.get("key") else None
    return repair.set_variable(visit.session, instance_id, name, value, key=key, **more)


def _set_due(visit: Visit, instance_id: int, more: dict[str, str]) -> Standing:
    job = visit.session.get(Job, request.form.get("job", 0, type=int))
    if job is None or job.instance_id != instance_id:
        raise NotFound
    return repair.set_due(visit.session, job.id, _instant(request.form.get("due", "")), **more)


def _suspend(visit: Visit, instance_id: int, more: dict[str, str]) -> Standing:
    return repair.suspend(visit.session, instance_id, **more)


def _resume(visit: Visit, instance_id: int, more: dict[str, str]) -> Standing:
    return repair.resume(visit.session, instance_id, **more)


def _cancel(visit: Visit, instance_id: int, more: dict[str, str]) -> Standing:
    return repair.cancel(visit.session, instance_id, **more)


def _key() -> str:
    key = request.form.get("key", "")
    if len(key) != 32 or any(sign not in "0123456789abcdef" for sign in key):
        raise Refused("Expected a place where the instance stands", "Выберите, где стоит экземпляр")
    return key


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(
            'Expected a JSON value: 12, true, null, "text", [1, 2]',
            'Значение пишется в JSON: 12, true, null, "текст", [1, 2]',
        ) from None


def _instant(text: str) -> datetime:
    try:
        typed = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("Expected a day and a time", "Укажите день и время") from None
    return (typed if typed.tzinfo else typed.replace(tzinfo=zone())).astimezone(UTC)


_VERBS: dict[str, Verb] = {
    "move": _move,
    "repeat": _repeat,
    "skip": _skip,
    "variable": _set_variable,
    "due": _set_due,
    "suspend": _suspend,
    "resume": _resume,
    "cancel": _cancel,
}
