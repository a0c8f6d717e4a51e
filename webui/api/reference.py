"""The page docs/reference/api.md, written from the declared operations: `python -m webui.api.reference`."""

from __future__ import annotations

from services.access.tokens import SCOPES
from webui.api.document import path_of
from webui.api.idempotency import HEADER
from webui.api.operation import PREFIX, registry

_HEAD = f"""# HTTP API

Everything below lies under `{PREFIX}`; the same in OpenAPI 3.1 is served at `{PREFIX}/openapi.json`. An admin makes a
token on the page «Токены API» or with `bpmdesk token`; it acts in the name of a person and can never do more.

```sh
curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/api/v1/tasks?assignee=me
curl -H "Authorization: Bearer $TOKEN" -H "{HEADER}: order-7" -H "Content-Type: application/json" \\
     -d '{{"key": "ticket_lifecycle", "business_key": "order:7"}}' http://127.0.0.1:8080/api/v1/instances
```

- A POST with an `{HEADER}` does its work once: the same request again within a day gives the same answer with
  `Idempotency-Replayed: true`, another request under the same key is refused.
- Errors are `application/problem+json` in the language of `Accept-Language`: `type`, `title`, `status`, `detail`, and
  what the kind brings along – `errors` by field, `problems` of the check, `by`, `at` and `action` of whoever was
  first, `current_version`.
- Lists give `items` and `next`: pass it as `after` for the following page.
- Pressing a button takes the `version` that came with the list of actions; another one by now is refused with 409.

This page is written by `python -m webui.api.reference`.
"""


def reference() -> str:
    """The whole page."""
    parts = [_HEAD, "\n## Scopes\n\n| scope | opens |\n|---|---|\n"]
    parts += [f"| `{scope.name}` | {scope.en} |\n" for scope in SCOPES.values()]
    for tag in dict.fromkeys(each.tag for each in registry.operations):
        parts.append(f"\n## {tag.capitalize()}\n\n| operation | scope | does |\n|---|---|---|\n")
        parts += [
            f"| `{each.method} {path_of(each)}` | `{each.scope}` | {each.summary} |\n"
            for each in registry.operations
            if each.tag == tag
        ]
    return "".join(parts)


if __name__ == "__main__":
    print(reference(), end="")
