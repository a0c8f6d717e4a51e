"""Rules on what BPMN allows and this engine would run otherwise than drawn: refused by name."""

from __future__ import annotations

from collections.abc import Iterator

from engine.bpmn.lint.drawing import NODES, Drawing, Node, Scope, bpmn_child, bpmn_name
from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.bpmn.xml import local_name

MOST_INSTANCES = 1_000


def _refused(name: str, ru: str, en: str) -> Rule:
    return Rule(name, "error", ru, en)


SIGNAL_END = _refused(
    "signal-end-event",
    "Завершающий сигнал не исполняется. Поставьте промежуточный сигнал и за ним простое завершение.",
    "A signal end event is not executed. Put an intermediate signal and a plain end after it.",
)
LINK = _refused(
    "link-event",
    "События-ссылки не исполняются. Соедините узлы потоком.",
    "Link events are not executed. Connect the nodes with a flow.",
)
COMPENSATION = _refused(
    "compensation",
    "Компенсация не исполняется. Нарисуйте отмену обычными задачами после события-ошибки.",
    "Compensation is not executed. Draw the undoing as ordinary tasks after an error event.",
)
CANCEL = _refused(
    "cancel-event",
    "События отмены и транзакции не исполняются. Используйте подпроцесс и событие-ошибку.",
    "Cancel events and transactions are not executed. Use a sub-process and an error event.",
)
CONDITIONAL_EVENT = _refused(
    "conditional-event",
    "Событие по условию никто не проверяет. Используйте таймер, сообщение или шлюз с условием.",
    "Nobody watches the condition of this event. Use a timer, a message or a gateway.",
)
EVENT_SUB_PROCESS = _refused(
    "event-sub-process",
    "Событийный подпроцесс не исполняется. Поставьте граничное событие на подпроцесс или задачу.",
    "An event sub-process is not executed. Put a boundary event on a sub-process or task.",
)
AD_HOC = _refused(
    "ad-hoc-sub-process",
    "Ad-hoc подпроцесс не исполняется. Нарисуйте порядок задач потоками.",
    "An ad-hoc sub-process is not executed. Draw the order of its tasks with flows.",
)
UNTYPED = _refused(
    "untyped-task",
    "У задачи нет типа: её никто не выполнит. Сделайте её пользовательской, сервисной или сценарием.",
    "The task has no type: nobody would do it. Make it a user, service or script task.",
)
UNKNOWN_ELEMENT = _refused(
    "unknown-element",
    "Элемент {kind} не исполняется. Замените его задачей, событием или шлюзом.",
    "The element {kind} is not executed. Use a task, an event or a gateway.",
)
TYPED_START = _refused(
    "start-event-kind",
    "Начальное событие «{trigger}» процесс не запустит. Сделайте его простым, сообщением, сигналом или таймером.",
    "A start event of the kind {trigger} does not start the process. Use a blank one, a message, a signal or a timer.",
)
EVENT_KIND = _refused(
    "event-kind",
    "Событие «{trigger}» в этом месте не исполняется. Выберите другой вид события.",
    "An event of the kind {trigger} is not executed in this place. Choose another kind.",
)
TWO_TIMERS = _refused(
    "event-gateway-timers",
    "После шлюза по событиям стоят два таймера. Оставьте тот, что сработает раньше.",
    "Two timers follow the event-based gateway. Keep the one that is due first.",
)
TIMER_NAMES = _refused(
    "timer-names",
    "Два таймера процесса называются «{name}». Дайте им разные названия.",
    "Two timers of the process are called “{name}”. Give them different names.",
)
QUANTITY = _refused(
    "token-quantity",
    "{attribute} = {value} не исполняется. Уберите: нужно 1.",
    "{attribute} = {value} is not executed. Remove it: 1 is needed.",
)
TASK_CONDITION = _refused(
    "conditional-flow-from-task",
    "Условие на потоке из задачи не исполняется. Поставьте после неё исключающий шлюз.",
    "A condition on a flow out of a task is not executed. Put an exclusive gateway behind it.",
)
PLAIN_CONDITION = _refused(
    "condition-not-read",
    "Условие на этом потоке никто не читает. Уберите его или замените шлюз исключающим.",
    "Nobody reads the condition of this flow. Remove it or make the gateway exclusive.",
)
INSTANCE_BEHAVIOUR = _refused(
    "multi-instance-behaviour",
    "Поведение {value} у многократной задачи не исполняется. Оставьте All.",
    "The behaviour {value} of a multi-instance is not executed. Keep All.",
)
INSTANCE_COUNT = _refused(
    "multi-instance-count",
    "Число повторений {value} не годится: нужно от 0 до {limit} или список.",
    "The count {value} cannot be used: it takes 0 to {limit} or a list.",
)
ENDLESS_LOOP_TASK = _refused(
    "endless-task-loop",
    "У повторяемой задачи нет предела. Задайте наибольшее число повторений, не больше {limit}.",
    "The repeated task has no bound. Set its greatest number of repetitions, at most {limit}.",
)
OWN_ESCALATION = _refused(
    "thrown-inside",
    "Это прерывающее событие ловит «{name}», которое бросает сам подпроцесс. Сделайте его непрерывающим "
    "или используйте ошибку.",
    "This interrupting event catches “{name}” of its own sub-process. Make it non-interrupting or use an error.",
)
INNER_EVENT_REFERENCE = _refused(
    "event-definition-reference",
    "Событие ссылается на общее определение, оно не читается. Задайте определение на самом событии.",
    "The event refers to a shared definition, which is not read. Set the definition on the event itself.",
)

