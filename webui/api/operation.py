"""How an operation of the API is declared: who may call it, what goes in and comes out, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Blueprint, Response, request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from services.access import tokens
from services.access.models import ApiToken
from services.bootstrap import Desk
from services.people.models import Agent
from webui.api import idempotency, problems
from webui.api.problems import Rejected
from webui.routes import current_desk
from webui.security import csrf

TOKEN = "token"  # noqa: S105 - the name of a way in, no secret
"""The roles of a route of the API: whoever holds a token with its scope."""

PREFIX = "/api/v1"
blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
csrf.exempt(blueprint)  # no cookie opens it
View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its session, in whose name it is made, and what came with it."""

    session: Session
    desk: Desk
    token: ApiToken
    agent: Agent
    query: Any = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says about one operation."""

    name: str
    method: str
    path: str
    scope: str
    summary: str
    answer: type[BaseModel] | None
    status: int
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    reads: bool
    tag: str


@dataclass
class _Registry:
    operations: list[Operation] = field(default_factory=list)


registry = _Registry()


def operation(
    method: str,
    path: str,
    *,
    scope: str,
    answer: type[BaseModel] | None,
    status: int = 200,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    reads: bool = False,
) -> Callable[[View], View]:
    """Declare the decorated function as an operation; its docstring is what the document says about it.

    It gets a Call and the values of the path, and returns a model, a Response or None. GET only reads, so does what
    is declared with `reads`; everything else is one transaction, rolled back unless it succeeds. Errors become
    problem+json.
    """

    def declare(view: View) -> View:
        summary = " ".join((view.__doc__ or "").split())
        tag, only_reads = path.split("/")[1], reads or method == "GET"
        described = Operation(view.__name__, method, path, scope, summary, answer, status, query, body, only_reads, tag)

        def enter(**values: Any) -> Response:
            try:
                return _enter(described, view, values)
            except Exception as error:
                return problems.of(error)

        enter.roles = TOKEN  # type: ignore[attr-defined]
        registry.operations.append(described)
        blueprint.add_url_rule(path, view.__name__, enter, methods=[method])
        return view

    return declare


def _enter(operation: Operation, view: View, values: dict[str, Any]) -> Response:
    database = current_desk().database
    if operation.reads:
        with database.reading() as session:
            return _answered(operation, view(_call(operation, session), **values))
    with database.transaction() as session:
        call = _call(operation, session)
        tokens.used(call.token)
        return idempotency.once(call.session, call.token, lambda: _answered(operation, view(call, **values)))


def _call(operation: Operation, session: Session) -> Call:
    found = tokens.authenticate(session, _bearer())
    if found is None:
        raise Rejected("unauthorized")
    token, agent = found
    if not tokens.allows(token, agent, operation.scope):
        raise Rejected("forbidden", f"Expected a token with the scope {operation.scope} of a person who may do this")
    query = operation.query.model_validate(request.args.to_dict()) if operation.query else None
    body = operation.body.model_validate(_json()) if operation.body else None
    return Call(session, current_desk(), token, agent, query, body)


def _bearer() -> str:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _json() -> Any:
    try:
        return orjson.loads(request.get_data() or b"{}")
    except orjson.JSONDecodeError as error:
        raise Rejected("invalid", f"Expected JSON, but {error}") from error


def _answered(operation: Operation, result: Any) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status=204)
    return Response(result.model_dump_json(), operation.status, mimetype="application/json")
