"""Which rule stands for which constraint of BPMN 2.0: docs/reference/bpmn-constraints.md, written from here."""

from __future__ import annotations

from dataclasses import dataclass

from engine.bpmn.lint.metamodel import CHILDREN, CHOICES, INTEGERS, PLACES, REFERENCES, REQUIRED


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint: its published number, what it asks, the rules that ask it here or why none has to."""

    number: str
    asks: str
    rules: tuple[str, ...] = ()
    reason: str = ""


def _asked(number: str, asks: str, *rules: str) -> Constraint:
    return Constraint(number, asks, rules)


def _not_here(number: str, asks: str, reason: str) -> Constraint:
    return Constraint(number, asks, (), reason)


_DATA = "no data inputs and outputs are executed: variables are handed over whole, data associations are refused"
_OPERATION = "operations are not executed: a service task calls a connector, whose parameters are checked"
_DIALOGUE = "choreographies and conversations are not executed and refused where they stand in a process"

EXTENDED: tuple[Constraint, ...] = (
    _asked("EXT.001", "an import leads to a file that is there", "import-ignored"),
    _asked("EXT.002", "ids are unique", "duplicate-id"),
    _asked("EXT.003", "what is referred to has an id", "missing-id", "id-format"),
    _not_here("EXT.004", "textFormat is a media type", "documentation is shown as plain text whatever it says"),
    _asked("EXT.005", "artifacts of one's own keep to the rules of flows", "flow-ends"),
    _asked("EXT.006", "no sequence flow to an artifact", "flow-ends"),
    _asked("EXT.007", "no sequence flow from an artifact", "flow-ends"),
    _asked("EXT.008", "no message flow to an artifact", "reference-kind"),
    _asked("EXT.009", "no message flow from an artifact", "reference-kind"),
    _not_here("EXT.010", "textFormat of a note is a media type", "notes are shown as plain text whatever it says"),
    _asked("EXT.011", "a thrown escalation has a code", "thrown-code", "global"),
    _asked("EXT.012", "expressions of an executable process are formal", "expression", "expression-language"),
    _asked("EXT.013", "a formal expression has a body", "expression-missing"),
    _asked("EXT.017", "a converging gateway has one way out", "gateway-direction"),
    _asked("EXT.018", "a diverging gateway has one way in", "gateway-direction"),
    _asked("EXT.019", "a mixed gateway has several ways in and out", "gateway-direction"),
    _not_here("EXT.020", "isCollection agrees with the item definition", _DATA),
    _asked("EXT.021", "a flow begins at an activity, gateway or event", "flow-ends", "event-sub-process-flow"),
    _asked("EXT.022", "a flow ends at an activity, gateway or event", "flow-ends", "event-sub-process-flow"),
    _asked("EXT.023", "nodes list the flows that are drawn", "flow-listing"),
    _asked("EXT.024", "isImmediate is not false in an executable process", "attribute-exclusion"),
    _asked("EXT.025", "a conditional flow is not the only one out of an activity", "no-default-flow"),
    _asked("EXT.026", "a default flow leaves its own node", "default-flow", "default-flow-place"),
    _not_here("EXT.027", "choreographies do not refer to choreographies", _DIALOGUE),
    _asked("EXT.028", "no sequence flow crosses a pool", "flow-crosses-border"),
    _asked("EXT.029", "the least number of participants is not negative", "number-value"),
    _asked("EXT.030", "the greatest number of participants is one or more", "number-value"),
    _asked("EXT.031", "a message flow connects different pools", "message-flow-pools"),
    _not_here("EXT.032", "a global conversation holds no nodes", _DIALOGUE),
    _not_here("EXT.033", "a collaboration and its choreography are closed alike", _DIALOGUE),
    _asked("EXT.035", "a public process is not executable", "attribute-exclusion"),
    _asked("EXT.036", "no choreography activity in a process", "unknown-element"),
    _asked("EXT.037", "startQuantity is 1 or more", "number-value", "token-quantity"),
    _asked("EXT.038", "completionQuantity is 1 or more", "number-value", "token-quantity"),
    *(_not_here(f"EXT.0{n}", "data of a service task agree with its operation", _OPERATION) for n in range(42, 46)),
    _not_here("EXT.046", "a send task has one input set at most", _DATA),
    _not_here("EXT.047", "a send task has one data input at most", _DATA),
    _not_here("EXT.048", "a send task hands over the item of its message", _DATA),
    _asked("EXT.049", "a receive task that begins an instance has no way in", "attribute-refused"),
    _not_here("EXT.050", "a receive task has one output set at most", _DATA),
    _not_here("EXT.051", "a receive task has one data output at most", _DATA),
    _not_here("EXT.052", "a receive task takes the item of its message", _DATA),
    _not_here("EXT.053", "a script says its language", "there is one language; another one is refused by name"),
    _asked("EXT.056", "no choreography activity in a sub-process", "unknown-element"),
    _asked("EXT.057", "no flow at an event sub-process", "event-sub-process-flow"),
    _asked("EXT.058", "an event sub-process has one start event", "event-sub-process-start"),
    _asked("EXT.059", "that start event has a trigger", "event-sub-process-start"),
    _asked("EXT.061", "an ad-hoc sub-process holds an activity", "ad-hoc-sub-process"),
    _asked("EXT.062", "an ad-hoc sub-process has no start and no end", "ad-hoc-sub-process"),
    _not_here("EXT.063", "a call gives and takes the data of the called process", _DATA),
    _not_here("EXT.064", "a process offered as a service has bindings", _OPERATION),
    _asked(
        "EXT.065", "a binding names one input, one output, one operation", "attribute-missing", "dangling-reference"
    ),
    _asked("EXT.067", "a multi-instance has a count or a list", "multi-instance-count"),
    *(
        _not_here(f"EXT.0{n}", "list and item of a multi-instance agree", "they name variables, not data inputs")
        for n in range(68, 71)
    ),
    _not_here("EXT.076", "a data object reference shows name and state", "a convention of the picture"),
    _asked("EXT.079", "no data specification on a sub-process", "element-place"),
    _asked("EXT.084", "a data input belongs to an input set", "data-set"),
    _asked("EXT.085", "an optional input belongs to its input set", "data-set"),
    _asked("EXT.086", "an input read while executing belongs to its input set", "data-set"),
    _asked("EXT.087", "input sets and output sets name each other", "dangling-reference"),
    _asked("EXT.088", "a data output belongs to an output set", "data-set"),
    _asked("EXT.089", "an optional output belongs to its output set", "data-set"),
    _asked("EXT.090", "an output written while executing belongs to its output set", "data-set"),
    _asked("EXT.091", "a data association has equal types or a transformation", "data-association"),
    _asked("EXT.092", "a data association has one source or a transformation", "data-association"),
    _not_here("EXT.093", "an event has data for each definition", _DATA),
    _not_here("EXT.094", "data of an event are of its definition's type", _DATA),
    _asked("EXT.095", "a thrown definition is used once", "event-definition-reference"),
    _asked("EXT.096", "nothing leads into a start event", "flow-into-start"),
    _asked("EXT.097", "where there is an end there is a start", "start-event-required"),
    _asked("EXT.098", "a process begins by a message, timer, condition or signal", "event-kind", "start-event-kind"),
    _asked("EXT.099", "a called process has a blank start", "call-without-start"),
    _asked("EXT.100", "a sub-process has a blank start", "sub-process-blank-start-event"),
    _asked("EXT.101", "something leaves a start event", "no-disconnected", "no-implicit-end"),
    _asked("EXT.102", "no message flow leaves a start event", "message-flow-end"),
    _asked("EXT.103", "a message flow enters a message start only", "message-flow-end"),
    _asked("EXT.104", "nothing leaves an end event", "flow-from-end"),
    _asked("EXT.105", "where there is a start there is an end", "end-event-required"),
    _asked("EXT.106", "a cancel end stands in a transaction", "cancel-event"),
    _asked("EXT.107", "something leads into an end event", "no-disconnected", "no-implicit-start"),
    _asked("EXT.108", "no message flow enters an end event", "message-flow-end"),
    _asked("EXT.109", "a message flow leaves a message end only", "message-flow-end"),
    _asked("EXT.110", "boundary events are of a kind that fits", "event-kind", "error-interrupts"),
    _asked("EXT.111", "a cancel boundary sits on a transaction", "cancel-event"),
    _asked("EXT.112", "nothing leads into a boundary event", "flow-into-start"),
    _asked("EXT.113", "something leaves a boundary event", "boundary-without-flow"),
    _asked("EXT.114", "nothing leaves a compensation boundary", "compensation-flow"),
    _asked("EXT.115", "something leads into an intermediate event", "no-implicit-start", "no-disconnected"),
    _asked("EXT.116", "something leaves an intermediate event", "no-implicit-end", "no-disconnected"),
    _asked("EXT.117", "a link has a flow on one side only", "link-flow"),
    _asked("EXT.118", "a throwing link has its catching one", "link-target", "link-twice"),
    _asked("EXT.119", "message flows meet events of the right direction", "message-flow-end"),
    _asked("EXT.122", "no compensation is caught in the flow", "event-kind"),
    _asked("EXT.123", "a conditional event has its condition", "child-missing", "expression-missing"),
    _asked("EXT.124", "a catching link has its throwing one", "link-source"),
    _asked("EXT.125", "a throwing link has one target", "link-target", "link-twice"),
    _asked("EXT.126", "a link stays in its process and level", "link-target"),
    _asked("EXT.127", "a message event says which message", "missing-reference"),
    _not_here("EXT.128", "a message event says which operation", _OPERATION),
    _asked("EXT.135", "a gateway has several ways in or out", "superfluous-gateway"),
    _asked("EXT.136", "an event-based gateway has two ways out", "event-based-gateway"),
    _asked("EXT.137", "its flows have no conditions", "event-based-gateway"),
    _asked("EXT.138", "its flows lead to events that wait", "event-based-gateway"),
    _asked("EXT.139", "receive tasks and message events are not mixed behind it", "event-gateway-mix"),
    _asked("EXT.140", "a receive task behind it has no boundary events", "event-gateway-mix"),
    _asked("EXT.141", "nothing else leads to what stands behind it", "event-based-gateway"),
    _asked("EXT.142", "one that begins an instance has no way in", "attribute-refused"),
    _asked("EXT.143", "a compensation boundary is associated with an activity", "compensation-handler"),
    _asked("EXT.144", "that activity is marked for compensation", "compensation-handler", "compensation-unused"),
    _asked("EXT.146", "end events are of a kind that fits", "event-kind"),
    _asked("EXT.148", "catching events are of a kind that fits", "event-kind"),
    _asked("EXT.149", "throwing events are of a kind that fits", "event-kind"),
    _asked("EXT.150", "something leads to every node", "no-implicit-start", "unreachable-node"),
    _asked("EXT.151", "something leaves every node", "no-implicit-end", "no-way-to-end"),
    _asked("EXT.152", "no sequence flow crosses a sub-process", "flow-crosses-border"),
)
"""By the numbers of the list published with BPMNspector; the numbers left out there have no check either."""

POINTERS: tuple[Constraint, ...] = (
    *(
        _asked(
            pointer.number,
            f"{pointer.name} of {', '.join(sorted(pointer.on)[:3])}{' …' if len(pointer.on) > 3 else ''}",
            *(
                ("unknown-reference", "reference-type")
                if pointer.executed
                else ("dangling-reference", "reference-kind")
            ),
        )
        for pointer in REFERENCES
    ),
    _asked("REF.018", "sourceRef of sequenceFlow", "flow-ends", "flow-crosses-border"),
    _asked("REF.019", "targetRef of sequenceFlow", "flow-ends", "flow-crosses-border"),
    _asked("REF.020", "incoming of nodes", "flow-listing"),
    _asked("REF.021", "outgoing of nodes", "flow-listing"),
    _asked("REF.049", "default of activities", "default-flow"),
    _asked("REF.057", "calledElement of callActivity", "call-missing", "call-unknown"),
    _not_here("REF.062", "loopDataInputRef", "it names a variable"),
    _not_here("REF.063", "loopDataOutputRef", "it names a variable"),
    _asked("REF.085", "eventDefinitionRef of catching events", "event-definition-reference"),
    _asked("REF.086", "eventDefinitionRef of throwing events", "event-definition-reference"),
    _asked("REF.087", "attachedToRef of boundaryEvent", "boundary-host"),
    _asked("REF.096", "default of exclusiveGateway", "default-flow"),
    _asked("REF.097", "default of inclusiveGateway", "default-flow"),
    _asked("REF.098", "default of complexGateway", "no-complex-gateway"),
    _asked("REF.100", "flowNodeRef of lane", "lane-member", "lane-twice"),
)

MODELERS: tuple[Constraint, ...] = (
    _asked("ad-hoc-sub-process", "ad-hoc sub-processes", "ad-hoc-sub-process"),
    _asked("conditional-event", "conditional events have a condition", "child-missing", "expression-missing"),
    _asked("event-sub-process-typed-start-event", "event sub-processes begin by an event", "event-sub-process-start"),
    _asked("link-event", "links come in pairs", "link-target", "link-source", "link-twice", "attribute-missing"),
    *(
        _asked(name, "the same rule", name)
        for name in (
            "conditional-flows",
            "end-event-required",
            "event-based-gateway",
            "fake-join",
            "global",
            "label-required",
            "no-bpmndi",
            "no-complex-gateway",
            "no-disconnected",
            "no-duplicate-sequence-flows",
            "no-gateway-join-fork",
            "no-implicit-end",
            "no-implicit-split",
            "no-implicit-start",
            "no-inclusive-gateway",
            "no-overlapping-elements",
            "single-blank-start-event",
            "single-event-definition",
            "start-event-required",
            "sub-process-blank-start-event",
            "superfluous-gateway",
            "superfluous-termination",
        )
    ),
)
"""By the names of bpmnlint."""


def tables() -> tuple[Constraint, ...]:
    """Cardinalities, values and places, one row an element or attribute of the tables."""
    required = [_asked("", f"{kind}: {', '.join(names)}", "attribute-missing") for kind, names in REQUIRED.items()]
    children = [
        _asked(
            "", f"{kind}: {', '.join(_counted(child, *bounds) for child, bounds in inside.items())}", *_rules(inside)
        )
        for kind, inside in CHILDREN.items()
    ]
    numbers = [_asked("", f"{name}: whole number from {least} on", "number-value") for name, least in INTEGERS.items()]
    values = [
        _asked("", f"{kind} {name}: {', '.join(known)}", "attribute-value") for (kind, name), known in CHOICES.items()
    ]
    places = [
        _asked("", f"{kind}: only in {', '.join(sorted(within)[:5])}{' …' if len(within) > 5 else ''}", "element-place")
        for kind, within in PLACES.items()
    ]
    return (*required, *children, *numbers, *values, *places)


def _counted(child: str, least: int, most: int | None) -> str:
    return f"{child} {least}..{'n' if most is None else most}"


def _rules(inside: dict[str, tuple[int, int | None]]) -> tuple[str, ...]:
    missing = ("child-missing",) if any(least for least, _ in inside.values()) else ()
    twice = ("child-twice",) if any(most is not None for _, most in inside.values()) else ()
    return missing + twice


_PARTS = (
    ("Extended constraints", "By the numbers of the list that BPMNspector publishes (Geiger, Wirtz).", EXTENDED),
    ("References", "What an attribute or a child points to, by the same list's numbers.", POINTERS),
    ("Modelling rules", "By the names of bpmnlint.", MODELERS),
    ("Cardinalities, values, places", "From the tables of the standard's schema.", tables()),
)
_HEAD = """# Constraints of BPMN 2.0 and the rules that ask them

Every constraint of BPMN 2.0 that a file can be held to, with the rule of [the check](lint-rules.md) that asks it or the
reason why none has to. Numbers without a public check are left out.

This page is written by `python -m engine.bpmn.lint.constraints`.
"""


def page() -> str:
    """docs/reference/bpmn-constraints.md."""
    parts = [_HEAD]
    for title, words, rows in _PARTS:
        asked = sum(bool(row.rules) for row in rows)
        parts.append(
            f"\n## {title}\n\n{words} Asked: {asked} of {len(rows)}.\n\n| number | asks | rules |\n|---|---|---|\n"
        )
        parts += [
            f"| {row.number} | {_cell(row.asks)} | {_told(row)} |\n"
            for row in sorted(rows, key=lambda row: (row.number, row.asks))
        ]
    return "".join(parts)


def _told(row: Constraint) -> str:
    return ", ".join(f"`{rule}`" for rule in row.rules) or f"– {row.reason}"


def _cell(text: str) -> str:
    return text.replace("|", "/")


if __name__ == "__main__":
    print(page(), end="")
