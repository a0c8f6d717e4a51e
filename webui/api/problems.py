"""Errors of the API as problem+json (RFC 9457), in the language that was asked for."""

from __future__ import annotations

from typing import Any

import orjson
import structlog
from flask import Response, request
from pydantic import ValidationError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from engine.errors import (
    BpmnError,
    Busy,
    DeploymentRefused,
    EngineError,
    ExpressionError,
    Forbidden,
    NotFound,
    NotReady,
    Problem,
    Refused,
    Stale,
    VersionInUse,
)
from services.forms import FormInvalid

log = structlog.get_logger(__name__)

TYPE = "application/problem+json"
_TITLES = {
    "unauthorized": (401, "Нужен действующий токен", "A valid token is needed"),
    "forbidden": (403, "Токен или его владелец этого не может", "The token or its person may not do this"),
    "not-found": (404, "Такого нет", "There is no such thing"),
    "method-not-allowed": (405, "Так этот адрес не вызывают", "This address is not called like that"),
    "stale": (409, "Уже изменилось", "It has changed meanwhile"),
    "version-conflict": (409, "Версия уже другая", "The version is another one by now"),
    "not-ready": (409, "Проверка или сценарии против этой версии", "The check or the scenarios speak against it"),
    "in-use": (409, "Версия нужна экземплярам", "Instances need this version"),
    "key-reused": (422, "Ключ идемпотентности занят другим запросом", "The idempotency key belongs to another request"),
    "too-large": (413, "Слишком большой запрос", "The request is too large"),
    "invalid": (422, "Запрос не подходит", "The request does not fit"),
    "refused": (422, "Проверка нашла ошибки", "The check found errors"),
    "failed": (422, "Процесс не смог этого сделать", "The process could not do it"),
    "too-many": (429, "Слишком часто", "Too often"),
    "busy": (503, "Занято на секунду, повторите", "Busy for a second, try again"),
    "internal": (500, "Внутренняя ошибка, она записана", "An internal error, it was noted"),
}
_OF_STATUS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    429: "too-many",
}


class Rejected(EngineError):
    """Expected a request that can be carried out, but it cannot."""

    def __init__(self, kind: str, detail: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.more = more


def answer(kind: str, detail: str = "", **more: Any) -> Response:
    """One problem; `kind` is a name of the table above."""
    status, russian, english = _TITLES[kind]
    body = {"type": f"urn:bpmdesk:problem:{kind}", "title": russian if speaks_russian() else english, "status": status}
    body |= {"detail": detail} if detail else {}
    response = Response(orjson.dumps(body | more, default=str), status, mimetype=TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        response.headers["Retry-After"] = "2" if status == 503 else "60"
    return response


def of_status(status: int, detail: str) -> Response:
    """The problem for an answer that never reached an operation: an unknown address, a request too large."""
    return answer(_OF_STATUS.get(status, "invalid" if status < 500 else "internal"), detail)


def of(error: Exception) -> Response:
    """The problem that an error is; what nobody foresaw is written to the log and told in general."""
    match error:
        case Rejected():
            return answer(error.kind, str(error), **error.more)
        case ValidationError():
            return answer("invalid", errors=[_field(each) for each in error.errors(include_url=False)])
        case FormInvalid():
            return answer("invalid", errors=[{"field": field, "message": text} for field, text in error.errors.items()])
        case DeploymentRefused():
            return answer("refused", problems=[finding(each) for each in error.problems])
        case NotReady():
            return answer("not-ready", str(error), obstacles=error.obstacles)
        case VersionInUse():
            return answer("in-use", str(error), count=error.count, business_keys=error.business_keys)
        case Stale():
            return answer("stale", str(error), by=error.by, at=error.at, action=error.action)
        case Busy():
            return answer("busy")
        case NotFound():
            return answer("not-found", str(error))
        case Forbidden():
            return answer("forbidden", str(error))
        case ExpressionError() | Refused():
            return answer("failed", error.ru if speaks_russian() else error.en)
        case BpmnError():
            return answer("failed", str(error), code=error.code)
        case EngineError():
            return answer("failed", str(error))
        case OverflowError() | DataError():
            return answer("invalid")  # a number or a sign that no row can hold
        case HTTPException():
            return of_status(error.code or 500, "")
    log.error("api request failed", action="request", path=request.path, exc_info=error)
    return answer("internal")


def finding(problem: Problem) -> dict[str, Any]:
    """A finding of the check as the API tells it."""
    return {
        "rule": problem.rule,
        "severity": problem.severity,
        "message": problem.message("ru" if speaks_russian() else "en"),
        "element_id": problem.element_id,
        "element_name": problem.element_name,
        "line": problem.line,
        "file": problem.file,
    }


def speaks_russian() -> bool:
    """Whether the caller asks for Russian before English; English when he asks for nothing."""
    return request.accept_languages.best_match(["en", "ru"], "en") == "ru"


def _field(error: Any) -> dict[str, str]:
    return {"field": ".".join(str(part) for part in error["loc"]), "message": error["msg"]}
