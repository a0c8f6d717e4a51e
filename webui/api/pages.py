"""Lists of the API: at most so many at a time, then on from the last id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select
from sqlalchemy.orm import Session

Row = TypeVar("Row")


class Shown(BaseModel):
    """Base of what is told about a row."""

    model_config = ConfigDict(from_attributes=True)


class Given(BaseModel):
    """Base of what comes in: names that are not known are refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=4_000_000)


class PageQuery(Given):
    """Where a list goes on."""

    after: int = Field(0, ge=0, le=2**31 - 1, description="Only rows with a greater id: `next` of the page before.")
    limit: int = Field(50, ge=1, le=200, description="How many rows at most.")


def page(session: Session, query: Select[Row], key: Any, asked: PageQuery) -> tuple[Sequence[Row], int | None]:
    """The rows of one page and where the next one goes on, None after the last."""
    wanted = query.where(key > asked.after).order_by(key).limit(asked.limit + 1)
    rows = session.scalars(wanted).all()
    more = len(rows) > asked.limit
    shown = rows[: asked.limit]
    return shown, (getattr(shown[-1], key.key) if more else None)