_BY_TRIGGER = {
    "link": LINK,
    "compensate": COMPENSATION,
    "cancel": CANCEL,
    "conditional": CONDITIONAL_EVENT,
}
_BY_KIND = {
    "task": UNTYPED,
    "adHocSubProcess": AD_HOC,
    "transaction": CANCEL,
}
_EXECUTED = {
    "endEvent": {"", "message", "signal", "error", "escalation", "terminate"},
    "boundaryEvent": {"message", "signal", "timer", "error", "escalation"},
    "intermediateCatchEvent": {"message", "signal", "timer"},
    "intermediateThrowEvent": {"", "message", "signal", "escalation"},
}
_BEGINS = frozenset({"", "message", "signal", "timer"})
_BESIDE_THE_FLOW = frozenset(
    [
        "documentation",
        "extensionElements",
        "incoming",
        "outgoing",
        "laneSet",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "ioSpecification",
        "property",
        "textAnnotation",
        "association",
        "group",
        "sequenceFlow",
        "dataInputAssociation",
        "dataOutputAssociation",
        "auditing",
        "monitoring",
        "category",
        "correlationSubscription",
        "resourceRole",
        "performer",
        "humanPerformer",
        "potentialOwner",
        "supports",
        "artifact",
        "ioBinding",
        "multiInstanceLoopCharacteristics",
        "standardLoopCharacteristics",
        "completionCondition",
    ]
)


def check(drawing: Drawing, report: Report) -> None:
    """Every construct that would run silently wrong."""
    for scope in drawing.scopes:
        _check_scope(scope, report)
        for node in scope.nodes:
            _check_kind(node, report)
            _check_event(node, report)
            _check_quantity(node, report)
            _check_flows(node, report)
            _check_loops(node, report)
    for process in drawing.processes:
        _check_timer_names(process, report)


def _check_scope(scope: Scope, report: Report) -> None:
    for child in scope.element:
        kind = bpmn_name(child)
        if kind and kind not in NODES and kind not in _BESIDE_THE_FLOW:
            report.add(UNKNOWN_ELEMENT, child, kind=shown(kind))
    if scope.is_event_sub_process:
        report.add(EVENT_SUB_PROCESS, scope.element)
        return
    if scope.parent is None:
        for node in scope.nodes:
            if node.kind == "startEvent" and node.trigger not in _BEGINS:
                report.add(TYPED_START, node.element, trigger=shown(node.trigger))


def _check_kind(node: Node, report: Report) -> None:
    rule = _BY_KIND.get(node.kind)
    if rule is not None:
        report.add(rule, node.element)
    if node.element.get("isForCompensation", "").strip() == "true":
        report.add(COMPENSATION, node.element)


