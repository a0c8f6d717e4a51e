"""Rules on the picture: every element has a shape, shapes do not cover each other."""

from __future__ import annotations

from math import isfinite

from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import Drawing, Node, bpmn_name
from engine.bpmn.lint.rules import Element, Report, Rule, shown

DI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
MOST_SHAPES = 500

NO_PICTURE = Rule(
    "no-bpmndi",
    "warning",
    "Не нарисовано элементов: {count}, первый – {first}. Откройте файл в редакторе и разместите их.",
    "{count} elements have no picture, the first is {first}. Open the file in a modeler and place them.",
)
OVERLAP = Rule(
    "no-overlapping-elements",
    "warning",
    "Элемент накрывает {other}. Раздвиньте их.",
    "The element covers {other}. Move them apart.",
)
OF_NOTHING = Rule(
    "picture-of-nothing",
    "warning",
    "Нарисован элемент {id}, которого в схеме нет. Удалите рисунок.",
    "The picture shows {id}, which is not in the drawing. Delete the picture.",
)
_Box = tuple[float, float, float, float]


def check(drawing: Drawing, report: Report) -> None:
    """Pictures of the nodes and flows."""
    drawn = {shape.get("bpmnElement", ""): shape for kind in ("Shape", "Edge") for shape in _pictures(drawing, kind)}
    elements = [n.element for n in drawing.nodes] + [f.element for scope in drawing.scopes for f in scope.flows]
    missing = [element for element in elements if element.get("id", "") not in drawn]
    if missing:
        first = shown(missing[0].get("id", "–"))
        report.add(NO_PICTURE, missing[0], count=len(missing), first=first)
    known = {element.get("id") for element in drawing.root.iter() if bpmn_name(element)}
    for id, picture in drawn.items():
        if id not in known and ":" not in id:
            report.add(OF_NOTHING, picture, fix=fixes.without(picture), id=shown(id or "–"))
    for scope in drawing.scopes:
        _check_overlap([n for n in scope.nodes if n.kind != "boundaryEvent"], drawn, report)


def _pictures(drawing: Drawing, kind: str) -> list[Element]:
    return list(drawing.root.iter(f"{{{DI}}}BPMN{kind}"))


def _check_overlap(nodes: list[Node], drawn: dict[str, Element], report: Report) -> None:
    boxes = [(node, box) for node in nodes if (box := _box(drawn.get(node.id))) is not None]
    if len(boxes) > MOST_SHAPES:
        return
    for position, (node, box) in enumerate(boxes):
        for other, other_box in boxes[position + 1 :]:
            if _overlap(box, other_box):
                report.add(OVERLAP, node.element, other=shown(other.name or other.id))
                break


def _box(shape: Element | None) -> _Box | None:
    bounds = shape.find(f"{{{DC}}}Bounds") if shape is not None else None
    if bounds is None:
        return None
    try:
        x, y, width, height = (float(bounds.get(name, "")) for name in ("x", "y", "width", "height"))
    except ValueError:
        return None
    return (x, y, x + width, y + height) if all(map(isfinite, (x, y, width, height))) else None


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
