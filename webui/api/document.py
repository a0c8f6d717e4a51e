"""The OpenAPI 3.1 document, made from the declared operations and their pydantic models."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.access.tokens import SCOPES
from webui.api.idempotency import HEADER
from webui.api.operation import PREFIX, Operation, blueprint, registry
from webui.routes import PUBLIC

_REFERENCE = "#/components/schemas/{model}"
_NUMBER = re.compile(r"<(?:(\w+):)?(\w+)>")


class ProblemJson(BaseModel):
    """What went wrong (RFC 9457); `errors`, `problems`, `by`, `at` … come with some kinds."""

    type: str
    title: str
    status: int
    detail: str = ""


def shown() -> Response:
    """The document; anybody may read it."""
    return jsonify(document())


shown.roles = PUBLIC  # type: ignore[attr-defined]
blueprint.add_url_rule("/openapi.json", "openapi", shown)


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    models = {model for each in registry.operations for model in (each.answer, each.body) if model} | {ProblemJson}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=_REFERENCE)
    paths: dict[str, Any] = {}
    for each in registry.operations:
        paths.setdefault(path_of(each), {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bpmdesk",
            "version": version("bpmdesk"),
            "description": "Processes, instances, tasks, events, jobs, incidents and migrations of the desk.",
        },
        "servers": [{"url": PREFIX}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Scopes: " + "; ".join(f"{scope.name} – {scope.en}" for scope in SCOPES.values()),
                }
            },
        },
    }


def path_of(operation: Operation) -> str:
    """The path of an operation as OpenAPI writes it."""
    return _NUMBER.sub(r"{\2}", operation.path)


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "x-scope": operation.scope,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_headers(operation)],
        "responses": _responses(operation),
    }
    if operation.body:
        schema = {"$ref": _REFERENCE.format(model=operation.body.__name__)}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    kinds = {"int": "integer"}
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": kinds.get(kind, "string")}}
        for kind, name in _NUMBER.findall(operation.path)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema()
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": described}
        for name, described in schema["properties"].items()
    ]


def _headers(operation: Operation) -> list[dict[str, Any]]:
    if operation.method != "POST" or operation.reads:
        return []
    text = "The same key with the same request gives the same answer and does its work once; kept for a day."
    return [{"name": HEADER, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}]


def _responses(operation: Operation) -> dict[str, Any]:
    problem = {"$ref": _REFERENCE.format(model="ProblemJson")}
    refused = {"description": "A problem", "content": {"application/problem+json": {"schema": problem}}}
    if operation.answer is None:
        return {str(operation.status): {"description": "Done"}, "default": refused}
    schema = {"$ref": _REFERENCE.format(model=operation.answer.__name__)}
    done = {"description": "Done", "content": {"application/json": {"schema": schema}}}
    return {str(operation.status): done, "default": refused}
