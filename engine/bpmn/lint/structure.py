"""Rules on the shape of a drawing: starts, ends, gateways, labels."""

from __future__ import annotations

from collections import Counter

from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import ACTIVITIES, GATEWAYS, Drawing, Flow, Node, Scope
from engine.bpmn.lint.rules import Report, Rule, shown
from engine.errors import Fix

START_REQUIRED = Rule(
    "start-event-required",
    "error",
    "Нет начального события. Добавьте его: с него начинается исполнение.",
    "There is no start event. Add one: execution begins there.",
)
END_REQUIRED = Rule(
    "end-event-required",
    "error",
    "Нет завершающего события. Добавьте его в конец каждой ветви.",
    "There is no end event. Add one at the end of each branch.",
)
SINGLE_START = Rule(
    "single-blank-start-event",
    "error",
    "Простых начальных событий несколько, началось бы только с первого. Оставьте одно.",
    "There are several blank start events and only the first one would begin. Keep one.",
)
SUB_PROCESS_START = Rule(
    "sub-process-blank-start-event",
    "error",
    "Подпроцесс начинается простым событием, и только одним. Уберите условие или лишние начала.",
    "A sub-process begins with one blank start event. Remove the trigger or the other starts.",
)
SINGLE_DEFINITION = Rule(
    "single-event-definition",
    "error",
    "У события несколько определений. Оставьте одно, для остальных нарисуйте отдельные события.",
    "The event has several definitions. Keep one and draw separate events for the others.",
)
CONDITIONAL_FLOWS = Rule(
    "conditional-flows",
    "error",
    "У потока из шлюза нет условия. Задайте условие или сделайте поток потоком по умолчанию.",
    "The flow out of the gateway has no condition. Set one or make it the default flow.",
)
DEFAULT_CONDITION = Rule(
    "default-flow-condition",
    "warning",
    "У потока по умолчанию есть условие, оно не читается. Уберите его.",
    "The default flow has a condition, which is not read. Remove it.",
)
NO_DEFAULT = Rule(
    "no-default-flow",
    "warning",
    "Нет потока по умолчанию: если ни одно условие не выполнится, будет инцидент. Задайте его.",
    "There is no default flow: when no condition holds, the instance stops with an incident. Set one.",
)
EVENT_GATEWAY = Rule(
    "event-based-gateway",
    "error",
    "После шлюза по событиям нужны два ожидания и больше, без условий и других входов. Исправьте ветвь {target}.",
    "Two or more catch events without conditions or other incoming flows follow an event-based gateway. Correct the "
    "branch {target}.",
)
DISCONNECTED = Rule(
    "no-disconnected",
    "error",
    "Элемент ни с чем не соединён. Соедините его потоком или удалите.",
    "The element is connected to nothing. Connect it or delete it.",
)
IMPLICIT_START = Rule(
    "no-implicit-start",
    "error",
    "В узел ничего не входит, он не исполнится никогда. Соедините его с началом или удалите.",
    "Nothing leads into the node, it will never be executed. Connect it or delete it.",
)
IMPLICIT_END = Rule(
    "no-implicit-end",
    "warning",
    "Ветвь обрывается здесь. Если так и задумано, поставьте завершающее событие.",
    "The branch stops here. Put an end event if that is meant.",
)
IMPLICIT_SPLIT = Rule(
    "no-implicit-split",
    "warning",
    "Из узла выходит несколько потоков: токен пойдёт по каждому, где нет условия или оно верно. Нарисуйте это шлюзом.",
    "Several flows leave the node: a token goes along each without a condition or with a true one. Draw a gateway.",
)
FAKE_JOIN = Rule(
    "fake-join",
    "info",
    "В узел входит несколько потоков: он исполнится для каждого отдельно. Если нужно дождаться всех, поставьте шлюз.",
    "Several flows lead into the node: it runs once for each. Put a gateway when all should be awaited.",
)
DUPLICATE_FLOWS = Rule(
    "no-duplicate-sequence-flows",
    "error",
    "Между этими узлами два одинаковых потока. Удалите один.",
    "There are two equal flows between these nodes. Delete one.",
)
JOIN_FORK = Rule(
    "no-gateway-join-fork",
    "warning",
    "Шлюз и соединяет, и разделяет. Нарисуйте два шлюза, чтобы это было видно.",
    "The gateway joins and splits. Draw two gateways to make that visible.",
)
SUPERFLUOUS_GATEWAY = Rule(
    "superfluous-gateway",
    "warning",
    "У шлюза один вход и один выход. Удалите его.",
    "The gateway has one way in and one way out. Delete it.",
)
SUPERFLUOUS_TERMINATION = Rule(
    "superfluous-termination",
    "warning",
    "Прерывать здесь нечего: других концов нет. Достаточно простого завершающего события.",
    "There is nothing to terminate: no other ends exist. A plain end event is enough.",
)
INCLUSIVE = Rule(
    "no-inclusive-gateway",
    "info",
    "Неисключающий шлюз трудно читать и проверять. По возможности замените его исключающим или параллельным.",
    "An inclusive gateway is hard to read and to check. Use an exclusive or a parallel one if you can.",
)
COMPLEX = Rule(
    "no-complex-gateway",
    "error",
    "Сложный шлюз не исполняется. Замените его исключающим или параллельным.",
    "A complex gateway is not executed. Use an exclusive or a parallel one.",
)
LABEL = Rule(
    "label-required",
    "warning",
    "Нет названия. Назовите элемент так, чтобы схему понял человек, который её не рисовал.",
    "There is no label. Name the element so that somebody who did not draw it understands it.",
)
AWAITED = frozenset({"message", "timer", "signal", "conditional"})
"""What an event-based gateway can wait for."""


