"""What BPMN 2.0 says of elements and attributes, as tables: values, what must be there, what points where."""

from __future__ import annotations

from dataclasses import dataclass

from engine.bpmn.lint.drawing import ACTIVITIES, EVENTS, NODES

BOOLEANS = frozenset(
    [
        "cancelActivity",
        "cancelRemainingInstances",
        "instantiate",
        "isClosed",
        "isCollection",
        "isExecutable",
        "isForCompensation",
        "isImmediate",
        "isInterrupting",
        "isRequired",
        "isSequential",
        "isUnlimited",
        "mustUnderstand",
        "parallelMultiple",
        "testBefore",
        "triggeredByEvent",
        "waitForCompletion",
    ]
)

INTEGERS: dict[str, int] = {
    "startQuantity": 1,
    "completionQuantity": 1,
    "loopMaximum": 0,
    "capacity": 0,
    "minimum": 0,
    "maximum": 1,
}
"""Attribute → its least value."""

CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("association", "associationDirection"): ("None", "One", "Both"),
    ("process", "processType"): ("None", "Public", "Private"),
    ("multiInstanceLoopCharacteristics", "behavior"): ("None", "One", "All", "Complex"),
    ("eventBasedGateway", "eventGatewayType"): ("Exclusive", "Parallel"),
    ("adHocSubProcess", "ordering"): ("Parallel", "Sequential"),
    ("itemDefinition", "itemKind"): ("Information", "Physical"),
    ("relationship", "direction"): ("None", "Forward", "Backward", "Both"),
    **{
        (kind, "gatewayDirection"): ("Unspecified", "Converging", "Diverging", "Mixed")
        for kind in NODES
        if kind.endswith("Gateway")
    },
}
"""(element, attribute) → its values."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "association": ("sourceRef", "targetRef"),
    "conversationLink": ("sourceRef", "targetRef"),
    "correlationPropertyBinding": ("correlationPropertyRef",),
    "correlationPropertyRetrievalExpression": ("messageRef",),
    "correlationSubscription": ("correlationKeyRef",),
    "import": ("importType", "namespace", "location"),
    "interface": ("name",),
    "ioBinding": ("operationRef", "inputDataRef", "outputDataRef"),
    "linkEventDefinition": ("name",),
    "messageFlow": ("sourceRef", "targetRef"),
    "operation": ("name",),
    "relationship": ("type",),
    "resource": ("name",),
    "resourceParameterBinding": ("parameterRef",),
}
"""Element → the attributes it cannot be without; nodes, flows, boundary events and calls have rules of their own."""

_ONCE = (0, 1)
_EXACTLY = (1, 1)
_SOME = (1, None)

CHILDREN: dict[str, dict[str, tuple[int, int | None]]] = {
    **{
        kind: {
            "ioSpecification": _ONCE,
            "multiInstanceLoopCharacteristics": _ONCE,
            "standardLoopCharacteristics": _ONCE,
            "script": _ONCE,
            "completionCondition": _ONCE,
        }
        for kind in ACTIVITIES
    },
    **{kind: {"outputSet": _ONCE, "inputSet": _ONCE} for kind in EVENTS},
    "assignment": {"from": _EXACTLY, "to": _EXACTLY},
    "complexBehaviorDefinition": {"condition": _EXACTLY, "event": _ONCE},
    "complexGateway": {"activationCondition": _ONCE},
    "conditionalEventDefinition": {"condition": _EXACTLY},
    "correlationProperty": {"correlationPropertyRetrievalExpression": _SOME},
    "correlationPropertyBinding": {"dataPath": _EXACTLY},
    "correlationPropertyRetrievalExpression": {"messagePath": _EXACTLY},
    "dataAssociation": {"targetRef": _EXACTLY, "transformation": _ONCE},
    "dataObject": {"dataState": _ONCE},
    "dataObjectReference": {"dataState": _ONCE},
    "dataStore": {"dataState": _ONCE},
    "interface": {"operation": _SOME},
    "ioSpecification": {"inputSet": _SOME, "outputSet": _SOME},
    "lane": {"partitionElement": _ONCE, "childLaneSet": _ONCE},
    "laneSet": {"lane": _SOME},
    "linkEventDefinition": {"target": _ONCE},
    "messageEventDefinition": {"operationRef": _ONCE},
    "multiInstanceLoopCharacteristics": {
        "loopCardinality": _ONCE,
        "loopDataInputRef": _ONCE,
        "loopDataOutputRef": _ONCE,
        "inputDataItem": _ONCE,
        "outputDataItem": _ONCE,
        "completionCondition": _ONCE,
    },
    "operation": {"inMessageRef": _EXACTLY, "outMessageRef": _ONCE},
    "participant": {"participantMultiplicity": _ONCE},
    "participantAssociation": {"innerParticipantRef": _EXACTLY, "outerParticipantRef": _EXACTLY},
    "process": {"auditing": _ONCE, "monitoring": _ONCE, "ioSpecification": _ONCE},
    "relationship": {"source": _SOME, "target": _SOME},
    "resourceAssignmentExpression": {"formalExpression|expression": _EXACTLY},
    "resourceParameterBinding": {"formalExpression|expression": _EXACTLY},
    "sequenceFlow": {"conditionExpression": _ONCE},
    "standardLoopCharacteristics": {"loopCondition": _ONCE},
    "textAnnotation": {"text": _ONCE},
}
"""Element → child → least and greatest number; `extensionElements` may be once in each."""

PLACES: dict[str, frozenset[str]] = {
    "process": frozenset({"definitions"}),
    "collaboration": frozenset({"definitions"}),
    "message": frozenset({"definitions"}),
    "signal": frozenset({"definitions"}),
    "error": frozenset({"definitions"}),
    "escalation": frozenset({"definitions"}),
    "itemDefinition": frozenset({"definitions"}),
    "dataStore": frozenset({"definitions"}),
    "participant": frozenset({"collaboration", "choreography", "globalConversation"}),
    "messageFlow": frozenset({"collaboration", "choreography", "globalConversation"}),
    "laneSet": frozenset({"process", "subProcess", "transaction", "adHocSubProcess"}),
    "lane": frozenset({"laneSet", "childLaneSet"}),
    "ioSpecification": frozenset({"process", "globalTask", *ACTIVITIES} - {"subProcess", "transaction"}),
    **dict.fromkeys(
        [*NODES, "sequenceFlow", "dataObject", "dataObjectReference", "dataStoreReference"],
        frozenset({"process", "subProcess", "transaction", "adHocSubProcess", "subChoreography", "choreography"}),
    ),
    **dict.fromkeys(["multiInstanceLoopCharacteristics", "standardLoopCharacteristics"], ACTIVITIES),
    "conditionExpression": frozenset({"sequenceFlow"}),
    **dict.fromkeys(["timeDate", "timeDuration", "timeCycle"], frozenset({"timerEventDefinition"})),
    "flowNodeRef": frozenset({"lane"}),
    "incoming": NODES,
    "outgoing": NODES,
}
"""Element → the elements it may stand in."""

EXCLUDED: tuple[tuple[str, str, str, str], ...] = (
    ("process", "processType", "Public", "isExecutable"),
    ("sequenceFlow", "isImmediate", "false", ""),
)
"""Element, attribute and a value that nothing executable can have, with the attribute that it contradicts."""

EVENT_DEFINITIONS = frozenset(
    f"{kind}EventDefinition"
    for kind in (
        *("cancel", "compensate", "conditional", "error", "escalation", "link", "message", "signal", "terminate"),
        "timer",
    )
)
_ITEM_AWARE = frozenset(
    ["property", "dataObject", "dataInput", "dataOutput", "dataStore", "dataStoreReference", "dataObjectReference"]
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An attribute, or the text of a child element, that names another element of the file."""

    number: str
    """Of the published list of references that can be checked."""
    on: frozenset[str]
    """The elements it is found on."""
    name: str
    kinds: frozenset[str]
    """What it may name; empty = anything with an id."""
    child: bool = False
    executed: bool = False
    """Whether the engine reads it: then a wrong one is an error."""


