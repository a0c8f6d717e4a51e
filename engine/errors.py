"""The tree of errors of the engine; each docstring is the default message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Severity = Literal["error", "warning", "info"]


class EngineError(Exception):
    """Expected the engine to finish this, but it could not."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class NotFound(EngineError):
    """Expected this to exist, but nothing was found."""


class Busy(EngineError):
    """Expected to get the record at once, but somebody else is still writing it."""


class Stale(EngineError):
    """Expected the task to be open as it was shown, but it has moved on meanwhile."""

    def __init__(
        self, message: str = "", *, by: str | None = None, at: datetime | None = None, action: str | None = None
    ) -> None:
        super().__init__(message)
        self.by = by
        """Display name of whoever was first, if a person."""
        self.at = at
        self.action = action
        """Label of what was done instead."""


class Suspended(Stale):
    """Expected the process to take this, but it is suspended."""

    def __init__(self, *, by: str | None = None, at: datetime | None = None, reason: str = "") -> None:
        super().__init__(by=by, at=at)
        self.reason = reason


class Refused(EngineError):
    """Expected a change that can be made, but this one cannot; both sentences say why."""

    def __init__(self, en: str, ru: str) -> None:
        super().__init__(en)
        self.en = en
        self.ru = ru


class NotReady(EngineError):
    """Expected a version that may become active, but its check or its scenarios speak against it."""

    def __init__(self, key: str, version: int, obstacles: Sequence[str]) -> None:
        super().__init__(f"Expected {key} v{version} to be ready, but: {', '.join(obstacles)}")
        self.obstacles = tuple(obstacles)
        """unrunnable | errors | scenarios; with `unrunnable` no reason helps."""


class VersionInUse(EngineError):
    """Expected a version that nobody needs, but this one is in use."""

    def __init__(self, key: str, version: int, count: int, business_keys: Sequence[str]) -> None:
        named = f": {', '.join(business_keys)}" if business_keys else ""
        super().__init__(f"Expected nobody to use {key} v{version}, but it is in use by {count} instances{named}")
        self.count = count
        self.business_keys = tuple(business_keys)


class Forbidden(EngineError):
    """Expected a person who may do this, but the rights do not allow it."""


class ExpressionError(EngineError):
    """Expected an expression of the desk's language, but this is not one."""

    def __init__(self, en: str = "", ru: str = "") -> None:
        super().__init__(en)
        self.en = str(self)
        self.ru = ru or en or "Ожидалось выражение на языке выражений, но это не оно."


class StateUnreadable(EngineError):
    """Expected a stored state of a known version, but this one cannot be read."""


class StepFailed(EngineError):
    """Expected the node to be carried out, but it failed."""

    def __init__(self, message: str = "", element_id: str | None = None, element_name: str | None = None) -> None:
        where = f"{element_name or element_id}: " if element_name or element_id else ""
        super().__init__(where + message if message else "")
        self.element_id = element_id
        self.element_name = element_name


class StepBudgetExceeded(EngineError):
    """Expected the process to reach a wait state, but it ran over its budget of steps, time or memory."""


class BpmnError(EngineError):
    """An expected failure of a connector: caught by an error boundary event with the same code."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Edit:
    """One small change of an XML file; the element is found by its number in document order, the root being 0."""

    kind: Literal["set", "unset", "text", "delete", "insert", "append"]
    """Of an attribute, of the text, of the element; a first child put in; a sibling put after the element."""
    element: int
    tag: str
    """Local name of that element: an edit for another state of the file is refused."""
    name: str = ""
    """The attribute."""
    value: str = ""
    """The attribute's value, the text, or the new element with `{p}` for the prefix of BPMN."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What removes a finding without a decision by a person."""

    ru: str
    en: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of the linter or of the parser."""

    rule: str
    severity: Severity
    message_ru: str
    message_en: str
    element_id: str | None = None
    element_name: str | None = None
    line: int | None = None
    file: str | None = None
    fix: Fix | None = None

    def message(self, language: str = "ru") -> str:
        return self.message_ru if language == "ru" else self.message_en


class XmlRefused(EngineError):
    """Expected a moderate, well-formed XML file in UTF-8, but this is not one."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message("en"))
        self.problem = problem


class DeploymentRefused(EngineError):
    """Expected files that can be executed, but the check found errors."""

    def __init__(self, problems: list[Problem]) -> None:
        errors = [p for p in problems if p.severity == "error"]
        super().__init__("; ".join(p.message("en") for p in errors[:5]))
        self.problems = problems