def check(drawing: Drawing, report: Report) -> None:
    """Every scope and every node of the drawing."""
    for scope in drawing.scopes:
        if not scope.is_event_sub_process:
            _check_scope(scope, report)
        elif not any(node.kind == "endEvent" for node in scope.nodes):
            report.add(END_REQUIRED, scope.element)
        for node in scope.nodes:
            _check_node(node, report)


def _check_scope(scope: Scope, report: Report) -> None:
    starts = [node for node in scope.nodes if node.kind == "startEvent"]
    ends = [node for node in scope.nodes if node.kind == "endEvent"]
    if not starts:
        report.add(START_REQUIRED, scope.element)
    if not ends:
        report.add(END_REQUIRED, scope.element)
    blank = [node for node in starts if not node.definitions]
    if scope.parent is None and len(blank) > 1:
        report.add(SINGLE_START, blank[1].element)
    if scope.parent is not None and starts and (len(blank) != 1 or len(starts) != 1):
        report.add(SUB_PROCESS_START, (starts[1] if len(starts) > 1 else starts[0]).element)
    _check_termination(scope, report)
    _check_duplicates(scope, report)


def _check_termination(scope: Scope, report: Report) -> None:
    last = [node for node in scope.nodes if not node.outgoing and not node.scope.is_event_sub_process]
    terminating = [node for node in last if node.trigger == "terminate"]
    if len(terminating) == 1 == len(last) and not any(_splits(node) for node in scope.nodes):
        definition = terminating[0].definitions[0]
        report.add(SUPERFLUOUS_TERMINATION, terminating[0].element, fix=fixes.without(definition))


def _splits(node: Node) -> bool:
    """Whether more than one token may leave the node."""
    several = len(node.outgoing) > 1 and node.kind not in ("exclusiveGateway", "eventBasedGateway")
    return several or any(not boundary.interrupts for boundary in node.boundaries)


def _check_duplicates(scope: Scope, report: Report) -> None:
    def ends(flow_source: Node | None, flow_target: Node | None) -> tuple[int, int]:
        return id(flow_source), id(flow_target)

    count = Counter(ends(f.source, f.target) for f in scope.flows if f.source and f.target)
    for flow in reversed(scope.flows):
        key = ends(flow.source, flow.target)
        if count[key] > 1:
            report.add(DUPLICATE_FLOWS, flow.element, fix=_without_flow(flow))
            del count[key]


def _without_flow(flow: Flow) -> Fix | None:
    """Without a flow that nobody would miss: it has no condition and is nobody's default."""
    if flow.condition is not None or not flow.id or (flow.source and flow.source.element.get("default") == flow.id):
        return None
    mentions = [
        element
        for element in flow.element.getroottree().iter("{*}incoming", "{*}outgoing", "{*}BPMNEdge")
        if flow.id in (element.get("bpmnElement"), (element.text or "").strip())
    ]
    edits = tuple(fixes.delete(element) for element in [flow.element, *mentions])
    return Fix("Удалить второй поток.", "Delete the second flow.", edits)


