"""Rules on how nodes hang together besides plain flows: links, compensation, event sub-processes, listings of flows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import ACTIVITIES, GATEWAYS, Drawing, Node, Scope, bpmn_name
from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.errors import Edit, Fix

FLOW_LISTING = Rule(
    "flow-listing",
    "warning",
    "Перечень потоков узла расходится с рисунком: {ids}. Другие редакторы покажут его иначе; исправьте перечень.",
    "The node's list of flows differs from the drawing: {ids}. Other modelers would show it otherwise; correct it.",
)
LINK_TARGET = Rule(
    "link-target",
    "error",
    "Ссылка «{name}» никуда не ведёт. Поставьте в этом же процессе или подпроцессе принимающую ссылку с тем же именем.",
    "The link “{name}” leads nowhere. Put a catching link of that name into the same process or sub-process.",
)
LINK_SOURCE = Rule(
    "link-source",
    "error",
    "К ссылке «{name}» ничто не ведёт. Поставьте рядом отправляющую ссылку с тем же именем.",
    "Nothing leads to the link “{name}”. Put a throwing link of that name beside it.",
)
LINK_TWICE = Rule(
    "link-twice",
    "error",
    "Принимающих ссылок «{name}» несколько, неясно, куда идти. Оставьте одну.",
    "There are several catching links “{name}”, so it is not clear where to go. Keep one.",
)
LINK_FLOW = Rule(
    "link-flow",
    "error",
    "Поток нарисован не с той стороны ссылки. В отправляющую он только входит, из принимающей только выходит.",
    "The flow is on the wrong side of the link. It only enters a throwing one and only leaves a catching one.",
)
HANDLER = Rule(
    "compensation-handler",
    "error",
    "Событию компенсации нужна ровно одна связь с задачей, отмеченной как компенсация. Соедините их пунктиром.",
    "A compensation event needs exactly one association with an activity marked for compensation. Connect them.",
)
HANDLER_FLOW = Rule(
    "compensation-flow",
    "error",
    "Компенсация стоит вне потоков. Удалите поток, оставьте пунктирную связь.",
    "Compensation stands beside the flow. Delete the flow and keep the association.",
)
HANDLER_ALONE = Rule(
    "compensation-unused",
    "warning",
    "Задача отмечена как компенсация, но с событием не связана. Соедините её пунктиром или снимите отметку.",
    "The activity is marked for compensation but associated with no event. Connect it or take the mark off.",
)
EVENT_START = Rule(
    "event-sub-process-start",
    "error",
    "Событийный подпроцесс начинается ровно одним событием: таймер, сообщение, сигнал, ошибка, эскалация, условие. "
    "Исправьте начало.",
    "An event sub-process begins with exactly one event: timer, message, signal, error, escalation, condition. "
    "Correct its start.",
)
EVENT_FLOW = Rule(
    "event-sub-process-flow",
    "error",
    "В событийный подпроцесс ничего не входит и из него ничего не выходит. Удалите поток.",
    "Nothing leads into or out of an event sub-process. Delete the flow.",
)
ALWAYS_INTERRUPTS = Rule(
    "error-interrupts",
    "error",
    "Ошибка всегда прерывает, непрерывающего события для неё нет. Уберите {attribute}.",
    "An error always interrupts, there is no other event for it. Remove {attribute}.",
)
THROWN_CODE = Rule(
    "thrown-code",
    "error",
    "Не сказано, какая это ошибка или эскалация: её никто не поймает по коду. Выберите её в свойствах.",
    "It is not said which error or escalation this is: nobody can catch it by its code. Choose it in the properties.",
)
RECEIVES_MIXED = Rule(
    "event-gateway-mix",
    "error",
    "После шлюза по событиям стоят и задача-получение, и событие-сообщение, или у задачи есть граничные события. "
    "Оставьте события-сообщения.",
    "A receive task stands beside a message event behind the event-based gateway, or has boundary events. "
    "Keep message events.",
)
DEFAULT_PLACE = Rule(
    "default-flow-place",
    "warning",
    "Поток по умолчанию здесь ничего не значит. Уберите default: он бывает у выбирающих шлюзов и задач.",
    "A default flow means nothing here. Remove it: gateways that choose and activities have one.",
)
DIRECTION = Rule(
    "gateway-direction",
    "warning",
    "gatewayDirection = {value} расходится с потоками шлюза. Уберите указание: направление видно по потокам.",
    "gatewayDirection = {value} differs from the gateway's flows. Remove it: the flows show the direction.",
)
REFUSED = Rule(
    "attribute-refused",
    "error",
    "{attribute} = {value} не исполняется. Уберите его и нарисуйте то же обычными узлами.",
    "{attribute} = {value} is not executed. Remove it and draw the same with plain nodes.",
)

_REFUSED = (
    ("receiveTask", "instantiate", "true"),
    ("eventBasedGateway", "instantiate", "true"),
    ("eventBasedGateway", "eventGatewayType", "Parallel"),
    ("startEvent", "parallelMultiple", "true"),
    ("boundaryEvent", "parallelMultiple", "true"),
    ("intermediateCatchEvent", "parallelMultiple", "true"),
)
_WITH_DEFAULT = ACTIVITIES | {"exclusiveGateway", "inclusiveGateway", "complexGateway"}
_EVENT_STARTS = frozenset({"timer", "message", "signal", "error", "escalation", "conditional", "compensate"})


def check(drawing: Drawing, report: Report) -> None:
    """Every node of every scope."""
    lists = any(_listed(node.element, way) for node in drawing.nodes for way in ("incoming", "outgoing"))
    handlers = _handlers(drawing)
    for scope in drawing.scopes:
        _check_links(scope, report)
        if scope.is_event_sub_process:
            _check_event_start(scope, report)
        for node in scope.nodes:
            _check_compensation(node, handlers, report)
            _check_events(node, report)
            _check_attributes(node, report)
            if lists:
                _check_listing(node, report)


def _check_links(scope: Scope, report: Report) -> None:
    links = [node for node in scope.nodes if node.trigger == "link"]
    throws = {node.link for node in links if node.kind == "intermediateThrowEvent"}
    catches = Counter(node.link for node in links if node.kind == "intermediateCatchEvent")
    for node in links:
        name = shown(node.link)
        if node.kind == "intermediateThrowEvent" and node.link not in catches:
            report.add(LINK_TARGET, node.element, name=name)
        if node.kind == "intermediateCatchEvent" and node.link not in throws:
            report.add(LINK_SOURCE, node.element, name=name)
        if node.kind == "intermediateCatchEvent" and catches[node.link] > 1:
            report.add(LINK_TWICE, node.element, name=name)
        if node.outgoing if node.kind == "intermediateThrowEvent" else node.incoming:
            report.add(LINK_FLOW, node.element)


def _check_event_start(scope: Scope, report: Report) -> None:
    starts = [node for node in scope.nodes if node.kind == "startEvent"]
    if len(starts) != 1 or starts[0].trigger not in _EVENT_STARTS:
        report.add(EVENT_START, starts[0].element if starts else scope.element)
    for start in starts:
        if start.trigger == "error" and not start.interrupts:
            report.add(
                ALWAYS_INTERRUPTS,
                start.element,
                fix=fixes.without_attribute(start.element, "isInterrupting"),
                attribute="isInterrupting",
            )


def _handlers(drawing: Drawing) -> dict[str, list[str]]:
    """What is associated with what, seen from both ends."""
    found: dict[str, list[str]] = {}
    for element in drawing.elements():
        if bpmn_name(element) == "association":
            ends = element.get("sourceRef", ""), element.get("targetRef", "")
            for here, there in (ends, ends[::-1]):
                found.setdefault(here, []).append(there)
    return found


def _check_compensation(node: Node, associated: dict[str, list[str]], report: Report) -> None:
    others = {each.id: each for each in node.scope.nodes}
    near = [others[id] for id in associated.get(node.id, ()) if id in others]
    compensates = node.kind == "boundaryEvent" and node.trigger == "compensate"
    if compensates and len([each for each in near if each.is_for_compensation]) != 1:
        report.add(HANDLER, node.element)
    if node.is_for_compensation and not any(each.trigger == "compensate" for each in near):
        report.add(HANDLER_ALONE, node.element)
    if (compensates and node.outgoing) or (node.is_for_compensation and (node.incoming or node.outgoing)):
        report.add(HANDLER_FLOW, node.element)


def _check_events(node: Node, report: Report) -> None:
    if node.inside is not None and node.inside.is_event_sub_process and (node.incoming or node.outgoing):
        report.add(EVENT_FLOW, node.element)
    if node.kind == "boundaryEvent" and node.trigger == "error" and not node.interrupts:
        report.add(
            ALWAYS_INTERRUPTS,
            node.element,
            fix=fixes.without_attribute(node.element, "cancelActivity"),
            attribute="cancelActivity",
        )
    thrown = node.kind in ("endEvent", "intermediateThrowEvent") and node.trigger in ("error", "escalation")
    if thrown and not node.definitions[0].get(f"{node.trigger}Ref"):
        report.add(THROWN_CODE, node.element)
    if node.kind == "eventBasedGateway":
        targets = [flow.target for flow in node.outgoing if flow.target is not None]
        receives = [target for target in targets if target.kind == "receiveTask"]
        messages = any(target.trigger == "message" for target in targets)
        if receives and (messages or any(target.boundaries for target in receives)):
            report.add(RECEIVES_MIXED, receives[0].element)


def _check_attributes(node: Node, report: Report) -> None:
    for kind, attribute, value in _REFUSED:
        if node.kind == kind and node.element.get(attribute) == value:
            report.add(REFUSED, node.element, attribute=attribute, value=value)
    if node.element.get("default") and node.kind not in _WITH_DEFAULT:
        report.add(DEFAULT_PLACE, node.element, fix=fixes.without_attribute(node.element, "default"))
    direction = node.element.get("gatewayDirection", "")
    if node.kind in GATEWAYS and not _fits(direction, len(node.incoming) > 1, len(node.outgoing) > 1):
        report.add(
            DIRECTION, node.element, fix=fixes.without_attribute(node.element, "gatewayDirection"), value=direction
        )


def _fits(direction: str, joins: bool, splits: bool) -> bool:
    wanted = {"Converging": (None, False), "Diverging": (False, None), "Mixed": (True, True)}.get(direction)
    return wanted is None or (wanted[0] in (None, joins) and wanted[1] in (None, splits))


def _check_listing(node: Node, report: Report) -> None:
    edits: list[Edit] = []
    wrong: list[str] = []
    for way, flows in (("outgoing", node.outgoing), ("incoming", node.incoming)):
        listed, drawn = _listed(node.element, way), [flow.id for flow in flows if flow.id]
        surplus = [
            e for number, e in enumerate(listed) if _text(e) not in drawn or _text(e) in map(_text, listed[:number])
        ]
        missing = [id for id in drawn if id not in map(_text, listed)]
        wrong += [_text(element) or "–" for element in surplus] + missing
        edits += [fixes.delete(element) for element in surplus]
        edits += [_listing(node.element, way, id) for id in reversed(missing)]
    if wrong:
        fix = Fix("Переписать перечень потоков узла.", "Write the node's list of flows anew.", tuple(edits))
        report.add(FLOW_LISTING, node.element, fix=fix, ids=", ".join(map(shown, wrong[:5])))


def _listing(element: Element, way: str, id: str) -> Edit:
    entry = f"<{{p}}{way}>{id}</{{p}}{way}>"
    before = ["documentation", "extensionElements", "auditing", "monitoring", "categoryValueRef", "incoming"]
    before += ["outgoing"] if way == "outgoing" else []
    ahead: Sequence[Element] = [child for child in element if bpmn_name(child) in before]
    return fixes.append(ahead[-1], entry) if ahead else fixes.insert(element, entry)


def _listed(element: Element, way: str) -> list[Element]:
    return [child for child in element if bpmn_name(child) == way]


def _text(element: Element) -> str:
    return (element.text or "").strip().rpartition(":")[2]
