"""The HTTP API, version 1: JSON in and out, bearer tokens, problems as problem+json, described by OpenAPI 3.1."""

from webui.api import (
    definitions,
    document,
    events,
    incidents,
    instances,
    jobs,
    migrations,
    repairs,
    tasks,
)
from webui.api.operation import blueprint

__all__ = [
    "blueprint",
    "definitions",
    "document",
    "events",
    "incidents",
    "instances",
    "jobs",
    "migrations",
    "repairs",
    "tasks",
]