def _check_node(node: Node, report: Report) -> None:
    if len(node.definitions) > 1:
        report.add(SINGLE_DEFINITION, node.element)
    if node.kind in GATEWAYS:
        _check_gateway(node, report)
    _check_connections(node, report)
    if not node.name and _needs_label(node):
        report.add(LABEL, node.element)


def _check_gateway(node: Node, report: Report) -> None:
    ways_in, ways_out = len(node.incoming), len(node.outgoing)
    if ways_in > 1 and ways_out > 1:
        report.add(JOIN_FORK, node.element)
    if ways_in == 1 == ways_out:
        report.add(SUPERFLUOUS_GATEWAY, node.element)
    if node.kind == "complexGateway":
        report.add(COMPLEX, node.element)
    if node.kind == "inclusiveGateway":
        report.add(INCLUSIVE, node.element)
    if node.kind in ("exclusiveGateway", "inclusiveGateway"):
        _check_conditions(node, report)
    if node.kind == "eventBasedGateway":
        _check_event_gateway(node, report)


def _check_conditions(node: Node, report: Report) -> None:
    default = node.element.get("default")
    for flow in node.outgoing:
        if flow.id == default and flow.condition is not None:
            report.add(DEFAULT_CONDITION, flow.element, fix=fixes.without(flow.condition))
        if flow.id != default and flow.condition is None and len(node.outgoing) > 1:
            report.add(CONDITIONAL_FLOWS, flow.element, fix=_default(node))
    if not default and len(node.outgoing) > 1:
        report.add(NO_DEFAULT, node.element, fix=_default(node))


def _default(node: Node) -> Fix | None:
    """The one flow without a condition as the default flow."""
    plain = [flow for flow in node.outgoing if flow.condition is None]
    if len(plain) != 1 or not plain[0].id or node.element.get("default"):
        return None
    edit = fixes.set_attribute(node.element, "default", plain[0].id)
    return Fix(f"Сделать {plain[0].id} потоком по умолчанию.", f"Make {plain[0].id} the default flow.", (edit,))


def _check_event_gateway(node: Node, report: Report) -> None:
    if len(node.outgoing) < 2:
        report.add(EVENT_GATEWAY, node.element, target="–")
    for flow in node.outgoing:
        target = flow.target
        if target is None:
            continue
        caught = target.kind == "intermediateCatchEvent" and target.trigger in AWAITED
        catches = target.kind == "receiveTask" or caught
        if flow.condition is not None or not catches or len(target.incoming) > 1:
            report.add(EVENT_GATEWAY, flow.element, target=shown(target.name or target.id))


def _check_connections(node: Node, report: Report) -> None:
    begins = node.kind in ("startEvent", "boundaryEvent") or node.link or _is_apart(node)
    ends = node.kind in ("endEvent", "boundaryEvent") or node.link or _is_apart(node)
    alone = not node.incoming and not node.outgoing and not node.boundaries
    if alone and len(node.scope.nodes) > 1 and node.kind != "boundaryEvent" and not _is_apart(node):
        report.add(DISCONNECTED, node.element)
        return
    if not node.incoming and not begins:
        report.add(IMPLICIT_START, node.element)
    if not node.outgoing and not ends:
        report.add(IMPLICIT_END, node.element)
    plain = [flow for flow in node.outgoing if flow.condition is None and flow.id != node.element.get("default")]
    if len(plain) > 1 and node.kind not in GATEWAYS:
        report.add(IMPLICIT_SPLIT, node.element)
    if node.kind in ACTIVITIES and node.outgoing and all(flow.condition is not None for flow in node.outgoing):
        report.add(NO_DEFAULT, node.element)
    unsure = [flow for flow in node.outgoing if flow.condition is not None and flow.id != node.element.get("default")]
    if node.kind in ACTIVITIES and node.outgoing and len(unsure) == len(node.outgoing):
        report.add(NO_DEFAULT, node.element)
    if len(node.incoming) > 1 and (node.kind in ACTIVITIES or node.kind.startswith("intermediate")):
        report.add(FAKE_JOIN, node.element)


def _is_apart(node: Node) -> bool:
    """Event sub-processes and compensation handlers stand beside the flow."""
    apart = node.inside is not None and node.inside.is_event_sub_process
    return apart or node.is_for_compensation or node.scope.element.tag.endswith("adHocSubProcess")


def _needs_label(node: Node) -> bool:
    if node.kind in GATEWAYS:
        return len(node.outgoing) > 1 and node.kind in ("exclusiveGateway", "inclusiveGateway")
    return node.inside is None and not (node.scope.parent is not None and node.kind == "startEvent")
