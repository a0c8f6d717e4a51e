"""Rules on what every BPMN 2.0 file must hold to, read from the tables of the metamodel."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from engine.bpmn.lint import fixes, references
from engine.bpmn.lint.drawing import Drawing, bpmn_name
from engine.bpmn.lint.metamodel import BOOLEANS, CHILDREN, CHOICES, EXCLUDED, INTEGERS, PLACES, REFERENCES, REQUIRED
from engine.bpmn.lint.metamodel import Reference as Pointer
from engine.bpmn.lint.rules import Element, Report, Rule, shown
from engine.errors import Fix

BOOLEAN = Rule(
    "boolean-value",
    "error",
    "{attribute} = «{value}» не читается. Напишите true или false.",
    "{attribute} = “{value}” is not read. Write true or false.",
)
NUMBER = Rule(
    "number-value",
    "error",
    "{attribute} = «{value}» не годится: нужно целое число от {least}. Исправьте его.",
    "{attribute} = “{value}” cannot be used: it takes a whole number from {least} on. Correct it.",
)
CHOICE = Rule(
    "attribute-value",
    "error",
    "{attribute} = «{value}» не годится. Есть: {known}. Выберите из них.",
    "{attribute} = “{value}” cannot be used. There are: {known}. Choose one of them.",
)
MISSING = Rule(
    "attribute-missing",
    "error",
    "У элемента {kind} не задано {attribute}. Задайте его или удалите элемент.",
    "The element {kind} lacks {attribute}. Set it or delete the element.",
)
EXCLUSION = Rule(
    "attribute-exclusion",
    "error",
    "{attribute} = {value} не бывает у исполняемого процесса. Уберите это указание.",
    "{attribute} = {value} cannot be in an executable process. Remove it.",
)
CHILD_MISSING = Rule(
    "child-missing",
    "error",
    "В элементе {kind} нет {child}. Добавьте его или удалите элемент.",
    "The element {kind} holds no {child}. Add one or delete the element.",
)
CHILD_TWICE = Rule(
    "child-twice",
    "error",
    "В элементе {kind} {count} × {child}, допустимо {most}. Оставьте одно.",
    "The element {kind} holds {count} × {child}, {most} is allowed. Keep one.",
)
PLACE = Rule(
    "element-place",
    "error",
    "Элемент {kind} не может стоять в {parent}. Перенесите его или удалите.",
    "The element {kind} cannot stand in {parent}. Move or delete it.",
)
DANGLING = Rule(
    "dangling-reference",
    "warning",
    "{attribute} указывает на {target}, в файле такого нет. Исполнению это не мешает; уберите ссылку.",
    "{attribute} points to {target}, which is not in the file. It does not hinder execution; remove it.",
)
TYPE = Rule(
    "reference-type",
    "error",
    "{attribute} указывает на {target} – это {found}. Здесь нужно: {kinds}. Выберите подходящее.",
    "{attribute} points to {target}, a {found}. It takes {kinds} here. Choose a fitting one.",
)
DOCUMENTED_TYPE = Rule(
    "reference-kind",
    "warning",
    "{attribute} указывает на {target} – это {found}, а бывает: {kinds}. Исполнению это не мешает; исправьте ссылку.",
    "{attribute} points to {target}, a {found}, but takes {kinds}. It does not hinder execution; correct it.",
)
IMPORT = Rule(
    "import-ignored",
    "warning",
    "Импорт {location} не читается. Перенесите нужное в этот файл и удалите импорт.",
    "The import {location} is not read. Take what is needed into this file and delete the import.",
)
NAMESPACE = Rule(
    "target-namespace",
    "info",
    "У bpmn:definitions нет targetNamespace, другие редакторы могут не открыть файл. Задайте его.",
    "bpmn:definitions has no targetNamespace, other modelers may refuse the file. Set one.",
)
DATA_SET = Rule(
    "data-set",
    "warning",
    "{name} не входит ни в один {set}. Добавьте его туда или удалите.",
    "{name} belongs to no {set}. Add it there or delete it.",
)

OWN_NAMESPACE = "urn:bpmdesk:processes"
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_YES, _NO = ("1", "true", "yes"), ("0", "false", "no")

_BY_ATTRIBUTE: dict[str, list[Pointer]] = defaultdict(list)
_BY_CHILD: dict[str, list[Pointer]] = defaultdict(list)
for _pointer in REFERENCES:
    for _name in _pointer.on:
        (_BY_CHILD if _pointer.child else _BY_ATTRIBUTE)[_name].append(_pointer)


def check(drawing: Drawing, report: Report) -> None:
    """Every BPMN element of the file against the tables."""
    if not drawing.root.get("targetNamespace"):
        edit = fixes.set_attribute(drawing.root, "targetNamespace", OWN_NAMESPACE)
        fix = Fix(f"Задать targetNamespace = {OWN_NAMESPACE}.", f"Set targetNamespace to {OWN_NAMESPACE}.", (edit,))
        report.add(NAMESPACE, drawing.root, fix=fix)
    known = {identifier: e for e in drawing.root.iter() if (identifier := e.get("id")) and bpmn_name(e)}
    for element in drawing.elements():
        name = bpmn_name(element)
        if name:
            _check_attributes(element, name, report)
            _check_children(element, name, report)
            _check_place(element, name, report)
            _check_pointers(element, name, known, report)
            if name == "ioSpecification":
                _check_data_sets(element, report)


def _check_attributes(element: Element, name: str, report: Report) -> None:
    for attribute, value in _texts_of(element):
        if attribute in BOOLEANS and value.strip() not in ("true", "false"):
            report.add(BOOLEAN, element, fix=_boolean(element, attribute), attribute=attribute, value=shown(value))
        elif attribute in INTEGERS and not _counts(value, INTEGERS[attribute]):
            report.add(NUMBER, element, attribute=attribute, value=shown(value), least=INTEGERS[attribute])
        elif (name, attribute) in CHOICES and value not in CHOICES[name, attribute]:
            known = ", ".join(CHOICES[name, attribute])
            report.add(CHOICE, element, attribute=attribute, value=shown(value), known=known)
    for attribute in REQUIRED.get(name, ()):
        if not element.get(attribute, "").strip():
            report.add(MISSING, element, kind=name, attribute=attribute)
    if name == "import":
        report.add(IMPORT, element, location=shown(element.get("location", "–")))
    for kind, attribute, value, against in EXCLUDED:
        if name == kind and element.get(attribute) == value and (not against or element.get(against) == "true"):
            fix = fixes.without_attribute(element, attribute)
            report.add(EXCLUSION, element, fix=fix, attribute=attribute, value=value)


def _texts_of(element: Element) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in element.items()]


def _boolean(element: Element, attribute: str) -> Fix | None:
    value = element.get(attribute, "").strip().lower()
    if value not in _YES + _NO:
        return None
    meant = "true" if value in _YES else "false"
    edit = fixes.set_attribute(element, attribute, meant)
    return Fix(f"Записать {attribute} = {meant}.", f"Write {attribute} = {meant}.", (edit,))


def _counts(value: str, least: int) -> bool:
    return bool(_INTEGER.fullmatch(value.strip())) and int(value) >= least


def _check_children(element: Element, name: str, report: Report) -> None:
    count = Counter(map(bpmn_name, element))
    if count["extensionElements"] > 1:
        report.add(CHILD_TWICE, element, kind=name, child="extensionElements", count=count["extensionElements"], most=1)
    for child, (least, most) in CHILDREN.get(name, {}).items():
        found = sum(count[each] for each in child.split("|"))
        if found < least:
            report.add(CHILD_MISSING, element, kind=name, child=child.partition("|")[0])
        if most is not None and found > most:
            report.add(CHILD_TWICE, element, kind=name, child=child.partition("|")[0], count=found, most=most)


def _check_place(element: Element, name: str, report: Report) -> None:
    parent = element.getparent()
    stands_in = "" if parent is None else bpmn_name(parent)
    if stands_in and name in PLACES and stands_in not in PLACES[name]:
        report.add(PLACE, element, kind=name, parent=stands_in)


def _check_pointers(element: Element, name: str, known: dict[str, Element], report: Report) -> None:
    for pointer in _BY_ATTRIBUTE.get(name, ()):
        if element.get(pointer.name):
            _check_pointer(pointer, element, element.get(pointer.name, ""), known, report)
    for pointer in _BY_CHILD.get(name, ()):
        for child in element:
            if bpmn_name(child) == pointer.name:
                _check_pointer(pointer, child, (child.text or "").strip(), known, report)


def _check_pointer(pointer: Pointer, place: Element, text: str, known: dict[str, Element], report: Report) -> None:
    target = known.get(text.rpartition(":")[2]) if text else None
    if target is None and pointer.executed:
        report.add(references.UNKNOWN_REFERENCE, place, attribute=pointer.name, target=shown(text or "–"))
    elif target is None:
        fix = _without(pointer, place)
        report.add(DANGLING, place, fix=fix, attribute=pointer.name, target=shown(text or "–"))
    elif pointer.kinds and bpmn_name(target) not in pointer.kinds:
        rule, kinds = TYPE if pointer.executed else DOCUMENTED_TYPE, ", ".join(sorted(pointer.kinds)[:6])
        report.add(rule, place, attribute=pointer.name, target=shown(text), found=bpmn_name(target), kinds=kinds)


def _without(pointer: Pointer, place: Element) -> Fix | None:
    """Without the reference, where the element may be without it."""
    name = bpmn_name(place)
    if pointer.child:
        least = CHILDREN.get(bpmn_name(parent) if (parent := place.getparent()) is not None else "", {})
        edits = () if least.get(pointer.name, (0, None))[0] else (fixes.delete(place),)
    else:
        edits = () if pointer.name in REQUIRED.get(name, ()) else (fixes.unset(place, pointer.name),)
    return Fix(f"Убрать {pointer.name}.", f"Remove {pointer.name}.", edits) if edits else None


def _check_data_sets(specification: Element, report: Report) -> None:
    for kind, holder in (("dataInput", "inputSet"), ("dataOutput", "outputSet")):
        sets = [child for child in specification if bpmn_name(child) == holder]
        listed = set(_texts(sets, f"{kind}Refs"))
        for data in specification:
            if bpmn_name(data) == kind and data.get("id") not in listed:
                report.add(DATA_SET, data, name=shown(data.get("name") or data.get("id") or kind), set=holder)
        end = kind.removeprefix("data")
        for part in (f"optional{end}Refs", f"whileExecuting{end}Refs"):
            for text in set(_texts(sets, part)) - listed:
                report.add(DATA_SET, specification, name=shown(text), set=f"{kind}Refs")


def _texts(sets: Iterable[Element], name: str) -> list[str]:
    return [(child.text or "").strip() for each in sets for child in each if bpmn_name(child) == name]
