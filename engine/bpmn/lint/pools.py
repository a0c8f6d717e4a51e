"""Rules on pools, lanes and message flows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import HUMAN, NODES, Drawing, Scope, bpmn_child, bpmn_name, desk
from engine.bpmn.lint.rules import Element, Report, Rule, shown

SAME_POOL = Rule(
    "message-flow-pools",
    "warning",
    "Поток сообщений соединяет узлы одного пула. Нарисуйте здесь обычный поток или уберите его.",
    "The message flow connects nodes of one pool. Draw a sequence flow here or remove it.",
)
MESSAGE_END = Rule(
    "message-flow-end",
    "warning",
    "Поток сообщений не может {way} {other} «{name}». Соедините его с задачей, событием-сообщением или пулом.",
    "A message flow cannot {way_en} {other} “{name}”. Connect it with a task, a message event or a pool.",
)
POOL_TWICE = Rule(
    "pool-process",
    "warning",
    "Процесс {process} нарисован в двух пулах. Оставьте один пул.",
    "The process {process} is drawn in two pools. Keep one pool.",
)
LANE_MEMBER = Rule(
    "lane-member",
    "warning",
    "В дорожке числится {id}, такого узла в этом процессе нет. Уберите его из перечня дорожки.",
    "The lane lists {id}, which is no node of this process. Take it from the lane's list.",
)
LANE_TWICE = Rule(
    "lane-twice",
    "error",
    "Узел {id} числится в двух дорожках, неясно, кому задача. Оставьте одну.",
    "The node {id} belongs to two lanes, so it is not clear whose task it is. Keep one.",
)
LANE_MISSING = Rule(
    "lane-missing",
    "info",
    "Задача стоит вне дорожек и никому не назначена. Перенесите её в дорожку или задайте desk:assignment.",
    "The task lies in no lane and is assigned to nobody. Move it into a lane or set desk:assignment.",
)

_SOURCES = frozenset({"endEvent", "intermediateThrowEvent"})
_TARGETS = frozenset({"startEvent", "intermediateCatchEvent", "boundaryEvent"})


def check(drawing: Drawing, report: Report) -> None:
    """Collaborations of the file and lanes of its processes."""
    pools = {e.get("id", ""): e for e in drawing.root.iter() if bpmn_name(e) == "participant"}
    homes = _homes(drawing.root, pools)
    used = Counter(pool.get("processRef") for pool in pools.values() if pool.get("processRef"))
    for pool in pools.values():
        if used[pool.get("processRef")] > 1:
            report.add(POOL_TWICE, pool, process=shown(pool.get("processRef")))
            del used[pool.get("processRef")]
    for flow in drawing.elements():
        if bpmn_name(flow) == "messageFlow":
            _check_message_flow(flow, homes, report)
    for scope in drawing.scopes:
        _check_lanes(scope, report)


_Homes = dict[str, tuple[Element, str]]
"""Id → the element and the process that it lies in; a pool stands for its process."""


def _homes(root: Element, pools: dict[str, Element]) -> _Homes:
    homes = {id: (pool, pool.get("processRef") or f"pool {id}") for id, pool in pools.items()}
    for process in root:
        if bpmn_name(process) == "process":
            key = process.get("id", "")
            homes |= {e.get("id", ""): (e, key) for e in process.iter() if bpmn_name(e) in NODES}
    return homes


def _check_message_flow(flow: Element, homes: _Homes, report: Report) -> None:
    source, target = (homes.get(flow.get(end, "").rpartition(":")[2]) for end in ("sourceRef", "targetRef"))
    if source and target and source[1] == target[1]:
        report.add(SAME_POOL, flow)
    if source is not None and not _talks(source[0], _SOURCES):
        report.add(MESSAGE_END, flow, way="выходить из", way_en="leave", other=bpmn_name(source[0]), name=_name(source))
    if target is not None and not _talks(target[0], _TARGETS):
        report.add(MESSAGE_END, flow, way="входить в", way_en="enter", other=bpmn_name(target[0]), name=_name(target))


def _talks(element: Element, events: frozenset[str]) -> bool:
    kind = bpmn_name(element)
    if kind.endswith("Gateway"):
        return False
    return not kind.endswith("Event") or (kind in events and bpmn_child(element, "messageEventDefinition") is not None)


def _name(end: tuple[Element, str]) -> str:
    return shown(end[0].get("name") or end[0].get("id") or "–")


def _check_lanes(scope: Scope, report: Report) -> None:
    sets = [child for child in scope.element if bpmn_name(child) == "laneSet"]
    members = {node.id for inner in _within(scope) for node in inner.nodes}
    listed: set[str] = set()
    for lanes in sets:
        innermost: set[str] = set()
        for reference in lanes.iter():
            if bpmn_name(reference) != "flowNodeRef":
                continue
            id = (reference.text or "").strip()
            if id not in members:
                report.add(LANE_MEMBER, reference, fix=fixes.without(reference), id=shown(id or "–"))
            elif id in innermost and not _listed_within(reference, id):
                report.add(LANE_TWICE, reference, id=shown(id))
            if not _listed_within(reference, id):
                innermost.add(id)
        listed |= innermost
    for node in scope.nodes:
        if sets and node.kind in HUMAN and node.id not in listed and not desk(node.element, "assignment"):
            report.add(LANE_MISSING, node.element)


def _within(scope: Scope) -> Iterator[Scope]:
    yield scope
    for inner in scope.inner:
        yield from _within(inner)


def _listed_within(reference: Element, id: str) -> bool:
    """Whether a lane inside this lane lists the node again: that is the same place, told more exactly."""
    lane = reference.getparent()
    inner = [] if lane is None else [e for child in lane if bpmn_name(child) == "childLaneSet" for e in child.iter()]
    return any(bpmn_name(e) == "flowNodeRef" and (e.text or "").strip() == id for e in inner)