def _on(*names: str) -> frozenset[str]:
    return frozenset(names)


REFERENCES: tuple[Reference, ...] = (
    Reference("REF.004", _on("association"), "sourceRef", _on()),
    Reference("REF.005", _on("association"), "targetRef", _on()),
    Reference("REF.006", _on("group"), "categoryValueRef", _on("categoryValue")),
    Reference("REF.007", _on("correlationKey"), "correlationPropertyRef", _on("correlationProperty"), child=True),
    Reference("REF.008", _on("correlationPropertyRetrievalExpression"), "messageRef", _on("message")),
    Reference("REF.009", _on("correlationSubscription"), "correlationKeyRef", _on("correlationKey")),
    Reference("REF.010", _on("correlationPropertyBinding"), "correlationPropertyRef", _on("correlationProperty")),
    Reference("REF.011", _on("error"), "structureRef", _on("itemDefinition")),
    Reference("REF.012", _on("escalation"), "structureRef", _on("itemDefinition")),
    Reference("REF.013", _on("formalExpression"), "evaluatesToTypeRef", _on("itemDefinition")),
    Reference("REF.014", NODES | {"sequenceFlow"}, "categoryValueRef", _on("categoryValue"), child=True),
    Reference("REF.016", _on("message"), "itemRef", _on("itemDefinition")),
    Reference("REF.017", _on("resourceParameter"), "type", _on("itemDefinition")),
    Reference("REF.023", _on("operation"), "inMessageRef", _on("message"), child=True),
    Reference("REF.024", _on("operation"), "outMessageRef", _on("message"), child=True),
    Reference("REF.025", _on("operation"), "errorRef", _on("error"), child=True),
    Reference("REF.027", _on("collaboration"), "choreographyRef", _on("choreography"), child=True),
    Reference("REF.028", _on("participant"), "processRef", _on("process"), executed=True),
    Reference("REF.029", _on("participant"), "interfaceRef", _on("interface"), child=True),
    Reference("REF.030", _on("participant"), "endPointRef", _on("endPoint"), child=True),
    Reference("REF.031", _on("partnerEntity"), "participantRef", _on("participant"), child=True),
    Reference("REF.032", _on("partnerRole"), "participantRef", _on("participant"), child=True),
    Reference("REF.033", _on("participantAssociation"), "innerParticipantRef", _on("participant"), child=True),
    Reference("REF.034", _on("participantAssociation"), "outerParticipantRef", _on("participant"), child=True),
    Reference("REF.035", _on("messageFlow"), "sourceRef", ACTIVITIES | EVENTS | {"participant"}),
    Reference("REF.036", _on("messageFlow"), "targetRef", ACTIVITIES | EVENTS | {"participant"}),
    Reference("REF.037", _on("messageFlow"), "messageRef", _on("message")),
    Reference("REF.047", _on("process"), "supports", _on("process"), child=True),
    Reference("REF.048", _on("process"), "definitionalCollaborationRef", _on("collaboration")),
    Reference(
        "REF.050",
        _on("resourceRole", "performer", "humanPerformer", "potentialOwner"),
        "resourceRef",
        _on("resource"),
        child=True,
    ),
    Reference("REF.051", _on("resourceParameterBinding"), "parameterRef", _on("resourceParameter")),
    Reference("REF.052", _on("serviceTask"), "operationRef", _on("operation")),
    Reference("REF.053", _on("sendTask"), "messageRef", _on("message"), executed=True),
    Reference("REF.054", _on("sendTask"), "operationRef", _on("operation")),
    Reference("REF.055", _on("receiveTask"), "messageRef", _on("message"), executed=True),
    Reference("REF.056", _on("receiveTask"), "operationRef", _on("operation")),
    Reference("REF.058", _on("process"), "supportedInterfaceRef", _on("interface"), child=True),
    Reference("REF.059", _on("ioBinding"), "inputDataRef", _on("dataInput", "inputSet")),
    Reference("REF.060", _on("ioBinding"), "outputDataRef", _on("dataOutput", "outputSet")),
    Reference("REF.061", _on("ioBinding"), "operationRef", _on("operation")),
    Reference("REF.064", _on("multiInstanceLoopCharacteristics"), "oneBehaviorEventRef", EVENT_DEFINITIONS),
    Reference("REF.065", _on("multiInstanceLoopCharacteristics"), "noneBehaviorEventRef", EVENT_DEFINITIONS),
    *(
        Reference(number, _on(kind), "itemSubjectRef", _on("itemDefinition"))
        for number, kind in (
            ("REF.066", "dataObject"),
            ("REF.067", "dataObjectReference"),
            ("REF.069", "dataStore"),
            ("REF.070", "dataStoreReference"),
            ("REF.072", "property"),
            ("REF.073", "dataInput"),
            ("REF.074", "dataOutput"),
        )
    ),
    Reference("REF.068", _on("dataObjectReference"), "dataObjectRef", _on("dataObject")),
    Reference("REF.071", _on("dataStoreReference"), "dataStoreRef", _on("dataStore")),
    Reference("REF.075", _on("inputSet"), "dataInputRefs", _on("dataInput"), child=True),
    Reference("REF.076", _on("inputSet"), "optionalInputRefs", _on("dataInput"), child=True),
    Reference("REF.077", _on("inputSet"), "whileExecutingInputRefs", _on("dataInput"), child=True),
    Reference("REF.078", _on("inputSet"), "outputSetRefs", _on("outputSet"), child=True),
    Reference("REF.079", _on("outputSet"), "dataOutputRefs", _on("dataOutput"), child=True),
    Reference("REF.080", _on("outputSet"), "optionalOutputRefs", _on("dataOutput"), child=True),
    Reference("REF.081", _on("outputSet"), "whileExecutingOutputRefs", _on("dataOutput"), child=True),
    Reference("REF.082", _on("outputSet"), "inputSetRefs", _on("inputSet"), child=True),
    Reference("REF.083", _on("dataInputAssociation", "dataOutputAssociation"), "sourceRef", _ITEM_AWARE, child=True),
    Reference("REF.084", _on("dataInputAssociation", "dataOutputAssociation"), "targetRef", _ITEM_AWARE, child=True),
    Reference("REF.088", _on("compensateEventDefinition"), "activityRef", ACTIVITIES, executed=True),
    Reference("REF.089", _on("errorEventDefinition"), "errorRef", _on("error"), executed=True),
    Reference("REF.090", _on("escalationEventDefinition"), "escalationRef", _on("escalation"), executed=True),
    Reference("REF.091", _on("linkEventDefinition"), "source", _on("linkEventDefinition"), child=True),
    Reference("REF.092", _on("linkEventDefinition"), "target", _on("linkEventDefinition"), child=True),
    Reference("REF.093", _on("messageEventDefinition"), "messageRef", _on("message"), executed=True),
    Reference("REF.094", _on("messageEventDefinition"), "operationRef", _on("operation"), child=True),
    Reference("REF.095", _on("signalEventDefinition"), "signalRef", _on("signal"), executed=True),
    Reference("REF.099", _on("lane"), "partitionElementRef", _on()),
)