def _check_event(node: Node, report: Report) -> None:
    if bpmn_child(node.element, "eventDefinitionRef") is not None:
        report.add(INNER_EVENT_REFERENCE, node.element)
    rule = _BY_TRIGGER.get(node.trigger)
    if rule is not None:
        report.add(rule, node.element)
    elif node.kind in _EXECUTED and node.trigger not in _EXECUTED[node.kind]:
        report.add(EVENT_KIND, node.element, trigger=shown(node.trigger or "none"))
    elif node.kind == "endEvent" and node.trigger == "signal":
        report.add(SIGNAL_END, node.element)
    if node.kind == "eventBasedGateway":
        timers = [flow.target for flow in node.outgoing if flow.target is not None and flow.target.trigger == "timer"]
        if len(timers) > 1:
            report.add(TWO_TIMERS, node.element)
    if node.kind == "boundaryEvent" and node.interrupts and node.trigger in ("signal", "escalation"):
        _check_own_throw(node, report)


def _check_own_throw(node: Node, report: Report) -> None:
    if node.host is None or node.host.inside is None:
        return
    caught = _thrown_name(node)
    for inner in _all_nodes(node.host.inside):
        throws = inner.kind in ("intermediateThrowEvent", "endEvent") and inner.trigger == node.trigger
        if throws and (caught is None or _thrown_name(inner) == caught):
            report.add(OWN_ESCALATION, node.element, name=shown(_thrown_name(inner) or node.trigger))
            return


def _thrown_name(node: Node) -> str | None:
    definition = node.definitions[0]
    return definition.get("signalRef") or definition.get("escalationRef")


def _all_nodes(scope: Scope) -> Iterator[Node]:
    yield from scope.nodes
    for inner in scope.inner:
        yield from _all_nodes(inner)


def _check_quantity(node: Node, report: Report) -> None:
    for attribute in ("startQuantity", "completionQuantity"):
        value = node.element.get(attribute, "1").strip()
        if value != "1":
            report.add(QUANTITY, node.element, attribute=attribute, value=shown(value))


def _check_flows(node: Node, report: Report) -> None:
    for flow in node.outgoing:
        if flow.condition is None or node.kind in ("exclusiveGateway", "inclusiveGateway", "eventBasedGateway"):
            continue
        report.add(PLAIN_CONDITION if node.kind == "parallelGateway" else TASK_CONDITION, flow.element)


def _check_loops(node: Node, report: Report) -> None:
    for child in node.element:
        name = bpmn_name(child)
        if name == "multiInstanceLoopCharacteristics":
            _check_multi_instance(child, report)
        elif name == "standardLoopCharacteristics":
            maximum = child.get("loopMaximum", "").strip()
            if not maximum.isdecimal() or not 1 <= int(maximum[:9]) <= MOST_INSTANCES:
                report.add(ENDLESS_LOOP_TASK, child, limit=MOST_INSTANCES)


def _check_multi_instance(loop: Element, report: Report) -> None:
    behaviour = loop.get("behavior", "All").strip()
    if behaviour != "All":
        report.add(INSTANCE_BEHAVIOUR, loop, value=shown(behaviour))
    cardinality = bpmn_child(loop, "loopCardinality")
    listed = any(local_name(child) == "loopDataInputRef" for child in loop)
    text = (cardinality.text or "").strip() if cardinality is not None else ""
    if not text and not listed:
        report.add(INSTANCE_COUNT, loop, value="–", limit=MOST_INSTANCES)
    signed = text.lstrip("+-")
    if signed.isdecimal() and (text.startswith("-") or int(signed[:9]) > MOST_INSTANCES):
        report.add(INSTANCE_COUNT, loop, value=shown(text), limit=MOST_INSTANCES)


def _check_timer_names(process: Scope, report: Report) -> None:
    seen: set[str] = set()
    for node in _all_nodes(process):
        if node.trigger == "timer" and node.name:
            if node.name in seen:
                report.add(TIMER_NAMES, node.element, name=shown(node.name))
            seen.add(node.name)
