"""The history of an instance: one row a step, each signed together with the row before it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine.db import table_of
from engine.models import History, ProcessInstance

MOST_TAPE = 64 * 1024
"""Bytes of answers that one step keeps; more are left out, and the instance cannot be rebuilt past that step."""
_NEW = insert(table_of(History))
_key = b""


def install_key(key: bytes) -> None:
    """The key that signs the chain in this process; set once by the composition root."""
    global _key
    _key = key


def append(
    session: Session,
    instance: ProcessInstance,
    *,
    move: str,
    element_id: str | None,
    actor: str | None,
    at: datetime,
    data: Mapping[str, Any],
) -> None:
    """Count the step and write its row; `data` must be plain JSON."""
    n = instance.version + 1
    digest = signature(instance.last_hash, instance.id, n, move, element_id, actor, at, data)
    row = {"instance_id": instance.id, "n": n, "move": move, "element_id": element_id, "actor": actor, "at": at}
    session.execute(_NEW, {**row, "data": dict(data), "hash": digest})
    instance.version, instance.last_hash = n, digest


def limited(data: dict[str, Any]) -> dict[str, Any]:
    """The data of a step without a tape that is too long; `left_out` says how many bytes it had."""
    if "tape" not in data or (size := len(orjson.dumps(data["tape"]))) <= MOST_TAPE:
        return data
    return {**{name: part for name, part in data.items() if name != "tape"}, "left_out": size}


def signature(
    before: str,
    instance_id: int,
    n: int,
    move: str,
    element_id: str | None,
    actor: str | None,
    at: datetime,
    data: Mapping[str, Any],
) -> str:
    """The hash of a row that follows the row with the hash `before`."""
    return signed([before, instance_id, n, move, element_id, actor, at.isoformat(), data])


def signed(fields: list[Any]) -> str:
    """The hash of these fields with the key of this desk."""
    return hmac.new(_key, orjson.dumps(fields, option=orjson.OPT_SORT_KEYS), hashlib.sha256).hexdigest()
