"""The same request twice does its work once: the answer is kept with the key that came along."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Busy
from services.access.models import ApiToken, IdempotencyKey
from webui.api.problems import Rejected

HEADER = "Idempotency-Key"
MOST_CHARACTERS = 200


def once(session: Session, token: ApiToken, work: Callable[[], Response]) -> Response:
    """The answer of `work`, or the one it gave before to the same key of the same token.

    The row is written before the work is done, so that a second request at the same moment waits for the first one and
    may be told to come again; an answer that is refused is rolled back with its row, and the request may come again.
    Raises Busy.
    """
    key = request.headers.get(HEADER, "").strip()
    if not key or request.method != "POST":
        return work()
    if len(key) > MOST_CHARACTERS:
        raise Rejected("invalid", f"Expected an {HEADER} of at most {MOST_CHARACTERS} characters")
    known = session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.token_id == token.id, IdempotencyKey.key == key)
    ).one_or_none()
    if known is not None:
        return _again(known)
    row = IdempotencyKey(token_id=token.id, key=key, request=_fingerprint(), status=0, body=b"", created_at=clock.now())
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:  # the first request has just been carried out: the next one gets its answer
        raise Busy from error
    response = work()
    row.status, row.body = response.status_code, response.get_data()
    return response


def _again(known: IdempotencyKey) -> Response:
    if known.request != _fingerprint():
        raise Rejected("key-reused")
    response = Response(known.body, known.status, mimetype="application/json")
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _fingerprint() -> str:
    whole = b"\n".join((request.method.encode(), request.full_path.encode(), request.get_data()))
    return hashlib.sha256(whole).hexdigest()
