"""Rules on conditions that say the same whatever happens, so that a flow is always or never taken."""

from __future__ import annotations

from engine.bpmn.lint.drawing import Drawing, Flow, Node
from engine.bpmn.lint.rules import Report, Rule, shown
from engine.errors import ExpressionError
from engine.expressions import Expression, compile

NEVER = Rule(
    "condition-never-holds",
    "warning",
    "Условие «{text}» не выполняется никогда: этим путём никто не пойдёт. Исправьте условие или удалите поток.",
    "The condition “{text}” never holds: nobody goes this way. Correct it or delete the flow.",
)
ALWAYS = Rule(
    "condition-always-holds",
    "warning",
    "Условие «{text}» выполняется всегда: другие пути не нужны. Исправьте его или оставьте один поток.",
    "The condition “{text}” always holds: other ways are not needed. Correct it or keep one flow.",
)
SAME = Rule(
    "condition-twice",
    "warning",
    "Условие «{text}» уже стоит на потоке {other}: сюда никто не придёт. Исправьте одно из них.",
    "The condition “{text}” stands on the flow {other} already: nobody comes here. Correct one of them.",
)


def check(drawing: Drawing, report: Report) -> None:
    """Every node that chooses by conditions."""
    for node in drawing.nodes:
        conditions = [(flow, found) for flow in node.outgoing if (found := _condition(flow, node)) is not None]
        seen: dict[str, Flow] = {}
        for flow, condition in conditions:
            _check_constant(flow, condition, report)
            first = seen.setdefault(condition.source, flow)
            if first is not flow and node.kind == "exclusiveGateway":
                report.add(SAME, flow.element, text=shown(condition.source), other=shown(first.id))


def _condition(flow: Flow, node: Node) -> Expression | None:
    """What is asked before the flow is taken; None where nothing or nothing readable is."""
    if flow.condition is None or flow.id == node.element.get("default"):
        return None
    text = (flow.condition.text or "").strip()
    try:
        return compile(text[1:] if text.startswith("=") and not text.startswith("==") else text)
    except ExpressionError:
        return None


def _check_constant(flow: Flow, condition: Expression, report: Report) -> None:
    if condition.names or "now" in condition.source:
        return
    try:
        holds = bool(condition.evaluate({}))
    except ExpressionError:
        return
    report.add(ALWAYS if holds else NEVER, flow.element, text=shown(condition.source))
