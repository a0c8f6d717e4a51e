"""Rules on what BPMN allows and this engine would run otherwise than drawn: refused by name."""

from __future__ import annotations

from engine.bpmn import anatomy
from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import ACTIVITIES, NODES, Drawing, Node, Scope, bpmn_child, bpmn_name
from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.bpmn.xml import local_name

MOST_INSTANCES = 1_000


def _refused(name: str, ru: str, en: str) -> Rule:
    return Rule(name, "error", ru, en)


COMPENSATION = _refused(
    "compensation",
    "Такая компенсация не исполняется ({reason}). Отменяйте по порядку то, что исполняется один раз.",
    "Such a compensation is not executed ({reason}). Undo in order what is done once at a time.",
)
COMPENSATION_TARGET = _refused(
    "compensation-target",
    "У «{name}» нет обработчика компенсации в этом процессе или подпроцессе. Добавьте его или уберите activityRef.",
    "There is no compensation handler for “{name}” in this process or sub-process. Add one or remove activityRef.",
)
COMPENSATION_SUB_PROCESS = _refused(
    "compensation-sub-process",
    "Событийный подпроцесс компенсации не исполняется. Поставьте событие компенсации на подпроцесс с обработчиком.",
    "A compensation event sub-process is not executed. Put a compensation event with a handler on the sub-process.",
)
CANCEL = _refused(
    "cancel-event",
    "События отмены и транзакции не исполняются. Используйте подпроцесс и событие-ошибку.",
    "Cancel events and transactions are not executed. Use a sub-process and an error event.",
)
AD_HOC = _refused(
    "ad-hoc-sub-process",
    "Ad-hoc подпроцесс не исполняется. Нарисуйте порядок задач потоками.",
    "An ad-hoc sub-process is not executed. Draw the order of its tasks with flows.",
)
UNTYPED = Rule(
    "untyped-task",
    "info",
    "У задачи нет типа: токен проходит её сразу, никто ничего не делает. Задайте тип, если кто-то должен.",
    "The task has no type: the token passes at once and nobody does anything. Give it a type if somebody should.",
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
QUANTITY = _refused(
    "token-quantity",
    "{attribute} = {value} не исполняется. Уберите: нужно 1.",
    "{attribute} = {value} is not executed. Remove it: 1 is needed.",
)
EVENT_CONDITION = _refused(
    "conditional-flow-from-event",
    "Поток из события не может иметь условия. Поставьте после события исключающий шлюз.",
    "A flow out of an event cannot have a condition. Put an exclusive gateway behind the event.",
)
PLAIN_CONDITION = _refused(
    "condition-not-read",
    "Условие на этом потоке никто не читает. Уберите его или замените шлюз исключающим.",
    "Nobody reads the condition of this flow. Remove it or make the gateway exclusive.",
)
INSTANCE_BEHAVIOUR = _refused(
    "multi-instance-behaviour",
    "Для поведения {value} не задано событие, которое бросить. Задайте его или оставьте All.",
    "The behaviour {value} lacks the event to throw. Set it or keep All.",
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
INNER_EVENT_REFERENCE = _refused(
    "event-definition-reference",
    "Событие ссылается на общее определение, оно не читается. Задайте определение на самом событии.",
    "The event refers to a shared definition, which is not read. Set the definition on the event itself.",
)

_BY_KIND = {
    "task": UNTYPED,
    "adHocSubProcess": AD_HOC,
    "transaction": CANCEL,
}
_EXECUTED = {
    "endEvent": {"", "message", "signal", "error", "escalation", "terminate", "compensate"},
    "boundaryEvent": {"message", "signal", "timer", "error", "escalation", "conditional", "compensate"},
    "intermediateCatchEvent": {"message", "signal", "timer", "conditional", "link"},
    "intermediateThrowEvent": {"", "message", "signal", "escalation", "link", "compensate"},
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
            _check_compensation(node, report)


def _check_scope(scope: Scope, report: Report) -> None:
    for child in scope.element:
        kind = bpmn_name(child)
        if kind and kind not in NODES and kind not in _BESIDE_THE_FLOW:
            report.add(UNKNOWN_ELEMENT, child, kind=shown(kind))
    for node in scope.nodes:
        if node.kind == "startEvent" and scope.is_event_sub_process and node.trigger == "compensate":
            report.add(COMPENSATION_SUB_PROCESS, node.element)
        if node.kind == "startEvent" and scope.parent is None and node.trigger not in _BEGINS:
            report.add(TYPED_START, node.element, trigger=shown(node.trigger))


def _check_kind(node: Node, report: Report) -> None:
    rule = _BY_KIND.get(node.kind)
    if rule is not None:
        report.add(rule, node.element)


def _check_event(node: Node, report: Report) -> None:
    if bpmn_child(node.element, "eventDefinitionRef") is not None:
        report.add(INNER_EVENT_REFERENCE, node.element)
    if node.trigger == "cancel":
        report.add(CANCEL, node.element)
    elif node.kind in _EXECUTED and node.trigger not in _EXECUTED[node.kind]:
        report.add(EVENT_KIND, node.element, trigger=shown(node.trigger or "none"))


def _check_compensation(node: Node, report: Report) -> None:
    definition = node.definitions[0] if node.trigger == "compensate" else None
    if node.kind == "boundaryEvent" and definition is not None and node.host is not None and _repeats(node.host):
        report.add(COMPENSATION, node.element, reason="loopCharacteristics")
    if node.is_for_compensation and node.boundaries:
        report.add(COMPENSATION, node.boundaries[0].element, reason="boundaryEvent")
    if definition is None or node.kind not in ("endEvent", "intermediateThrowEvent"):
        return
    if definition.get("waitForCompletion", "true").strip() == "false":
        report.add(COMPENSATION, node.element, reason="waitForCompletion")
    named = definition.get("activityRef")
    if named and named not in anatomy.undone_ids(anatomy.scope_of(node.element)):
        report.add(COMPENSATION_TARGET, node.element, name=shown(named))


def _repeats(activity: Node) -> bool:
    return any(bpmn_name(child).endswith("LoopCharacteristics") for child in activity.element)


def _check_quantity(node: Node, report: Report) -> None:
    for attribute in ("startQuantity", "completionQuantity"):
        value = node.element.get(attribute, "1").strip()
        if value != "1":
            fix = fixes.without_attribute(node.element, attribute)
            report.add(QUANTITY, node.element, fix=fix, attribute=attribute, value=shown(value))


def _check_flows(node: Node, report: Report) -> None:
    for flow in node.outgoing:
        if flow.condition is None or node.kind in ("exclusiveGateway", "inclusiveGateway", "eventBasedGateway"):
            continue
        if node.kind == "parallelGateway":
            report.add(PLAIN_CONDITION, flow.element, fix=fixes.without(flow.condition))
        elif node.kind not in ACTIVITIES:
            report.add(EVENT_CONDITION, flow.element)


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
    if not _has_events(loop, behaviour):
        report.add(INSTANCE_BEHAVIOUR, loop, value=shown(behaviour))
    cardinality = bpmn_child(loop, "loopCardinality")
    listed = any(local_name(child) == "loopDataInputRef" for child in loop)
    text = (cardinality.text or "").strip() if cardinality is not None else ""
    if not text and not listed:
        report.add(INSTANCE_COUNT, loop, value="–", limit=MOST_INSTANCES)
    signed = text.lstrip("+-")
    if signed.isdecimal() and (text.startswith("-") or int(signed[:9]) > MOST_INSTANCES):
        report.add(INSTANCE_COUNT, loop, value=shown(text), limit=MOST_INSTANCES)


def _has_events(loop: Element, behaviour: str) -> bool:
    """Whether everything is there that the behaviour throws."""
    if behaviour == "Complex":
        drawn = [child for child in loop if bpmn_name(child) == "complexBehaviorDefinition"]
        return bool(drawn) and all(_throws(each) for each in drawn)
    references = {"None": "noneBehaviorEventRef", "One": "oneBehaviorEventRef"}
    return behaviour == "All" or (behaviour in references and bool(loop.get(references[behaviour])))


def _throws(definition: Element) -> bool:
    return bpmn_child(definition, "condition") is not None and bpmn_child(definition, "event") is not None
