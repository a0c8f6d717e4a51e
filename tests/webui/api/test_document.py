"""The OpenAPI document says what the routes say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator

from services.access.tokens import SCOPES
from webui.api.document import document
from webui.api.operation import registry
from webui.api.reference import reference


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_it_is_served_to_anybody(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/openapi.json")

    assert answer.json is not None
    assert answer.json["openapi"] == "3.1.0"


def test_every_route_is_described_and_nothing_else(app: Flask) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "api.openapi"
        for method in rule.methods or set()
        if method not in ("HEAD", "OPTIONS")
    }

    assert routes == {(path, method) for path, methods in document()["paths"].items() for method in methods}


def test_every_reference_leads_somewhere_and_every_schema_is_one() -> None:
    schemas = document()["components"]["schemas"]

    assert {each.removeprefix("#/components/schemas/") for each in references(document())} <= set(schemas)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_has_a_name_a_sentence_and_a_known_scope() -> None:
    names = [each.name for each in registry.operations]

    assert len(set(names)) == len(names)
    assert [
        each.name for each in registry.operations if not each.summary.endswith(".") or each.scope not in SCOPES
    ] == []


def test_every_scope_opens_something() -> None:
    assert {each.scope for each in registry.operations} == set(SCOPES)


def test_the_page_of_the_documentation_is_what_the_code_says() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "api.md"

    assert page.read_text() == reference()
