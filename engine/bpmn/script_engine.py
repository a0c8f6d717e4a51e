"""The script engine of a step: every expression of a process goes through the closed evaluator, none runs as Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.script_engine import BasePythonScriptEngineEnvironment, PythonScriptEngine
from SpiffWorkflow.task import Task

from engine import expressions
from engine.bpmn.dmn import Decided
from engine.bpmn.tape import NOTHING, Tape
from engine.circumstances import note
from engine.errors import BpmnError, EngineError
from engine.values import Namespace

if TYPE_CHECKING:
    from engine.bpmn.program import Program

Context = Callable[[], Mapping[str, Any]]
Call = Callable[[str, str, str, Mapping[str, Any], Mapping[str, Any]], Any]
"""Connector name, element id, element name, variables, arguments → result."""

compile_expression = lru_cache(maxsize=4096)(expressions.compile)
compile_script = lru_cache(maxsize=1024)(expressions.compile_script)


class Names(Mapping[str, Any]):
    """What an expression sees: `now` and the host's context before the variables of the process."""

    def __init__(self, now: datetime, context: Context, data: Mapping[str, Any]) -> None:
        self._now = now
        self._context = context
        self._data = data
        self.foreign = False
        """Whether the host was asked for something."""

    def __getitem__(self, name: str) -> Any:
        if name == "now":
            return self._now
        context = self._context()
        if name in context:
            self.foreign = True
            return context[name]
        return self._data[name]

    def __iter__(self) -> Iterator[str]:
        yield from {"now": None, **self._context(), **self._data}

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Environment(BasePythonScriptEngineEnvironment):
    """Evaluates in the context of one step and calls connectors; also where the library bypasses its script engine."""

    def __init__(self, now: datetime, context: Context, call: Call, tape: Tape | None = None) -> None:
        super().__init__()
        self.now = now
        self.program: Program
        """Set by the machine that runs in this environment."""
        self.decided: list[tuple[str, Decided]] = []
        """Business rule tasks of the step, by element id."""
        self.thrown: list[tuple[str, str]] = []
        """Messages, signals and escalations that nobody in the instance caught: kind and name or code."""
        self.tape = tape or Tape()
        self._context = context
        self._call = call

    def names(self, data: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> Names:
        return Names(self.now, self._context, {**data, **more} if more else data)

    def evaluate(self, expression: str, context: Mapping[str, Any], external_context: Any = None) -> Any:
        source = _source(expression)
        return self._answer(self.names(context, external_context), source, lambda: compile_expression(source).evaluate)

    def execute(self, script: str, context: dict[str, Any], external_context: Any = None) -> bool:
        names = self.names(context, external_context)
        context.update(self._answer(names, script, lambda: compile_script(script).run))
        return True

    def decide(self, task: Task) -> Decided:
        """Ask the decision of a business rule task, and keep the answer with the numbers of the rules that held."""
        spec, process_key = task.task_spec, self.program.owner(task.workflow.spec.name)
        played, names = self.tape.ask(), self.names(task.data)
        if played is not NOTHING:
            return Decided(spec.decision, (), *played)
        try:
            decided = self.program.decide(process_key, spec.decision, names)
        except Exception as error:
            note(error, decision=spec.decision, values=task.data)
            raise
        if names.foreign:
            self.tape.keep([decided.value, dict(decided.variables)])
        self.decided.append((spec.bpmn_id, decided))
        return decided

    def call_connector(self, task: Task) -> Any:
        """Call the connector of a service task with its evaluated parameters."""
        played = self.tape.ask()
        if self.tape.plays:
            return None if played is NOTHING else played
        spec = task.task_spec
        arguments: dict[str, Any] = {}
        try:
            for name, text in spec.parameters.items():
                if text:
                    arguments[name] = _argument(_source(text), self.names(task.data))
            result = self._call(
                spec.connector, spec.bpmn_id, spec.bpmn_name or "", MappingProxyType(task.data), arguments
            )
        except Exception as error:
            note(error, connector=spec.connector, arguments=arguments)
            if isinstance(error, BpmnError):
                self.tape.keep_refusal(error)
            raise
        if spec.result_variable and result is not None:
            self.tape.keep(result)
        return result

    def _answer(self, names: Names, source: str, compiled: Callable[[], Callable[[Names], Any]]) -> Any:
        played = self.tape.ask()
        if played is not NOTHING:
            return played
        try:
            value = compiled()(names)
        except Exception as error:
            note(error, expression=source, values=_seen(source, names))
            raise
        if names.foreign:
            self.tape.keep(value)
        return value

    def call_service(self, context: Any, **kwargs: Any) -> Any:
        raise EngineError("Expected a connector, but the library tried to call a service by itself")


class ScriptEngine(PythonScriptEngine):
    """Hands everything to the environment and lets its errors through unchanged."""

    environment: Environment

    def validate(self, expression: str) -> None:
        compile_expression(expression)

    def evaluate(self, task: Task, expression: str, external_context: Any = None) -> Any:
        return self.environment.evaluate(expression, task.data, external_context)

    def execute(self, task: Task, script: str, external_context: Any = None) -> bool:
        return self.environment.execute(script, task.data, external_context)

    def call_service(self, task: Task, **kwargs: Any) -> Any:
        return self.environment.call_service(task.data, **kwargs)


def _source(text: str) -> str:
    """The expression without the sign that it is one."""
    text = text.strip()
    return text[1:] if text.startswith("=") and not text.startswith("==") else text


def _argument(source: str, names: Names) -> Any:
    try:
        return compile_expression(source).evaluate(names)
    except Exception as error:
        note(error, expression=source, values=_seen(source, names))
        raise


def _seen(source: str, names: Names) -> dict[str, Any]:
    """What the names of a failed expression stood for, as far as that can still be said."""
    seen: dict[str, Any] = {}
    for path in sorted(_read(source)):
        name, _, field = path.partition(".")
        with suppress(Exception):
            value = names[name]
            if not isinstance(value, Namespace):
                seen[name] = value
            elif field in value.fields:
                seen[path] = value.fields[field]()
    return seen


def _read(source: str) -> frozenset[str]:
    with suppress(EngineError):
        found = compile_expression(source)
        return found.names | found.paths
    with suppress(EngineError):
        lines = compile_script(source).assignments
        return frozenset().union(*(line.names | line.paths for _, line in lines))
    return frozenset()
