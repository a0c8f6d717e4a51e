"""A drawing as the rules see it: processes, scopes, nodes and flows, built from any XML without complaint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.bpmn.lint.rules import Element
from engine.bpmn.xml import BPMN, DESK, SPIFF, local_name

TASKS = frozenset(
    {
        "task",
        "userTask",
        "manualTask",
        "scriptTask",
        "serviceTask",
        "sendTask",
        "receiveTask",
        "businessRuleTask",
    }
)
SUB_PROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
ACTIVITIES = TASKS | SUB_PROCESSES | {"callActivity"}
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"})
EVENTS = frozenset({"startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"})
NODES = ACTIVITIES | GATEWAYS | EVENTS
HUMAN = frozenset({"userTask", "manualTask"})
SYNCHRONISING = frozenset({"parallelGateway", "inclusiveGateway"})


@dataclass(eq=False, slots=True)
class Flow:
    """A sequence flow; its ends are None where it leads nowhere."""

    element: Element
    source: Node | None = None
    target: Node | None = None

    @property
    def id(self) -> str:
        return self.element.get("id", "")

    @property
    def condition(self) -> Element | None:
        return bpmn_child(self.element, "conditionExpression")


@dataclass(eq=False, slots=True)
class Node:
    """A flow node inside one scope."""

    element: Element
    kind: str
    scope: Scope
    incoming: list[Flow] = field(default_factory=list)
    outgoing: list[Flow] = field(default_factory=list)
    boundaries: list[Node] = field(default_factory=list)
    host: Node | None = None
    inside: Scope | None = None
    jumps: list[Node] = field(default_factory=list)
    """Where a throwing link leads."""

    @property
    def id(self) -> str:
        return self.element.get("id", "")

    @property
    def name(self) -> str:
        return self.element.get("name", "").strip()

    @property
    def definitions(self) -> list[Element]:
        return [child for child in self.element if bpmn_name(child).endswith("EventDefinition")]

    @property
    def trigger(self) -> str:
        """ "timer", "message" …; empty for a plain event and for whatever is not an event."""
        found = self.definitions if self.kind in EVENTS else []
        return bpmn_name(found[0]).removesuffix("EventDefinition") if found else ""

    @property
    def link(self) -> str:
        """What a link event is paired by."""
        return self.definitions[0].get("name", "").strip() if self.trigger == "link" else ""

    @property
    def is_for_compensation(self) -> bool:
        return self.element.get("isForCompensation", "").strip() == "true"

    @property
    def interrupts(self) -> bool:
        attribute = "isInterrupting" if self.kind == "startEvent" else "cancelActivity"
        return self.element.get(attribute, "true").strip() != "false"

    @property
    def waits(self) -> bool:
        """Whether the token rests here until a person, a message or the time comes."""
        if self.kind == "intermediateCatchEvent":
            return self.trigger not in ("", "link")
        return self.kind in HUMAN or self.kind in ("receiveTask", "eventBasedGateway")

    @property
    def exits(self) -> list[Node]:
        """Where a token may be after this node."""
        ahead = [flow.target for flow in self.outgoing if flow.target is not None]
        return [*ahead, *self.jumps, *self.boundaries]


@dataclass(eq=False, slots=True)
class Scope:
    """A process or a sub-process with what lies directly in it."""

    element: Element
    parent: Scope | None = None
    nodes: list[Node] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    inner: list[Scope] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.element.get("id", "")

    @property
    def is_event_sub_process(self) -> bool:
        return self.element.get("triggeredByEvent", "").strip() == "true"

    @property
    def depth(self) -> int:
        return 1 if self.parent is None else self.parent.depth + 1

    def starts(self) -> list[Node]:
        """The start events; without any, the nodes nothing leads to."""
        events = [node for node in self.nodes if node.kind == "startEvent"]
        return events or [n for n in self.nodes if not n.incoming and n.kind != "boundaryEvent"]


@dataclass(eq=False, slots=True)
class Drawing:
    """One BPMN file."""

    root: Element
    processes: list[Scope]
    """Those that would run; when none is executable, all of them."""
    beside: list[Element]
    """Processes that are documentation only, beside executable ones."""

    def elements(self) -> Iterator[Element]:
        """Everything in the file but what is documentation only."""
        yield self.root
        for child in self.root:
            if child not in self.beside:
                yield from child.iter()

    @property
    def scopes(self) -> list[Scope]:
        return [scope for process in self.processes for scope in _nested(process)]

    @property
    def nodes(self) -> list[Node]:
        return [node for scope in self.scopes for node in scope.nodes]

    def global_elements(self, kind: str) -> dict[str, Element]:
        """The messages, signals, errors or escalations of the file by id."""
        return {e.get("id", ""): e for e in self.root if bpmn_name(e) == kind}


def is_executable(process: Element) -> bool:
    """Whether the engine runs this process; a missing attribute counts as yes."""
    return process.get("isExecutable", "true").strip() == "true"


def bpmn_name(element: Element) -> str:
    """The local name of a BPMN element, empty for foreign ones."""
    return local_name(element) if element.tag.startswith(f"{{{BPMN}}}") else ""


def bpmn_child(element: Element, name: str) -> Element | None:
    """The first BPMN child of that name."""
    return element.find(f"{{{BPMN}}}{name}")


def extensions(element: Element, namespace: str, name: str) -> list[Element]:
    """The extension elements of that name directly on the element."""
    return element.findall(f"{{{BPMN}}}extensionElements/{{{namespace}}}{name}")


def desk(element: Element, name: str) -> list[Element]:
    """The `desk:` extensions of that name on the element."""
    return extensions(element, DESK, name)


def operator(element: Element) -> Element | None:
    """The connector call of a service task."""
    return next(iter(extensions(element, SPIFF, "serviceTaskOperator")), None)


def draw(root: Element) -> Drawing:
    """The graph of a file; dangling references stay None, nothing is refused here."""
    processes = [child for child in root if bpmn_name(child) == "process"]
    running = [process for process in processes if is_executable(process)] or processes
    beside = [process for process in processes if process not in running]
    return Drawing(root, [_scope(process, None) for process in running], beside)


def _scope(element: Element, parent: Scope | None) -> Scope:
    scope = Scope(element, parent)
    for child in element:
        kind = bpmn_name(child)
        if kind in NODES:
            node = Node(child, kind, scope)
            scope.nodes.append(node)
            if kind in SUB_PROCESSES:
                node.inside = _scope(child, scope)
                scope.inner.append(node.inside)
        elif kind == "sequenceFlow":
            scope.flows.append(Flow(child))
    _connect(scope)
    return scope


def _connect(scope: Scope) -> None:
    known = {node.id: node for node in scope.nodes if node.id}
    for flow in scope.flows:
        flow.source = known.get(flow.element.get("sourceRef", ""))
        flow.target = known.get(flow.element.get("targetRef", ""))
        if flow.source is not None:
            flow.source.outgoing.append(flow)
        if flow.target is not None:
            flow.target.incoming.append(flow)
    for node in scope.nodes:
        if node.kind == "boundaryEvent":
            node.host = known.get(node.element.get("attachedToRef", ""))
            if node.host is not None:
                node.host.boundaries.append(node)
    catches = {node.link: node for node in scope.nodes if node.kind == "intermediateCatchEvent" and node.link}
    for node in scope.nodes:
        if node.kind == "intermediateThrowEvent" and node.link in catches:
            node.jumps.append(catches[node.link])


def _nested(scope: Scope) -> Iterator[Scope]:
    yield scope
    for inner in scope.inner:
        yield from _nested(inner)
