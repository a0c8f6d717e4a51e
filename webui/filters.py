"""The toolbar of the registry: what the address asks for, and the chips that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from engine.errors import NotFound
from services.catalog import queries as catalog
from services.people.models import Agent
from services.tickets.folders import DEFAULT, folder
from services.tickets.registry import SORTS, Filters, Page
from webui import deadlines
from webui.language import gettext, spoken

_LONGEST_QUERY = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address says."""

    folder: str
    filters: Filters
    sort: str
    cursor: str | None

    @property
    def narrowed(self) -> bool:
        return self.filters != Filters()

    def arguments(self) -> dict[str, Any]:
        """The same as arguments of an address, without the cursor."""
        f = self.filters
        several = {name: list(getattr(f, name)) for name in ("status", "type", "service", "responsible", "priority")}
        single = {"folder": self.folder, "sort": self.sort, "q": f.query, "overdue": "1" if f.overdue else ""}
        return {name: value for name, value in {**several, **single}.items() if value}


def read(arguments: MultiDict[str, str]) -> Chosen:
    """Read the address; numbers that are none are left out, unknown folders and sorts are NotFound."""
    key, sort = arguments.get("folder") or DEFAULT, arguments.get("sort") or "due"
    folder(key)
    if sort.removeprefix("-") not in SORTS:
        raise NotFound
    return Chosen(
        key,
        Filters(
            status=tuple(arguments.getlist("status")),
            type=_numbers(arguments.getlist("type")),
            service=_numbers(arguments.getlist("service")),
            responsible=_numbers(arguments.getlist("responsible")),
            priority=tuple(arguments.getlist("priority")),
            overdue=arguments.get("overdue") == "1",
            query=arguments.get("q", "").strip()[:_LONGEST_QUERY],
        ),
        sort,
        arguments.get("cursor") or None,
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a chip's menu."""

    value: str
    label: str
    depth: int
    on: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter of the toolbar."""

    name: str
    label: str
    choices: Sequence[Choice]
    without: str
    """The address without this filter."""

    @property
    def set(self) -> list[Choice]:
        return [choice for choice in self.choices if choice.on]


class Shown:
    """What the template of the registry asks for."""

    def __init__(self, session: Session, agent: Agent, chosen: Chosen, page: Page) -> None:
        self._session, self._agent, self._chosen, self._page = session, agent, chosen, page

    @property
    def title(self) -> str:
        return folder(self._chosen.folder).name(spoken())

    @cached_property
    def cells(self) -> dict[int, deadlines.Cell]:
        """Ticket id → SLA cell."""
        return deadlines.cells(self._session, self._page.rows)

    @cached_property
    def statuses(self) -> dict[str, Any]:
        return dict(catalog.statuses(self._session))

    @cached_property
    def chips(self) -> list[Chip]:
        chosen = self._chosen.filters
        language = spoken()
        statuses = [
            catalog.Choice(code, catalog.status_name(status, language)) for code, status in self.statuses.items()
        ]
        nobody = catalog.Choice("0", gettext("Не назначен"))
        return [
            self._chip("status", gettext("Статус"), statuses, chosen.status),
            self._chip("type", gettext("Тип"), self._offers("types"), chosen.type),
            self._chip("service", gettext("Сервис"), self._offers("services"), chosen.service),
            self._chip("responsible", gettext("Ответственный"), [nobody, *self._people()], chosen.responsible),
            self._chip("priority", gettext("Приоритет"), self._offers("priorities"), chosen.priority),
        ]

    def sorted_by(self, key: str) -> str:
        """The address that sorts by `key`, the other way round when it already does."""
        sort = f"-{key}" if self._chosen.sort == key else key
        return self._address(sort=sort)

    def direction(self, key: str) -> str:
        """The aria-sort of a column; "" when the list is not sorted by it."""
        if self._chosen.sort.removeprefix("-") != key:
            return ""
        return "descending" if self._chosen.sort.startswith("-") else "ascending"

    @property
    def next_page(self) -> str:
        return self._address(cursor=self._page.next_cursor)

    @property
    def first_page(self) -> str:
        return self._address()

    @property
    def without_filters(self) -> str:
        return url_for("tickets.registry", folder=self._chosen.folder)

    @property
    def overdue_toggled(self) -> str:
        return self._address(overdue=None if self._chosen.filters.overdue else "1")

    def _address(self, **changes: Any) -> str:
        return url_for("tickets.registry", **{**self._chosen.arguments(), **changes})

    def _offers(self, name: str) -> list[catalog.Choice]:
        return catalog.choices(self._session, name, language=spoken())

    def _people(self) -> list[catalog.Choice]:
        """Names alone: whole people would bring their roles along."""
        names = select(Agent.id, Agent.name).where(Agent.active).order_by(Agent.name)
        return [catalog.Choice(str(agent_id), name) for agent_id, name in self._session.execute(names)]

    def _chip(self, name: str, label: str, offers: Sequence[catalog.Choice], chosen: Sequence[Any]) -> Chip:
        on = {str(value) for value in chosen}
        choices = [Choice(offer.value, offer.label, offer.depth, offer.value in on) for offer in offers]
        return Chip(name, label, choices, self._address(**{name: None}))


def _numbers(values: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(value) for value in values if value.isdecimal() and len(value) < 10)
