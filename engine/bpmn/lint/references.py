"""Rules on what points to what: flows, boundary events, messages, defaults."""

from __future__ import annotations

from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import NODES, Drawing, Flow, Node, Scope, bpmn_name, desk
from engine.bpmn.lint.rules import Element, Report, Rule, shown

FLOW_ENDS = Rule(
    "flow-ends",
    "error",
    "Поток {id} ведёт {end} {target}, такого узла рядом нет. Соедините поток с узлом того же процесса или подпроцесса.",
    "The flow {id} leads {end_en} {target}, no such node is there. Connect it within one process or sub-process.",
)
FLOW_CROSSES = Rule(
    "flow-crosses-border",
    "error",
    "Поток {id} идёт через границу процесса или подпроцесса к {target}. Ведите его к границе, а внутри начните заново.",
    "The flow {id} crosses the border of a process or sub-process to {target}. Lead it to the border instead.",
)
FLOW_TO_START = Rule(
    "flow-into-start",
    "error",
    "В это событие не может входить поток. Удалите входящий поток.",
    "No flow may lead into this event. Remove the incoming flow.",
)
FLOW_FROM_END = Rule(
    "flow-from-end",
    "error",
    "Из завершающего события не может выходить поток. Удалите его или замените событие промежуточным.",
    "No flow may leave an end event. Remove it or make the event an intermediate one.",
)
BOUNDARY_HOST = Rule(
    "boundary-host",
    "error",
    "Граничное событие не прикреплено к задаче или подпроцессу. Перетащите его на границу.",
    "The boundary event is attached to no task or sub-process. Drag it onto a border.",
)
BOUNDARY_EXIT = Rule(
    "boundary-without-flow",
    "error",
    "Из граничного события ничего не выходит. Нарисуйте, что происходит после него.",
    "Nothing leaves the boundary event. Draw what happens after it.",
)
UNKNOWN_REFERENCE = Rule(
    "unknown-reference",
    "error",
    "{attribute} указывает на {target}, в файле такого нет. Выберите существующее или создайте его.",
    "{attribute} points to {target}, which is not in the file. Choose an existing one or create it.",
)
MISSING_REFERENCE = Rule(
    "missing-reference",
    "error",
    "Не выбрано, какое это сообщение или сигнал. Задайте его в свойствах.",
    "It is not said which message or signal this is. Set it in the properties.",
)
UNNAMED_GLOBAL = Rule(
    "global",
    "error",
    "У {kind} {id} нет имени, по нему оно узнаётся. Задайте имя.",
    "The {kind} {id} has no name to be recognised by. Set one.",
)
SAME_GLOBAL = Rule(
    "global-name",
    "warning",
    "Имя {name} есть у двух элементов {kind}. Оставьте один и ссылайтесь на него.",
    "The name {name} belongs to two elements {kind}. Keep one and refer to it.",
)
DEFAULT_FLOW = Rule(
    "default-flow",
    "error",
    "Поток по умолчанию {target} не выходит из этого узла. Выберите один из его исходящих потоков.",
    "The default flow {target} does not leave this node. Choose one of its outgoing flows.",
)

_NAMED = ("messageEventDefinition", "signalEventDefinition", "sendTask", "receiveTask")


def check(drawing: Drawing, report: Report) -> None:
    """Everything that points to another element of the file."""
    elsewhere = {e.get("id", "") for e in drawing.root.iter() if bpmn_name(e) in NODES}
    for scope in drawing.scopes:
        for flow in scope.flows:
            _check_flow(flow, elsewhere, report)
        for node in scope.nodes:
            _check_ends(node, report)
            _check_default(node, scope, report)
    _check_references(drawing, report)
    _check_globals(drawing, report)


def _check_flow(flow: Flow, elsewhere: set[str], report: Report) -> None:
    ends = (flow.source, "sourceRef", "из узла", "from"), (flow.target, "targetRef", "в узел", "to")
    for node, attribute, way, way_en in ends:
        target = flow.element.get(attribute, "–")
        if node is None and target in elsewhere:
            report.add(FLOW_CROSSES, flow.element, id=shown(flow.id), target=shown(target))
        elif node is None:
            report.add(FLOW_ENDS, flow.element, id=shown(flow.id), end=way, end_en=way_en, target=shown(target))


def _check_ends(node: Node, report: Report) -> None:
    if node.kind in ("startEvent", "boundaryEvent") and node.incoming:
        report.add(FLOW_TO_START, node.element)
    if node.kind == "endEvent" and node.outgoing:
        report.add(FLOW_FROM_END, node.element)
    if node.kind == "boundaryEvent":
        if node.host is None or node.host.kind.endswith(("Event", "Gateway")):
            report.add(BOUNDARY_HOST, node.element)
        if not node.outgoing and node.trigger != "compensate":
            report.add(BOUNDARY_EXIT, node.element)


def _check_default(node: Node, scope: Scope, report: Report) -> None:
    default = node.element.get("default")
    if default and default not in [flow.id for flow in node.outgoing]:
        chooses = len(node.outgoing) > 1 or any(flow.condition is not None for flow in node.outgoing)
        fix = None if chooses else fixes.without_attribute(node.element, "default")
        report.add(DEFAULT_FLOW, node.element, fix=fix, target=shown(default))


def _check_references(drawing: Drawing, report: Report) -> None:
    for process in drawing.processes:
        for element in process.element.iter():
            if bpmn_name(element) in _NAMED and not (
                element.get("messageRef") or element.get("signalRef") or _is_button(element)
            ):
                report.add(MISSING_REFERENCE, element)


def _is_button(element: Element) -> bool:
    """A signal that a person throws by pressing a button needs no name of its own."""
    parent = element.getparent()
    return bpmn_name(element) == "signalEventDefinition" and parent is not None and bool(desk(parent, "action"))


def _check_globals(drawing: Drawing, report: Report) -> None:
    for kind in ("message", "signal", "error", "escalation"):
        names: set[str] = set()
        for identifier, element in drawing.global_elements(kind).items():
            name = element.get("name", "").strip() or element.get("errorCode") or element.get("escalationCode")
            if not name:
                report.add(UNNAMED_GLOBAL, element, kind=kind, id=shown(identifier))
            elif name in names:
                report.add(SAME_GLOBAL, element, kind=kind, name=shown(name))
            names.add(name or "")
