"""Rules on the file as a whole: it is BPMN, it is moderate, its ids are usable."""

from __future__ import annotations

import re
from itertools import count

from engine.bpmn.lint import fixes
from engine.bpmn.lint.drawing import Drawing, bpmn_name
from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.bpmn.xml import BPMN, local_name
from engine.errors import Fix

MOST_NODES = 400
MOST_FLOWS = 1_200
DEEPEST = 4
LONGEST_ID = 100
LONGEST_NAME = 255

NOT_BPMN = Rule(
    "not-bpmn",
    "error",
    "Корень файла – {root}, а не bpmn:definitions из {namespace}. Сохраните схему как BPMN 2.0.",
    "The root of the file is {root}, not bpmn:definitions of {namespace}. Save the drawing as BPMN 2.0.",
)
NO_PROCESS = Rule(
    "no-process",
    "error",
    "В файле нет ни одного процесса. Нарисуйте процесс: исполнять здесь нечего.",
    "The file holds no process. Draw one: there is nothing to execute here.",
)
TOO_MANY_NODES = Rule(
    "too-many-nodes",
    "error",
    "В файле {count} узлов, допустимо {limit}. Вынесите части в вызываемые процессы.",
    "The file holds {count} nodes, {limit} are allowed. Move parts into called processes.",
)
TOO_MANY_FLOWS = Rule(
    "too-many-flows",
    "error",
    "В файле {count} потоков, допустимо {limit}. Вынесите части в вызываемые процессы.",
    "The file holds {count} flows, {limit} are allowed. Move parts into called processes.",
)
TOO_DEEP = Rule(
    "too-deep",
    "error",
    "Подпроцессы вложены глубже {limit} уровней. Вынесите внутренний в вызываемый процесс.",
    "Sub-processes are nested deeper than {limit} levels. Move the inner one into a called process.",
)
DUPLICATE_ID = Rule(
    "duplicate-id",
    "error",
    "Идентификатор {id} встречается в файле дважды. Дайте элементам разные идентификаторы.",
    "The id {id} occurs twice in the file. Give the elements different ids.",
)
MISSING_ID = Rule(
    "missing-id",
    "error",
    "У элемента {kind} нет идентификатора. Откройте и сохраните схему в редакторе.",
    "The element {kind} has no id. Open and save the drawing in a modeler.",
)
ID_FORMAT = Rule(
    "id-format",
    "error",
    "Идентификатор {id} не годится: нужны буквы, цифры, «_», «-», «.», до {limit} знаков, сначала буква.",
    "The id {id} cannot be used: it takes up to {limit} letters, digits, “_”, “-”, “.”, a letter first.",
)
LONG_NAME = Rule(
    "name-length",
    "error",
    "Название длиннее {limit} знаков. Сократите его, подробности перенесите в описание.",
    "The name is longer than {limit} characters. Shorten it and move details to the documentation.",
)
DUPLICATE_PROCESS = Rule(
    "duplicate-process",
    "error",
    "Процесс {id} есть и в файле {other}. Дайте процессам разные идентификаторы.",
    "The process {id} is also in the file {other}. Give the processes different ids.",
)

_ID = re.compile(r"[^\W\d][\w.-]*")


def is_bpmn(root: Element, report: Report) -> bool:
    """Whether the root is BPMN definitions; reports it otherwise."""
    if bpmn_name(root) == "definitions":
        return True
    report.add(NOT_BPMN, root, root=shown(local_name(root)), namespace=BPMN)
    return False


def check(drawing: Drawing, report: Report) -> None:
    """Process present, sizes, ids, names."""
    if not drawing.processes:
        report.add(NO_PROCESS, drawing.root)
    _check_size(drawing, report)
    _check_ids(drawing, report)
    for element in drawing.root.iter():
        if bpmn_name(element) and len(element.get("name", "")) > LONGEST_NAME:
            report.add(LONG_NAME, element, limit=LONGEST_NAME)


def is_huge(drawing: Drawing) -> bool:
    """Whether looking closer would take longer than the file is worth."""
    flows = sum(len(scope.flows) for scope in drawing.scopes)
    return len(drawing.nodes) > 2 * MOST_NODES or flows > MOST_FLOWS


def check_bundle(drawings: dict[str, tuple[Drawing, Report]]) -> None:
    """The same process id in two files of one bundle."""
    seen: dict[str, str] = {}
    for file, (drawing, report) in drawings.items():
        for process in drawing.processes:
            if process.id and seen.setdefault(process.id, file) != file:
                report.add(DUPLICATE_PROCESS, process.element, id=shown(process.id), other=seen[process.id])


def _check_size(drawing: Drawing, report: Report) -> None:
    nodes = len(drawing.nodes)
    if nodes > MOST_NODES:
        report.add(TOO_MANY_NODES, drawing.processes[0].element, count=nodes, limit=MOST_NODES)
    flows = sum(len(scope.flows) for scope in drawing.scopes)
    if flows > MOST_FLOWS:
        report.add(TOO_MANY_FLOWS, drawing.processes[0].element, count=flows, limit=MOST_FLOWS)
    for scope in drawing.scopes:
        if scope.depth == DEEPEST + 1:
            report.add(TOO_DEEP, scope.element, limit=DEEPEST)


def _check_ids(drawing: Drawing, report: Report) -> None:
    seen: set[str] = set()
    for element in drawing.root.iter():
        if not element.tag.startswith(f"{{{BPMN}}}"):
            continue
        identifier = element.get("id")
        if identifier is None:
            continue
        if identifier in seen:
            report.add(DUPLICATE_ID, element, id=shown(identifier))
        seen.add(identifier)
        if not _ID.fullmatch(identifier) or len(identifier) > LONGEST_ID:
            report.add(ID_FORMAT, element, id=shown(identifier), limit=LONGEST_ID)
    _check_missing(drawing, report)


def _named(element: Element) -> Fix:
    """A new id that nothing in the file has."""
    taken = {each.get("id") for each in element.getroottree().iter()}
    kind = local_name(element)
    id = next(new for number in count(fixes.number(element)) if (new := f"{kind}_{number}") not in taken)
    return Fix(f"Назвать {id}.", f"Call it {id}.", (fixes.set_attribute(element, "id", id),))


def _check_missing(drawing: Drawing, report: Report) -> None:
    for scope in drawing.scopes:
        for element in (scope.element, *(n.element for n in scope.nodes), *(f.element for f in scope.flows)):
            if not element.get("id") and element is not scope.element:
                report.add(MISSING_ID, element, fix=_named(element), kind=local_name(element))
    for process in drawing.processes:
        if not process.id:
            report.add(MISSING_ID, process.element, kind="process")
